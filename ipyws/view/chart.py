"""A chart as a picture in SVG and in words: what a notebook keeps of a live one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ipyws.view.curves import Curve, Curves
from ipyws.view.escape import html_text
from ipyws.view.format import clock

COLOURS: Final = ("#3d8bdb", "#d9772b", "#9475d8", "#2f9e6e", "#b8901f", "#d0555c", "#5f8f9f", "#a0729f")
"""Of the curves: each reads on white and on black; curves.js has the same."""

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 10, 30, 22
_INK: Final = "#808080"
_BARS: Final = "▁▂▃▄▅▆▇█"
_SPARK: Final = 40
_LINES: Final = 4


class Frame(NamedTuple):
    """What the picture spans: steps across, values up."""

    first: int
    last: int
    low: float
    high: float

    def x(self, step: int) -> float:
        """Return where a step is, in pixels."""
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (step - self.first) / max(1, self.last - self.first)

    def y(self, value: float) -> float:
        """Return where a value is, in pixels."""
        span = (self.high - self.low) or 1.0
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - self.low) / span


def bundle(curves: Curves, title: str) -> dict[str, str]:
    """Return a chart as HTML, as SVG and as text."""
    picture = svg(curves, title)
    inline = picture.replace(_INK, "currentColor")
    return {"text/html": f"<div>{inline}</div>", "image/svg+xml": picture, "text/plain": text(curves, title)}


def svg(curves: Curves, title: str) -> str:
    """Return a chart as SVG, readable on white and on black."""
    all_curves = list(curves.curves.values())
    frame = _frame(all_curves)
    drawn = "" if frame is None else "".join(_parts(curves, all_curves, frame))
    nothing = _label(_WIDTH / 2, _HEIGHT / 2, "no values yet", "middle") if frame is None else ""
    words = html_text(text(curves, title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" style="max-width:100%" role="img" font-family="sans-serif" font-size="11">'
        f"<title>{words}</title>{_label(4, 13, title, 'start')}{drawn}{nothing}</svg>"
    )


def text(curves: Curves, title: str) -> str:
    """Return a chart in words: of each curve the last value, the extremes and its shape."""
    lines = [title]
    for curve in curves.curves.values():
        low, high = min(step.low for step in curve.steps), max(step.high for step in curve.steps)
        lines.append(
            f"  {curve.name:<16} {figure(curve.steps[-1].last):>12}  {_spark(curve, low, high)}  "
            f"{figure(low)} to {figure(high)}, {curve.count:,} values"
        )
    return "\n".join([*lines, *(f"  {note}" for note in notes(curves))])


def notes(curves: Curves) -> list[str]:
    """Return what the chart does not show, and why."""
    counted = (
        (curves.skipped, "messages without such a number"),
        (curves.passed_over, "messages passed over: too many came together, or the log had given them up"),
        (curves.left_out, "values of further curves"),
    )
    told = [f"{count:,} {words}" for count, words in counted if count]
    return told if curves.drawn else ["no values yet", *told]


def figure(value: float) -> str:
    """Return a number in about six digits."""
    whole = value == int(value) if abs(value) < 1e15 else False
    return f"{value:,.0f}" if whole else f"{value:,.6g}" if 1e-3 <= abs(value) < 1e9 else f"{value:.4g}"


def _frame(curves: list[Curve]) -> Frame | None:
    steps = [step for curve in curves for step in curve.steps]
    if not steps:
        return None
    low, high = min(step.low for step in steps), max(step.high for step in steps)
    room = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    first, last = min(step.number for step in steps), max(step.number for step in steps)
    return Frame(first, last, low - room, high + room)


def _parts(curves: Curves, drawn: list[Curve], frame: Frame) -> Iterable[str]:
    for part in range(_LINES + 1):
        value = frame.low + (frame.high - frame.low) * part / _LINES
        y = frame.y(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_INK}" stroke-opacity=".25"/>'
        yield _label(_LEFT - 6, y + 4, figure(value), "end")
    start = curves.start or 0.0
    for step, anchor in ((frame.first, "start"), (frame.last, "end")):
        yield _label(frame.x(step), _HEIGHT - 6, clock(start + step * curves.width)[:8], anchor)
    place = _WIDTH - _RIGHT
    for curve, colour in reversed(list(zip(drawn, COLOURS, strict=False))):
        yield _curve(curve, colour, frame)
        words = f"{curve.name} {figure(curve.steps[-1].last)}"
        yield _label(place, 13, words, "end", colour)
        place -= 7 * len(words) + 12


def _curve(curve: Curve, colour: str, frame: Frame) -> str:
    """Return the line of the last values, over the band from the lowest to the highest."""
    there = [f"{frame.x(step.number):.1f} {frame.y(step.high):.1f}" for step in curve.steps]
    back = [f"{frame.x(step.number):.1f} {frame.y(step.low):.1f}" for step in reversed(curve.steps)]
    line = [f"{frame.x(step.number):.1f} {frame.y(step.last):.1f}" for step in curve.steps]
    if len(line) == 1:
        line.append(line[0])  # a dot
    band = f'<path d="M{"L".join([*there, *back])}Z" fill="{colour}" fill-opacity=".18"/>'
    drawn = f'd="M{"L".join(line)}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round"'
    return f"{band}<path {drawn}/>"


def _label(x: float, y: float, words: str, anchor: str, colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html_text(words)}</text>'


def _spark(curve: Curve, low: float, high: float) -> str:
    """Return the shape of a curve in at most 40 characters."""
    steps = curve.steps
    parts = min(_SPARK, len(steps))
    values = [steps[(place + 1) * len(steps) // parts - 1].last for place in range(parts)]
    span = (high - low) or 1.0
    return "".join(_BARS[min(7, int(8 * (value - low) / span))] for value in values)
