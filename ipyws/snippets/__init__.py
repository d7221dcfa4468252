"""Commands of other programs, pasted in; connections, copied out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ipyws.snippets.programs import FORMS

if TYPE_CHECKING:
    from ipyws.snippets.reading import Pasted, read_command
    from ipyws.snippets.writing import copy_as

__all__ = ["FORMS", "Pasted", "copy_as", "read_command"]

_HOMES: Final = {
    "Pasted": "ipyws.snippets.reading",
    "read_command": "ipyws.snippets.reading",
    "copy_as": "ipyws.snippets.writing",
}
"""Where the names come from that take long to load: each is imported when it is first asked for."""


if not TYPE_CHECKING:  # or a type checker would take any name

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
