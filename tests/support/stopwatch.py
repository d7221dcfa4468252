"""Time as it passes on a machine that has a core for whoever wants one."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Stopwatch:
    """Measures from now on, and leaves out how long the processes in question waited for a core.

    A bound such as "an interrupt ends a cell within two seconds" is about what the processes do, not about
    what else the machine does. Linux tells how long a thread was ready to run and did not; elsewhere nothing
    is left out.

    Args:
        pids: The processes, besides this one.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = (os.getpid(), *pids)
        self._kept_waiting = self._waited()
        self._start = time.monotonic()

    def seconds(self, until: float | None = None) -> float:
        """Return the seconds up to now, or to another moment of `time.monotonic`."""
        passed = (time.monotonic() if until is None else until) - self._start
        waited = sum(now - self._kept_waiting.get(thread, 0.0) for thread, now in self._waited().items())
        return passed - waited

    def _waited(self) -> dict[Path, float]:
        """Return for how many seconds each thread has waited for a core in its life."""
        found = {}
        for pid in self._pids:
            for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    # Documentation/scheduler/sched-stats.rst: time on a core, time waiting for one, in ns
                    _, waited, _ = thread.read_text().split()
                except OSError:  # it has ended
                    continue
                found[thread] = int(waited) / 1e9
        return found
