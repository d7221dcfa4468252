"""The figure of `plot`, drawn by matplotlib, without the global state of pyplot."""

from __future__ import annotations

import io
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from ipyws.capture.analysis.columns import Columns

Numbers: TypeAlias = NDArray[Any]

_BINS = 240  # places across the figure that can be told apart
_NARROWEST = 0.1  # seconds: a rate over less says nothing
_INK = "#808080"  # reads on white and on black, as do the colours
_PING = "#9475d8"
_SMALL = 8
_UNITS = ((3 * 3600, 3600, "hours"), (180, 60, "minutes"), (0, 1, "seconds"))
_DPI = 100


class Plot(Figure):
    """A figure that a notebook shows, whether or not pyplot was ever loaded there."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        picture = io.BytesIO()
        # Twice the dots of the size it is shown at, for the screens of today.
        self.savefig(picture, format="png", dpi=2 * _DPI)
        width, height = self.get_size_inches() * _DPI
        return picture.getvalue(), {"width": int(width), "height": int(height)}


class _Line(NamedTuple):
    """Data messages of one direction: when, in seconds since the first record, and how large."""

    label: str
    colour: str
    time: Numbers
    size: Numbers


def draw(columns: Columns) -> Plot:
    """Return the figure of some messages."""
    time = np.array(columns.time, "float64")
    time = time - time.min(initial=np.inf)
    span = time.max(initial=0.0)
    _, scale, unit = next(entry for entry in _UNITS if span >= entry[0])
    figure = Plot(figsize=(8, 4.8), dpi=_DPI, facecolor="none", layout="constrained")
    rates, sizes, pings = figure.subplots(3, sharex=True, height_ratios=(3, 3, 2))
    lines = _lines(columns, time)
    _draw_rates(rates, lines, span, scale)
    _draw_sizes(sizes, lines, span, scale)
    _draw_pings(pings, columns, time, span, scale)
    _finish(rates, "messages/s", "no messages")
    _finish(sizes, "bytes", "no messages")
    _finish(pings, "ping", "no pings")
    pings.set_xlabel(f"{unit} since the first record", color=_INK, fontsize=_SMALL)
    end = max(span, 1) / scale
    pings.set_xlim(-0.01 * end, 1.01 * end)
    figure.align_ylabels()
    return figure


def _lines(columns: Columns, time: Numbers) -> list[_Line]:
    data = np.array([type in ("text", "binary") for type in columns.type], "bool")
    incoming = np.array([direction == "in" for direction in columns.direction], "bool")
    size = np.array(columns.size, "int64")
    both = (("in", "#3d8bdb", data & incoming), ("out", "#d9772b", data & ~incoming))
    return [
        _Line(label, colour, time[chosen], size[chosen]) for label, colour, chosen in both if chosen.any()
    ]


def _draw_rates(axes: Axes, lines: list[_Line], span: float, scale: int) -> None:
    # As many bins as there are messages to fill them; what takes less than a second is one second.
    messages = sum(len(line.time) for line in lines)
    count = max(1, int(min(_BINS, messages / 4, span / _NARROWEST))) if span > 1 else 1
    edges = np.linspace(0, max(span, 1), count + 1)
    for line in lines:
        rate = np.histogram(line.time, edges)[0] / edges[1]
        axes.stairs(rate, edges / scale, color=line.colour, alpha=0.15, fill=True)
        axes.stairs(rate, edges / scale, color=line.colour, label=line.label, lw=1.2)
    if lines:
        style = {"fontsize": _SMALL, "labelcolor": _INK, "frameon": False, "borderaxespad": 0}
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, **style)


def _draw_sizes(axes: Axes, lines: list[_Line], span: float, scale: int) -> None:
    for line in lines:
        _draw_ranges(axes, line.time, line.size, span, scale, line.colour)
    extremes = [(line.size.min(), line.size.max()) for line in lines]
    if extremes and max(high for _, high in extremes) > 100 * max(1, min(low for low, _ in extremes)):
        axes.set_yscale("symlog", linthresh=10)
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_pings(axes: Axes, columns: Columns, time: Numbers, span: float, scale: int) -> None:
    rtts = {row: control.rtt for row, control in columns.controls.items() if control.rtt is not None}
    if rtts:
        _draw_ranges(axes, time[list(rtts)], np.array(list(rtts.values())), span, scale, _PING)
        axes.yaxis.set_major_formatter(EngFormatter("s"))


def _draw_ranges(axes: Axes, time: Numbers, value: Numbers, span: float, scale: int, colour: str) -> None:
    """Draw a dot for each value; where there are several in one place, their median, and a line over all."""
    bins = np.minimum(_BINS - 1, time / (span or 1) * _BINS).astype("int64")
    order = np.lexsort((value, bins))
    first = np.flatnonzero(np.diff(bins[order], prepend=-1))
    last: Numbers = np.append(first[1:], len(order)) - 1
    middle = order[(first + last) // 2]
    at = time[middle] / scale
    axes.vlines(at, value[order[first]], value[order[last]], color=colour, alpha=0.45, lw=1.2)
    axes.plot(at, value[middle], "o", color=colour, ms=3, mew=0)


def _finish(axes: Axes, label: str, nothing: str) -> None:
    axes.set_facecolor("none")
    axes.set_ylabel(label, color=_INK, fontsize=_SMALL)
    axes.tick_params(colors=_INK, labelsize=_SMALL, length=3)
    axes.grid(axis="y", color=_INK, alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    if axes.has_data():
        axes.set_ylim(bottom=0)
    else:
        axes.text(0.5, 0.5, nothing, color=_INK, ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
