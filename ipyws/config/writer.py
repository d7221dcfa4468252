"""Writing rules for a notebook into ``ipyws.toml``, with the file's comments and layout kept."""

from __future__ import annotations

import errno
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipyws.config.files import NAME
from ipyws.config.notebook_path import find
from ipyws.config.sections import read_file
from ipyws.core.files import replacing
from ipyws.errors import InvalidError
from ipyws.policy.rule import Rule
from ipyws.policy.table import KEYS
from ipyws.policy.toml import Document

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

# What a kernel's policy leaves to the other layers, a file has to allow.
_LEFT_TO_OTHERS = {
    "insecure_tls": "allow",
    "proxy": "allow",
    "addresses": {"allow": ["loopback", "private", "unix"]},
}


def save(rules: tuple[Rule, ...]) -> Path:
    """Add rules to the policy of this notebook in the ``ipyws.toml`` of its folder.

    Returns:
        The file.

    Raises:
        InvalidError: The notebook is not known, the file can't be read or written, or it allows other URLs
            already, of which it can't be said in one policy that both must allow.
    """
    from tomlkit.exceptions import TOMLKitError

    here = find()
    notebook = here.notebook
    if notebook is None or here.unknown:
        raise InvalidError(
            "it is not known which notebook this is", hint="IPYWS_NOTEBOOK=name.ipynb says it to the kernel"
        )
    path = notebook.parent / NAME
    if path.is_symlink() and not path.exists():
        raise InvalidError(f"{path} is a link to nowhere", hint="nothing was saved; remove it")
    linked, path = path.is_symlink(), path.resolve()
    try:
        text = _read(path)
        if linked and not text.strip():
            raise OSError(errno.ELOOP, "it is empty, and a link leads to it")
        if text.strip():
            read_file(text.encode(), path, "project")
        written = _edited(text, notebook.name, rules, path)
        read_file(written.encode(), path, "project")
        _write(path, written)
    except (OSError, TOMLKitError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidError(f"{path} can't be changed: {why}", hint="nothing was saved") from None
    return path


def _read(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path.read_bytes().decode() if path.exists() else ""


def _edited(text: str, name: str, rules: tuple[Rule, ...], path: Path) -> str:
    """Return a file's text with rules added to the policy of a notebook; all else stays byte for byte."""
    import tomlkit

    mark = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if text.count("\r\n") == text.count("\n") > 0 else "\n"
    plain = text.removeprefix(mark).replace(newline, "\n")
    # Below dotted keys and in inline tables, tomlkit writes [[tables]] that mean something else.
    for inline in (False, True):
        document = tomlkit.parse(plain)
        _add(document, name, rules, path, inline)
        written = tomlkit.dumps(document)
        if _means(written, document.unwrap()):
            return mark + written.replace("\n", newline)
    raise InvalidError(f"{path} has a layout that rules can't be added to", hint="edit the file by hand")


def _means(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _add(document: TOMLDocument, name: str, rules: tuple[Rule, ...], path: Path, inline: bool) -> None:
    import tomlkit

    notebooks = document.setdefault("notebooks", tomlkit.table(is_super_table=True))
    table: Any = notebooks.setdefault(name, _table_in(notebooks, inline, is_super=True))
    if "policy" in table or not set(KEYS) & set(table):
        if "policy" not in table:
            table["policy"] = _table_in(table, inline)
            table["policy"].update(_LEFT_TO_OTHERS)
        table = table["policy"]
    known = [(entry["effect"], entry["url"]) for entry in table.get("rules", ())]
    added = [rule for rule in rules if (rule.effect, rule.url) not in known]
    # What the file says of all other URLs would not hold any more.
    says = "default" in table or any(effect == "allow" for effect, _ in known)
    if says and any(rule.effect == "allow" for rule in added):
        raise Document({}, str(path), {}).error(
            f"says already what else {name} may connect to",
            hint="edit the file by hand, or narrow it with deny",
        )
    if "rules" not in table:
        table["rules"] = tomlkit.array() if inline else tomlkit.aot()
    for rule in added:
        within = isinstance(table["rules"], tomlkit.items.Array)
        entry = tomlkit.inline_table() if within else tomlkit.table()
        entry.update({"effect": rule.effect, "url": rule.url})
        table["rules"].append(entry)


def _table_in(parent: Any, inline: bool, *, is_super: bool = False) -> Any:
    import tomlkit

    if inline or isinstance(parent, tomlkit.items.InlineTable):
        return tomlkit.inline_table()
    return tomlkit.table(is_super_table=is_super)


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, so that a full disk leaves the old one."""
    new = not path.exists()
    with replacing(path) as stream:
        stream.write(text)
        if new and hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), 0o644)
