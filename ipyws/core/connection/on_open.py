"""What is sent whenever a connection has opened: the key ``on_open`` of the option ``reconnect``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable

from ipyws.core.codecs.codec import Data
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.payload import encode
from ipyws.core.options.fresh import Again, Fresh
from ipyws.errors import InvalidError

_SEPARATOR: Final = re.compile(r"^\s*===", re.MULTILINE)
"""What a script has and a payload that somebody forgot to put into a list has not."""


@runtime_checkable
class Script(Protocol):
    """Something that is done whenever the connection has opened: a ``%%ws`` body."""

    async def run(self, stage: Any, cursor: Cursor) -> None:
        """Do it.

        Args:
            stage: The connection, as far as scripts go.
            cursor: The place in its log where this opening begins.
        """


OnOpen = tuple[Data | Fresh, ...] | Fresh | Script
"""What is sent whenever the connection has opened."""


def is_script(value: object) -> bool:
    """Tell whether a value is a text that is a script."""
    return isinstance(value, str) and _SEPARATOR.search(value) is not None


def check_on_open(name: str, value: Any, names: Mapping[str, Any]) -> OnOpen:
    """Return what is sent on each open: payloads, or a script, which is a text with lines of ``===``.

    Args:
        name: What it is, for the error.
        value: As it was given.
        names: What the expressions of a script know, besides ``env`` and what it keeps itself.

    Raises:
        InvalidError: It is neither, or one of its payloads or steps is wrong.
    """
    if is_script(value):
        from ipyws.script.opening import OpeningScript

        try:
            return OpeningScript.parse(value, names)
        except InvalidError as error:
            raise error.within(name) from None
    if isinstance(value, Again):
        payloads(name, value.first)
    return value if callable(value) or isinstance(value, Script) else payloads(name, value)


def payloads(name: str, value: Any) -> tuple[Data | Fresh, ...]:
    """Return payloads as they are sent, and functions that make some.

    What the user does to his own payloads later changes nothing.

    Args:
        name: What they are, for the error.
        value: As it was given, or as a function returned it.

    Raises:
        InvalidError: It is not a list, or one can't be sent.
    """
    if not isinstance(value, (list, tuple)):
        raise InvalidError(
            f"{name} is of type {type(value).__name__}",
            hint="a list of str, bytes and dict, or of functions that make them, or a script is allowed",
        )
    checked: list[Data | Fresh] = []
    for number, payload in enumerate(value, 1):
        try:
            checked.append(payload if callable(payload) else encode(payload)[0])
        except InvalidError as error:
            raise InvalidError(f"{name}: payload {number}: {error.message}", hint=error.hint) from None
    return tuple(checked)
