"""Objects in a notebook, in the look of the cell views: a message, a log, a connection, tables of the others.

Everything is masked, escaped and bounded, and nothing raises: what can't be shown is left to the repr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ipyws.capture.recording import Recording
from ipyws.core.connection.connection import Connection
from ipyws.core.messages.message import Message
from ipyws.text.rich import Rich, Table
from ipyws.view import html_rows
from ipyws.view.escape import html_text
from ipyws.view.format import shown
from ipyws.view.heartbeats import picture
from ipyws.view.html import code, fold, framed, header, number
from ipyws.view.rows import Row, row
from ipyws.view.summary import card

LARGEST: Final = 8_000
"""Most bytes of an object."""

LARGEST_LOG: Final = 50_000
"""Most bytes of a log."""

_ROWS: Final = 50
_CELL: Final = 160  # characters of a cell of a table


def html_of(thing: Rich, table: Callable[[], Table | None]) -> str | None:
    """Return an object as HTML; None where it can't be shown, which its repr can always.

    Args:
        thing: The object.
        table: Says what it has to show, where it is none of those that have a look of their own.
    """
    try:
        return _html_of(thing, table)
    except Exception:  # a view that fails must not hide the result of a cell
        return None


def _html_of(thing: Rich, table: Callable[[], Table | None]) -> str | None:
    if isinstance(thing, Message):
        return _message(thing)
    if isinstance(thing, Recording) and isinstance(thing, Sequence):
        return _log(thing)
    connection = getattr(thing, "connection", None)
    if isinstance(connection, Connection):
        return _connection(connection)
    shown_as = table()
    return None if shown_as is None else _fitting(shown_as)


def _message(message: Message) -> str:
    """Return a message as a row that can be opened."""
    whole = _rows([row(message)], LARGEST)
    return whole if _size(whole) <= LARGEST else _rows([row(message, unfold=False)], LARGEST)


def _log(records: Recording) -> str:
    assert isinstance(records, Sequence)
    total = len(records)
    newest = list(records[-_ROWS:])
    about = records.about
    parts = [
        f"<strong>{code(about.name, 80)}</strong>" if about and about.name else "",
        f'<span class="u">{code(about.url, 300)}</span>' if about and about.url else "",
        f'<span class="c">{number(_messages(total))}</span>',
        f'<span class="c">the newest {len(newest)}</span>' if len(newest) < total else "",
    ]
    head = f'<div class="h">{" ".join(filter(None, parts))}</div>'
    drawn = picture(newest, _ROWS, fold=True, contract=records.contract) if newest else []
    room = LARGEST_LOG - _size(framed(head))
    return framed(head + _lines(drawn, room))


def _connection(connection: Connection) -> str:
    html = framed(header(card(connection)))
    if _size(html) <= LARGEST:
        return html
    return framed(f'<div class="h">{code(repr(connection), 300)}</div>')  # a handshake of many headers


def _rows(rows: Sequence[Row], most: int) -> str:
    return framed(_lines(rows, most - _size(framed(""))))


def _lines(rows: Sequence[Row], most: int) -> str:
    if not rows:
        return ""
    _, drawn = html_rows.fit(rows, most, lean=False)
    return html_rows.table(drawn, head=False)


# -- tables --------------------------------------------------------------------------------------------


def _fitting(table: Table) -> str:
    """Return a table with as many of its rows as there is room for."""
    rows = list(table.rows)
    while _size(html := _tabled(table, rows)) > LARGEST and rows:
        rows = rows[: len(rows) * 3 // 4]
    return html


def _tabled(table: Table, rows: Sequence[Sequence[str]]) -> str:
    title = f'<div class="h"><strong>{code(table.title, 300)}</strong></div>'
    left_out = len(table.rows) - len(rows) + table.left_out
    notes = [code(table.note, 300) if table.note else "", f"{left_out:,} more" if left_out else ""]
    below = " · ".join(filter(None, notes))
    foot = f'<div class="f"><span>{below}</span></div>' if below else ""
    return framed(title + (_grid(table.head, rows) if rows else "") + foot, "list")


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(
        f'<th scope="col" align="left" style="text-align:left">{html_text(name)}</th>' for name in head
    )
    body = "".join(f"<tr>{''.join(map(_cell, cells))}</tr>" for cells in rows)
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    return f'<table class="ls">{top}<tbody>{body}</tbody></table>'


def _cell(text: str) -> str:
    short = shown(text, _CELL)
    if short == text or len(text) <= _CELL:
        return f'<td align="left">{code(text, _CELL)}</td>'
    return f'<td align="left">{fold(code(text, 60), f"<pre>{html_text(shown(text, 600))}</pre>")}</td>'


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def _size(html: str) -> int:
    return len(html.encode("utf-8", "replace"))
