"""Saved connections: ``[connections.NAME]``, a URL and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ipyws.config.references import check_references, fill, has_reference
from ipyws.core.options.table import BY_NAME, OPTIONS
from ipyws.errors import InvalidError, brief
from ipyws.policy.table import check_keys
from ipyws.policy.toml import Document
from ipyws.policy.url import parse
from ipyws.text.masking import mask

_KEYS: Final = ("url", *(option.name for option in OPTIONS if option.kind.in_file is not None))


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
        folder = Path(self.file).parent
        options = {
            name: BY_NAME[name].kind.read_saved(name, fill(value, user), folder)
            for name, value in self.options.items()
        }
        return fill(self.url, user), {"name": self.name, **options}

    def __repr__(self) -> str:
        return f"<Saved {self.name} {mask(self.url)} in {self.file}>"


def read_saved(document: Document, name: str) -> Saved:
    """Read the table of a saved connection.

    Raises:
        InvalidError: Its name or a key is not allowed, or a secret is written out; names file, line and key.
    """
    what = f"connection {name}"
    try:
        BY_NAME["name"].kind.check("name", name)
    except InvalidError as error:
        raise document.error(f"no connection can be called {brief(name)}", hint=error.hint) from None
    check_keys(document, _KEYS, what)
    url = document.table.get("url")
    if not isinstance(url, str):
        raise document.error(f"{what} lacks its url", hint='write url = "wss://host/path"')
    check_references(document, what)
    options = {key: value for key, value in document.table.items() if key != "url"}
    for key, value in document.table.items():
        if not has_reference(value):
            _check(document, what, key)
    return Saved(name, url, options, document.file)


def _check(document: Document, what: str, key: str) -> None:
    """Check what stands there already, and not only when it is used."""
    value = document.table[key]
    try:
        if key == "url":
            parse(value)
        else:
            BY_NAME[key].kind.check_saved(key, value, Path(document.file).parent)
    except InvalidError as error:
        raise document.error(f"{what}: {error.message}", key, hint=error.hint) from None
