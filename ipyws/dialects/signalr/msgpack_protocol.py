"""The hub protocol in MessagePack: arrays, each behind its length in seven bits a byte, the lowest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.dialects.signalr.message import NUMBERS, HubMessage, checked, kind_of

_ERROR, _VOID, _RESULT = 1, 2, 3  # kinds of completions
_LENGTH_BYTES: Final = 5
_NO_HEADERS: Final[dict[str, str]] = {}


class MessagePackProtocol:
    """Reads and writes it, by msgspec."""

    name = "messagepack"

    def write(self, message: HubMessage) -> bytes:
        """Return a message as it is sent.

        Raises:
            InvalidError: It holds something that MessagePack has not.
        """
        packed = MSGPACK.encode([NUMBERS[message.kind], *_fields(message)])
        return _length(len(packed)) + packed

    def read(self, payload: Data) -> Iterator[HubMessage]:
        """Yield the messages of one of WebSocket.

        Raises:
            ValueError: What follows is none.
            RecursionError: It is nested too deeply.
        """
        if isinstance(payload, str):
            raise ValueError("it is text")
        place = 0
        while place < len(payload):
            size, place = _read_length(payload, place)
            if size > len(payload) - place:
                raise ValueError("a message has no end")
            yield _message(MSGPACK.decode(payload[place : place + size]))
            place += size


def _fields(message: HubMessage) -> list[Any]:
    kind, id, target, value, error, again = message
    match kind:
        case "ping":
            return []
        case "close":
            return [error, again]
        case "invocation" | "stream invocation":
            return [_NO_HEADERS, id, target, value]
        case "completion" if error is not None:
            return [_NO_HEADERS, id, _ERROR, error]
        case "completion":
            return [_NO_HEADERS, id, _RESULT, value]
        case _:
            return [_NO_HEADERS, id]


def _message(fields: Any) -> HubMessage:
    if not isinstance(fields, list) or not fields:
        raise ValueError("a message is not an array")
    kind, rest = kind_of(fields[0]), [*fields[1:], *[None] * 5]
    match kind:
        case "ping":
            return HubMessage(kind)
        case "close":
            found = HubMessage(kind, error=rest[0], again=rest[1] is True)
        case "ack" | "sequence":
            found = HubMessage(kind, value=rest[0])
        case "invocation" | "stream invocation":
            found = HubMessage(kind, rest[1], rest[2], rest[3])
        case "completion":
            failed = rest[2] == _ERROR
            found = HubMessage(
                kind, rest[1], value=None if failed else rest[3], error=rest[3] if failed else None
            )
        case _:
            found = HubMessage(kind, rest[1], value=rest[2])
    return checked(found)


def _length(size: int) -> bytes:
    found = bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*found, size])


def _read_length(data: bytes, place: int) -> tuple[int, int]:
    """Return the length at a place, and where it ends."""
    size = 0
    for number, byte in enumerate(data[place : place + _LENGTH_BYTES]):
        size |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return size, place + number + 1
    raise ValueError("the length of a message has no end")
