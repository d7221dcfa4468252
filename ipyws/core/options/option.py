"""One option: of a connection, or a setting of a dialect."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ipyws.core.options.kinds import OptionKind


class Option(NamedTuple):
    """One option.

    Attributes:
        name: Its name, everywhere.
        kind: What it may be.
        default: What holds unless it is given.
        about: A line for the help and the docs.
        short: Other names of its flag in a line of ``%ws``.
    """

    name: str
    kind: OptionKind
    default: Any
    about: str
    short: tuple[str, ...] = ()

    def is_default(self, value: Any) -> bool:
        """Tell whether a value is the default as it stands in the table, so that it needs no check."""
        default = self.default
        return value is default or (type(value) is type(default) is int and value == default)

    @property
    def in_python(self) -> str:
        """The default as it is written in Python."""
        value = self.default
        if isinstance(value, str):
            return json.dumps(value)
        return str(value) if isinstance(value, bool) or value is None or value < 10_000 else f"{value:_}"
