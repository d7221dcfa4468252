"""What waits for an answer of the server, by packet identifiers, and what waits for its turn."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final, NamedTuple

from ipyws.dialects.mqtt.packets import Publish, Type
from ipyws.errors import InvalidError

_MOST: Final = 65_535
_PUBLICATIONS: Final = (Type.PUBACK, Type.PUBREC, Type.PUBCOMP)


class Waiting(NamedTuple):
    """Something that was sent: the type of the answer it waits for, and the key it was asked by."""

    answer: Type
    key: int


class Flight:
    """Packet identifiers in use (MQTT 5, section 2.2.1), and publications under way (section 4.9).

    Attributes:
        maximum: How many publications of QoS 1 and 2 the server takes at once.
    """

    def __init__(self) -> None:
        self.maximum = _MOST
        self._waiting: dict[int, Waiting] = {}
        self._queue: deque[tuple[int, Publish]] = deque()
        self._publications = 0
        self._last = 0

    def begin(self, answer: Type, key: int) -> int:
        """Return the identifier of something that is sent now.

        Raises:
            InvalidError: All are in use.
        """
        if len(self._waiting) >= _MOST:
            hint = "wait for the server before more is sent"
            raise InvalidError(f"{_MOST:,} packets wait for their acknowledgement", hint=hint)
        self._last = self._last % _MOST + 1
        while self._last in self._waiting:
            self._last = self._last % _MOST + 1
        self._waiting[self._last] = Waiting(answer, key)
        self._publications += answer in _PUBLICATIONS
        return self._last

    def publish(self, key: int, packet: Publish) -> Publish | None:
        """Return a publication of QoS 1 or 2 with its identifier; None if it has to wait for its turn.

        Raises:
            InvalidError: Too many wait.
        """
        if self._publications < self.maximum and not self._queue:
            return self._numbered(key, packet)
        if len(self._queue) >= _MOST:
            raise InvalidError(f"{_MOST:,} publications wait for their turn", hint="wait for the server")
        self._queue.append((key, packet))
        return None

    def next(self) -> Publish | None:
        """Return the next publication whose turn has come, or None."""
        if self._queue and self._publications < self.maximum:
            return self._numbered(*self._queue.popleft())
        return None

    def _numbered(self, key: int, packet: Publish) -> Publish:
        answer = Type.PUBACK if packet.qos == 1 else Type.PUBREC
        return replace(packet, number=self.begin(answer, key))

    def end(self, number: int, answer: Type) -> int | None:
        """Return the key of what an answer is for, which waits no longer; None if nothing waits for it."""
        if (waiting := self._waiting.get(number)) is None or waiting.answer is not answer:
            return None
        del self._waiting[number]
        self._publications -= answer in _PUBLICATIONS
        return waiting.key

    def advance(self, number: int) -> bool:
        """Take the first answer to a publication of QoS 2; False if nothing waits for it."""
        if (waiting := self._waiting.get(number)) is None or waiting.answer is not Type.PUBREC:
            return False
        self._waiting[number] = Waiting(Type.PUBCOMP, waiting.key)
        return True
