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
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.constants import MB, MessageType
from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import TIMED, Batch, beyond_of_one
from ipyws.core.messages.budget import BUDGET
from ipyws.core.messages.message import Direction, Message
from ipyws.core.messages.pins import Pin, Pins
from ipyws.core.messages.shelf import FREE, Shelf

if TYPE_CHECKING:
    from ipyws.core.connection.info import About
    from ipyws.core.messages.budget import Budget
    from ipyws.core.wire.frame_log import FrameLog

Lone = Callable[[Any, int, int, float], None]
"""Is told of a message that came alone: payload, bytes, seq, moment."""

DEFAULT_MESSAGES = 100_000
DEFAULT_BYTES = 64 * MB


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
        self._shelf = Shelf()
        self.total = 0
        self.received = self.sent = self.bytes_received = self.bytes_sent = 0
        self.evicted = self.evicted_in = 0
        self._pins = Pins()
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
            self._add(batch)
        return batch

    # Straight on, without a call for each step. A feed brings its messages one by one, and by the time that
    # the next one comes the processor's caches have forgotten us: each further function costs a microsecond.
    def receive(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        """Append data that came, as `append` does; no batch is made where nobody asks for one."""
        when = time.time() if moment is None else moment
        with LOCK.section() if get_ident() == LOCK.main else LOCK.plain:
            shelf, seq = self._shelf, self.total
            run = shelf.run
            if run is None or len(payloads) > 1 or run.direction != "in":
                self._add(Batch(seq, when, "in", None, payloads, size, self.codec))
                return
            [payload] = payloads
            run.payloads.append(payload)
            run.times.append(when)  # type: ignore[union-attr]
            extra = TIMED if len(payload) == size else beyond_of_one(payload, size)
            run.size += size
            run.extra += extra
            shelf.size = held = shelf.size + size
            shelf.extra = extra = shelf.extra + extra
            self.received += 1
            self.bytes_received += size
            self.total = seq + 1
            if seq >= shelf.run_end:
                shelf.run = None
            if extra > FREE:
                held += extra - FREE
            if held > self._limit_bytes or seq - self.evicted >= self._limit:
                held = self._evict_excess()
            account = self.account  # as `Account.settle` does it
            budget = account.budget
            budget.total = total = budget.total + held - account.held
            account.held = held
            if total > budget.limit:
                budget.make_room(account)
            while self._awaiting:
                self._awaiting.pop()()
            for listener, lone in self._listeners:
                if lone is None:
                    listener(run.single(seq - run.seq))
                else:
                    lone(payload, size, seq, when)

    def _add(self, batch: Batch) -> None:
        """Keep what passed together, and tell the listeners."""
        count = len(batch.payloads)
        self._shelf.add(batch)
        self.total += count
        if batch.type is None:
            self._count(batch.direction, count, batch.size)
        self.account.settle(self._evict_excess())
        if batch.type is None and batch.direction == "in":
            while self._awaiting:
                self._awaiting.pop()()
        for listener, _ in self._listeners:
            listener(batch)

    def mark(self, seq: int, mark: str) -> None:
        """Give a record its `Message.mark`; nothing happens where it is no longer kept."""
        with LOCK:
            if self.first <= seq < self.total:
                batch = self._shelf.find(seq)
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
        shelf = self._shelf
        while True:
            kept, beyond = self.total - self.evicted, shelf.extra - FREE
            held = shelf.size + beyond if beyond > 0 else shelf.size
            many, large = kept - self._limit, held - self._limit_bytes
            if many <= 0 and (large <= 0 or kept <= 1):
                return held
            if many == 1 and large <= 0 and self._pins.reach() is None and (gone := shelf.evict_lone()):
                self.evicted += 1
                self.evicted_in += gone == "in"
            elif not self._evict_of_oldest(many, large):
                return held

    def _evict_of_oldest(self, many: int, large: int) -> bool:
        """Evict from the oldest batch as much as is too much; False if all of it is pinned.

        A channel's unread messages may outgrow the limits by its capacity, and no further: it holds
        references of its own to what it has to deliver, so evicting here loses nothing.

        Args:
            many: Records that are too many.
            large: Bytes that are too much.
        """
        kept = len(self)
        reach = self._pins.reach()
        free = kept if reach is None else reach[0] - self.first
        if reach is not None and free <= 0:
            if many <= reach[1] and large <= self._limit_bytes:
                return False
            free, large = kept, 0  # one by one, for as long as it is more than a channel may hold
        least = max(1, many)
        self._evict(min(free, least), min(free, max(least, kept - 1)), large)
        return True

    def evict_oldest(self) -> bool:
        """Evict the oldest batch, or message of a run, whatever the limits; False if nothing is kept."""
        if kept := len(self):
            count = kept if self._shelf.oldest.times is None else 1  # at most that batch
            self._evict(count, count, 0)
        return bool(kept)

    def _evict(self, least: int, most: int, excess: int) -> None:
        """Evict from the oldest batch; see `Shelf.evict`."""
        oldest = self._shelf.oldest
        gone = self._shelf.evict(least, most, excess)
        self.evicted += gone
        if oldest.type is None and oldest.direction == "in":
            self.evicted_in += gone

    # -- reading ---------------------------------------------------------------------------------

    @property
    def bytes(self) -> int:
        """What it holds: payload, what wide texts take beyond their UTF-8, many small objects."""
        return self._shelf.bytes

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
                places = range(*index.indices(len(self)))
                if places.step == 1:
                    return self.read(self.first + places.start, len(places))
                return [self._at(self.first + place) for place in places]
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
        found: list[Message] = []
        with LOCK:
            start = max(seq, self.first)
            end = min(start + count, self.total)
            for batch in self._shelf.between(start, end):
                found += batch.messages(max(0, start - batch.seq), end - batch.seq)
        return found

    def _at(self, seq: int) -> Message:
        batch = self._shelf.find(seq)
        return batch.message(seq - batch.seq)

    def all_are(self, wanted: Callable[[Batch], bool], seq: int, end: int) -> bool:
        """Tell whether all batches are wanted that hold kept messages from ``seq`` to before ``end``."""
        with LOCK:
            return all(map(wanted, self._shelf.between(max(seq, self.first), min(end, self.total))))

    def single(self, seq: int) -> Batch:
        """Return a kept message that came alone as a batch."""
        batch = self._shelf.find(seq)
        return batch.single(seq - batch.seq)

    def batches(self) -> list[tuple[Batch, int]]:
        """Return what is kept as batches, each with the index of its first record that is kept.

        Those of a run are a batch each again: they passed at moments of their own.
        """
        with LOCK:
            return self._shelf.all()

    @property
    def end(self) -> tuple[int, int]:
        """Where the next record will be: as the first two that `next_received` gives."""
        return self._shelf.end

    def next_received(self, number: int, place: int) -> tuple[int, Batch, int] | None:
        """Find the next received data record at or after a place; see `Shelf.next_received`."""
        return self._shelf.next_received(number, place)

    @property
    def about(self) -> About | None:
        """What is known of the connection; None if nothing is."""
        return self.describe() if self.describe else None

    def pin(self, pin: Pin) -> Callable[[], None]:
        """Have what a channel has to read kept; return a function that ends it."""
        return self._pins.add(pin)

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
