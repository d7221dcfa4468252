"""Rows as HTML: a table that still reads well where every style is stripped.

What comes from the network stands inside ``<code>`` or ``<pre>`` (MathJax typesets ``$`` elsewhere), never
in an attribute. Columns have no class: the style finds them by their place, since rows are most of a view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from ipyws.view.escape import html_text
from ipyws.view.format import shown
from ipyws.view.rows import Row, gap

ROWS: Final = 50
"""Most rows of a view: browsers draw this many five times a second without effort."""

UNFOLDED: Final = 10
"""The newest rows, whose payloads can be expanded before older rows have any room."""

_COLUMNS: Final = ("time", "Δ", '<abbr title="from (↓) or to (↑) the server">↓↑</abbr>', "size")
_LEFT: Final = ' style="text-align:left"'  # a saved notebook's own style would have it right or centred
_HEAD: Final = (
    "<thead><tr>"
    + "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    + f'<th scope="col" align="left"{_LEFT}>message</th></tr></thead>'
)
_TAGGED: Final = ("binary", "breach", "close", "open")  # what the message alone does not tell
_LOOKS: Final = frozenset(("in", "out", "slow", "bad", "gap", "heartbeats", "ping", "pong", "close", "open"))
_JSON_TOKEN: Final = re.compile(r'("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)')


def markup(text: str) -> str:
    """Return a text that is visible already as HTML text: for an element, not for an attribute."""
    # Where there is little to escape, str.translate takes twenty times as long.
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\n", "&#10;")


def table(rows: Sequence[str], *, head: bool = True) -> str:
    """Return rows of `render_row` as a table, which scrolls where it is long.

    Args:
        rows: The rows.
        head: Whether the columns are named.
    """
    return (
        '<div class="v"><table aria-label="messages">'
        f"{_HEAD if head else ''}<tbody>{''.join(rows)}</tbody></table></div>"
    )


def render_row(row: Row, lean: bool = False) -> str:
    """Return one row as a ``<tr>``; the same row always gives the same text.

    Args:
        row: The row.
        lean: Whether of what is expanded only the keys are coloured: it is drawn again and again.
    """
    return _drawn(row, lean)[0]


def _draw(row: Row, lean: bool) -> tuple[str, int]:
    """Return a row as HTML, and how many bytes of a message to a front end that takes."""
    # One text for the four, which are escaped together: none has a tab in it.
    cells = markup(f"{row.time}\t{row.delta}\t{row.arrow}\t{row.size}").replace("\t", "</td><td>")
    text = f'<tr class="{_look(row.css)}"><td>{cells}</td><td{_LEFT}>{_message(row, lean)}</td></tr>'
    return text, wire_size(text)


# An update repeats most rows of the one before it: 5 ms without the cache, 0.4 ms with it.
_drawn = lru_cache(maxsize=16 * ROWS)(_draw)


@lru_cache(maxsize=64)
def _look(css: str) -> str:
    return " ".join(word for word in css.split() if word in _LOOKS)


def coloured(text: str, *, values: bool = True) -> str:
    """Return JSON as HTML whose keys, strings and numbers have their colours.

    Args:
        text: The JSON, or the beginning of some, visible already.
        values: Whether strings and numbers are coloured too.
    """
    parts = iter(_JSON_TOKEN.split(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")))
    pieces = [next(parts)]
    for string, colon, word, rest in zip(parts, parts, parts, parts, strict=True):
        if colon:
            pieces.append(f'<span class="y">{string}</span>{colon}{rest}')
        elif values:
            pieces.append(f'<span class="{"n" if word else "q"}">{word or string}</span>{rest}')
        else:
            pieces.append(f"{word or string}{rest}")
    return "".join(pieces).replace("\n", "&#10;")  # here, since it has digits in it


def fold(summary: str, content: str) -> str:
    """Return HTML that is shown once somebody opens it."""
    # Without the attribute JupyterLab would take a key pressed here as a command: "x" cuts the cell.
    return f'<details><summary data-lm-suppress-shortcuts="true">{summary}</summary>{content}</details>'


def fit(rows: Sequence[Row], budget: int, *, lean: bool, once: bool = False) -> tuple[list[Row], list[str]]:
    """Return the rows that ``budget`` bytes pay for, oldest first, and their HTML.

    The newest ten keep their details first, then come older rows, then their details.

    Args:
        rows: All there are, oldest first.
        budget: Bytes on the wire.
        lean: As `render_row` has it.
        once: Whether the next drawing has none of them: then they are not kept for it.
    """
    make = _draw if once else _drawn
    newest = rows[-ROWS:]
    chosen: list[Row] = []
    drawn: list[tuple[str, int]] = []
    for index, row in enumerate(reversed(newest)):
        form = row if index < UNFOLDED else _bare(row)
        made = make(form, lean)
        if made[1] > budget and form.detail:
            form = _bare(row)
            made = make(form, lean)
        if made[1] > budget:
            break
        chosen.append(form)
        drawn.append(made)
        budget -= made[1]
    if not lean:
        _unfold(chosen, drawn, newest, budget)
    left_out = _left_out(rows, len(chosen))
    kept = ROWS - len(left_out)
    texts = [*(_drawn(row, lean)[0] for row in left_out), *(text for text, _ in drawn[:kept][::-1])]
    return [*left_out, *chosen[:kept][::-1]], texts


def wire_size(text: str) -> int:
    """Return how many bytes a text takes in the JSON of a message to a front end."""
    size = len(text) if text.isascii() else len(text.encode())
    return size + text.count('"') + text.count("\\") + text.count("\n")


def _unfold(chosen: list[Row], drawn: list[tuple[str, int]], rows: Sequence[Row], budget: int) -> None:
    """Give older rows their details too, the newest of them first, as far as there is room."""
    for index in range(UNFOLDED, len(chosen)):
        whole = rows[-1 - index]
        made = _drawn(whole, False)
        extra = made[1] - drawn[index][1]
        if extra <= budget:
            chosen[index], drawn[index] = whole, made
            budget -= extra


def _bare(row: Row) -> Row:
    return row._replace(detail="", raw="") if row.detail else row


def _left_out(rows: Sequence[Row], fitting: int) -> list[Row]:
    """Return the row that stands for those before the newest that fit; none where all do."""
    if fitting == len(rows):
        return []
    out = rows[: len(rows) - min(fitting, ROWS - 1)]
    return [gap(sum(row.stands_for for row in out), sum(row.evicted for row in out))]


def _message(row: Row, lean: bool) -> str:
    named = _tag(row.tag or (row.kind if row.kind in _TAGGED else ""))
    if row.label:
        named += f"<strong><code>{markup(row.label)}</code></strong> "
    if row.wrong:
        named = f'<span class="bad"><code>{html_text(shown(row.wrong, 300))}</code></span> {named}'
    is_json = _is_json(row.css)
    preview = f"{named}<code>{coloured(row.preview) if is_json else markup(row.preview)}</code>"
    if not row.detail:
        return preview
    detail = coloured(row.detail, values=not lean) if is_json else markup(row.detail)
    raw = fold("raw", f"<pre>{markup(row.raw)}</pre>") if row.raw else ""
    return fold(preview, f"<pre>{detail}</pre>{raw}")


@lru_cache(maxsize=64)
def _is_json(css: str) -> bool:
    return "json" in css.split()


def _tag(tag: str) -> str:
    return f'<span class="k"><code>{html_text(shown(tag, 40))}</code></span> ' if tag else ""
