"""Data messages on their way to the sink, and what ends a connection because of a frame."""

from __future__ import annotations

from struct import Struct
from typing import Any

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode

from ipyws.core.connection.transport import Sink
from ipyws.core.constants import CloseCode
from ipyws.core.messages.message import Replaced

FAULTS = (UnicodeDecodeError, ProtocolError, PayloadTooBig)
"""What a frame of the peer's may be: the connection fails because of it."""


_MASKED = 0x80
_EXTENDED = {126: Struct("!H"), 127: Struct("!Q")}


class UnreadPongsError(ProtocolError):
    """The peer sends pings and does not read the pongs."""


def verdict(error: Exception) -> tuple[int, str]:
    """Return the close code and the reason for one of the `FAULTS` (RFC 6455 section 7.4.1)."""
    if isinstance(error, UnicodeDecodeError):
        return CloseCode.INVALID_PAYLOAD, f"{error.reason} at position {error.start}"
    if isinstance(error, PayloadTooBig):
        return CloseCode.MESSAGE_TOO_BIG, str(error)
    if isinstance(error, UnreadPongsError):
        return CloseCode.POLICY_VIOLATION, "pongs are not read"
    return CloseCode.PROTOCOL_ERROR, str(error)


def not_utf8(error: UnicodeDecodeError) -> str:
    """Return in words where a text is not UTF-8."""
    return f"not UTF-8: {error.reason} 0x{error.object[error.start]:02x} at position {error.start}"


def payload_bounds(data: bytes | bytearray | memoryview, pos: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at ``pos`` begins and ends; None if its header is not whole."""
    start = pos + 2
    if len(data) < start:
        return None
    size = data[pos + 1] & ~_MASKED
    if extended := _EXTENDED.get(size):
        if len(data) < start + extended.size:
            return None
        (size,) = extended.unpack_from(data, start)
        start += extended.size
    return start, start + size


def read_text(payload: Any, encoding: str = "utf-8") -> str:
    """Return the text of a payload; where it is not UTF-8, what can be read of it, with a note of that."""
    try:
        return str(payload, encoding)
    except UnicodeDecodeError as error:
        return Replaced(str(payload, encoding, "replace"), not_utf8(error))


class Inbox:
    """The data messages of one read, collected so that the sink hears of them together.

    Args:
        sink: Who hears of them.
        replaces: Whether U+FFFD takes the place of what is not UTF-8 in a text; else that is a fault.

    Attributes:
        payloads: The messages, complete and in order: str for text, bytes for binary.
        size: Their bytes together.
        taken: Bytes of all that was ever taken, inflated.
        replaces: The argument.
        partial_size: Bytes of the message whose last fragment has not come yet, or None.
    """

    def __init__(self, sink: Sink, replaces: bool = False) -> None:
        self._sink = sink
        self.replaces = replaces
        self._parts = bytearray()
        self._parts_are_text = False
        self.payloads: list[Any] = []
        self.size = self.taken = 0
        self.partial_size: int | None = None

    def add(self, frame: Frame) -> None:
        """Take a data frame that the library has found to be in its place.

        Raises:
            UnicodeDecodeError: It ends a text that is not UTF-8 (RFC 6455 section 8.1).
        """
        if frame.fin and frame.opcode is not Opcode.CONT:
            self.put(frame.data, frame.opcode is Opcode.TEXT)
            return
        if frame.opcode is not Opcode.CONT:
            self._parts_are_text = frame.opcode is Opcode.TEXT
        # One growing buffer, so that a message in a million fragments costs what one in two does.
        self._parts += frame.data
        self.taken += len(frame.data)
        self.partial_size = len(self._parts)
        if frame.fin:
            whole, self._parts, self.partial_size = self._parts, bytearray(), None
            self.put(whole, self._parts_are_text)

    def put(self, data: Any, text: bool) -> None:
        """Take the payload of a whole message.

        Raises:
            UnicodeDecodeError: It is a text that is not UTF-8.
        """
        if not text:
            self.payloads.append(bytes(data))
        elif self.replaces:
            self.payloads.append(read_text(data))
        else:
            self.payloads.append(str(data, "utf-8"))
        size = len(data)
        self.size += size
        self.taken += size

    def hand_over(self) -> None:
        """Tell the sink of what has been collected, if anything was."""
        if self.payloads:
            payloads, self.payloads = self.payloads, []
            size, self.size = self.size, 0
            self._sink.on_data(payloads, size)
