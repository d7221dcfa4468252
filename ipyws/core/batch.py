"""What a connection's log keeps: payloads that passed together."""

from __future__ import annotations

from typing import Any

from ipyws.core.constants import MessageType
from ipyws.core.message import Direction, Message, payload_size


class Batch:
    """Payloads that passed together, in one direction: data, or control frames of one type."""

    __slots__ = ("direction", "payloads", "seq", "size", "time", "type")

    def __init__(
        self,
        seq: int,
        time: float,
        direction: Direction,
        type: MessageType | None,
        payloads: list[Any],
        size: int,
    ) -> None:
        self.seq = seq
        self.time = time
        self.direction = direction
        self.type = type  # None: data, where str payloads are text and bytes are binary
        self.payloads = payloads
        self.size = size

    def message(self, index: int) -> Message:
        """Return the record at ``index`` of the batch as a `Message`."""
        payload = self.payloads[index]
        if self.type is None:
            kind: MessageType = "text" if isinstance(payload, str) else "binary"
            return Message(kind, payload, self.direction, self.seq + index, self.time)
        return Message(self.type, payload.data, self.direction, self.seq + index, self.time, payload)

    def messages(self, start: int, stop: int) -> list[Message]:
        """Return the records from ``start`` to before ``stop`` of a batch of data."""
        direction, moment, first = self.direction, self.time, self.seq + start
        return [
            Message("text" if isinstance(payload, str) else "binary", payload, direction, seq, moment)
            for seq, payload in enumerate(self.payloads[start:stop], first)
        ]

    def size_of(self, start: int, stop: int) -> int:
        """Return the bytes of the payloads from ``start`` to before ``stop``."""
        payloads = self.payloads[start:stop]
        return sum(payload_size(payload if self.type is None else payload.data) for payload in payloads)
