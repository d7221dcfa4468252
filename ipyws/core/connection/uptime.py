"""When a connection was open: its sessions, one after the other where it is opened again."""

from __future__ import annotations

import time

_KEPT = 1000


class Sessions:
    """The times of a connection's sessions, the last 1000 of them.

    Attributes:
        first: When the connection was first opened: seconds since the epoch, or None.
        begun: How many there were.
        connects: Seconds that each connecting took.
        lost_at: When the last session ended: monotonic seconds.
    """

    def __init__(self) -> None:
        self.first: float | None = None
        self.begun = 0
        self.connects: tuple[float, ...] = ()  # of numbers alone, nothing for the garbage collector
        self.lost_at = 0.0
        self._lasted: tuple[float, ...] = ()
        self._began = self._started = 0.0
        self._running = False

    def start(self, elapsed: float) -> None:
        """Note that the connection is open, after ``elapsed`` seconds of connecting."""
        self._running = True
        self.begun += 1
        self._started = time.monotonic()
        self.connects = (*self.connects, elapsed)[-_KEPT:]
        if self.first is None:
            self.first, self._began = time.time(), self._started

    def end(self) -> None:
        """Note that the connection is no longer open; does nothing if it was not."""
        if self._running:
            self._running = False
            self.lost_at = time.monotonic()
            self._lasted = (*self._lasted, self.lost_at - self._started)[-_KEPT:]

    @property
    def lasted(self) -> tuple[float, ...]:
        """Seconds that each session lasted, the present one up to now."""
        running = (time.monotonic() - self._started,) if self._running else ()
        return (*self._lasted, *running)

    @property
    def duration(self) -> float:
        """Seconds from the first open until now, or until the last end."""
        if self.first is None:
            return 0.0
        return (time.monotonic() if self._running else self.lost_at) - self._began
