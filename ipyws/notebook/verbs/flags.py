"""The flags of the verbs: those of `connect` follow from the table of options."""

from __future__ import annotations

import keyword
from typing import Any

from ipyws.core.options.option import Option
from ipyws.core.options.reconnect_kinds import ReconnectKind
from ipyws.core.options.request_kinds import SignKind
from ipyws.core.options.rule_kinds import RuleKind
from ipyws.core.options.table import BY_NAME, OPTIONS
from ipyws.errors import InvalidError, brief
from ipyws.notebook.source.line import Flag
from ipyws.text.sizes import read_size

_LEAST_ROOM = 200


def number(text: str) -> float:
    """Return a number, or infinity.

    Raises:
        InvalidError: The text is none.
    """
    try:
        return float(text)
    except ValueError:
        raise InvalidError(f"{brief(text)} is not a number", hint="write 2, 0.5 or inf") from None


def room(text: str) -> int:
    """Return a size from 200 bytes on: less has no room for a message.

    Raises:
        InvalidError: The text is none.
    """
    size = read_size(text)
    if size < _LEAST_ROOM:
        raise InvalidError(f"{brief(text)} is too small", hint=f"from {_LEAST_ROOM} bytes on")
    return size


def check_variable(name: str | None) -> str | None:
    """Return a name that ``-o`` can store to.

    Raises:
        InvalidError: It is no Python name.
    """
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise InvalidError(f"-o {name!r:.60} is not a Python name", hint="letters, digits and _ are allowed")
    return name


def connect_flags() -> tuple[Flag, ...]:
    """Return a flag for each option of a connection, in the order of the table."""
    return tuple(option_flag(option) for option in OPTIONS)


def connect_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a line as `ipyws.connect` takes them, leaving only them."""
    return {name: given.pop(name) for name in list(given) if name in BY_NAME}


def option_flag(option: Option) -> Flag:
    """Return the flag of an option."""
    kind = option.kind
    holds = option.default or kind.choices
    unless = f" (default {kind.show_default(option.default)})" if holds else ""
    return Flag(
        (*option.short, f"--{option.name.replace('_', '-')}"),
        option.about + unless,
        kind.metavar,
        kind.read,
        many=bool(kind.separator),
        verbatim=isinstance(kind, RuleKind | SignKind),
        again=kind.made or isinstance(kind, ReconnectKind),
        words=2 if isinstance(kind, RuleKind) else 1,
    )
