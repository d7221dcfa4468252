"""The feed of a panel: what passes some connections, as numbered batches of rows at a bounded rate.

A batch has at most `ROWS` rows and `BYTES`, more if it is late, and a marker for what it leaves out. There
are at most ten a second, and one a second while the front end has not said that it drew the last dozen: it
may be slow, or its word may wait behind a busy cell. So the cost does not grow with the rate of messages.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby
from typing import Any, Final

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.counts import Counts, count
from ipyws.core.messages.message import Message
from ipyws.runtime.aside import aside
from ipyws.view.pace import Pace
from ipyws.widget import lines, protocol
from ipyws.widget.batches import batch_of
from ipyws.widget.finding import marked_rows
from ipyws.widget.parts import Entry, Gap, Part, before, fitting, is_quick, time_before
from ipyws.widget.reader import Reader
from ipyws.widget.sieve import Matching, Sieve

INTERVAL: Final = 0.1
"""Seconds between two batches."""

ROWS: Final = 200
"""Most rows of a batch that is on time."""

BYTES: Final = 45_000
"""Most bytes of a batch that is on time, about: ten a second stay below 500 kB/s on Jupyter's socket."""

FIRST: Final = 1000
"""Most rows of the batch that begins again, of whatever size."""

KEPT: Final = 10_000
"""Rows that the front end keeps, and can ask for."""

PATIENCE: Final = 1.0
"""Seconds between batches to a front end that does not say what it has drawn."""

UNDRAWN: Final = 12
"""Batches that the front end may be behind; it speaks after every fifth."""

LOADED: Final = 500
"""Most rows that a gap gives at a time."""

_AROUND: Final = 100  # messages before and after a place that is kept
_GAPS: Final = 1000
_LATE: Final = 4  # times the rows and bytes that the latest batch may have


class Feed:
    """The rows of a panel, from where the front end has them to now.

    Used on one thread at a time.

    Args:
        connections: Gives the connections that are shown, by name.
        clock: Gives the time in seconds.
        first: The number before that of the first row.
        names: What the names of an expression mean; None for who may not run code.

    Attributes:
        earlier: The names of those connections that were opened again since: the counters leave them out.
    """

    earlier: Collection[str] = ()

    def __init__(
        self,
        connections: Callable[[], Mapping[str, Connection]],
        clock: Callable[[], float] = time.monotonic,
        first: int = 0,
        names: Mapping[str, Any] | None = None,
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._names = names
        self._sent_at = 0.0
        self._reader = Reader(Matching(Sieve()))
        self._places: dict[Connection, int] = {}
        self._parts: list[Part] = []  # what was read last
        self._made: OrderedDict[int, tuple[Connection, int]] = OrderedDict()
        self._gaps: OrderedDict[int, Gap] = OrderedDict()
        self._number = first
        self._batch = 0
        self._drawn = 0
        self._matched = 0
        self._folded = 0
        self._counts: dict[str, Counts] = {}
        self._previous: float | None = None
        self._pace = Pace()
        self._begun: set[str] = set()  # connections that rows are drawn of, where some are earlier ones

    @property
    def _sieve(self) -> Sieve:
        return self._reader.matching.sieve

    def filter(self, sieve: Sieve) -> None:
        """Show other messages; call `begin` then.

        Raises:
            PermissionDeniedError: It has an expression, and the one who looks may not run code.
            InvalidError: Its text is not a regular expression that can be searched in bounded time, or not
                an expression.
        """
        reader = Reader(Matching(sieve, self._names))
        self._reader.stop()
        self._reader = reader

    def acknowledge(self, batch: int) -> None:
        """Note that the front end has drawn a batch."""
        self._drawn = max(self._drawn, min(batch, self._batch))

    def messages(self, numbers: Iterable[int], client: Connection) -> list[Message]:
        """Return the messages of rows, of a connection or those before it, as far as logs still have them."""
        past = {part.connection for part in self._parts if part.name in self.earlier}
        mine = (number for number in numbers if self._made.get(number, (None, -1))[0] in {client, *past})
        return [message for number in mine if (message := self.message(number)) is not None]

    def message(self, number: int) -> Message | None:
        """Return the message of a row, or None where the log has given it up."""
        client, seq = self._made.get(number, (None, -1))
        found = client.log.read(seq, 1) if client is not None else []
        return found[0] if found and found[0].seq == seq else None

    async def begin(self, place: tuple[str, int] | None = None) -> protocol.Batch:
        """Return the batch with which the front end begins again: the newest rows that there are.

        Args:
            place: The connection and the number of a message that somebody looks at: what is around it is
                in the batch too, however long ago that was.
        """
        self._made.clear()
        self._gaps.clear()
        self._places = {}
        self._matched = self._folded = 0
        self._previous = None
        self._pace = Pace()
        self._begun.clear()
        found, hidden, evicted = await self._collect(FIRST)
        rows = await self._around(place, found, hidden, evicted) if place is not None and hidden else None
        if rows is None:
            rows = await self._rows(found, hidden, evicted)
        batch = self._batch_of(rows, reset=True)
        self._drawn = self._batch - 1  # whatever was under way is forgotten there
        return batch

    async def next(self) -> protocol.Batch | None:
        """Return the next batch; None if nothing came, or the front end is behind."""
        if self._batch - self._drawn >= UNDRAWN and self._clock() - self._sent_at < PATIENCE:
            return None
        # A batch that is late holds what came meanwhile: else a steady stream would have gaps by chance.
        folded = self._folded
        share = min(max(1.0, (self._clock() - self._sent_at) / INTERVAL), _LATE)
        found, hidden, evicted = await self._collect(int(ROWS * share))
        shown = fitting(found, BYTES * share)
        hidden += len(found) - len(shown)
        if not (shown or hidden or evicted or folded != self._folded):
            return None
        return self._batch_of(await self._rows(shown, hidden, evicted), reset=False)

    async def load(self, number: int) -> list[protocol.Row] | None:
        """Return the newest rows that a gap stands for, after a row for the gap that is left.

        Args:
            number: That of the gap's row; None is returned if there is no such row any more.
        """
        gap = self._gaps.pop(number, None)
        if gap is None:
            return None
        most = min(LOADED, number - gap.lowest - 1)
        found, hidden, evicted = await self._read(gap.parts, most)
        shown = fitting(found, BYTES * _LATE)
        hidden += len(found) - len(shown)
        first = number - len(shown)
        rows: list[protocol.Row] = []
        if hidden or evicted:
            first -= 1
            rows.append(self._gap(first, before(gap.parts, shown), hidden, evicted, gap.lowest))
        return rows + await self._lines(shown, number - len(shown), time_before(shown))

    # -- reading ---------------------------------------------------------------------------------------

    async def _collect(self, most: int) -> tuple[list[Entry], int, int]:
        """Return the newest rows that were not collected yet, how many are before, how many were evicted."""
        self._counts = {}
        self._parts = []
        for name, client in self._connections().items():
            counts = self._counts[name] = count(client.log)
            self._parts.append(Part(name, client, self._places.get(client, 0), counts.total))
            self._places[client] = counts.total
        evicted = sum(max(0, self._counts[part.name].evicted - part.start) for part in self._parts)
        found, hidden, _ = await self._read(self._parts, most, counting=True)
        return found, hidden, evicted

    async def _read(
        self, parts: list[Part], most: int, *, counting: bool = False
    ) -> tuple[list[Entry], int, int]:
        """Return the newest messages of some parts, how many are before, and how many were evicted."""
        found: list[Entry] = []
        hidden = evicted = 0
        for name, client, start, stop in parts:
            evicted += max(0, min(client.log.first, stop) - start)
            newest = await self._reader.newest(client.log, start, stop, most)
            found += [(name, client, message) for message in newest.messages]
            hidden += newest.hidden
            if counting:
                self._matched += newest.hits
                self._folded += newest.folded
        if len(parts) > 1:
            found.sort(key=lambda entry: entry[2].time)
        if len(found) > most:
            hidden += len(found) - most
            found = found[-most:]
        return found, hidden, evicted

    async def _around(
        self, place: tuple[str, int], found: list[Entry], hidden: int, evicted: int
    ) -> list[protocol.Row] | None:
        """Return the rows with those around a place before the newest ones; None if it is among them."""
        name, seq = place
        left = before(self._parts, found)
        part = next((part for part in left if part.name == name and part.start <= seq < part.stop), None)
        if part is None or seq < part.connection.log.first:
            return None
        low, high = max(part.start, seq - _AROUND), min(part.stop, seq + _AROUND)
        window, cut, _ = await self._read([part._replace(start=low, stop=high)], 2 * _AROUND)
        _, later, _ = await self._read([part._replace(start=high)], 0)
        others = [other for other in left if other is not part]
        earlier = hidden - later - len(window) - cut
        rows: list[protocol.Row] = []
        if earlier > 0 or evicted:
            rows.append(self._next_gap([part._replace(stop=low), *others], max(0, earlier), evicted))
        rows += await self._next_lines(window, time_before(window))
        if later:
            rows.append(self._next_gap([part._replace(start=high)], later, 0))
        return rows + await self._next_lines(found, time_before(found))

    # -- rows ------------------------------------------------------------------------------------------

    async def _rows(self, found: list[Entry], hidden: int, evicted: int) -> list[protocol.Row]:
        if not (hidden or evicted):
            return await self._next_lines(found, self._previous)
        gap = self._next_gap(before(self._parts, found), hidden, evicted)
        return [gap, *await self._next_lines(found, time_before(found))]

    def _next_gap(self, parts: list[Part], hidden: int, evicted: int) -> protocol.Row:
        lowest = self._number
        self._number += KEPT  # the rows that it stands for get the numbers before its own
        return self._gap(self._number, parts, hidden, evicted, lowest)

    def _gap(self, number: int, parts: list[Part], hidden: int, evicted: int, lowest: int) -> protocol.Row:
        loadable = bool(hidden) and number - lowest > 2
        if loadable:
            self._gaps[number] = Gap(parts, lowest)
        while len(self._gaps) > _GAPS:
            self._gaps.popitem(last=False)
        return lines.gap(number, hidden + evicted, evicted, loadable=loadable)

    async def _next_lines(self, found: list[Entry], previous: float | None) -> list[protocol.Row]:
        if not self.earlier:
            return await self._made_lines(found, previous)
        made: list[protocol.Row] = []
        for name, entries in groupby(found, key=lambda entry: entry[0]):
            run = list(entries)
            if self._begun and name not in self._begun:
                self._number += 1
                made.append(lines.divider(self._number, run[0][2].time))
                previous = None
            self._begun.add(name)
            made += await self._made_lines(run, previous)
            previous = self._previous
        return made

    async def _made_lines(self, found: list[Entry], previous: float | None) -> list[protocol.Row]:
        first = self._number + 1
        self._number += len(found)
        made = await self._lines(found, first, previous)
        if found:
            self._previous = found[-1][2].time
        return made

    async def _lines(self, found: list[Entry], first: int, previous: float | None) -> list[protocol.Row]:
        """Return the rows of messages; the loop goes on while payloads are read that may take long."""
        for number, (_, client, message) in enumerate(found, first):
            self._made[number] = (client, message.seq)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        matching, pace = self._reader.matching, self._pace

        def work() -> list[protocol.Row]:
            return marked_rows(found, first, previous, matching, pace)

        judged = matching.sieve.text and not matching.sieve.only  # once more, for the marks
        return work() if is_quick(found) and not judged else await aside(work, "ipyws-rows")

    def _batch_of(self, rows: list[protocol.Row], *, reset: bool) -> protocol.Batch:
        self._batch += 1
        self._sent_at = self._clock()
        return batch_of(
            self._batch,
            rows,
            self._counts,
            self.earlier,
            reset=reset,
            matched=self._matched,
            failure=self._reader.matching.failure,
            folded=self._folded,
        )
