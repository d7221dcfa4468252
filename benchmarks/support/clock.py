"""What a run took."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from benchmarks.support.part import Figures


class Stopwatch:
    """CPU of this process, user and system in all threads, and wall clock, from its making on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def seconds(self) -> tuple[float, float]:
        """Return the seconds of CPU and of wall clock until now."""
        wall = time.perf_counter() - self._wall
        return time.process_time() - self._cpu, wall

    def each(self, count: int) -> Figures:
        """Return both for one of so many, in microseconds."""
        cpu, wall = self.seconds()
        return {"cpu_us": 1e6 * cpu / count, "wall_us": 1e6 * wall / count}


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return what ``share`` of the values are not above; they are in order."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident() -> int:
    """Return the bytes of memory that this process occupies."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
