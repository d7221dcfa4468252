"""Where a log keeps its batches: in order, the oldest of which are let go."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

from ipyws.core.messages.batch import RUN, Batch
from ipyws.core.messages.message import Direction

FREE: Final = 64 * 1024
"""Bytes that nobody counts: of objects beside the payloads, and of what is let go of the oldest batch."""

# Dead entries at the head of the list are cut off together, so that dropping one stays O(1).
_COMPACT = 512


class Shelf:
    """The batches of a log. Used with the lock held.

    Attributes:
        run: The newest batch, if it is a run that more may be added to.
        run_end: The seq of the last message that such a run may have.
        size: Bytes of payload as on the wire.
        extra: Bytes of memory that they take beyond that, about.
    """

    __slots__ = (
        "_base",
        "_batches",
        "_head",
        "_lone",
        "_own",
        "_skip",
        "_stale",
        "extra",
        "run",
        "run_end",
        "size",
    )

    def __init__(self) -> None:
        self.run: Batch | None = None
        self.run_end = 0
        self.size = self.extra = 0
        self._lone: Batch | None = None  # the newest batch, if a run may begin with it
        self._batches: list[Any] = []  # Batch; entries before _head are None
        self._base = 0  # number of the batch at index 0
        self._head = 0  # index of the oldest batch kept
        self._skip = 0  # records of that batch that are let go
        self._stale = 0  # bytes of those that are held all the same
        self._own: Any = None  # the oldest batch, if nobody else has it

    @property
    def bytes(self) -> int:
        """What is held: payload, what wide texts take beyond their UTF-8, many small objects."""
        return self.size + max(0, self.extra - FREE)

    # -- what comes --------------------------------------------------------------------------------

    def add(self, batch: Batch) -> None:
        """Keep the newest batch; a message that came alone is added to the run that it continues, if any."""
        alone = batch.type is None and len(batch.payloads) == 1 and not batch.marks
        if alone and (run := self._run_for(batch)) is not None:
            self.extra += run.add(batch.payloads[0], batch.size, batch.time)
            self.size += batch.size
            if batch.seq >= self.run_end:
                self.run = None
            batch.marks = run.marks
            return
        self._batches.append(batch)
        self.size += batch.size
        self.extra += batch.extra
        self.run = None
        self._lone = batch if batch.type is None and len(batch.payloads) == 1 else None

    def _run_for(self, batch: Batch) -> Batch | None:
        run, first = self.run, self._lone
        if run is not None and run.direction == batch.direction:
            return run
        if first is None or first.direction != batch.direction:
            return None
        run = self._batches[-1] = self.run = first.run()
        self.run_end = run.seq + RUN - 1
        self._lone = None
        return run

    # -- what goes ---------------------------------------------------------------------------------

    @property
    def oldest(self) -> Batch:
        """The oldest batch kept."""
        batch: Batch = self._batches[self._head]
        return batch

    def evict(self, least: int, most: int, excess: int) -> int:
        """Let go of records of the oldest batch; return how many.

        Args:
            least: How many at least, as long as the batch has them.
            most: How many at most.
            excess: Bytes that are too much: no more than ``least`` go where that is enough.
        """
        head = self.oldest
        end = len(head.payloads)
        most = min(self._skip + most, end)
        stop = min(self._skip + least, most)
        if most == end and head.size + head.extra <= excess:
            stop = end
        elif head.is_plain:
            # All at once: of a full log at 64 KiB a message, one by one took a tenth of what each costs.
            stop = max(stop, head.stop_after(self._skip, most, excess))
        gone = stop - self._skip
        if stop == end:
            self._drop_batch(head)
        else:
            self._drop_records(head, stop)
        return gone

    def evict_lone(self) -> Direction | None:
        """Let go of the oldest record if it is one of a run; return its direction, None where it is not.

        What each message that comes alone costs a full log: `evict` does it as well, in twice the time.
        """
        head, stop = self._batches[self._head], self._skip + 1
        if head.times is None:
            return None
        if stop == len(head.payloads):
            self._drop_batch(head)
        else:
            self._drop_records(head, stop)
        direction: Direction = head.direction
        return direction

    def _drop_batch(self, head: Batch) -> None:
        self.size -= head.size
        self.extra -= head.extra
        self._batches[self._head] = None
        self._head += 1
        self._skip = self._stale = 0
        if head is self.run or head is self._lone:
            self.run = self._lone = None
        self._compact()

    def _drop_records(self, head: Batch, stop: int) -> None:
        start, self._skip = self._skip, stop
        if head.is_plain:
            size, extra = head.give_up_plain(start, stop)
        elif stop - start == 1 and head.times is not None:
            size, extra = head.give_up_one(start)
        else:
            size, extra = head.give_up(start, stop)
        self.size -= size
        self.extra -= extra
        self._stale += size + extra
        if self._stale > FREE:
            self._drop()

    def _drop(self) -> None:
        """Let go of what is evicted of the oldest batch; those who were given that batch keep theirs."""
        if self._own is not self._batches[self._head]:
            self.run = self._lone = None
            self._own = self._batches[self._head] = self._batches[self._head].own()
        self._own.payloads[: self._skip] = [None] * self._skip
        self._stale = 0

    def _compact(self) -> None:
        if self._head > _COMPACT and self._head * 2 > len(self._batches):
            del self._batches[: self._head]
            self._base += self._head
            self._head = 0

    # -- what is there -----------------------------------------------------------------------------

    def find(self, seq: int) -> Batch:
        """Return the batch of a record that is kept."""
        place = bisect_right(self._batches, seq, lo=self._head, key=attrgetter("seq")) - 1
        batch: Batch = self._batches[place]
        return batch

    def between(self, seq: int, end: int) -> Iterator[Batch]:
        """Yield the batches of the records from a kept one to before ``end``."""
        place = bisect_right(self._batches, seq, lo=self._head, key=attrgetter("seq")) - 1
        while seq < end and place < len(self._batches):
            batch: Batch = self._batches[place]
            yield batch
            place, seq = place + 1, batch.seq + len(batch.payloads)

    def all(self) -> list[tuple[Batch, int]]:
        """Return the batches, each with the index of its first record that is kept.

        Those of a run are a batch each again: they passed at moments of their own.
        """
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
        number, last = self._base + len(self._batches), self.run or self._lone
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
