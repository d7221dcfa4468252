"""What messages hold, column by column: for tables and figures, which look at many of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Control, Message, payload_size


class Columns:
    """The messages of some records.

    Args:
        records: Messages, oldest first; of a log no `Message` is made.
        payloads: Whether to keep the payloads too, which may be larger than memory.

    Attributes:
        seq, time, direction, type, size, data, codec: What `Message` calls so, one for each message.
        controls: What control records carry besides, by row.
    """

    def __init__(self, records: Iterable[Message], payloads: bool = True) -> None:
        self._payloads = payloads
        self.seq: list[int] = []
        self.time: list[float] = []
        self.direction: list[str] = []
        self.type: list[str] = []
        self.size: list[int] = []
        self.data: list[Data] = []
        self.codec: list[Codec] = []
        self.controls: dict[int, Control] = {}
        if isinstance(records, Log):
            for batch, skip in records.batches():
                self._add_batch(batch, skip)
        else:
            for message in records:
                self._add(message)

    def __len__(self) -> int:
        return len(self.seq)

    def _add_batch(self, batch: Batch, skip: int) -> None:
        payloads: list[Any] = batch.payloads[skip:]
        if batch.type is None:
            self.type += ["text" if isinstance(payload, str) else "binary" for payload in payloads]
        else:
            self.controls.update(enumerate(payloads, len(self)))
            self.type += [batch.type] * len(payloads)
            payloads = [control.data for control in payloads]
        self.seq += range(batch.seq + skip, batch.seq + len(batch.payloads))
        self.time += [batch.time] * len(payloads)
        self.direction += [batch.direction] * len(payloads)
        self.size += map(payload_size, payloads)
        if self._payloads:
            self.data += payloads
            self.codec += [batch.codec] * len(payloads)

    def _add(self, message: Message) -> None:
        if message.code is not None or message.rtt is not None or message.reason:
            self.controls[len(self)] = Control(b"", message.rtt, message.code, message.reason)
        self.seq.append(message.seq)
        self.time.append(message.time)
        self.direction.append(message.direction)
        self.type.append(message.type)
        self.size.append(message.size)
        if self._payloads:
            self.data.append(message.data)
            self.codec.append(message.codec)
