"""Times that were measured, and what they say together, in the words of k6."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cached_property

from ipyws.core.options.durations import format_duration
from ipyws.errors import InvalidError, brief

_PERCENTILE = re.compile(r"p\(([0-9]{1,3}(?:\.[0-9]{1,6})?)\)", re.ASCII)
_NAMES = ("avg", "min", "med", "max", "p(90)", "p(95)")
# Below so many seconds, a time is shown to so many decimal places: two of its unit.
_DECIMALS = ((1e-6, 9), (1e-3, 8), (1.0, 5))


class Trend:
    """Measured times; all figures are milliseconds, as in k6, and nan where nothing was measured.

    ``trend["p(95)"]``, ``trend["avg"]`` and so on are k6's spellings of ``trend.p95`` and ``trend.avg``. The
    figures are worked out when they are asked for.

    Args:
        seconds: The times, in seconds.
    """

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._seconds = tuple(seconds)

    @cached_property
    def _sorted(self) -> list[float]:
        return sorted(second * 1000 for second in self._seconds)

    @property
    def count(self) -> int:
        """How many times were measured."""
        return len(self._seconds)

    @property
    def avg(self) -> float:
        """The mean."""
        return math.fsum(self._sorted) / self.count if self.count else math.nan

    @property
    def min(self) -> float:
        """The shortest."""
        return self.percentile(0)

    @property
    def med(self) -> float:
        """The median."""
        return self.percentile(50)

    @property
    def max(self) -> float:
        """The longest."""
        return self.percentile(100)

    @property
    def p90(self) -> float:
        """What 90 % of the times do not exceed."""
        return self.percentile(90)

    @property
    def p95(self) -> float:
        """What 95 % of the times do not exceed."""
        return self.percentile(95)

    @property
    def p99(self) -> float:
        """What 99 % of the times do not exceed."""
        return self.percentile(99)

    def percentile(self, percent: float) -> float:
        """Return what ``percent`` of the times do not exceed: between two of them, linearly interpolated.

        Args:
            percent: 0 to 100.

        Returns:
            Milliseconds; nan if nothing was measured.

        Raises:
            InvalidError: ``percent`` is out of range.
        """
        if not 0 <= percent <= 100:
            raise InvalidError(f"percentile is {brief(percent)}", hint="0 to 100 is allowed")
        times = self._sorted
        if not times:
            return math.nan
        place = percent / 100 * (len(times) - 1)
        below, above = times[math.floor(place)], times[math.ceil(place)]
        return below + (above - below) * (place - math.floor(place))

    def __getitem__(self, name: str) -> float:
        """Return a figure by its name in k6: "count", "avg", "min", "med", "max", "p(95)", "p(99.9)"…

        Raises:
            InvalidError: There is no figure of that name.
        """
        if match := _PERCENTILE.fullmatch(name):
            return self.percentile(float(match[1]))
        if name in ("count", "avg", "min", "med", "max"):
            figure: float = getattr(self, name)
            return figure
        raise InvalidError(
            f"a trend has no {brief(name)}", hint="count, avg, min, med, max and p(0) to p(100) are allowed"
        )

    def __repr__(self) -> str:
        if not self.count:
            return "nothing measured"
        return " ".join(f"{name}={_show(self[name])}" for name in _NAMES)


def _show(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    decimals = next((decimals for limit, decimals in _DECIMALS if abs(seconds) < limit), 2)
    return format_duration(round(seconds, decimals))
