"""The feed of a panel: what passes some connections, as numbered batches of rows at a bounded rate.

A batch has at most `ROWS` rows and `BYTES`, more if it is late, and a marker for what it leaves out. There
are at most ten a second, and one a second while the front end has not said that it drew the last dozen: it
may be slow, or its word may wait behind a busy cell. So the cost does not grow with the rate of messages.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.counts import Counts, count
from ipyws.core.messages.message import Message
from ipyws.runtime.aside import aside
from ipyws.view.format import WINDOW
from ipyws.view.heartbeats import is_heartbeat
from ipyws.widget import lines, protocol
from ipyws.widget.sieve import Sieve

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

_LATE: Final = 4  # times the rows and bytes that the latest batch may have
_QUICK: Final = 64 * 1024  # characters of rows that are made on the loop
_PLAIN: Final = ("auto", "json", "text", "raw")
_FIELDS: Final = 190  # bytes of a row beside its preview
_CHUNK: Final = 200  # messages that are looked at in one go
_SEARCHED: Final = 2000  # the same, where that happens beside the loop

Entry = tuple[str, Connection, Message]
Picked = tuple[list[Message], int]


class Feed:
    """The rows of a panel, from where the front end has them to now.

    Used on one thread at a time.

    Args:
        connections: Gives the connections that are shown, by name.
        clock: Gives the time in seconds.
        first: The number before that of the first row.
    """

    def __init__(
        self,
        connections: Callable[[], Mapping[str, Connection]],
        clock: Callable[[], float] = time.monotonic,
        first: int = 0,
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._sent_at = 0.0
        self._sieve = Sieve()
        self._matches = self._sieve.matcher()
        self._places: dict[Connection, int] = {}
        self._made: OrderedDict[int, tuple[Connection, int]] = OrderedDict()
        self._number = first
        self._batch = 0
        self._drawn = 0
        self._matched = 0
        self._folded = 0
        self._counts: dict[str, Counts] = {}
        self._previous: float | None = None
        self._searching: asyncio.Future[Picked] | None = None

    def filter(self, sieve: Sieve) -> None:
        """Show other messages; call `begin` then.

        Raises:
            InvalidError: Its text is not a regular expression that can be searched in bounded time.
        """
        self._matches = sieve.matcher()
        self._sieve = sieve
        if self._searching is not None:  # for what nobody wants to see any more
            self._searching.cancel()

    def acknowledge(self, batch: int) -> None:
        """Note that the front end has drawn a batch."""
        self._drawn = max(self._drawn, min(batch, self._batch))

    def messages(self, numbers: Iterable[int], client: Connection) -> list[Message]:
        """Return the messages of rows, of one connection, as far as its log still has them."""
        mine = (number for number in numbers if self._made.get(number, (None, -1))[0] is client)
        return [message for number in mine if (message := self.message(number)) is not None]

    def message(self, number: int) -> Message | None:
        """Return the message of a row, or None where the log has given it up."""
        client, seq = self._made.get(number, (None, -1))
        found = client.log.read(seq, 1) if client is not None else []
        return found[0] if found and found[0].seq == seq else None

    async def begin(self) -> protocol.Batch:
        """Return the batch with which the front end begins again: the newest rows that there are."""
        self._made.clear()
        self._places = {}
        self._matched = self._folded = 0
        self._previous = None
        batch = await self._make(*await self._collect(FIRST), reset=True)
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
        fitting = _fitting(found, BYTES * share)
        hidden += len(found) - len(fitting)
        anything = fitting or hidden or evicted or folded != self._folded
        return await self._make(fitting, hidden, evicted, reset=False) if anything else None

    async def _collect(self, most: int) -> tuple[list[Entry], int, int]:
        """Return the newest rows that were not collected yet, how many are before, how many were evicted."""
        found: list[Entry] = []
        hidden = evicted = 0
        self._counts = {}
        for name, client in self._connections().items():
            counts = self._counts[name] = count(client.log)
            evicted += max(0, counts.evicted - self._places.get(client, 0))
            messages, more = await self._read(client, most, counts.total)
            found += [(name, client, message) for message in messages]
            hidden += more
        if len(self._connections()) > 1:
            found.sort(key=lambda entry: entry[2].time)
        if len(found) > most:
            hidden += len(found) - most
            found = found[-most:]
        self._matched += len(found) + hidden
        return found, hidden, evicted

    async def _read(self, client: Connection, most: int, stop: int) -> tuple[list[Message], int]:
        log = client.log
        start = max(self._places.get(client, 0), log.first)
        self._places[client] = stop
        if self._sieve.is_open:
            first = max(start, stop - most)
            return log.read(first, stop - first), first - start
        matching: list[Message] = []
        hidden = 0
        size = _SEARCHED if self._sieve.text else _CHUNK
        for place in range(start, stop, size):
            found, folded = await self._search(log.read(place, min(size, stop - place)))
            matching += found
            self._folded += folded
            hidden += max(0, len(matching) - most)
            matching = matching[-most:]
        return matching, hidden

    async def _search(self, chunk: list[Message]) -> Picked:
        """Return what matches; where payloads are searched, the loop goes on meanwhile."""
        matches, fold = self._matches, self._sieve.fold
        if not self._sieve.text:
            await asyncio.sleep(0)
            return _pick(filter(matches, chunk), fold)
        over = threading.Event()
        searching = aside(
            lambda: _pick((each for each in chunk if not over.is_set() and matches(each)), fold),
            "ipyws-search",
        )
        self._searching = searching
        try:
            await asyncio.wait((searching,))
        finally:
            self._searching = None
            over.set()
        # A new filter cancels it: what this one had found is of no use, everything is collected again.
        return ([], 0) if searching.cancelled() else searching.result()

    async def _lines(self, found: list[Entry]) -> list[protocol.Row]:
        """Return the rows of messages; the loop goes on while payloads are read that may take long."""
        first, previous = self._number + 1, self._previous
        for _, client, message in found:
            self._number += 1
            self._made[self._number] = (client, message.seq)
        if found:
            self._previous = found[-1][2].time

        def work() -> list[protocol.Row]:
            befores = [previous, *(message.time for _, _, message in found)]
            return [
                lines.line(number, name, message, before, client.log.contract)
                for number, (name, client, message), before in zip(
                    itertools.count(first), found, befores, strict=False
                )
            ]

        return work() if _is_quick(found) else await aside(work, "ipyws-rows")

    async def _make(self, found: list[Entry], hidden: int, evicted: int, *, reset: bool) -> protocol.Batch:
        made: list[protocol.Row] = []
        if hidden or evicted:
            self._number += 1
            made.append(lines.gap(self._number, hidden + evicted, evicted))
        made += await self._lines(found)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        self._batch += 1
        self._sent_at = self._clock()
        counts = self._counts.values()
        return {
            "batch": self._batch,
            "reset": reset,
            "rows": made,
            "matched": self._matched,
            "folded": self._folded,
            "total": sum(one.total for one in counts),
            # Of the moment up to which there are rows: what is shown beside each other has to agree.
            "counts": {
                "received": sum(one.received for one in counts),
                "sent": sum(one.sent for one in counts),
                "kept": sum(one.kept for one in counts),
            },
            "evicted": {name: one.evicted for name, one in self._counts.items()},
        }


def _is_quick(found: list[Entry]) -> bool:
    """Tell whether rows are made at once: nothing of what they show is to be unpacked, decoded or judged."""
    return all(
        isinstance(message.data, str) and message.codec.name in _PLAIN and client.log.contract is None
        for _, client, message in found
    ) and (sum(min(len(message.data), WINDOW) for _, _, message in found) < _QUICK)


def _pick(matching: Iterable[Message], fold: bool) -> Picked:
    """Return some messages, without heartbeats if they are folded, and how many those are."""
    found = list(matching)
    kept = [message for message in found if not is_heartbeat(message)] if fold else found
    return kept, len(found) - len(kept)


def _fitting(found: list[Entry], room: float) -> list[Entry]:
    """Return the newest of some rows that fit into a number of bytes."""
    first = len(found)
    while first and room > 0:
        name, _, message = found[first - 1]
        shown = message.data[: lines.PREVIEW]
        room -= _FIELDS + len(name)
        room -= len(shown.encode("utf-8", "surrogatepass")) if isinstance(shown, str) else len(shown)
        first -= room >= 0
    return found[first:]
