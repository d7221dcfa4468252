"""A view in several outputs: rows that have settled, and below them an output with the newest, which ticks.

What replaces an output takes what somebody does in it: a selection, an opened payload. So a row that has been
shown for a while is left alone. Its output is finished, and what comes goes into another one below. Where
there are too many rows, the oldest outputs below the first give way to a line that counts them, not before
they have stood for a while; the others stay as they are. When no further output is to be added, and at the
end, all of it is put together in the first one, and the others are emptied.

Two outputs, of which the upper one is sent again every ten seconds, were tried too: there a row is left alone
for ten seconds at most, here for half a minute and more. An output for each row would be calmer still, but
a notebook keeps all of them.
"""

from __future__ import annotations

import math
import time
from typing import Final

from ipyws.capture.recording import RecordedLog
from ipyws.notebook.publisher import Handle
from ipyws.view.rows import Row
from ipyws.view.stretch import Stretch

TOP_ROWS: Final = 20
"""Most rows of the first output as long as updates follow."""

TAIL_ROWS: Final = 10
"""Most rows of one below it."""

SETTLED_ROWS: Final = 20
"""Most rows in outputs that are finished, about: of more, the oldest give way."""

OUTPUTS: Final = 30
"""Outputs below the first: JupyterLab draws 50 of a cell, and a notebook keeps all of them."""

_SETTLES: Final = 1.5  # seconds after which a row that is shown is left alone
_KEPT: Final = 15.0  # seconds for which an output that is finished is left alone at least
_TOGETHER: Final = 30.0  # the same for the first
_LONGEST: Final = 120.0  # seconds after which the first is too old beside the others
_EMPTIED: Final = 2  # outputs that are emptied with one update: five a second are the most in all


class Tail:
    """An output below the first.

    Args:
        handle: Where it is.
        start: The seq of the first message that it shows.
        log: The log.

    Attributes:
        stretch: What it shows.
        newest: The last message that has a row in it.
        end: The seq behind the last message that it shows.
        rows: The rows that it shows.
        races: Whether these are about to be replaced, and can't be opened.
        finished: When it was finished, in seconds of `time.monotonic`; infinite before.
    """

    def __init__(self, handle: Handle, start: int, log: RecordedLog) -> None:
        self.handle = handle
        self.stretch = Stretch(log, start, TAIL_ROWS + 1)
        self.newest = -1
        self.end = start
        self.rows: list[Row] = []
        self.races = False
        self.finished = math.inf

    def draw(self, total: int, races: bool) -> list[Row]:
        """Return the rows that it is to show; see `Tails.draw`."""
        self.races = races
        return self.stretch.rows(total, TAIL_ROWS, 0 if races else None)

    def showing(self, rows: list[Row]) -> Tail:
        """Return it, now that it shows these rows."""
        self.rows, self.newest = rows, self.stretch.newest
        self.end = self.stretch.start + sum(row.stands_for for row in rows)
        return self


class Tails:
    """The outputs of a view below its first one.

    Args:
        log: The log.
        parent: The request of the cell they are below.

    Attributes:
        left: Outputs that no longer show what they should, to be emptied.
    """

    def __init__(self, log: RecordedLog, parent: object) -> None:
        self.left: list[Handle] = []
        self._log = log
        self._parent = parent
        self._tails: list[Tail] = []
        self._gone: list[Handle] = []  # above those: what gave way
        self._gave_way = False  # since that was asked last
        self._free: list[Handle] = []
        self._together = 0.0  # when all was put together last
        self._began: float | None = None  # when the first output had its first row since then

    def put_together(self, rows: bool) -> None:
        """Note that the first output shows everything now, and whether that is any row."""
        now = time.monotonic()
        if self._tails:
            self._together, self._began = now, now - _SETTLES  # what was above has settled long since
        elif self._began is None and rows:
            self._together = self._began = now
        used = [*self._gone, *(tail.handle for tail in self._tails)]  # in the order in which they stand
        self.left = [*self.left, *(handle for handle in used if handle not in self.left)]
        self._free = [*used, *self._free]
        self._tails, self._gone, self._gave_way = [], [], False

    @property
    def ticks_below(self) -> bool:
        """Whether the first output is left alone: its rows have settled."""
        return bool(self._tails) or (self._began is not None and time.monotonic() - self._began > _SETTLES)

    @property
    def full(self) -> bool:
        """Whether all is to be put together in the first output: there is no room below, or it is too old."""
        since = time.monotonic() - self._together
        late = since > _LONGEST or (since > _TOGETHER and self._used >= OUTPUTS)
        return late and bool(self._tails)

    def draw(self, start: int, total: int, *, noted: bool, races: bool = False) -> Tail | None:
        """Return the output that ticks with what it shows now; None if no message came since.

        Args:
            start: The seq from which on the first output shows nothing.
            total: How many messages there are.
            noted: Whether there is something else to be said.
            races: Whether so much comes that each update replaces what the one before it has shown.
        """
        current = self._tails[-1] if self._tails else None
        if current is not None:
            raced = current.races  # what can't be opened is no row to be left alone
            rows = current.draw(total, races)
            if current.stretch.newest == current.newest and not noted and not raced:
                return None  # nothing, or heartbeats: nobody is disturbed for those
            if raced or not _is_settled(current.rows) or not self._has_room():
                return current.showing(rows)
            start = current.end
        made = Tail(self._free.pop(0) if self._free else Handle(self._parent), start, self._log)
        rows = made.draw(total, races)
        if made.stretch.newest < 0 and not noted:
            return None
        if current is not None:
            current.stretch.stop, current.finished = start, time.monotonic()
        self.left = [one for one in self.left if one is not made.handle]
        self._tails.append(made)
        self._make_way()
        return made.showing(rows)

    def place_of(self, tail: Tail) -> int:
        """Return how many outputs of the view stand above one of these."""
        return 1 + len(self._gone) + self._tails.index(tail)

    def gap(self, start: int) -> tuple[Handle, int, int] | None:
        """Return where it is to be said that outputs gave way, the place of the last, and how many messages.

        None if that was said already.

        Args:
            start: The seq from which on the first output shows nothing.
        """
        gave_way, self._gave_way = self._gave_way, False
        return (self._gone[0], len(self._gone), self._tails[0].stretch.start - start) if gave_way else None

    @property
    def shown(self) -> list[Row]:
        """The rows of all outputs below the first."""
        return [row for tail in self._tails for row in tail.rows]

    def emptied(self) -> list[Handle]:
        """Return outputs that are to be emptied with this update."""
        now, self.left = self.left[:_EMPTIED], self.left[_EMPTIED:]
        return now

    def all_emptied(self) -> list[Handle]:
        """Return all outputs that are to be emptied."""
        now, self.left = self.left, []
        return now

    def _has_room(self) -> bool:
        """Whether the output that ticks may be finished: for its rows, older ones have stood long enough."""
        young = [tail for tail in self._tails if time.monotonic() - tail.finished < _KEPT]
        return self._used < OUTPUTS and sum(len(tail.rows) for tail in young) <= SETTLED_ROWS

    @property
    def _used(self) -> int:
        """How many outputs below the first are in use, also those that gave way."""
        return len(self._gone) + len(self._tails)

    def _make_way(self) -> None:
        """Have the oldest outputs give way as long as there are too many rows."""
        settled = self._tails[:-1]
        while sum(len(tail.rows) for tail in settled) > SETTLED_ROWS:
            handle = settled.pop(0).handle
            if self._gone:
                self.left.append(handle)
            self._gone.append(handle)
            self._gave_way = True
        self._tails = [*settled, self._tails[-1]]


def _is_settled(rows: list[Row]) -> bool:
    oldest = next((row.at for row in rows if row.is_message), None)
    return oldest is not None and time.time() - oldest > _SETTLES
