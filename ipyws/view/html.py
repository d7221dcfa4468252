"""Cards and rows as HTML that looks good in a notebook and still reads well where every style is stripped.

What comes from the network stands inside ``<code>`` or ``<pre>`` (MathJax typesets ``$`` elsewhere), never
in an attribute; there is no script, link or image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files

from ipyws.view.card import Card, counters, facts, is_ordinary, status, traffic
from ipyws.view.escape import html_text
from ipyws.view.format import duration, shown
from ipyws.view.progress import MARKS, Line
from ipyws.view.rows import Row, gap
from ipyws.view.theme import theme

ROWS = 50
"""Most rows of a view: browsers draw this many five times a second without effort."""

BYTES = 64 * 1024
"""Most bytes of a view."""

# While messages come, each update is sent whole: fewer payloads can be expanded then.
_LIVE_BYTES = 40 * 1024

# Set aside for the head of the table, a gap row and the footer with its longest hint.
_REST_BYTES = 4 * 1024

_STATES = ("connecting", "open", "closing", "closed", "reconnecting")
_COLUMNS = (
    ("t", "time"),
    ("d", "Δ"),
    ("a", "<abbr title='from (↓) or to (↑) the server'>↓↑</abbr>"),
    ("z", "size"),
)
_MESSAGE_HEAD = '<th scope="col" class="m" align="left" style="text-align:left">message</th>'
_TAGGED = ("binary", "breach", "close", "open")  # what the message alone does not tell
_LIST_COLUMNS = ("current", "name", "state", "↓ received", "↑ sent", "RTT", "URL")
_TIME = re.compile(r"(\d) (m?s)\b")
_JSON_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)')


def render(
    card: Card, rows: Sequence[Row], *, live: bool, ended: bool = False, steps: Sequence[Line] = ()
) -> str:
    """Return one view as a fragment of HTML: at most 50 rows and 64 kB, whatever the rows hold.

    The newest rows come first where not all fit, then the expanded payloads of the newest.

    Args:
        card: What the header says.
        rows: The rows of the view, oldest first.
        live: Whether updates will follow; a view that is not live is what a saved notebook keeps.
        ended: Whether the conversation goes on in a later view.
        steps: How far the cell's body has come.
    """
    header = _header(card, live) + _steps(steps)
    around = len(_framed(header).encode()) + _REST_BYTES
    fitting = _fit(rows, (_LIVE_BYTES if live else BYTES) - around)
    drawn = sum(row.is_message for row in fitting)
    table = _table([render_row(row) for row in fitting]) if fitting else ""
    footer = _footer(card, counters(card, drawn) if fitting else "", ended)
    return _framed(f"{header}{table}{footer}")


# An update repeats most rows of the one before it: 5 ms without the cache, 0.4 ms with it.
@lru_cache(maxsize=8 * ROWS)
def render_row(row: Row) -> str:
    """Return one row as a ``<tr>``; the same row always gives the same text."""
    cells = "".join(f'<td class="{css}">{_number(text)}</td>' for css, text in _numbers(row))
    return f'<tr class="{row.css}">{cells}<td class="m" style="text-align:left">{_message(row)}</td></tr>'


def render_connections(cards: Sequence[Card]) -> str:
    """Return the list of connections as a table; a * marks the one that the magics use."""
    if not cards:
        return _framed('<div class="f">no connections</div>')
    head = "".join(
        f'<th scope="col" align="left" style="text-align:left">{name}</th>' for name in _LIST_COLUMNS
    )
    body = "".join(_connection(card) for card in cards)
    return _framed(
        f'<table class="ls" aria-label="connections"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


@cache
def _style() -> str:
    return theme("ipyws") + files("ipyws.view").joinpath("style.css").read_text("utf-8")


def _framed(content: str) -> str:
    return f'<div class="ipyws"><style>{_style()}</style>{content}</div>'


def _header(card: Card, live: bool) -> str:
    rtt = [f"RTT {duration(card.rtt)}"] if card.rtt is not None else []
    parts = [
        _state(card, live),
        f'<strong class="n">{_code(card.name, 80)}</strong>',
        f'<span class="u">{_code(card.url, 300)}</span>',
        *(f'<span class="b">{_code(badge, 60)}</span>' for badge in card.badges[:8]),
        *(f'<span class="c">{_number(text)}</span>' for text in (*traffic(card), *rtt)),
    ]
    lines = "".join(f'<div class="l"><code>{html_text(fact)}</code></div>' for fact in facts(card))
    return f'<div class="h">{" &nbsp;".join(filter(None, parts))}</div>{lines}'


def _steps(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    body = "".join(map(_step, lines))
    return f'<table class="w" aria-label="steps"><tbody>{body}</tbody></table>'


def _step(line: Line) -> str:
    left = 'style="text-align:left"'
    result = _TIME.sub(r"\1&nbsp;\2", _code(line.result, 160))
    return (
        f'<tr class="{line.state}"><td class="a">{MARKS[line.state]}</td>'
        f'<td class="t" {left}>{_number(line.where)}</td><td class="m" {left}>{_code(line.words, 160)}</td>'
        f'<td class="r" {left}>{result}</td></tr>'
    )


def _state(card: Card, live: bool) -> str:
    if not card.state:
        return ""
    look = card.state if card.state in _STATES else ""
    failed = " bad" if card.close and not is_ordinary(card.close) else ""
    pulse = " live" if live else ""
    return f'<strong class="s {look}{failed}{pulse}">{html_text(status(card))}</strong>'


def _footer(card: Card, told: str, ended: bool) -> str:
    goes_on = "goes on in a later view" if ended and card.state != "closed" else ""
    hint = _code(card.hint, 200) if card.hint else ""
    parts = [part for part in (told, goes_on, hint) if part]
    return f'<div class="f">{" · ".join(parts)}</div>' if parts else ""


def _table(rows: list[str]) -> str:
    head = "".join(f'<th scope="col" class="{css}">{name}</th>' for css, name in _COLUMNS)
    return (
        f'<div class="v"><table aria-label="messages"><thead><tr>{head}{_MESSAGE_HEAD}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _numbers(row: Row) -> tuple[tuple[str, str], ...]:
    return ("t", row.time), ("d", row.delta), ("a", row.arrow), ("z", row.size)


def _message(row: Row) -> str:
    named = f"{_tag(row)}<strong>{_code(row.label, 80)}</strong> " if row.label else _tag(row)
    if row.wrong:
        named = f'<span class="bad">{_code(row.wrong, 300)}</span> {named}'
    is_json = "json" in row.css.split()
    preview = f"{named}<code>{_coloured(row.preview) if is_json else html_text(row.preview)}</code>"
    if not row.detail:
        return preview
    detail = _coloured(row.detail) if is_json else html_text(row.detail)
    raw = _folded("raw", f"<pre>{html_text(row.raw)}</pre>") if row.raw else ""
    return _folded(preview, f"<pre>{detail}</pre>{raw}")


def _tag(row: Row) -> str:
    tag = row.tag or (row.kind if row.kind in _TAGGED else "")
    return f'<span class="k">{_code(tag, 40)}</span> ' if tag else ""


def _folded(summary: str, content: str) -> str:
    # Without the attribute JupyterLab would take a key pressed here as a command: "x" cuts the cell.
    return f'<details><summary data-lm-suppress-shortcuts="true">{summary}</summary>{content}</details>'


def _coloured(text: str) -> str:
    pieces, end = [], 0
    for match in _JSON_TOKEN.finditer(text):
        kind = "n" if match[3] else "y" if match[2] else "q"
        shown_token = html_text(match[3] or match[1])
        pieces.append(f"{html_text(text[end : match.start()])}<span class={kind}>{shown_token}</span>")
        pieces.append(match[2] or "")
        end = match.end()
    return "".join(pieces) + html_text(text[end:])


def _connection(card: Card) -> str:
    rtt = "" if card.rtt is None else duration(card.rtt)
    cells = ("*" if card.current else "", _code(card.name, 80), _state(card, live=False))
    numbers = (_number(text) for text in (f"{card.received:,}", f"{card.sent:,}", rtt))
    body = "".join(
        f'<td style="text-align:left">{cell}</td>' for cell in (*cells, *numbers, _code(card.url, 300))
    )
    return f"<tr>{body}</tr>"


def _code(text: str, limit: int) -> str:
    return f"<code>{html_text(shown(text, limit))}</code>"


def _number(text: str) -> str:
    return html_text(text).replace(" ", "&nbsp;")


def _fit(rows: Sequence[Row], budget: int) -> list[Row]:
    """Return the rows that ``budget`` bytes pay for, oldest first, with details where they fit."""
    chosen: list[tuple[Row, Row]] = []
    for row in reversed(rows[-ROWS:]):
        bare = replace(row, detail="", raw="") if row.detail else row
        budget -= _cost(bare)
        if budget < 0:
            break
        chosen.append((row, bare))
    fitting = []
    for row, bare in chosen:
        extra = _cost(row) - _cost(bare)
        fitting.append(row if extra <= budget else bare)
        budget -= extra if extra <= budget else 0
    return _with_gap(rows, fitting[::-1])


def _with_gap(rows: Sequence[Row], fitting: list[Row]) -> list[Row]:
    if len(fitting) == len(rows):
        return fitting
    fitting = fitting[-(ROWS - 1) :]
    left_out = rows[: len(rows) - len(fitting)]
    return [gap(sum(row.stands_for for row in left_out), sum(row.evicted for row in left_out)), *fitting]


def _cost(row: Row) -> int:
    return len(render_row(row).encode())
