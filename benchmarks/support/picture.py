"""The figures that matter most, as one picture for the docs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.support.summary import Line, find

OURS, OTHERS = "#1f6feb", "#b6bec9"
INK = "#24292f"


class Chart(NamedTuple):
    """One panel of the picture.

    Attributes:
        title: What is compared.
        unit: What a bar means, and which end is good.
        part: The part.
        case: The case.
        figure: The figure.
        bars: Contender and what it is called here, from the top down.
    """

    title: str
    unit: str
    part: str
    case: str
    figure: str
    bars: dict[str, str]


CHARTS = (
    Chart(
        "Socket to reader, 256 B",
        "µs CPU a message: less is better",
        "pipeline",
        "256 B",
        "cpu_us",
        {
            "payloads": "ipyws payloads",
            "messages": "ipyws messages",
            "async messages": "ipyws async for",
            "websockets": "websockets async for",
            "websockets.sync": "websockets sync",
        },
    ),
    Chart(
        "Echo of 32 B",
        "µs, median: less is better",
        "echo",
        "32 B",
        "p50_us",
        {
            "send and recv": "ipyws send, recv",
            "await send and recv": "ipyws await",
            "websockets": "websockets await",
            "websockets in a thread": "websockets, thread by hand",
        },
    ),
    Chart(
        "Burst of 10,000 × 256 B",
        "µs CPU a message: less is better",
        "burst",
        "256 B",
        "cpu_us",
        {
            "send_all": "ipyws send_all",
            "await send": "ipyws await send",
            "send": "ipyws send",
            "websockets": "websockets await send",
            "websockets.sync": "websockets sync",
        },
    ),
    Chart(
        "Received while Python computes",
        "messages a second: more is better",
        "busy",
        "flood, Python loop",
        "per_second",
        {"ipyws": "ipyws", "websockets": "websockets, thread by hand"},
    ),
    Chart(
        "Keeping 100,000 messages, 64 a read",
        "bytes a message beyond its payload: less is better",
        "retained",
        "batches of 64",
        "overhead_bytes",
        {"ipyws": "ipyws log", "dataclasses with slots": "deque of dataclasses", "dicts": "deque of dicts"},
    ),
    Chart(
        "1,000 connections",
        "ms CPU to open each: less is better",
        "connections",
        "1,000",
        "cpu_ms",
        {"ipyws": "ipyws", "websockets": "websockets"},
    ),
)


def draw(lines: Sequence[Line], path: Path) -> None:
    """Draw what was measured of the charts; bars are medians, with a whisker from quartile to quartile."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    for place, chart in enumerate(CHARTS):
        _draw_chart(figure.add_subplot(2, 3, place + 1), chart, lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _draw_chart(axes: Axes, chart: Chart, lines: Sequence[Line]) -> None:
    found = {
        words: line.spread()
        for contender, words in chart.bars.items()
        if (line := find(lines, chart.part, chart.case, contender, chart.figure))
    }
    medians = [spread.median for spread in found.values()]
    whiskers = [
        [spread.median - spread.low for spread in found.values()],
        [spread.high - spread.median for spread in found.values()],
    ]
    colors = [OURS if words.startswith("ipyws") else OTHERS for words in found]
    axes.barh(list(found), medians, xerr=whiskers, color=colors, ecolor=INK, capsize=2, height=0.65)
    for row, spread in enumerate(found.values()):
        axes.annotate(
            f"{spread.median:,.3g}" if spread.median < 1000 else f"{spread.median:,.0f}",
            (spread.high, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=9,
        )
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.set_title(chart.title, loc="left", fontsize=10, fontweight="bold", color=INK)
    axes.set_xlabel(chart.unit, fontsize=8.5, color=INK)
    axes.tick_params(labelsize=9, length=0, colors=INK)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
