"""Searching in messages: in their payloads, and in what those mean where they don't show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipyws.core.codecs.spelled import spelled
from ipyws.core.messages.message import Message
from ipyws.core.messages.regex import Test

_SEARCHED: Final = 1 << 20  # characters of a value
_READABLE: Final = ("json", "text", "raw")


def searching(holds: Test) -> Callable[[Message], bool]:
    """Return the function that tells whether a message holds what is searched.

    It looks at the payload as it came; where that is of a binary format, is packed, or is a packet of a
    dialect, at the value too, spelled as JSON, and at the packet's name.
    """

    def matches(message: Message) -> bool:
        return holds(message.data) or any(map(holds, beyond(message)))

    return matches


def beyond(message: Message) -> tuple[str, str]:
    """Return what a message says that its payload does not show: the name of a packet, and the value.

    Both are "" where the payload shows all of it, or nothing can be read in it. The value has no secrets in
    it, the name may have.
    """
    codec, data = message.codec, message.data
    if message.type not in ("text", "binary") or (
        isinstance(data, str) and codec.name in ("auto", *_READABLE)
    ):
        return "", ""
    decoded = message.read()
    if decoded.problem is not None or (decoded.format in _READABLE and not decoded.label):
        return "", ""
    return decoded.label, spelled(decoded.value, _SEARCHED)
