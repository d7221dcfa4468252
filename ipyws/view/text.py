"""Cards and rows as plain text: for terminals, and for notebooks that are read where HTML is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TextIO

from ipyws.view.card import Card, counters, facts, status, traffic
from ipyws.view.format import duration, shown
from ipyws.view.progress import MARKS, Line
from ipyws.view.rows import Row, gap

WIDTH = 160
"""Longest line, in characters."""

LONGEST = 2000
"""Longest view beside HTML, in bytes."""

_WIDE = 100  # columns from which a line has room for Δ
_NARROWEST = 40
_BAD = "31"
_COLOURS = {  # of ECMA-48: each is readable on a light and on a dark ground
    "↓": "34",
    "↑": "33",
    "ping": "35",
    "pong": "35",
    "close": "35",
    "open": "32",
    "gap": "33",
    "heartbeats": "2",
}


class Screen(NamedTuple):
    """A terminal.

    Attributes:
        width: Its columns.
        colours: Whether it has colours, and they are wanted.
    """

    width: int
    colours: bool = False


def screen(stream: TextIO, environment: Mapping[str, str] = os.environ, *, plain: bool = False) -> Screen:
    """Return what is known of the terminal that a stream writes to; none has 160 columns and no colours.

    Args:
        stream: Where lines are written.
        environment: Has NO_COLOR (https://no-color.org) and TERM.
        plain: Whether colours are not wanted.
    """
    if not stream.isatty():
        return Screen(WIDTH)
    width = min(max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST), WIDTH)
    without = plain or bool(environment.get("NO_COLOR")) or environment.get("TERM", "dumb") == "dumb"
    return Screen(width, not without)


def render(card: Card, rows: Sequence[Row], steps: Sequence[Line] = ()) -> str:
    """Return the view as lines of at most 160 characters without a control character in them, 2 kB in all.

    It stands beside HTML, and is read where that is not: by programs and models, whose room is small. What
    has no room is said in a line; the newest rows are kept.
    """
    head = [headline(card), *(_fit(f"  {fact}") for fact in facts(card))]
    hint = f"  {shown(card.hint, 100)}" if card.hint else ""
    room = LONGEST - sum(map(_size, (*head, hint))) - 3 * WIDTH  # for the footer, and a line of the rest
    steps_shown = _newest([_fit(_step(step)) for step in steps], room)
    if len(steps_shown) < len(steps):
        steps_shown = [f"  … {len(steps) - len(steps_shown):,} steps above", *steps_shown]
    lines = _newest_rows(rows, room - sum(map(_size, steps_shown)))
    cut, kept = rows[: len(rows) - len(lines)], rows[len(rows) - len(lines) :]
    if cut:
        rest = gap(sum(row.stands_for for row in cut), sum(row.evicted for row in cut))
        lines = [line(rest), *lines]
    footer = f"  {counters(card, sum(row.is_message for row in kept))}" if rows else ""
    return "\n".join(filter(None, (*head, *steps_shown, *lines, _fit(footer), _fit(hint))))


def render_tail(rows: Sequence[Row], said: Sequence[str]) -> str:
    """Return the newest rows of a view whose others stand in outputs above, and what is said below them."""
    lines = _newest_rows(rows, LONGEST - 2 * WIDTH)
    return "\n".join([*lines, _fit("  " + ", ".join(shown(one, 100) for one in said))])


def _newest_rows(rows: Sequence[Row], room: int) -> list[str]:
    return _fitting(map(line, reversed(rows)), room)


def _newest(lines: Sequence[str], room: int) -> list[str]:
    """Return as many of the last lines as have room together."""
    return _fitting(reversed(lines), room)


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """Return as many lines as have room together, turned round: they come with the last one first."""
    kept: list[str] = []
    for text in lines:
        room -= _size(text)
        if room < 0:
            break
        kept.append(text)
    return kept[::-1]


def _size(line: str) -> int:
    return len(line.encode("utf-8", "replace")) + 1


def headline(card: Card, screen: Screen | None = None) -> str:
    """Return name, state, URL, what was agreed on and the traffic, on one line."""
    agreed = " ".join(shown(badge, 40) for badge in card.badges)
    rtt = "" if card.rtt is None else f"RTT {duration(card.rtt)}"
    parts = (shown(card.name, 40), status(card), shown(card.url, 60), agreed, *traffic(card), rtt)
    return _fit("  ".join(part for part in parts if part), screen.width if screen else WIDTH)


def line(row: Row, name: str = "", screen: Screen | None = None) -> str:
    """Return one message on one line; the columns of all lines stand below each other.

    Args:
        row: The message.
        name: Of its connection, where it is not the only one.
        screen: The terminal it is for, or None.
    """
    width = WIDTH if screen is None else screen.width
    whose = f"{shown(name, 20):12} " if name else ""
    delta = f" {row.delta:>10}" if width >= _WIDE else ""
    start, kind = f"{whose}{row.time:12}{delta} ", f"{_kind(row):6}"
    fitting = _fit(f"{start}{row.arrow:1} {kind} {row.size:>8}  {row.line}", width)
    if screen is None or not screen.colours or len(fitting) <= len(start) + len(kind) + 2:
        return fitting
    arrow_and_kind = fitting[len(start) : len(start) + len(kind) + 2]
    colour = _BAD if "bad" in row.css.split() else _COLOURS.get(row.kind) or _COLOURS.get(row.arrow, "")
    painted = f"\x1b[{colour}m{arrow_and_kind}\x1b[0m" if colour else arrow_and_kind
    return f"\x1b[2m{start}\x1b[0m{painted}{fitting[len(start) + len(arrow_and_kind) :]}"


def _kind(row: Row) -> str:
    return "" if row.kind == "heartbeats" else row.kind


def _step(step: Line) -> str:
    result = f": {step.result}" if step.result else ""
    payload = f" {step.payload}" if step.payload else ""
    return f"  {MARKS[step.state]} {step.where:8} {step.words}{payload}{result}"


def render_connections(cards: Sequence[Card]) -> str:
    """Return the list of connections; a * marks the one that the magics use."""
    if not cards:
        return "no connections"
    table = [("", "name", "state", "↓ received", "↑ sent", "RTT", "URL"), *map(_connection, cards)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(_fit(_aligned(cells, widths)) for cells in table)


def _connection(card: Card) -> tuple[str, ...]:
    rtt = "" if card.rtt is None else duration(card.rtt)
    mark = "*" if card.current else ""
    counts = (f"{card.received:,}", f"{card.sent:,}")
    return (mark, shown(card.name, 40), status(card), *counts, rtt, shown(card.url, 100))


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _fit(text: str, width: int = WIDTH) -> str:
    return text.rstrip() if len(text) <= width else f"{text[: width - 1]}…"
