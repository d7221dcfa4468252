"""The curves of a chart: bounded, however long a stream goes on; extremes are never lost.

Time is cut into steps of equal length. Of each step a curve keeps the lowest, the highest and the last value.
Where there would be too many steps, two become one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.message import Message
from ipyws.script.plotting import Read
from ipyws.view.format import shown

STEPS: Final = 300
"""Most steps of a curve: a screen tells no more of them apart."""

CURVES: Final = 8
"""Most curves: nobody tells more colours apart."""

LOOKED: Final = 2000
"""Messages that are looked at for one drawing, the newest: some 40 µs each."""

_FIRST_STEP: Final = 0.05  # seconds
_AT_FIRST: Final = 20_000
_PART: Final = 500
_LONGEST_KEY: Final = 40


@dataclass(slots=True)
class Step:
    """What a curve was in one step of time.

    Attributes:
        number: Which step.
        low: The lowest value.
        high: The highest.
        last: The last.
    """

    number: int
    low: float
    high: float
    last: float

    def take(self, later: Step) -> None:
        """Take another step into this one."""
        self.low, self.high, self.last = min(self.low, later.low), max(self.high, later.high), later.last


@dataclass(slots=True)
class Curve:
    """One curve: its name, how many values it had, and its steps, the oldest first."""

    name: str
    count: int = 0
    steps: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Add a value; what comes with a clock that was set back is of the newest step."""
        self.count += 1
        if self.steps and step.number <= self.steps[-1].number:
            self.steps[-1].take(step)
        else:
            self.steps.append(step)


class Curves:
    """The curves that an expression makes of the messages of a log.

    Args:
        log: The log.
        read: Returns the value of a message, or values by their names; and the name of its curve.
        last: Seconds that are kept; None for all there is.
        name: Of the one curve.

    Attributes:
        curves: By their names.
        start: The moment at which step 0 begins: seconds since the epoch.
        width: Seconds of a step.
        merged: How often two steps became one.
        drawn: Values that were taken.
        skipped: Received messages without a value.
        passed_over: Messages that were not looked at: too many came together.
        left_out: Values of curves beyond the eighth.
    """

    def __init__(self, log: RecordedLog, read: Read, last: float | None = None, name: str = "") -> None:
        self.curves: dict[str, Curve] = {}
        self.start: float | None = None
        self.width = _FIRST_STEP if last is None else last / STEPS
        self.merged = self.drawn = self.skipped = self.passed_over = self.left_out = 0
        self._log = log
        self._read = read
        self._last = last
        self._name = name
        self._next = 0

    def take(self) -> bool:
        """Take what has come since the last time; return whether there was anything."""
        log, before = self._log, self._next
        end = log.total
        start = max(before, log.first, end - (LOOKED if before else _AT_FIRST))
        self.passed_over += start - before
        while start < end and (messages := log.read(start, min(_PART, end - start))):
            for message in messages:
                self._take(message)
            start = messages[-1].seq + 1
        self._next = end
        return end > before

    def _take(self, message: Message) -> None:
        if message.direction != "in" or message.type not in ("text", "binary"):
            return
        try:
            value, key = self._read(message)
            key = str(key)
            values = dict(value) if isinstance(value, Mapping) else {None: value}
            numbers = {name: number(one) for name, one in values.items()}
        except Exception:  # an expression over what a server sends may raise anything
            numbers = {}
        self.skipped += not numbers
        for name, one in numbers.items():
            parts = [part for part in (key, "" if name is None else str(name)) if part]
            self._add(" ".join(parts) or self._name, message.time, one)

    def _add(self, name: str, time: float, value: float) -> None:
        if self.start is None:
            self.start = time
        curve = self.curves.get(name)
        if curve is None:
            if len(self.curves) >= CURVES:
                self.left_out += 1
                return
            curve = self.curves[name] = Curve(shown(name, _LONGEST_KEY))
        self.drawn += 1
        curve.add(Step(max(0, int((time - self.start) / self.width)), value, value, value))
        if self._last is not None:
            self._forget(curve)
        elif len(curve.steps) > STEPS:
            self._merge()

    def _forget(self, curve: Curve) -> None:
        """Give up the steps of a curve that are older than what is wanted."""
        oldest = curve.steps[-1].number - STEPS
        while curve.steps[0].number < oldest:
            del curve.steps[0]

    def _merge(self) -> None:
        """Have steps of twice the length."""
        self.width *= 2
        self.merged += 1
        for curve in self.curves.values():
            steps, curve.steps = curve.steps, []
            for step in steps:
                step.number //= 2
                if curve.steps and curve.steps[-1].number == step.number:
                    curve.steps[-1].take(step)
                else:
                    curve.steps.append(step)


def number(value: Any) -> float:
    """Return a finite number; prices often come as text.

    Raises:
        ValueError: It is none.
        TypeError: It is of another type.
    """
    made = float(value)
    if not math.isfinite(made):
        raise ValueError
    return made
