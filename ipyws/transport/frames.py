"""Data messages on their way to the sink, and what ends a connection because of a frame."""

from __future__ import annotations

from typing import Any

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode

from ipyws.core.constants import CloseCode
from ipyws.core.transport import Sink

FAULTS = (UnicodeDecodeError, ProtocolError, PayloadTooBig)
"""What a frame of the peer's may be: the connection fails because of it."""


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


class Inbox:
    """The data messages of one read, collected so that the sink hears of them together.

    Attributes:
        payloads: The messages, complete and in order: str for text, bytes for binary.
        size: Their bytes together.
        partial_size: Bytes of the message whose last fragment has not come yet, or None.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parts = bytearray()
        self._parts_are_text = False
        self.payloads: list[Any] = []
        self.size = 0
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
        self.partial_size = len(self._parts)
        if frame.fin:
            whole, self._parts, self.partial_size = self._parts, bytearray(), None
            self.put(whole, self._parts_are_text)

    def put(self, data: Any, text: bool) -> None:
        """Take the payload of a whole message.

        Raises:
            UnicodeDecodeError: It is a text that is not UTF-8.
        """
        self.payloads.append(str(data, "utf-8") if text else bytes(data))
        self.size += len(data)

    def hand_over(self) -> None:
        """Tell the sink of what has been collected, if anything was."""
        if self.payloads:
            payloads, self.payloads = self.payloads, []
            size, self.size = self.size, 0
            self._sink.on_data(payloads, size)
