"""The channel of a connection: fed by its log, holding the connection back while it is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ipyws.core.channels.channel import Channel
from ipyws.core.codecs.codec import Data
from ipyws.core.constants import MessageType
from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, Sleeper, wait


class Stream(Channel):
    """Received messages as a channel; with ``control`` also ping, pong and close records of both ways.

    It starts at the first message of the connection. What it has to deliver it holds itself, so nothing of
    it is lost whatever the log evicts later.

    Args:
        log: The log to read.
        capacity: How many unread messages make it full.
        control: Whether control records are delivered too.
        changed: Called, from any thread, when it becomes full or has room again.
        start: The seq of the first record to deliver.
        largest: How many bytes of unread messages make it full too; None for any number.

    Attributes:
        evicted: Received messages that the log had evicted before the channel was opened.
        missed: Messages that came while we closed and were not taken, because nobody read.
    """

    def __init__(
        self,
        log: Log,
        capacity: int,
        control: bool,
        changed: Callable[[], None],
        *,
        start: int = 0,
        largest: int | None = None,
    ) -> None:
        super().__init__(capacity)
        self._log = log
        self._largest = largest
        self._control = control
        self._changed = changed
        self._spare: int | None = None
        self._queue: deque[Batch] = deque()
        self._place = 0  # of the next record in the first batch
        self._unread = 0
        self._sizes: deque[int] = deque()  # of the batches in the queue
        self._bytes = 0
        self._ready: deque[Message] = deque()  # taken together, because one by one costs three times as much
        self._full = False
        self.missed = 0
        with LOCK:
            self.evicted = log.evicted_in
            for batch, kept in log.batches():
                first = max(kept, start - batch.seq)
                if first < len(batch.payloads):
                    self._feed(batch, first)
            self._stop_listening = log.listen(self._feed, self._feed_lone)
            self._unpin = log.pin(self._pin)

    @property
    def full(self) -> bool:
        """True from ``capacity`` unread messages until half of them are read."""
        return self._full

    def __len__(self) -> int:
        return self._unread + len(self._ready)

    def receive_payloads(self, timeout: Duration | None = None) -> list[Data]:
        """Wait for the next message; return its payload and those that came together with it.

        The fastest way to read a stream: no `Message` is made.

        Args:
            timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.

        Returns:
            At least one payload; none once the channel is closed and everything was received.

        Raises:
            WaitTimeoutError: Nothing came in time.
            InvalidError: ``timeout`` is not a duration, or the channel carries control records.
            ContextError: Called from the core's own thread.
        """
        self._check_data_only()
        deadline = Deadline(timeout)
        while (payloads := self._take_payloads(deadline)) is None:
            signal = Signal()
            self._waiting.append(signal)
            if not self._has_news():
                self._wait(signal, deadline.remaining())
        return payloads

    async def receive_payloads_async(self, timeout: Duration | None = None) -> list[Data]:
        """Wait for the next messages' payloads, in a coroutine; as `receive_payloads`."""
        self._check_data_only()
        deadline = Deadline(timeout)
        while (payloads := self._take_payloads(deadline)) is None:
            sleeper = Sleeper()
            self._waiting.append(sleeper)
            if not self._has_news():
                try:
                    await sleeper.sleep(deadline.remaining())
                finally:
                    self._forget(sleeper)
        return payloads

    def _check_data_only(self) -> None:
        if self._control:
            raise InvalidError("this channel carries control records too", hint="receive() tells them apart")

    def _take_payloads(self, deadline: Deadline) -> list[Data] | None:
        """Take what is ready and the rest of the first batch; None where there is nothing yet."""
        if not self._has_news():
            if deadline.passed:
                raise deadline.error("no channel was ready")
            return None
        with LOCK:
            payloads: list[Data] = [message.data for message in self._ready]
            self._ready.clear()
            if self._queue:
                batch, place = self._queue[0], self._place
                payloads += batch.payloads[place:]
                self._move(len(batch.payloads) - place)
            return payloads if payloads or self._closed else None

    # As `Channel` does it by select, but without a section of the lock where nothing is there, and with
    # nothing made but what wakes us: a paced feed brings messages one by one, and each is waited for.

    def __next__(self) -> Message:
        while True:
            if self._ready:
                try:
                    return self._ready.popleft()
                except IndexError:  # another reader has taken it
                    pass
            found = self._fetch() if self._queue or self._closed else False
            if found is None:
                raise StopIteration
            if not found:
                signal = Signal()
                self._waiting.append(signal)
                if not self._has_news():
                    self._wait(signal)

    async def __anext__(self) -> Message:
        while True:
            if self._ready:
                try:
                    return self._ready.popleft()
                except IndexError:  # another reader has taken it
                    pass
            found = self._fetch() if self._queue or self._closed else False
            if found is None:
                raise StopAsyncIteration
            if not found:
                sleeper = Sleeper()
                self._waiting.append(sleeper)
                if not self._has_news():
                    try:
                        await sleeper
                    except BaseException:
                        self._forget(sleeper)
                        raise

    def _has_news(self) -> bool:
        return bool(self._queue or self._ready or self._closed)

    def _wait(self, signal: Signal, timeout: float | None = None) -> None:
        try:
            wait(signal, timeout)
        finally:
            if not signal.is_set():
                self._forget(signal)

    def _fetch(self) -> bool | None:
        """Make some messages ready: few, so that the server is held back for what is not read, about.

        Returns:
            Whether there are any; None where there will be none any more.
        """
        with LOCK:
            if not self._queue:
                return bool(self._ready) or (None if self._closed else False)
            batch, place = self._queue[0], self._place
            left = len(batch.payloads) - place
            if left == 1 or self._control:
                self._ready.append(batch.message(place))
                self._move(1)
            else:
                count = min(left, max(1, self.capacity // 4))
                self._ready.extend(batch.messages(place, place + count))
                self._move(count)
            return True

    def stop_holding(self, spare: int) -> None:
        """Never hold the connection back again, and take at most ``spare`` unread messages.

        For the time of our own closing handshake, which a full channel must not keep from ending.
        """
        with LOCK:
            self._spare = max(spare, self.capacity)
            self._full = False

    def hold(self) -> None:
        """Hold the connection back again while full: it was opened again."""
        with LOCK:
            self._spare = None
            self._full = self._is_full()

    def close(self) -> None:
        """End it: what is unread can still be received, and it holds the connection back no more."""
        with LOCK:
            self._end()
            self._changed()

    def _end(self) -> None:
        super().close()
        self._stop_listening()
        self._unpin()
        self._full = False

    def detach(self) -> tuple[int, int]:
        """End it and let go of what is unread; nobody is told.

        Returns:
            The seq of the first record that it did not deliver, and how many messages it did not.
        """
        with LOCK:
            unread, seq = len(self), self._log.total
            if self._ready:
                seq = self._ready[0].seq
            elif self._queue:
                seq = self._queue[0].seq + self._place
            self._ready.clear()
            self._queue.clear()
            self._unread = 0
            self._end()
            return seq, unread + self.missed if unread else 0

    def _is_full(self) -> bool:
        return self._unread >= self.capacity or (self._largest is not None and self._bytes >= self._largest)

    def _has_room(self) -> bool:
        few = self._unread * 2 <= self.capacity
        return few and (self._largest is None or self._bytes * 2 <= self._largest)

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
        self._sizes.append(batch.size)
        self._bytes += batch.size
        self._unread += count
        if not self._full and self._spare is None and self._is_full():
            self._full = True
            self._changed()
        self._notify()

    def _feed_lone(self, payload: Data, size: int, seq: int, moment: float) -> None:
        """Take a message that came alone; made ready at once where somebody waits for it."""
        if self._queue or self._ready or not self._waiting or self._spare is not None:
            self._feed(self._log.single(seq))
            return
        kind: MessageType = "text" if isinstance(payload, str) else "binary"
        self._ready.append(Message(kind, payload, "in", seq, moment, None, self._log.codec))
        waiting = self._waiting  # as `_notify` does it
        while waiting:
            waiting.pop().set()

    def _wants(self, batch: Batch) -> bool:
        return self._control if batch.type else batch.direction == "in"

    def _take(self) -> tuple[Any, bool] | None:
        if self._ready:
            return self._ready.popleft(), True
        if not self._queue:
            return (None, False) if self._closed else None
        message = self._queue[0].message(self._place)
        self._move(1)
        return message, True

    def _move(self, count: int) -> None:
        """Move past ``count`` records of the first batch."""
        self._place += count
        self._unread -= count
        if self._place == len(self._queue[0].payloads):
            self._queue.popleft()
            self._bytes -= self._sizes.popleft()
            self._place = 0
        if self._full and self._has_room():
            self._full = False
            self._changed()

    def _put(self, value: Any) -> bool:
        raise InvalidError(
            "a connection's channel can only be received from", hint="client.send() sends a message"
        )

    def _pin(self) -> tuple[int, int] | None:
        return (self._queue[0].seq + self._place, self.capacity) if self._queue else None
