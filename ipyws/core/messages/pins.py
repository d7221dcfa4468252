"""What open channels still have to read of a log."""

from __future__ import annotations

from collections.abc import Callable

from ipyws.core.lock import LOCK

Pin = Callable[[], tuple[int, int] | None]
"""Gives a channel's next seq and its capacity; None while it has nothing to read."""


class Pins:
    """The places from which a log is kept for its channels."""

    __slots__ = ("_pins",)

    def __init__(self) -> None:
        self._pins: tuple[Pin, ...] = ()

    def add(self, pin: Pin) -> Callable[[], None]:
        """Keep records from a place on; return a function that ends it."""
        with LOCK:
            self._pins = (*self._pins, pin)

        def unpin() -> None:
            with LOCK:
                self._pins = tuple(other for other in self._pins if other != pin)

        return unpin

    def reach(self) -> tuple[int, int] | None:
        """Return the oldest place that is kept, and the capacities together; None if nothing is."""
        if not self._pins:
            return None
        pins = [pin for get in self._pins if (pin := get())]
        return (min(seq for seq, _ in pins), sum(capacity for _, capacity in pins)) if pins else None
