"""Saved connections: ``[connections.NAME]``, a URL and options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ipyws.config.references import check_references, fill, has_reference
from ipyws.core.connection.reconnect import read_reconnect
from ipyws.core.options import kinds
from ipyws.core.options.credentials import is_pem
from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError, brief
from ipyws.policy.table import check_keys
from ipyws.policy.toml import Document
from ipyws.policy.url import parse
from ipyws.text.masking import mask
from ipyws.text.sizes import read_size

_KEYS: Final = ("url", *(name for name in BY_NAME if name != "name"))
_FILES: Final = ("ca", "cert", "key")
_SIZES: Final = ("compression_threshold", "read_limit", "log_bytes")


@dataclass(frozen=True, slots=True, repr=False)
class Saved:
    """A saved connection; its references are filled in when it is used.

    Attributes:
        name: What it is called.
        url: Its URL.
        options: Options of `ipyws.connect`.
        file: The file it stands in.
    """

    name: str
    url: str
    options: Mapping[str, Any]
    file: str

    def fill(self) -> tuple[str, dict[str, Any]]:
        """Return URL and options as `ipyws.connect` takes them, with the environment's values in place.

        Raises:
            InvalidError: A variable is not set, or is no size where one is needed.
        """
        user = f"connection {self.name} of {self.file}"
        options = {name: self.option(name, fill(value, user)) for name, value in self.options.items()}
        return fill(self.url, user), {"name": self.name, **options}

    def option(self, name: str, value: Any) -> Any:
        """Return a value that TOML can't hold from the text that stands for it."""
        if not isinstance(value, str):
            return value
        if name in _FILES:
            return value if is_pem(value) else self._pem_file(name, value)
        if name == "record":
            return self._journal(value)
        if name == "reconnect":
            return read_reconnect(value)
        if name in _SIZES:
            return read_size(value)
        may_be_off = BY_NAME[name].check is kinds.duration or name == "proxy"
        return None if may_be_off and value.lower() == "none" else value

    def _pem_file(self, name: str, value: str) -> Path:
        """Return the path of a PEM file: beside the file, as that of a journal, or below."""
        path, folder = Path(self.file).parent / os.path.expanduser(value), Path(self.file).parent
        if "\0" in value or not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            hint = "a path in the folder of the file is allowed"
            raise InvalidError(f"{name} leads out of the folder of the file", hint=hint)
        return path

    def _journal(self, value: str) -> Path:
        """Return the path of a journal: beside the file, since somebody else may have written that."""
        path, folder = Path(value), Path(self.file).parent
        beside = not (path.is_absolute() or ".." in path.parts or value.startswith("~") or "\0" in value)
        # A link on the way may be somebody else's too.
        if not beside or not Path(os.path.realpath(folder / path)).is_relative_to(os.path.realpath(folder)):
            raise kinds.refuse("record", value, "a path in the folder of the file")
        return folder / path

    def __repr__(self) -> str:
        return f"<Saved {self.name} {mask(self.url)} in {self.file}>"


def read_saved(document: Document, name: str) -> Saved:
    """Read the table of a saved connection.

    Raises:
        InvalidError: Its name or a key is not allowed, or a secret is written out; names file, line and key.
    """
    what = f"connection {name}"
    try:
        kinds.connection_name("name", name)
    except InvalidError as error:
        raise document.error(f"no connection can be called {brief(name)}", hint=error.hint) from None
    check_keys(document, _KEYS, what)
    url = document.table.get("url")
    if not isinstance(url, str):
        raise document.error(f"{what} lacks its url", hint='write url = "wss://host/path"')
    check_references(document, what)
    options = {key: value for key, value in document.table.items() if key != "url"}
    saved = Saved(name, url, options, document.file)
    for key, value in document.table.items():
        if not has_reference(value):
            _check(document, what, key, saved)
    return saved


def _check(document: Document, what: str, key: str, saved: Saved) -> None:
    """Check what stands there already, and not only when it is used; files may come later."""
    value = document.table[key]
    try:
        if key == "url":
            parse(value)
        elif key not in _FILES:
            BY_NAME[key].check(key, saved.option(key, value))
        elif not isinstance(value, str):
            raise kinds.refuse_unseen(key, value, "the path of a PEM file, or PEM text,")
        elif is_pem(value):
            BY_NAME[key].check(key, value)
        else:
            saved.option(key, value)
    except InvalidError as error:
        raise document.error(f"{what}: {error.message}", key, hint=error.hint) from None
