"""The log of a connection: everything that passed, both ways, control frames too.

One writer (the connection's loop) appends; everything else reads with a place of its own. Entries are
batches, one for each read from the socket, because messages that came together cost a ninth of the memory of
one record object each; those that come one by one are gathered in runs of up to 64, each with its moment, for
the same reason: 22 bytes instead of 232, and a sixty-fourth of the objects for the garbage collector.
`Message` objects are made when somebody looks.
"""

from __future__ import annotations

import contextlib
import time
from _thread import get_ident
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, overload

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.constants import MB, MessageType
from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import RUN, TIMED, Batch, beyond_of_one
from ipyws.core.messages.budget import BUDGET
from ipyws.core.messages.message import Direction, Message
from ipyws.core.messages.pins import Pins

if TYPE_CHECKING:
    from ipyws.core.connection.info import About
    from ipyws.core.messages.budget import Budget
    from ipyws.core.wire.frame_log import FrameLog

Lone = Callable[[Any, int, int, float], None]
"""Is told of a message that came alone: payload, bytes, seq, moment."""

DEFAULT_MESSAGES = 100_000
DEFAULT_BYTES = 64 * MB

# Bytes that nobody counts: of objects beside the payloads, and of what is evicted of the oldest batch.
_FREE = 64 * 1024

# Dead entries at the head of the list are cut off together, so that dropping one stays O(1).
_COMPACT = 512


class Log(Sequence[Message]):
    """What passed a connection, oldest first; a sequence of `Message`.

    ``log[0]`` is the oldest message kept, ``log[-1]`` the newest, ``log[-10:]`` a list. A message's own
    ``seq`` counts from the start of the connection, also over what has been evicted.

    Args:
        messages: How many messages are kept; the oldest give way.
        size: How many bytes are kept, as `bytes` counts them.
        budget: What all logs of the process may hold together.
        codec: What reads the payloads, when somebody looks.

    Attributes:
        codec: What reads the payloads.
        received: Data messages received (not control frames), evicted ones included.
        sent: Data messages sent.
        bytes_received: Payload bytes of the received data messages.
        bytes_sent: Payload bytes of the sent data messages.
        evicted: Records that are no longer kept.
        evicted_in: Received data messages among them.
        describe: Tells of the connection, for `about`; or None.
        wire: The frames as they were on the wire (``wire=True``), or None.
    """

    def __init__(
        self,
        messages: int = DEFAULT_MESSAGES,
        size: int = DEFAULT_BYTES,
        budget: Budget = BUDGET,
        codec: Codec = AUTO,
    ) -> None:
        self.codec = codec
        self._limit = messages
        self._limit_bytes = size
        self._batches: list[Any] = []  # Batch; entries before _head are None
        self._base = 0  # number of the batch at index 0
        self._head = 0  # index of the oldest batch kept
        self._skip = 0  # records of that batch that are evicted
        self.total = 0
        self._stale = 0  # bytes of those that are held all the same
        self._own: Any = None  # the oldest batch, if nobody else has it
        self._size = self._extra = 0  # of payload as on the wire, and of memory beyond that
        self.received = self.sent = self.bytes_received = self.bytes_sent = 0
        self.evicted = self.evicted_in = 0
        self._pins = Pins()
        self.pin = self._pins.add  # has what a channel has to read kept; returns a function that ends it
        self._run: Batch | None = None  # the newest batch, if it is a run that more may be added to
        self._run_end = 0  # the seq of the last message that such a run may have
        self._lone: Batch | None = None  # the newest batch, if a run may begin with it
        self._listeners: tuple[tuple[Callable[[Batch], None], Lone | None], ...] = ()
        self._awaiting: list[Callable[[], None]] = []  # a deque takes 600 bytes
        self.describe: Callable[[], About] | None = None
        self.wire: FrameLog | None = None
        self.account = budget.open(self)

    # -- writing ---------------------------------------------------------------------------------

    def append(
        self,
        direction: Direction,
        payloads: list[Any],
        size: int,
        type: MessageType | None = None,
        moment: float | None = None,
        mark: str = "",
    ) -> Batch:
        """Append payloads that passed together and tell the listeners.

        Args:
            direction: "in" or "out".
            payloads: str and bytes for data, `Control` for control frames; the log keeps the list.
            size: Bytes of all payloads together.
            type: None for data, else the type of the control frames.
            moment: Seconds since the epoch; now if None.
            mark: The `Message.mark` of all of them.
        """
        when = time.time() if moment is None else moment
        with LOCK:
            batch = Batch(self.total, when, direction, type, payloads, size, self.codec)
            if mark:
                batch.marks = dict.fromkeys(range(self.total, self.total + len(payloads)), mark)
            if not mark and type is None and len(payloads) == 1 and self._add(batch):
                batch.marks = self._batches[-1].marks
            else:
                self._keep(batch)
            self._tell(batch)
        return batch

    # Straight on, without a call for each step. A feed brings its messages one by one, and by the time that
    # the next one comes the processor's caches have forgotten us: each further function costs a microsecond.
    def receive(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        """Append data that came, as `append` does; no batch is made where nobody asks for one."""
        when = time.time() if moment is None else moment
        with LOCK if get_ident() == LOCK.main else LOCK.plain:
            run = self._run
            if run is None or len(payloads) > 1 or run.direction != "in":
                self._receive_batch(payloads, size, when)
                return
            [payload], seq = payloads, self.total
            run.payloads.append(payload)
            run.times.append(when)  # type: ignore[union-attr]
            extra = TIMED if len(payload) == size else beyond_of_one(payload, size)
            run.size += size
            run.extra += extra
            self._size = held = self._size + size
            self._extra = extra = self._extra + extra
            self.received += 1
            self.bytes_received += size
            self.total = seq + 1
            if seq >= self._run_end:
                self._run = None
            if extra > _FREE:
                held += extra - _FREE
            if held > self._limit_bytes or seq - self.evicted >= self._limit:
                held = self._evict_excess()
            self.account.settle(held)
            while self._awaiting:
                self._awaiting.pop()()
            for listener, lone in self._listeners:
                if lone is None:
                    listener(run.single(seq - run.seq))
                else:
                    lone(payload, size, seq, when)

    def _receive_batch(self, payloads: list[Any], size: int, when: float) -> None:
        batch = Batch(self.total, when, "in", None, payloads, size, self.codec)
        if len(payloads) == 1 and self._add(batch):
            batch.marks = self._batches[-1].marks
        else:
            self._keep(batch)
        self._tell(batch)

    def _add(self, batch: Batch) -> bool:
        """Add a message that came alone to the run that it continues; False if there is none."""
        run = self._run
        if run is None or run.direction != batch.direction:
            first = self._lone
            if first is None or first.direction != batch.direction:
                return False
            run = self._begin_run(first)
        self._extra += run.add(batch.payloads[0], batch.size, batch.time)
        self._count(batch.direction, 1, batch.size)
        self.total += 1
        self._size += batch.size
        if self.total > self._run_end:
            self._run = None
        return True

    def _begin_run(self, first: Batch) -> Batch:
        run = first.run()
        self._batches[-1] = self._run = run
        self._run_end = run.seq + RUN - 1
        self._lone = None
        return run

    def _keep(self, batch: Batch) -> None:
        count = len(batch.payloads)
        self._batches.append(batch)
        self.total += count
        self._size += batch.size
        self._extra += batch.extra
        self._run = self._lone = None
        if batch.type is None:
            self._count(batch.direction, count, batch.size)
            if count == 1:
                self._lone = batch

    def _settle(self) -> None:
        """Evict what is too much, and tell the budget."""
        beyond = self._extra - _FREE
        held = self._size + beyond if beyond > 0 else self._size
        if self.total - self.evicted > self._limit or held > self._limit_bytes:
            held = self._evict_excess()
        self.account.settle(held)

    def _tell(self, batch: Batch) -> None:
        self._settle()
        if batch.type is None and batch.direction == "in":
            while self._awaiting:
                self._awaiting.pop()()
        for listener, _ in self._listeners:
            listener(batch)

    def mark(self, seq: int, mark: str) -> None:
        """Give a record its `Message.mark`; nothing happens where it is no longer kept."""
        with LOCK:
            if self.first <= seq < self.total:
                batch = self._batch(seq)
                if isinstance(batch.marks, dict):
                    batch.marks[seq] = mark  # who was given a message of a run has the same dict
                else:
                    batch.marks = {**batch.marks, seq: mark}

    def _count(self, direction: Direction, count: int, size: int) -> None:
        if direction == "in":
            self.received += count
            self.bytes_received += size
        else:
            self.sent += count
            self.bytes_sent += size

    # -- eviction --------------------------------------------------------------------------------

    def _evict_excess(self) -> int:
        """Evict what is too much; return the bytes that are held then."""
        while True:
            kept, beyond = self.total - self.evicted, self._extra - _FREE
            held = self._size + beyond if beyond > 0 else self._size
            if kept <= self._limit and (held <= self._limit_bytes or kept <= 1):
                return held
            free = self._unpinned()
            if not free:
                return held
            self._evict(min(free, max(1, kept - self._limit)))

    def _unpinned(self) -> int:
        """Return how many of the oldest records no open channel still has to read.

        A channel's unread messages may outgrow the limits by its capacity, and no further: it holds
        references of its own to what it has to deliver, so evicting here loses nothing.
        """
        reach = self._pins.reach()
        if reach is None or len(self) > self._limit + reach[1] or self.bytes > 2 * self._limit_bytes:
            return len(self)
        return max(0, reach[0] - self.first)

    def evict_oldest(self) -> bool:
        """Evict the oldest batch, or message of a run, whatever the limits; False if nothing is kept."""
        if kept := len(self):
            self._evict(kept if self._batches[self._head].times is None else 1)  # at most that batch
        return bool(kept)

    def _evict(self, count: int) -> None:
        """Evict up to ``count`` records, at most the rest of the oldest batch."""
        head = self._batches[self._head]
        start = self._skip
        stop = min(len(head.payloads), start + count)
        gone = stop - start
        if stop == len(head.payloads):
            self._size -= head.size
            self._extra -= head.extra
            self._batches[self._head] = None
            self._head += 1
            self._skip = self._stale = 0
            if head is self._run or head is self._lone:
                self._run = self._lone = None
            self._compact()
        else:
            one = gone == 1 and head.times is not None
            size, extra = head.give_up_one(start) if one else head.give_up(start, stop)
            self._size -= size
            self._extra -= extra
            self._skip = stop
            self._stale += size + extra
            if self._stale > _FREE:
                self._drop()
        self.evicted += gone
        if head.type is None and head.direction == "in":
            self.evicted_in += gone

    def _drop(self) -> None:
        """Let go of what is evicted of the oldest batch; those who were given that batch keep theirs."""
        if self._own is not self._batches[self._head]:
            self._run = self._lone = None
            self._own = self._batches[self._head] = self._batches[self._head].own()
        self._own.payloads[: self._skip] = [None] * self._skip
        self._stale = 0

    def _compact(self) -> None:
        if self._head > _COMPACT and self._head * 2 > len(self._batches):
            del self._batches[: self._head]
            self._base += self._head
            self._head = 0

    # -- reading ---------------------------------------------------------------------------------

    @property
    def bytes(self) -> int:
        """What it holds: payload, what wide texts take beyond their UTF-8, many small objects."""
        return self._size + max(0, self._extra - _FREE)

    @property
    def first(self) -> int:
        """The seq of the oldest record kept; that of the next one if none is."""
        return self.evicted

    def __len__(self) -> int:
        return self.total - self.evicted

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        with LOCK:
            if isinstance(index, slice):
                return [self._at(self.first + i) for i in range(*index.indices(len(self)))]
            place = index + len(self) if index < 0 else index
            if not 0 <= place < len(self):
                raise IndexError(f"the log keeps {len(self)} messages")
            return self._at(self.first + place)

    def __iter__(self) -> Iterator[Message]:
        """Yield what is kept now, oldest first; what is evicted meanwhile is passed over."""
        seq, end = self.first, self.total
        while seq < end and (messages := self.read(seq, 1000)):
            yield from (message for message in messages if message.seq < end)
            seq = messages[-1].seq + 1

    def read(self, seq: int, count: int) -> list[Message]:
        """Return up to ``count`` messages from ``seq`` on, or from the oldest kept if that is later."""
        with LOCK:
            start = max(seq, self.first)
            return [self._at(place) for place in range(start, min(start + count, self.total))]

    def _at(self, seq: int) -> Message:
        batch = self._batch(seq)
        return batch.message(seq - batch.seq)

    def _batch(self, seq: int) -> Batch:
        place = bisect_right(self._batches, seq, lo=self._head, key=attrgetter("seq")) - 1
        batch: Batch = self._batches[place]
        return batch

    def single(self, seq: int) -> Batch:
        """Return a kept message that came alone as a batch."""
        batch = self._batch(seq)
        return batch.single(seq - batch.seq)

    def batches(self) -> list[tuple[Batch, int]]:
        """Return what is kept as batches, each with the index of its first record that is kept.

        Those of a run are a batch each again: they passed at moments of their own.
        """
        with LOCK:
            self._own = None
            found: list[tuple[Batch, int]] = []
            for place, batch in enumerate(self._batches[self._head :]):
                skip = self._skip if place == 0 else 0
                if batch.times is None:
                    found.append((batch, skip))
                else:
                    found += [(batch.single(index), 0) for index in range(skip, len(batch.payloads))]
            return found

    @property
    def end(self) -> tuple[int, int]:
        """Where the next record will be: as the first two that `next_received` gives."""
        number, last = self._base + len(self._batches), self._run or self._lone
        return (number, 0) if last is None else (number - 1, len(last.payloads))

    def next_received(self, number: int, place: int) -> tuple[int, Batch, int] | None:
        """Find the next received data record at or after a place.

        Args:
            number: Number of a batch, counted from the start of the connection.
            place: Index in that batch.

        Returns:
            The batch's number, the batch and the index in it, or None.
        """
        index = number - self._base
        if index < self._head or (index == self._head and place < self._skip):
            index, place = self._head, self._skip
        while index < len(self._batches):
            batch = self._batches[index]
            if batch.type is None and batch.direction == "in" and place < len(batch.payloads):
                return index + self._base, batch, place
            index, place = index + 1, 0
        return None

    @property
    def about(self) -> About | None:
        """What is known of the connection; None if nothing is."""
        return self.describe() if self.describe else None

    # -- listening -------------------------------------------------------------------------------

    def listen(self, listener: Callable[[Batch], None], lone: Lone | None = None) -> Callable[[], None]:
        """Call ``listener`` with each batch appended from now on; return a function that ends it.

        It is called on the appending thread with the lock held: it must be quick, and never wait. A message
        that came alone is a batch of its own here.

        Args:
            listener: What is called.
            lone: Called instead for a message that came alone, if there is one: with its payload, its bytes,
                its seq and its moment, so that no batch has to be made for it.
        """
        with LOCK:
            self._listeners = (*self._listeners, (listener, lone))

        def stop() -> None:
            with LOCK:
                self._listeners = tuple(each for each in self._listeners if each[0] is not listener)

        return stop

    def await_received(self, awaiting: Callable[[], None]) -> None:
        """Call ``awaiting`` once, when the next data message has come, as a listener is; on any thread.

        Whoever asks looks afterwards whether one came meanwhile: no lock is taken here.
        """
        self._awaiting.append(awaiting)

    def await_no_more(self, awaiting: Callable[[], None]) -> None:
        """Undo `await_received`; does nothing where it was called."""
        with contextlib.suppress(ValueError):
            self._awaiting.remove(awaiting)

    def __repr__(self) -> str:
        passed = f"{len(self):,} kept of {self.total:,}, ↓ {self.received:,} ↑ {self.sent:,}"
        return f"<Log: {passed}, {self.evicted:,} evicted>"
