"""From single runs to medians with their spread, and to tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.support.part import Part

_NO_FIGURES = ("case", "contender", "round", "load")


class Spread(NamedTuple):
    """A median and the quartiles around it."""

    low: float
    median: float
    high: float


class Line(NamedTuple):
    """All values of one figure of one contender in one case, round by round."""

    part: str
    case: str
    contender: str
    figure: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)

    def spread(self) -> Spread:
        """Return the median with its quartiles."""
        return spread(self.values)


def spread(values: Sequence[float]) -> Spread:
    """Return the median of values with its quartiles."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def lines_of(part: str, runs: Sequence[dict[str, Any]]) -> list[Line]:
    """Return a line for each case, contender and figure."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for run in runs:
        for figure, value in run.items():
            if figure not in _NO_FIGURES:
                values.setdefault((run["case"], run["contender"], figure), []).append(value)
    return [Line(part, *key, tuple(found)) for key, found in values.items()]


def find(lines: Sequence[Line], part: str, case: str, contender: str, figure: str) -> Line | None:
    """Return one line, if it was measured."""
    key = (part, case, contender, figure)
    return next((line for line in lines if line[:4] == key), None)


def ratios(base: Line, line: Line) -> Spread:
    """Return how many times the base is as much, round by round."""
    pairs = zip(base.values, line.values, strict=True)
    return spread([above / below for above, below in pairs if below > 0] or [float("nan")])


def table(part: Part, case: str, lines: Sequence[Line]) -> Iterator[str]:
    """Yield a case as text: each figure, and how many times better than the base."""
    mine = [line for line in lines if line.case == case]
    figures = list(dict.fromkeys(line.figure for line in mine))
    yield f"{case:32}" + "".join(f"{name:>15}" for name in figures) + f"   × better {part.figure}"
    for contender in part.module.CONTENDERS:
        cells = [find(mine, part.name, case, contender, name) for name in figures]
        if any(cells):
            shown = "".join(f"{_short(cell.median) if cell else '-':>15}" for cell in cells)
            yield f"  {contender:30}{shown}{_compared(part, case, contender, mine)}"


def _compared(part: Part, case: str, contender: str, lines: Sequence[Line]) -> str:
    base, mine = (find(lines, part.name, case, name, part.figure) for name in (part.base, contender))
    if base is None or mine is None:
        return ""
    times = ratios(mine, base) if part.more else ratios(base, mine)
    return f"{times.median:10.2f}  ({times.low:.2f} - {times.high:.2f})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
