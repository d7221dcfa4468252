"""Views that are the same at each run: without times and ports, for notebooks that are compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ipyws.view.card import Card
from ipyws.view.progress import Line
from ipyws.view.rows import Row

_PORT: Final = re.compile(r"(?<=[\w\].]):\d{2,5}\b")
_TIMES: Final = re.compile(r"\b\d+(?:\.\d+)? m?s\b|\b(?:\d+h)?\d+m\d*s?\b")
_CLOCK: Final = re.compile(r"\b\d\d:\d\d:\d\d\.\d{3}\b")


def stable_card(card: Card) -> Card:
    """Return what the header says, without round trip, date, durations and ports."""
    return card._replace(
        name=_PORT.sub(":…", card.name),
        url=_PORT.sub(":…", card.url),
        note=_without_times(card.note),
        hint=_PORT.sub(":…", card.hint),
        opened=_TIMES.sub("… ms", card.opened),
        headers=tuple(
            line for line in card.headers if not line.lower().startswith(("date:", "sec-websocket-accept:"))
        ),
        badges=tuple(_PORT.sub(":…", badge) for badge in card.badges),
        opened_at=None,
        rtt=None,
        lasted=None,
    )


def stable_rows(rows: Sequence[Row]) -> list[Row]:
    """Return rows without the moments and durations that are ours; payloads stay as they are."""
    return [_stable_row(row) for row in rows]


def stable_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return steps without how long they took."""
    return tuple(line._replace(result=_TIMES.sub("… ms", line.result)) for line in lines)


def stable_words(text: str) -> str:
    """Return a line of ours without durations and ports."""
    return _PORT.sub(":…", _TIMES.sub("… ms", text))


def _stable_row(row: Row) -> Row:
    css = " ".join(word for word in row.css.split() if word != "slow")
    kept = row._replace(time="", delta="", at=0.0, css=css)
    if row.kind in ("ping", "pong"):
        return kept._replace(preview=_TIMES.sub("… ms", row.preview))
    if row.kind == "heartbeats":
        return kept._replace(preview="heartbeats", detail="")
    return kept._replace(preview=_without_times(row.preview)) if row.kind == "open" else kept


def _without_times(text: str) -> str:
    return _TIMES.sub("… ms", _CLOCK.sub("…", text))
