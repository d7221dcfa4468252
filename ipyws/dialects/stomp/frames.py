"""Frames of STOMP: as values, as bytes, and out of hostile bytes (STOMP 1.2, "STOMP Frames")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NEWEST: Final = "1.2"
VERSIONS: Final = ("1.0", "1.1", NEWEST)
_UNESCAPED: Final = ("CONNECT", "STOMP", "CONNECTED")
_COMMANDS: Final = frozenset(
    {
        *("CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT"),
        *("DISCONNECT", "CONNECTED", "MESSAGE", "RECEIPT", "ERROR"),
    }
)
_ESCAPES: Final[dict[str, dict[str, str]]] = {
    "1.0": {},
    "1.1": {"\\": "\\\\", "\n": "\\n", ":": "\\c"},
    NEWEST: {"\\": "\\\\", "\n": "\\n", ":": "\\c", "\r": "\\r"},
}
_MOST_HEADERS: Final = 1_000
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)


class MalformedError(ValueError):
    """Bytes are no frame of STOMP; says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame.

    Attributes:
        command: What it is: "MESSAGE".
        headers: Its headers; of those that came several times the first, which is the one that counts.
        body: Its body.
    """

    command: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def write_frame(frame: Frame, version: str) -> bytes:
    """Return the bytes of a frame.

    Args:
        frame: The frame; `check_header` has seen what it holds.
        version: The version that is spoken.
    """
    escapes = {} if frame.command in _UNESCAPED else _ESCAPES[version]
    table = str.maketrans(escapes)
    lines = [f"{name.translate(table)}:{value.translate(table)}\n" for name, value in frame.headers.items()]
    return f"{frame.command}\n{''.join(lines)}\n".encode() + frame.body + b"\x00"


def can_hold(text: str, command: str, version: str) -> bool:
    """Tell whether a text can stand in a header: what a version can't escape can't."""
    escapes = {} if command in _UNESCAPED else _ESCAPES[version]
    return not any(char in text and char not in escapes for char in "\n\r\x00")


def read_head(head: bytes, version: str | None) -> Frame:
    """Return a frame without its body, from its command and headers.

    Args:
        head: All up to the empty line, without the line end in front of that.
        version: The version that is spoken; None for any, where escapes that there are not stay.

    Raises:
        MalformedError: It is none.
    """
    try:
        command, *lines = head.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("a header is not UTF-8") from None
    if command not in _COMMANDS:
        raise MalformedError("a frame begins with no command of STOMP")
    if len(lines) > _MOST_HEADERS:
        raise MalformedError(f"a frame has more than {_MOST_HEADERS:,} headers")
    headers: dict[str, str] = {}
    plain = command in _UNESCAPED
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedError("a header has no colon")
        pair = (name, value) if plain else (_unescaped(name, version), _unescaped(value, version))
        headers.setdefault(*pair)
    return Frame(command, headers)


def _unescaped(text: str, version: str | None) -> str:
    if "\\" not in text or version == "1.0":
        return text
    meanings = {written[1]: char for char, written in _ESCAPES[version or NEWEST].items()}

    def meant(match: re.Match[str]) -> str:
        if match[1] in meanings:
            return meanings[match[1]]
        if version is None:
            return match[0]
        raise MalformedError("a header holds an escape that STOMP does not have")

    return _ESCAPED.sub(meant, text)
