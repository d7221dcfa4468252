"""What a part of the benchmarks consists of: cases, and contenders that each take them in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

Figures = dict[str, float]
"""What one run gave, by name; names end in their unit (``cpu_us``, ``p99_ms``)."""

Contender = Callable[..., Figures]


class Scale(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: How many times each contender takes each case.
        seconds: About how long a run is.
        share: What part of fixed amounts (messages, connections) is used.
    """

    rounds: int
    seconds: float
    share: float

    def of(self, count: int) -> int:
        """Return what part of so many is used, at least 1."""
        return max(1, round(count * self.share))


SCALES = {
    "smallest": Scale(1, 0.01, 0.01),
    "quick": Scale(3, 0.1, 1.0),
    "full": Scale(7, 0.3, 1.0),
}


@dataclass(frozen=True)
class Case:
    """One question to all contenders.

    Attributes:
        name: What it is called in tables.
        arguments: What each contender is called with.
        most: With a number, ``count`` is added to the arguments: as many as take about the time of a run,
            at most this.
        without: Contenders that it is no question for.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    most: int | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A module of benchmarks.

    Attributes:
        module: Holds ``CONTENDERS``, by name, and ``cases(scale, ports)``.
        base: The contender that the others are compared with.
        figure: What they are compared by.
        more: Whether more of that figure is better.
        fresh: Whether each run needs a process of its own, because memory is measured.
        rounds: How many rounds there are at most: a run that looks twice itself needs no more than one.
    """

    module: ModuleType
    base: str
    figure: str
    more: bool = False
    fresh: bool = False
    rounds: int = 100

    @property
    def name(self) -> str:
        """The name of the module."""
        return self.module.__name__.rpartition(".")[2]


class Ports(NamedTuple):
    """Where the servers listen.

    Attributes:
        sender: `benchmarks.support.sender`.
        peer: `benchmarks.support.peer`.
    """

    sender: int
    peer: int
