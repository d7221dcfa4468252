"""What a connection's log keeps: payloads that passed together."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import count, repeat
from sys import getsizeof
from types import MappingProxyType
from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Direction, Message, payload_size

_BATCH: Final = 256
"""Bytes that a batch takes beside its payloads, about: the object, its list, its numbers."""

_RECORD: Final = 64
"""Bytes that an ASCII text or bytes take beside their payload, about, with their place in the list."""

_CONTROL: Final = 200
"""The same, of a control frame."""

_PLACE: Final = 8

TIMED: Final = _RECORD + 2 * _PLACE
"""Bytes that an ASCII text or bytes take beside their payload in a run, about: with their moment."""

_FEW: Final = 32
"""Messages up to which making them one by one is quicker than by `map`, which takes a tenth less of 250."""

RUN: Final = 64
"""Messages that came one by one and are kept in one batch."""


def beyond_of_one(payload: Any, size: int) -> int:
    """Return the bytes that a payload of ``size`` bytes takes beyond those in a run."""
    if len(payload) == size:
        return TIMED
    return max(0, getsizeof(payload) - size) + 3 * _PLACE


_UNMARKED: Final[Mapping[int, str]] = MappingProxyType({})


class Batch:
    """Payloads that passed together, in one direction: data, or control frames of one type.

    Attributes:
        codec: What reads the payloads, when somebody looks.
        marks: The marks of the records that have one, by seq: see `Message.mark`.
        size: Bytes of the payloads that the log keeps, as they are on the wire.
        extra: Bytes of memory that they take beyond that, about.
        times: When each of them passed, of a run: messages that came one by one, which only the log has and
            adds to; None where all passed at ``time``.
        is_plain: Whether each payload is as long as it has bytes: ASCII, or bytes. Not known of a run.
    """

    __slots__ = (
        *("codec", "direction", "extra", "is_plain", "marks", "payloads", "seq", "size", "time", "times"),
        "type",
    )

    def __init__(
        self,
        seq: int,
        time: float,
        direction: Direction,
        type: MessageType | None,
        payloads: list[Any],
        size: int,
        codec: Codec = AUTO,
        marks: Mapping[int, str] = _UNMARKED,
    ) -> None:
        self.codec = codec
        self.marks = marks
        self.seq = seq
        self.time = time
        self.direction = direction
        self.type = type  # None: data, where str payloads are text and bytes are binary
        self.payloads = payloads
        self.size = size
        self.is_plain = type is None and sum(map(len, payloads)) == size
        self.extra = _BATCH + (_RECORD * len(payloads) if self.is_plain else self._beyond(payloads, size))
        self.times: array[float] | None = None

    def run(self) -> Batch:
        """Return the run that begins with the one message of this batch; they share their marks."""
        # Whoever was given this batch finds marks that are set later, too: see `Log.mark`.
        self.marks = {**self.marks}
        begun = self._with([*self.payloads], self.seq)
        begun.times, begun.is_plain = array("d", (self.time,)), False
        return begun

    def add(self, payload: Any, size: int, time: float) -> int:
        """Add a message to a run; return the bytes of memory that it takes beyond its ``size``."""
        self.payloads.append(payload)
        self.times.append(time)  # type: ignore[union-attr]
        self.size += size
        extra = beyond_of_one(payload, size)
        self.extra += extra
        return extra

    def single(self, index: int) -> Batch:
        """Return a batch of one message of a run, as it came."""
        seq, payload = self.seq + index, self.payloads[index]
        moment = self.time if self.times is None else self.times[index]
        return Batch(
            seq, moment, self.direction, None, [payload], payload_size(payload), self.codec, self.marks
        )

    def _beyond(self, payloads: list[Any], size: int) -> int:
        """Return the bytes that payloads of ``size`` bytes take beyond those."""
        if self.type is not None:
            return _CONTROL * len(payloads)
        if sum(map(len, payloads)) == size:  # all of it is ASCII, or bytes
            return _RECORD * len(payloads)
        # One letter beyond ASCII widens a whole text: to as much as four bytes for each character.
        return max(0, sum(map(getsizeof, payloads)) - size) + _PLACE * len(payloads)

    def message(self, index: int) -> Message:
        """Return the record at ``index`` of the batch as a `Message`."""
        payload, seq = self.payloads[index], self.seq + index
        mark = self.marks.get(seq, "")
        if self.type is None:
            kind: MessageType = "text" if isinstance(payload, str) else "binary"
            moment = self.time if self.times is None else self.times[index]
            return Message(kind, payload, self.direction, seq, moment, None, self.codec, mark)
        return Message(self.type, payload.data, self.direction, seq, self.time, payload, mark=mark)

    def messages(self, start: int, stop: int) -> list[Message]:
        """Return the records from ``start`` to before ``stop``, as `message` does it one by one."""
        if self.marks or self.type is not None:
            return [self.message(index) for index in range(*slice(start, stop).indices(len(self.payloads)))]
        payloads = self.payloads[start:stop]
        direction, moment, first, codec = self.direction, self.time, self.seq + start, self.codec
        if self.times is not None:  # apart: of few messages, one loop for both took up to a half longer
            return [
                Message(
                    "text" if isinstance(payload, str) else "binary", payload, direction, seq, at, None, codec
                )
                for seq, (payload, at) in enumerate(zip(payloads, self.times[start:stop], strict=True), first)
            ]
        if len(payloads) > _FEW and {*map(type, payloads)} == {str}:
            facts = repeat(moment), repeat(None), repeat(codec)
            return [*map(Message, repeat("text"), payloads, repeat(direction), count(first), *facts)]
        return [
            Message(
                "text" if isinstance(payload, str) else "binary", payload, direction, seq, moment, None, codec
            )
            for seq, payload in enumerate(payloads, first)
        ]

    def rest(self, start: int) -> Batch:
        """Return a batch of the records from ``start`` on: what the log keeps of it."""
        return self._with(self.payloads[start:], self.seq + start) if start else self

    def own(self) -> Batch:
        """Return a batch of the same records whose list is nobody else's."""
        copy = self._with([], self.seq)
        copy.payloads, copy.extra, copy.times = [*self.payloads], self.extra, self.times
        copy.is_plain = self.is_plain
        return copy

    def _with(self, payloads: list[Any], seq: int) -> Batch:
        return Batch(seq, self.time, self.direction, self.type, payloads, self.size, self.codec, self.marks)

    def give_up(self, start: int, stop: int) -> tuple[int, int]:
        """Count the payloads from ``start`` to before ``stop`` no more; return their size and extra."""
        gone = self.payloads[start:stop]
        data = gone if self.type is None else [control.data for control in gone]
        size = sum(map(payload_size, data))
        extra = min(self.extra, self._beyond(gone, size))
        self.size -= size
        self.extra -= extra
        return size, extra

    def stop_after(self, start: int, stop: int, excess: int) -> int:
        """Return behind which of the payloads from ``start`` on so many bytes are free; ``stop`` if none.

        It may be too early, and never is too late: what they take beyond their bytes is not always counted.
        """
        payloads, place = self.payloads, start
        while excess > 0 and place < stop:
            excess -= len(payloads[place]) + _RECORD
            place += 1
        return place

    def give_up_plain(self, start: int, stop: int) -> tuple[int, int]:
        """Do as `give_up` does where all is plain."""
        size, extra = sum(map(len, self.payloads[start:stop])), _RECORD * (stop - start)
        self.size -= size
        self.extra -= extra
        return size, extra

    def give_up_one(self, index: int) -> tuple[int, int]:
        """Do as `give_up` does for one message of a run: what each costs a full log."""
        payload = self.payloads[index]
        size = len(payload) if payload.isascii() else payload_size(payload)
        extra = min(self.extra, TIMED if len(payload) == size else beyond_of_one(payload, size))
        self.size -= size
        self.extra -= extra
        return size, extra
