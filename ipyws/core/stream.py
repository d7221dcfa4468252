"""The channel of a connection: fed by its log, holding the connection back while it is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ipyws.core.batch import Batch
from ipyws.core.channel import Channel
from ipyws.core.lock import LOCK
from ipyws.core.log import Log
from ipyws.errors import InvalidError


class Stream(Channel):
    """Received messages as a channel; with ``control`` also ping, pong and close records of both ways.

    It starts at the first message of the connection. What it has to deliver it holds itself, so nothing of
    it is lost whatever the log evicts later.

    Args:
        log: The log to read.
        capacity: How many unread messages make it full.
        control: Whether control records are delivered too.
        changed: Called, from any thread, when it becomes full or has room again.

    Attributes:
        evicted: Received messages that the log had evicted before the channel was opened.
        missed: Messages that came while we closed and were not taken, because nobody read.
    """

    def __init__(self, log: Log, capacity: int, control: bool, changed: Callable[[], None]) -> None:
        super().__init__(capacity)
        self._control = control
        self._changed = changed
        self._spare: int | None = None
        self._queue: deque[Batch] = deque()
        self._place = 0  # of the next record in the first batch
        self._unread = 0
        self._full = False
        self.missed = 0
        with LOCK:
            self.evicted = log.evicted_in
            for batch, start in log.batches():
                self._feed(batch, start)
            self._stop_listening = log.listen(self._feed)
            self._unpin = log.pin(self._pin)

    @property
    def full(self) -> bool:
        """True from ``capacity`` unread messages until half of them are read."""
        return self._full

    def __len__(self) -> int:
        return self._unread

    def stop_holding(self, spare: int) -> None:
        """Never hold the connection back again, and take at most ``spare`` unread messages.

        For the time of our own closing handshake, which a full channel must not keep from ending.
        """
        with LOCK:
            self._spare = max(spare, self.capacity)
            self._full = False

    def close(self) -> None:
        """End it: what is unread can still be received, and it holds the connection back no more."""
        with LOCK:
            super().close()
            self._stop_listening()
            self._unpin()
            self._full = False
            self._changed()

    def _feed(self, batch: Batch, start: int = 0) -> None:
        if not self._wants(batch):
            return
        count = len(batch.payloads) - start
        if self._spare is not None and self._unread >= self._spare:
            self.missed += count
            return
        if not self._queue:
            self._place = start
        self._queue.append(batch)
        self._unread += count
        if not self._full and self._spare is None and self._unread >= self.capacity:
            self._full = True
            self._changed()
        self._notify()

    def _wants(self, batch: Batch) -> bool:
        return self._control if batch.type else batch.direction == "in"

    def _take(self) -> tuple[Any, bool] | None:
        if not self._queue:
            return (None, False) if self._closed else None
        batch = self._queue[0]
        message = batch.message(self._place)
        self._place += 1
        self._unread -= 1
        if self._place == len(batch.payloads):
            self._queue.popleft()
            self._place = 0
        if self._full and self._unread * 2 <= self.capacity:
            self._full = False
            self._changed()
        return message, True

    def _put(self, value: Any) -> bool:
        raise InvalidError(
            "a connection's channel can only be received from", hint="client.send() sends a message"
        )

    def _pin(self) -> tuple[int, int] | None:
        return (self._queue[0].seq + self._place, self.capacity) if self._queue else None
