"""What a chart is to draw: an expression over messages, checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipyws.capture.recording import RecordedLog
from ipyws.core.options.durations import Duration, format_duration, seconds
from ipyws.script.plotting import make_reader, split_by
from ipyws.view.curves import Curves
from ipyws.view.format import shown


class Plan:
    """``EXPR`` or ``EXPR by EXPR`` over messages, and how much of the past is seen.

    Args:
        expression: The expression.
        last: How much of the past; None for all of it.
        names: What further names mean.

    Raises:
        InvalidError: It is no such expression, or ``last`` no duration.
    """

    def __init__(self, expression: str, last: Duration | None, names: Mapping[str, Any]) -> None:
        value, by = split_by(expression)
        self._read = make_reader(value, by, names)
        self._within = seconds(last, name="last", allow_none=True)
        self._value = value
        self._words = " ".join(expression.split())

    def curves(self, log: RecordedLog) -> Curves:
        """Return the curves over a log, nothing of which is taken yet."""
        return Curves(log, self._read, self._within, name=shown(self._value, 40))

    def title(self, name: str = "") -> str:
        """Return what stands above the chart.

        Args:
            name: Of the connection, or "".
        """
        named = f"{name}: " if name else ""
        of_late = "" if self._within is None else f", last {format_duration(self._within)}"
        return shown(f"{named}{self._words}{of_late}", 100)
