"""A place in a log that moves over the received data messages, for `recv` and for expectations."""

from __future__ import annotations

import contextlib

from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.runtime.waiting import Signal, Wakeable


class Cursor:
    """Reads received data messages one by one, without holding the connection back.

    Args:
        log: The log to read.
        from_now: Begin behind what has come until now, rather than at the first message.

    Attributes:
        missed: Messages that the log evicted before they were read here.
    """

    def __init__(self, log: Log, *, from_now: bool = False) -> None:
        self._log = log
        self._number = self._place = 0  # of the batch, and in it
        self.missed = 0
        self._waiting: list[Wakeable] = []  # as that of `Selectable`
        self._is_awaited = False  # whether the log will tell us
        self._passed = 0  # received data messages read or missed
        if from_now:
            with LOCK:
                self._number, self._place = log.end
                self._passed = log.received

    def close(self) -> None:
        """Be told of no further message."""
        self._log.await_no_more(self._arrived)

    @property
    def passed(self) -> int:
        """How many received messages it has moved past."""
        return self._passed

    @property
    def unread(self) -> int:
        """How many received messages are still to be read here."""
        with LOCK:
            self._notice_missed()
            return self._log.received - self._passed

    @property
    def has_unread(self) -> bool:
        """Whether something is unread here, or was missed; without the lock."""
        return self._log.received > self._passed

    def take(self) -> Message | None:
        """Return the oldest unread message and move past it; None if there is none."""
        if not self.has_unread:  # the section of the lock is what most of this costs
            return None
        with LOCK:
            self._notice_missed()
            found = self._log.next_received(self._number, self._place)
            if found is None:
                return None
            self._number, batch, place = found
            self._place = place + 1
            self._passed += 1
            return batch.message(place)

    def skip_all(self) -> int:
        """Move past everything unread; return how many messages that were."""
        with LOCK:
            skipped = self.unread
            self._number, self._place = self._log.end
            self._passed += skipped
            return skipped

    def arrival(self) -> Signal:
        """Return a signal that is set once something is unread, or the connection is closed.

        Give it back to `forget` when you stop waiting for it.
        """
        signal = Signal()
        self.await_arrival(signal)
        return signal

    def await_arrival(self, waiter: Wakeable) -> None:
        """Have ``waiter`` woken as a signal of `arrival` is set, and give it to `forget` likewise."""
        self._waiting.append(waiter)
        if not self._is_awaited:
            self._is_awaited = True
            self._log.await_received(self._arrived)
        if self.has_unread:
            waiter.set()

    def forget(self, waiter: Wakeable) -> None:
        """Stop keeping a signal of `arrival`."""
        if not self._waiting:
            return
        with contextlib.suppress(ValueError):
            self._waiting.remove(waiter)

    def wake(self) -> None:
        """Set all signals of `arrival`, for somebody who has to look again."""
        waiting = self._waiting
        with contextlib.suppress(IndexError):
            while True:
                waiting.pop().set()

    def _arrived(self) -> None:
        self._is_awaited = False  # before it wakes: who has found it set is among those that are woken
        self.wake()

    def _notice_missed(self) -> None:
        missed = self._log.evicted_in - self._passed
        if missed > 0:
            self.missed += missed
            self._passed += missed
