"""Recorded time as time to wait, and long work that leaves the event loop to others."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

LONGEST_GAP: Final = "1m"
"""The longest recorded gap that is waited for; a longer one counts as this."""

_SLICE = 0.005
_REPORT_EVERY = 0.1

Progress = Callable[[int, int], object]
"""Called with how many messages were sent, and how many there are to send."""


class Clock:
    """Says how long to wait so that messages follow each other as they were recorded.

    It keeps a schedule, so that the average rate holds however late a timer is. Times that run backwards, and
    those that are no number, count as no gap.

    Args:
        longest: Seconds that a recorded gap counts at most.
        speed: The recorded gaps are divided by this; ``math.inf`` leaves none.

    Attributes:
        shortened: Gaps that were longer than that.
    """

    def __init__(self, longest: float, speed: float = 1.0) -> None:
        self.shortened = 0
        self._longest = longest
        self._speed = speed
        self._recorded = math.nan
        self._due = 0.0

    def start(self, recorded: float = math.nan) -> None:
        """Take the moment ``recorded`` for now, or, without it, the first that comes."""
        self._recorded = recorded
        self._due = time.monotonic()

    def until(self, recorded: float) -> float:
        """Return the seconds from now to when a message of that recorded time is due; 0.0 if it is late.

        Args:
            recorded: Seconds since the epoch; any float.
        """
        self._due += self._gap(recorded) / self._speed
        return max(0.0, self._due - time.monotonic())

    def _gap(self, recorded: float) -> float:
        if not math.isfinite(recorded):
            return 0.0
        gap, self._recorded = recorded - self._recorded, recorded
        if gap > self._longest:
            self.shortened += 1
            return self._longest
        return gap if gap > 0 else 0.0


class Breath:
    """Leaves the loop to others now and then in work that may never have to wait."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def take(self) -> None:
        """Let others run if they could not for 5 ms."""
        if time.monotonic() - self._since > _SLICE:
            await asyncio.sleep(0)
            self._since = time.monotonic()


class Pulse:
    """Tells how far the work is, at most ten times a second.

    Args:
        progress: Is told; None for nobody.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._told = -math.inf

    def tell(self, sent: int, total: int) -> None:
        """Tell how many messages were sent of how many, if that is due, or all were."""
        now = time.monotonic()
        if self._progress and (0 < sent == total or now - self._told >= _REPORT_EVERY):
            self._told = now
            self._progress(sent, total)
