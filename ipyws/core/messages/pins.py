"""What open channels still have to read of a log."""

from __future__ import annotations

from collections.abc import Callable

from ipyws.core.lock import LOCK

Pin = Callable[[], tuple[int, int] | None]
"""Gives a channel's next seq and its capacity; None while it has nothing to read."""


class Pins:
    """The places from which a log is kept for its channels."""

    def __init__(self) -> None:
        self._pins: list[Pin] = []

    def add(self, pin: Pin) -> Callable[[], None]:
        """Keep records from a place on; return a function that ends it."""
        with LOCK:
            self._pins.append(pin)

        def unpin() -> None:
            with LOCK:
                if pin in self._pins:
                    self._pins.remove(pin)

        return unpin

    def reach(self) -> tuple[int, int] | None:
        """Return the oldest place that is kept, and the capacities together; None if nothing is."""
        if not self._pins:
            return None
        pins = [pin for get in self._pins if (pin := get())]
        return (min(seq for seq, _ in pins), sum(capacity for _, capacity in pins)) if pins else None
