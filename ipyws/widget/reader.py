"""Reading logs through a filter: beside the loop where payloads are searched or decoded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Final, NamedTuple

from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.runtime.aside import aside
from ipyws.view.heartbeats import is_heartbeat
from ipyws.widget.sieve import Matching

_CHUNK: Final = 200  # messages that are looked at in one go
_SEARCHED: Final = 2000  # the same, where that happens beside the loop
_BACK: Final = 4000  # messages that are looked at for those that are no heartbeats
_PLAIN: Final = ("auto", "json", "text", "raw")


class Picked(NamedTuple):
    """What a filter leaves of some messages.

    Attributes:
        kept: Those that are shown.
        folded: How many heartbeats were counted instead.
        hits: How many hold what is searched.
    """

    kept: list[Message]
    folded: int
    hits: int


class Newest(NamedTuple):
    """The newest messages of a part of a log.

    Attributes:
        messages: Those that are shown.
        hidden: How many more there are before them.
        folded: How many heartbeats were counted instead.
        hits: How many messages hold what is searched, or are shown if nothing is.
    """

    messages: list[Message]
    hidden: int
    folded: int
    hits: int


class Reader:
    """Reads logs through one filter, on the background loop.

    Args:
        matching: The filter.
    """

    def __init__(self, matching: Matching) -> None:
        self.matching = matching
        self._searching: asyncio.Future[Picked] | None = None

    def stop(self) -> None:
        """Search for what nobody wants to see any more no longer."""
        if self._searching is not None:
            self._searching.cancel()

    async def newest(self, log: Log, start: int, stop: int, most: int) -> Newest:
        """Return the newest messages from ``start`` up to ``stop``.

        Args:
            log: The log.
            start: The number of the first one, or of the first that is kept.
            stop: That after the last one.
            most: Messages to return.
        """
        start = max(start, log.first)
        sieve = self.matching.sieve
        if sieve.is_open:
            first = max(start, stop - most)
            return Newest(log.read(first, stop - first), first - start, 0, max(0, stop - start))
        if sieve.is_even and not sieve.text:
            return await self._back(log, start, stop, most)
        found: list[Message] = []
        hidden = folded = hits = 0
        size = _SEARCHED if sieve.text else _CHUNK
        for place in range(start, stop, size):
            picked = await self._pick(log.read(place, min(size, stop - place)))
            found += picked.kept
            folded += picked.folded
            hits += picked.hits
            hidden += max(0, len(found) - most)
            found = found[-most:]
        return Newest(found, hidden, folded, hits)

    async def _back(self, log: Log, start: int, stop: int, most: int) -> Newest:
        """Return the newest that are no heartbeats; those of what is not reached are not counted."""
        found: list[Message] = []
        folded, place = 0, stop
        while start < place and len(found) < most and stop - place < _BACK:
            size = min(_CHUNK, place - start)
            place -= size
            picked = await self._pick(log.read(place, size))
            found[:0] = picked.kept
            folded += picked.folded
        hidden = place - start + max(0, len(found) - most)
        return Newest(found[-most:], hidden, folded, hidden + min(len(found), most))

    async def _pick(self, chunk: list[Message]) -> Picked:
        """Return what is left of some messages; the loop goes on where that takes its time."""
        over = threading.Event()
        if not self.matching.sieve.text and all(each.codec.name in _PLAIN for each in chunk):
            await asyncio.sleep(0)
            return self._filter(chunk, over)
        searching = aside(lambda: self._filter(chunk, over), "ipyws-search")
        self._searching = searching
        try:
            await asyncio.wait((searching,))
        finally:
            self._searching = None
            over.set()
        # A new filter cancels it: what this one had found is of no use, everything is collected again.
        return Picked([], 0, 0) if searching.cancelled() else searching.result()

    def _filter(self, chunk: Iterable[Message], over: threading.Event) -> Picked:
        matching, sieve = self.matching, self.matching.sieve
        kept: list[Message] = []
        folded = hits = 0
        for message in chunk:
            if over.is_set():
                break
            if not matching.passes(message):
                continue
            held = matching.holds(message)
            if sieve.only and not held:
                continue
            if sieve.fold and is_heartbeat(message):
                folded += 1
                continue
            hits += held
            kept.append(message)
        return Picked(kept, folded, hits)
