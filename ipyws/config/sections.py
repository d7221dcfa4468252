"""What a configuration file says: a policy, saved connections, and both for single notebooks."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ipyws.config.saved import Saved, read_saved
from ipyws.errors import brief
from ipyws.policy.layer import Layer, Scope
from ipyws.policy.policy import TABLES
from ipyws.policy.table import KEYS, check_keys, read_layer
from ipyws.policy.toml import Document, read

# A relative path in its shortest form, without wildcards.
_MAY_MATCH: Final = re.compile(r"(?!/)(?!.*(?://|/\./|(?:^|/)\.\./|[\\*?\0])).+\.ipynb", re.DOTALL)
_OF_A_NOTEBOOK: Final = ("policy", "connections")


@dataclass(frozen=True, slots=True)
class Section:
    """A policy and saved connections.

    Attributes:
        layer: The policy, or None where nothing is said.
        connections: The saved connections by name.
    """

    layer: Layer | None = None
    connections: Mapping[str, Saved] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file.

    Attributes:
        path: Where it is.
        section: What it says for every notebook.
        notebooks: What it says for single ones, by the key in the file.
    """

    path: Path
    section: Section
    notebooks: Mapping[str, Section] = field(default_factory=dict)

    def for_notebook(self, notebook: Path) -> list[Section]:
        """Return what the file says for one notebook, by the path it was opened under or its real one."""
        paths = {
            (path, folder)
            for path in (notebook, notebook.resolve())
            for folder in (self.path.parent, self.path.resolve().parent)
        }
        return [
            section
            for key, section in self.notebooks.items()
            if any(_means(key, path, folder) for path, folder in paths)
        ]


def _means(key: str, notebook: Path, folder: Path) -> bool:
    """Tell whether a key means a notebook: by its name, or where it has a "/" by its path from a folder."""
    if "/" not in key:
        return _folded(key) == _folded(notebook.name)
    below = notebook.is_relative_to(folder)
    return below and _folded(key.removeprefix("./")) == _folded(notebook.relative_to(folder).as_posix())


def _folded(name: str) -> str:
    """Return a name as file systems compare it that differ in how they write accents, and in case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def read_file(data: bytes, path: Path, scope: Scope) -> ConfigFile:
    """Read an ``ipyws.toml``, or the machine's file.

    Raises:
        InvalidError: It is not TOML, or something in it is not what it must be; names file, line and key.
    """
    if not data.strip():
        # Whoever is about to write it has emptied it first; or meant something else.
        raise Document({}, str(path), {}).error(
            "is empty", hint="nothing connects until it is not, or is gone"
        )
    return _file(read(_text(data, path), str(path)), path, scope)


def read_project(data: bytes, path: Path) -> ConfigFile | None:
    """Read ``[tool.ipyws]`` of a ``pyproject.toml``; None if there is none.

    Raises:
        InvalidError: As `read_file`.
    """
    document = read(_text(data, path), str(path))
    tool = document.table.get("tool")
    if not isinstance(tool, dict) or "ipyws" not in tool:
        return None
    return _file(document.part("tool", "ipyws"), path, "project")


def read_metadata(data: bytes, path: Path) -> ConfigFile | None:
    """Read the key ``ipyws`` of a notebook's metadata; None if there is none.

    Raises:
        InvalidError: The file is not a notebook, or as `read_file`.
    """
    if b'"ipyws"' not in data:
        return None
    try:
        notebook = json.loads(data)
        metadata = notebook["metadata"]
        table = metadata.get("ipyws")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Document({}, str(path), {}).error(
            "is not a notebook", hint="nothing connects until it is"
        ) from None
    if table is None:
        return None
    whole = Document({"ipyws": table}, f"{path} (metadata)", {})
    return ConfigFile(path, _section(whole.part("ipyws"), "notebook"))


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Document({}, str(path), {}).error("is not UTF-8", hint="save it as UTF-8") from None


def _file(document: Document, path: Path, scope: Scope) -> ConfigFile:
    check_keys(document, TABLES, "the file")
    own = {key: value for key, value in document.table.items() if key != "notebooks"}
    section = _tables(Document(own, document.file, document.lines, document.at), scope)
    if "notebooks" not in document.table:
        return ConfigFile(path, section)
    part = document.part("notebooks")
    notebooks = {name: _section(part.part(name), "notebook") for name in part.table}
    for name in notebooks:
        if not _MAY_MATCH.fullmatch(name):
            hint = "write the notebook's name, or its path from here"
            raise part.error(f"notebooks has {brief(name)}, which never matches", name, hint=hint)
    return ConfigFile(path, section, notebooks)


def _section(document: Document, scope: Scope) -> Section:
    """Read what holds for a notebook: a policy's keys may stand in the table itself."""
    direct = [key for key in document.table if key in KEYS]
    if not direct:
        return _tables(document, scope)
    own = {key: value for key, value in document.table.items() if key != "connections"}
    if "policy" in own:
        raise document.error(
            f"{direct[0]} stands beside the policy", direct[0], hint="move it into the policy"
        )
    layer = read_layer(Document(own, document.file, document.lines, document.at), scope)
    return Section(layer, _connections(document))


def _tables(document: Document, scope: Scope) -> Section:
    check_keys(document, _OF_A_NOTEBOOK, "the table")
    layer = read_layer(document.part("policy"), scope) if "policy" in document.table else None
    return Section(layer, _connections(document))


def _connections(document: Document) -> dict[str, Saved]:
    if "connections" not in document.table:
        return {}
    part = document.part("connections")
    return {name: read_saved(part.part(name), name) for name in part.table}
