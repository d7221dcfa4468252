"""Views as HTML that looks good in a notebook and still reads well where every style is stripped.

What comes from the network stands inside ``<code>`` or ``<pre>`` (MathJax typesets ``$`` elsewhere), never
in an attribute; there is no script, link or image. `framed`, `code` and `number` are for whatever else is
shown in the same look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from ipyws.view import html_rows, html_steps
from ipyws.view.card import Card, hitches, is_ordinary, opened, status, traffic
from ipyws.view.escape import html_text
from ipyws.view.format import duration, shown
from ipyws.view.html_rows import ROWS, coloured, fold, render_row, wire_size
from ipyws.view.progress import Line
from ipyws.view.rows import Row
from ipyws.view.theme import palette

__all__ = [
    "BYTES",
    "ROWS",
    "code",
    "coloured",
    "fold",
    "framed",
    "number",
    "render",
    "render_row",
    "wire_size",
]

BYTES: Final = 64 * 1024
"""Most bytes of a view."""

LIVE_BYTES: Final = 10_500
"""Most bytes on the wire of a view to which updates follow: each is sent whole."""

# Set aside for the head of the table, a gap row and the footer with its longest hint.
_REST_BYTES: Final = 1024

# What rows have room for at least, however much the steps of a cell take.
_LEAST_BYTES: Final = 6 * 1024

_STATES: Final = ("connecting", "open", "closing", "closed", "reconnecting")
_LIST_COLUMNS: Final = ("current", "name", "state", "↓ received", "↑ sent", "RTT", "URL")


def render(
    card: Card,
    rows: Sequence[Row],
    *,
    live: bool,
    ended: bool = False,
    steps: Sequence[Line] = (),
    goes_on: str = "",
    place: str = "",
    once: bool = False,
) -> str:
    """Return one view as a fragment of HTML: at most 50 rows and 64 kB, whatever the rows hold.

    The newest rows come first where not all fit, then the expanded payloads of the newest.

    Args:
        card: What the header says.
        rows: The rows of the view, oldest first.
        live: Whether updates will follow; a view that is not live is what a saved notebook keeps.
        ended: Whether the conversation goes on in a later view.
        steps: How far the cell's body has come.
        goes_on: Where it does, in words that stand behind "goes on in a later view".
        place: The class names by which outputs below this one know it, if there may be some.
        once: Whether the next one has none of these rows.
    """
    top = header(card, ended=ended, goes_on=goes_on) + html_steps.render(steps)
    extra = "steps" if steps else ""
    around = wire_size(framed(top, extra)) + _REST_BYTES
    most = min(BYTES, max(LIVE_BYTES, around + _LEAST_BYTES)) if live and not place else BYTES
    fitting, drawn = html_rows.fit(rows, most - around, lean=live, once=once)
    table = html_rows.table(drawn) if drawn else ""
    return framed(f"{top}{table}{footer(card, fitting)}", extra, place)


def render_tail(rows: Sequence[Row], said: Sequence[str], place: str, above: str) -> str:
    """Return the newest rows of a view whose others stand in outputs above, which are left alone.

    Args:
        rows: The rows, oldest first.
        said: What is said below them: numbers that no longer hold above.
        place: Its class names.
        above: The class names of the output above, whose numbers are hidden.
    """
    _, drawn = html_rows.fit(rows, LIVE_BYTES - _REST_BYTES, lean=True)
    table = html_rows.table(drawn, head=False) if drawn else ""
    below = f'<div class="f"><span>{" · ".join(code(one, 200) for one in said)}</span></div>'
    # One box: the border between the two is open.
    corners = "6px 6px 0 0" if above.endswith(" i0") else "0"  # one between two others has none
    hide = (
        f"{_selector(above)}{{margin-bottom:0;border-bottom:0;border-radius:{corners};"
        f":is(.c,.f){{display:none}}}}"
        f"{_selector(place)}{{margin-top:0;border-top:0;border-radius:0 0 6px 6px}}"
    )
    return f'<div class="ipyws {place}"><style>{hide}</style>{table}{below}</div>'


def render_lines(rows: Sequence[Row]) -> str:
    """Return rows that stand alone, without a header: what a line received."""
    _, drawn = html_rows.fit(rows, BYTES - _REST_BYTES, lean=False)
    return framed(html_rows.table(drawn, head=False))


def render_connections(cards: Sequence[Card]) -> str:
    """Return the list of connections as a table; a * marks the one that the magics use."""
    if not cards:
        return framed('<div class="f">no connections</div>')
    head = "".join(
        f'<th scope="col" align="left" style="text-align:left">{name}</th>' for name in _LIST_COLUMNS
    )
    body = "".join(_connection(card) for card in cards)
    return framed(
        f'<div class="v"><table class="ls" aria-label="connections"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>",
        "list",
    )


def header(card: Card, *, ended: bool = False, goes_on: str = "") -> str:
    """Return the one line that says what is shown, and below it only what is out of the ordinary."""
    rtt = [f"RTT {duration(card.rtt)}"] if card.rtt is not None and not ended else []
    parts = [
        _state(card),
        f"<strong>{code(card.name, 80)}</strong>",
        f'<span class="u">{code(card.url, 300)}</span>',
        *(f'<span class="b">{code(badge, 60)}</span>' for badge in card.badges[:8]),
        *(f'<span class="c">{number(text)}</span>' for text in (*traffic(card), *rtt)),
        _goes_on(card, goes_on) if ended else _handshake(card),
    ]
    lines = "".join(f'<div class="l"><code>{html_text(fact)}</code></div>' for fact in hitches(card))
    return f'<div class="h">{" ".join(filter(None, parts))}</div>{lines}'


def footer(card: Card, rows: Sequence[Row]) -> str:
    """Return how many messages are drawn, and where the others are to be had; "" where all are."""
    total = sum(row.stands_for for row in rows)
    drawn = sum(row.stands_for for row in rows if row.kind != "gap")
    if drawn == total:
        return ""
    hint = f" · {code(card.hint, 200)}" if card.hint else ""
    return f'<div class="f"><span>{drawn:,} of {total:,} shown{hint}</span></div>'


@cache
def style(extra: str = "") -> str:
    """Return the style of a view.

    Args:
        extra: What more it has to have: "steps", "list", or "".
    """
    names = ["style.css", *([f"style_{extra}.css"] if extra else [])]
    text = "".join(files("ipyws.view").joinpath(name).read_text("utf-8") for name in names)
    return (palette("ipyws") + text).replace("\n", "")


def framed(content: str, extra: str = "", place: str = "") -> str:
    """Return HTML within the frame that all views have, with its style.

    Args:
        content: The HTML.
        extra: As `style` has it.
        place: As `render` has it: with "v1 g2 i0" what v1 showed elsewhere before g2 is hidden.
    """
    view, _, rest = place.partition(" ")
    hide = f".{view}:not(.{rest.split()[0]}){{display:none}}" if place else ""
    names = f"ipyws {place}" if place else "ipyws"
    return f'<div class="{names}"><style>{style(extra)}{hide}</style>{content}</div>'


def code(text: str, limit: int) -> str:
    """Return a text of others: masked, visible, cut, and where MathJax leaves it alone."""
    return f"<code>{html_text(shown(text, limit))}</code>"


def number(text: str) -> str:
    """Return a text of ours whose words stay on one line."""
    return html_text(text).replace(" ", "&nbsp;")


def _selector(place: str) -> str:
    # One class more than the style of any view has, also of one that comes later in the page.
    return "".join(f".{name}" for name in ("ipyws", *place.split()))


def _state(card: Card) -> str:
    if not card.state:
        return ""
    look = card.state if card.state in _STATES else ""
    failed = " bad" if card.close and not is_ordinary(card.close) else ""
    return f'<strong class="s {look}{failed}">{html_text(status(card))}</strong>'


def _goes_on(card: Card, where: str) -> str:
    said = f"goes on in a later view{html_text(where)}"
    return "" if card.state == "closed" else f'<span class="c">{said}</span>'


def _handshake(card: Card) -> str:
    return _fold_handshake(opened(card), card.headers[:40]) if card.opened else ""


@lru_cache(maxsize=32)  # of those that are shown live; what is masked in it is masked in the card already
def _fold_handshake(said: str, headers: tuple[str, ...]) -> str:
    lines = html_text("\n".join((said, *(shown(line, 300) for line in headers))))
    return f'<div class="k">{fold("handshake", f"<pre>{lines}</pre>")}</div>'


def _connection(card: Card) -> str:
    rtt = "" if card.rtt is None else duration(card.rtt)
    cells = ("*" if card.current else "", code(card.name, 80), _state(card))
    numbers = (number(text) for text in (f"{card.received:,}", f"{card.sent:,}", rtt))
    body = "".join(
        f'<td style="text-align:left">{cell}</td>' for cell in (*cells, *numbers, code(card.url, 300))
    )
    return f"<tr>{body}</tr>"
