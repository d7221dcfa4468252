"""A place in a log that moves over the received data messages, for `recv` and for expectations."""

from __future__ import annotations

from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.runtime.waiting import Signal


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
        self._place = 0  # in the batch
        self.missed = 0
        self._waiting: list[Signal] = []
        with LOCK:
            self._number = log.next_batch if from_now else 0  # of the batch
            self._passed = log.received if from_now else 0  # received data messages read or missed
            self._stop_listening = log.listen(self._arrived)

    def close(self) -> None:
        """Be told of no further message."""
        self._stop_listening()

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

    def take(self) -> Message | None:
        """Return the oldest unread message and move past it; None if there is none."""
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
            self._number, self._place = self._log.next_batch, 0
            self._passed += skipped
            return skipped

    def arrival(self) -> Signal:
        """Return a signal that is set once something is unread, or the connection is closed.

        Give it back to `forget` when you stop waiting for it.
        """
        signal = Signal()
        with LOCK:
            if self._log.received > self._passed:
                signal.set()
            else:
                self._waiting.append(signal)
        return signal

    def forget(self, signal: Signal) -> None:
        """Stop keeping a signal of `arrival`."""
        with LOCK:
            if signal in self._waiting:
                self._waiting.remove(signal)

    def wake(self) -> None:
        """Set all signals of `arrival`, for somebody who has to look again."""
        with LOCK:
            waiting, self._waiting = self._waiting, []
            for signal in waiting:
                signal.set()

    def _arrived(self, _: Batch) -> None:
        if self._waiting and self._log.received > self._passed:
            self.wake()

    def _notice_missed(self) -> None:
        missed = self._log.evicted_in - self._passed
        if missed > 0:
            self.missed += missed
            self._passed += missed
