"""The front ends of a panel: each browser tab that shows it has a place, a choice and a filter of its own.

A tab says who it is with every request, and each minute that it is still there. Of one that is silent
nothing is kept, and nothing is sent to it: what a kernel publishes counts as its being used, and a panel
that nobody looks at must not keep a forgotten kernel from being ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ipyws.core.connection.connection import Connection
from ipyws.text.numbers import is_whole
from ipyws.widget.feed import Feed

SILENCE: Final = 150.0
"""Seconds without a word after which a front end is forgotten; it speaks every 50."""

MOST: Final = 8
"""Front ends that a panel knows; of more, the one that has been silent longest is forgotten."""

_LONGEST: Final = 64  # characters of an id
_ROWS: Final = 1 << 40  # numbers of rows set aside for each, so that no two ever mean different rows by one


class Seat:
    """One front end.

    Attributes:
        id: What it calls itself; "" for one that has no name.
        shown: The connection that it chose; None for the current one.
        feed: The rows that it has, and those that come next.
        heard: When it spoke last, in seconds of `time.monotonic`.
        begins: Whether its rows have to be sent again.
        place: The message around which rows are sent then too: its connection and its number; or None.
        loads: The gaps whose rows it wants.
        fed: The connections whose rows it was sent last.
        told: The cards and the choice that it was sent last, and when.
    """

    def __init__(
        self,
        id: str,
        shown: str | None,
        first: int,
        connections: Callable[[Seat], Mapping[str, Connection]],
        names: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.shown = shown
        self.feed = Feed(lambda: connections(self), first=first, names=names)
        self.heard = time.monotonic()
        self.begins = False
        self.place: tuple[str, int] | None = None
        self.loads: list[int] = []
        self.fed: list[Connection] = []
        self.told: tuple[float, Any] = (0.0, None)


class Seats:
    """All front ends of one panel.

    Args:
        connections: Gives the connections that are shown to one, by name.
        busy: Tells whether the kernel runs a cell: what front ends say waits behind it.
        names: What the names of an expression mean; None where front ends may not run code.
    """

    def __init__(
        self,
        connections: Callable[[Seat], Mapping[str, Connection]],
        busy: Callable[[], bool],
        names: Mapping[str, Any] | None = None,
    ) -> None:
        self._connections = connections
        self._names = names
        self._busy = busy
        self._seats: dict[str, Seat] = {}
        self._made = 0

    def __len__(self) -> int:
        return len(self._seats)

    def all(self) -> list[Seat]:
        """Return them."""
        return list(self._seats.values())

    def known(self, request: Mapping[str, Any]) -> Seat | None:
        """Return the one that makes a request, or None if it is not known."""
        return self._seats.get(identity(request))

    def hear(self, request: Mapping[str, Any]) -> Seat | None:
        """Note that one speaks; return it if it is known."""
        seat = self.known(request)
        if seat is not None:
            seat.heard = time.monotonic()
        return seat

    def take(self, request: Mapping[str, Any], shown: str | None) -> Seat:
        """Return the one that makes a request; one that is not known gets a seat.

        Args:
            request: The request.
            shown: What a new one is shown.
        """
        seat = self.hear(request)
        if seat is None:
            if len(self._seats) >= MOST:
                self._drop(min(self._seats.values(), key=lambda seat: seat.heard))
            seat = Seat(identity(request), shown, self._made * _ROWS, self._connections, self._names)
            self._made += 1
            self._seats[seat.id] = seat
        return seat

    def leave(self, request: Mapping[str, Any]) -> None:
        """Forget the one that makes a request."""
        self._seats.pop(identity(request), None)

    def forget_silent(self) -> None:
        """Forget those that have not spoken for long; while a cell runs nobody can be heard."""
        now = time.monotonic()
        for seat in self.all():
            if self._busy():
                seat.heard = now
            elif now - seat.heard > SILENCE:
                self._drop(seat)

    def _drop(self, seat: Seat) -> None:
        self._seats.pop(seat.id, None)


def identity(request: Mapping[str, Any]) -> str:
    """Return what the front end that makes a request calls itself; "" where it doesn't say."""
    name = request.get("view")
    return name if isinstance(name, str) and len(name) <= _LONGEST else ""


def read_place(given: object) -> tuple[str, int] | None:
    """Return the connection and the message that a front end says somebody looks at."""
    if not isinstance(given, Mapping):
        return None
    name, seq = given.get("connection"), given.get("seq")
    return (name, seq) if isinstance(name, str) and is_whole(seq) else None
