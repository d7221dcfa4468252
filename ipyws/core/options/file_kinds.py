"""Options that name a file: PEM files, which may also be given as text, and the journal."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipyws.core.messages.contract import Contract, read_contract
from ipyws.core.options.credentials import is_pem, remember_pem, texts_in
from ipyws.core.options.kinds import OptionKind, holds_credential, refuse, refuse_unseen
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import Secret, mask, secret

_LONGEST_NAME = 100  # characters of a path that is shown
_ALLOWED = "the path of a PEM file, or PEM text,"


class PemKind(OptionKind):
    """The path of a PEM file that can be read, or PEM text, as variables of CI systems hold it."""

    values = "PEM file or text"
    annotation = "str | bytes | PathLike[str] | None"
    checked = "Path | Secret | None"
    metavar = "PEM-FILE"
    names_file = True
    in_file = ", a path from the file's folder"

    def check(self, name: str, value: Any) -> Path | Secret | None:
        if value is None:
            return None
        if isinstance(value, (bytes, bytearray)) and b"-----BEGIN " in value:
            value = bytes(value).decode("utf-8", "replace")
        if isinstance(value, str) and is_pem(value):
            return _pem_text(name, value)
        if not isinstance(value, (str, os.PathLike)):
            raise refuse_unseen(name, value, _ALLOWED)
        path = Path(os.path.expanduser(value))
        if not _is_file(path) or not os.access(path, os.R_OK):
            # A key may have lost the lines around it: it is not a path then, and not repeated.
            known = len(str(path)) <= _LONGEST_NAME and not holds_credential(str(path))
            shown = brief(str(path)) if known else "no path that is known"
            raise InvalidError(f"{name} names {shown}, which is not a readable file", hint="check the path")
        return path

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        """Return PEM text, or the path of a file in the folder or below it."""
        if not isinstance(value, str) or is_pem(value):
            return value
        path = folder / os.path.expanduser(value)
        if not is_in(folder, path):
            hint = "a path in the folder of the file is allowed"
            raise InvalidError(f"{name} leads out of the folder of the file", hint=hint)
        return path

    def check_saved(self, name: str, value: Any, folder: Path) -> None:
        """Check PEM text, or where a path leads: the file may come later."""
        if not isinstance(value, str):
            raise refuse_unseen(name, value, _ALLOWED)
        taken = self.read_saved(name, value, folder)
        if not isinstance(taken, Path):
            self.check(name, taken)

    def given(self, value: Path | Secret | None) -> str | None:
        return None if value is None else str(value)

    def secrets_in(self, value: Any) -> list[str]:
        return [text for text in texts_in(value) if "PRIVATE KEY" in text]

    def remember(self, value: object) -> None:
        for text in texts_in(value):
            remember_pem(text)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is recorded into, file after file."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path}/"


class JournalKind(OptionKind):
    """The path of a file, or of a folder; whether it can be written is seen when it is."""

    values = "path of a file, or of a folder/"
    annotation = "str | PathLike[str] | None"
    checked = "Path | Folder | None"
    metavar = "PATH"
    names_file = True
    in_file = ", a path in the file's folder"

    def check(self, name: str, value: Any) -> Path | Folder | None:
        if value is None or isinstance(value, Folder):
            return value
        if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
            raise refuse(name, value, 'a path such as "prices.jsonl", or a folder such as "prices/",')
        path = Path(os.path.expanduser(value))
        is_folder = _ends_like_folder(value) or (not isinstance(value, str) and _is_folder(path))
        if not (_may_be_folder(path) if is_folder else _may_be_file(path)):
            kind = "folder" if is_folder else "file"
            hint = "a folder is written with a slash at its end" if _is_folder(path) else "check the path"
            raise InvalidError(f"{name} names {brief(str(path))}, which can't be a {kind}", hint=hint)
        if not path.parent.is_dir():
            raise InvalidError(f"{name}: there is no folder {path.parent}", hint="create it first")
        return Folder(path) if is_folder else path

    def given(self, value: Path | Folder | None) -> str | None:
        return None if value is None else str(value)

    def show(self, value: Any) -> Any:
        return value if value is None else mask(str(value))

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        """Return a path beside the file, since somebody else may have written that."""
        path = path_beside(name, value, folder)
        return f"{path}/" if _ends_like_folder(value) else path


class SpecKind(OptionKind):
    """An AsyncAPI document or a JSON Schema: a file, which is read when it is checked, or a contract."""

    values = "path or contract"
    annotation = "str | PathLike[str] | Mapping[str, Any] | Contract | None"
    checked = "Contract | None"
    metavar = "FILE"
    names_file = True
    in_file = ", a path in the file's folder"

    def check(self, name: str, value: Any) -> Contract | None:
        return None if value is None else read_contract(value)

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        """Return a path beside the file, since somebody else may have written that."""
        return path_beside(name, value, folder)

    def check_saved(self, name: str, value: Any, folder: Path) -> None:
        self.read_saved(name, value, folder)  # the file is read when it is used

    def show(self, value: Any) -> Any:
        return value

    def given(self, value: Contract | None) -> str | None:
        path = None if value is None else value.path
        return path if value is None or path is not None else super().given(value)


def path_beside(name: str, value: Any, folder: Path) -> Any:
    """Return the path that stands in a file, as one in its folder.

    Raises:
        InvalidError: It leads out of that.
    """
    if not isinstance(value, str):
        return value
    path = Path(value)
    beside = not (path.is_absolute() or ".." in path.parts or value.startswith("~"))
    if not beside or not is_in(folder, folder / path):
        raise refuse(name, value, "a path in the folder of the file")
    return folder / path


def is_in(folder: Path, path: Path) -> bool:
    """Tell whether a path stays in a folder; a link on the way may be somebody else's."""
    within = "\0" not in str(path)
    return within and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _pem_text(name: str, text: str) -> Secret:
    remember_pem(text)
    if "\n" not in text.strip() and "\\n" in text:  # as a shell or a .env file passes it on
        text = text.replace("\\n", "\n")
    if not re.search(r"-----BEGIN [^-]+-----.+-----END [^-]+-----", text, re.DOTALL):
        raise InvalidError(
            f"{name} holds text that is not PEM",
            hint="PEM text begins with a line -----BEGIN …----- and ends with -----END …-----",
        )
    return secret(text)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def _ends_like_folder(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(("/", os.sep))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()  # a Path that was made of "x/" has no slash any more
    except (OSError, ValueError):
        return False


def _may_be_folder(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return path.is_dir()


def _may_be_file(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False
    return not path.is_dir()
