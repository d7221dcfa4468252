"""One cell's view of a connection: what it shows at a time, and what of that was shown already."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ipyws.core.connection.connection import Connection
from ipyws.notebook.audience import Audience
from ipyws.notebook.publisher import Bundle, Handle
from ipyws.notebook.settling import TOP_ROWS, Tails
from ipyws.view import html, html_rows, text
from ipyws.view.card import Card
from ipyws.view.format import duration
from ipyws.view.frames import frames_from
from ipyws.view.progress import Line, Progress
from ipyws.view.rows import Row, gap
from ipyws.view.stable import stable_card, stable_lines, stable_rows
from ipyws.view.stretch import Stretch
from ipyws.view.summary import card

Lane = tuple[Connection, Audience]

_TERMINAL_ROWS = 20

SEEN_ROWS: Final = 14
"""Rows that a view shows without being scrolled (``max-height`` of its style), and one for those before."""

_MORE = 4  # rows that are made although they had no room before: others may be shorter

_CHANGING: Final[dict[str, Any]] = {
    **dict.fromkeys(("received", "sent", "bytes_received", "bytes_sent", "kept", "evicted", "total"), 0),
    "rtt": None,
    "note": "",
}

_NEXT = {Audience.NOTEBOOK: "panel", Audience.CONSOLE: "log"}
"""The verb that shows more; where a picture is all there is, no magic may be within reach."""


class Piece(NamedTuple):
    """What one output of a view shows.

    Attributes:
        handle: The output.
        bundle: What it shows.
        new: Whether there is no such output yet.
    """

    handle: Handle
    bundle: Bundle
    new: bool


class View:
    """One cell's view of a connection."""

    def __init__(
        self,
        client: Connection,
        start: int,
        progress: Progress | None,
        handle: Handle,
        audience: Audience,
    ) -> None:
        self.client = client
        self.handle = handle
        self.audience = audience
        self.shown = False
        self.stable = False  # whether times and ports are left out
        self.opens = False  # whether it is of the line that opened the connection
        self.progress = progress if progress is not None and progress.matters else None
        self.stretch = Stretch(client.log, start, html.ROWS)
        self._frames = frames_from(client.log, start)
        self.due = 0.0  # monotonic time before which it is not drawn again
        self.came = 0  # messages that the last drawing found new
        self._drawn = start
        self._about: object = None  # all that the last drawing was made of
        self.raced = 0  # drawings in a row of which each replaced all that is seen
        settles = handle.appends and audience is Audience.NOTEBOOK and self._frames is None
        self._tails = Tails(client.log, handle.parent) if settles else None
        self._goes_on = ""
        self._said: Card | None = None  # what the header said, numbers left out
        self._note = ""
        self._top: list[Row] = []
        self._top_end = start
        self._round = 0
        self._room = html.ROWS  # rows that had room in the last update, and some
        self._known = {handle.id}  # outputs that there are
        self._owed: dict[Handle, Bundle] = {}  # drawn, but not published yet
        self._sent: dict[Handle, Bundle] = {}

    @property
    def lane(self) -> Lane:
        """Which views end where this one begins: those of the connection that are seen in the same way."""
        return self.client, self.audience

    def is_of(self, handle: Handle) -> bool:
        """Tell whether it is shown below the cell of a handle, and goes on."""
        same = handle.parent is not None and handle.parent is self.handle.parent
        return same and self.audience is Audience.NOTEBOOK and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the conversation goes on in a later view."""
        return self.stretch.stop is not None

    @property
    def busy(self) -> bool:
        """Whether the cell is still at its steps."""
        return self.progress is not None and not self.progress.over

    def end(self, seq: int, cell: int) -> None:
        """End the stretch before a message: a view of the running cell goes on with it.

        Args:
            seq: The first message of the later view.
            cell: The number of its cell; 0 if it has none.
        """
        self.stretch.stop = seq
        self._goes_on = f", In [{cell}]" if cell and not self.stable else ""

    def draw(self, *, whole: bool = False) -> bool:
        """Draw what the view shows now; return whether there is something to publish.

        While a stream replaces all that is seen from one drawing to the next, nobody can open a row: then
        none is made that can be, nor one that has to be scrolled to. Once it slows down, all is there again.

        Args:
            whole: Whether it may stay as it is: the end of a cell.
        """
        shown = self._card()
        steps = self.progress.lines() if self.progress else ()
        self.came, self._drawn = shown.total - self._drawn, shown.total
        races = self.came >= SEEN_ROWS and self.shown and self._live and not whole
        self.raced = self.raced + 1 if races else 0
        about = (shown, self.stretch.stop, self.client.log.contract, self.busy, steps, self.races)
        if about == self._about:  # as where a cell ends in which nothing came
            return bool(self._owed)
        self._about = about
        if self._is_left_alone(shown):
            self._draw_below(shown)
        else:
            self._draw_whole(shown)
        return bool(self._owed)

    @property
    def races(self) -> bool:
        """Whether the next drawing is likely to replace all that is seen."""
        return self.raced > 0

    def publish(self) -> list[Piece]:
        """Return what of the view is to be shown now, in the order of its outputs."""
        owed, self._owed = self._owed, {}
        self._sent |= owed
        pieces = [Piece(handle, bundle, handle.id not in self._known) for handle, bundle in owed.items()]
        self._known |= {piece.handle.id for piece in pieces}
        return pieces

    @property
    def _settles(self) -> bool:
        """Whether there may be outputs below the first: their names are never the same again."""
        return self._tails is not None and not self.stable

    @property
    def _goes_on_below(self) -> bool:
        """Whether rows settle: updates follow, and nothing but rows is new in them."""
        over = self.ended or self.busy or not self.shown or self.client.closed is not None
        return self._settles and not over

    def _is_left_alone(self, shown: Card) -> bool:
        """Whether the first output stays as it is."""
        tails = self._tails
        if tails is None or not self._goes_on_below or self._said != self._words(shown):
            return False
        return tails.ticks_below and not tails.full

    @property
    def _live(self) -> bool:
        """Whether updates may follow, by what is known now."""
        return self.audience is not Audience.STILL and not self.ended and self.client.closed is None

    def _words(self, shown: Card) -> Card:
        """Return what the header says, but for numbers and for what holds the connection up just now."""
        return shown._replace(**_CHANGING)

    def _draw_whole(self, shown: Card) -> None:
        """Draw everything in the first output, and empty the others."""
        live = self._live
        steps = self.progress.lines() if self.progress else ()
        settles = self._settles and live
        races = self.races and not settles  # what settles stays
        most = TOP_ROWS if settles else SEEN_ROWS if races else self._room if live else None
        unfolded = 0 if races else html_rows.UNFOLDED if live else None
        drawn = self.stretch.rows(shown.total, most, unfolded)
        self._said, self._note = self._words(shown) if self._tails is not None else None, shown.note
        if self.stable:
            drawn, steps = stable_rows(drawn), stable_lines(steps)
        self._top = drawn
        self._top_end = self.stretch.start + sum(row.stands_for for row in drawn)
        told = shown._replace(told=True) if any(row.kind == "close" for row in drawn) else shown
        self._round += 1 if self._tails and self._tails.ticks_below else 0
        place = self._place(0) if settles else ""
        self._owe(self.handle, self._bundle(told, drawn, live, steps, place))
        if self._tails is not None:
            self._tails.put_together(any(row.is_message for row in drawn))
            self._empty(self._tails.emptied() if settles else self._tails.all_emptied())

    def _bundle(
        self, shown: Card, drawn: list[Row], live: bool, steps: tuple[Line, ...], place: str
    ) -> Bundle:
        page = html.render(
            shown,
            drawn,
            live=live,
            ended=self.ended,
            steps=steps,
            goes_on=self._goes_on,
            place=place,
            once=self.races,
        )
        if not self.races:
            fitting = page.count("<tr class=")
            self._room = min(html.ROWS, fitting + _MORE) if fitting < len(drawn) else html.ROWS
        bundle = {"text/html": page, "text/plain": text.render(shown, drawn, steps)}
        if self._frames is not None:
            more = self._frames.draw(self.ended, unfold=not live)
            bundle = {mime: f"{each}{more[mime]}" for mime, each in bundle.items()}
        return bundle

    def _draw_below(self, shown: Card) -> None:
        """Draw the newest rows in an output below those that have settled."""
        tails = self._tails
        assert tails is not None
        noted = shown.note != self._note
        tail = tails.draw(self._top_end, shown.total, noted=noted, races=self.races)
        if tail is None:
            return
        self._note = shown.note
        said = self._numbers(shown, tails)
        if (given := tails.gap(self._top_end)) is not None:
            line, last, count = given
            gone = [gap(count)]
            html_of = html.render_tail(gone, (), self._place(last), self._place(0))
            self._owe(line, {"text/html": html_of, "text/plain": text.render_tail(gone, ())})
        index = tails.place_of(tail)
        self._owe(
            tail.handle,
            {
                "text/html": html.render_tail(tail.rows, said, self._place(index), self._place(index - 1)),
                "text/plain": text.render_tail(tail.rows, said),
            },
        )
        self._empty(tails.emptied())

    def _numbers(self, shown: Card, tails: Tails) -> list[str]:
        """Return the numbers that the header had as long as there was but one output."""
        total = shown.total - self.stretch.start
        drawn = sum(row.stands_for for row in (*self._top, *tails.shown) if row.kind != "gap")
        counts = f"{shown.received:,} received, {shown.sent:,} sent"
        rtt = "" if shown.rtt is None else f"RTT {duration(shown.rtt)}"
        left_out = "" if drawn >= total else f"{drawn:,} of {total:,} shown"
        return [part for part in (shown.note, counts, rtt, left_out, left_out and shown.hint) if part]

    def _place(self, index: int) -> str:
        return f"v{self.handle.id[:8]} g{self._round} i{index}"

    def _empty(self, handles: list[Handle]) -> None:
        for handle in handles:
            self._owe(handle, {"text/html": "", "text/plain": ""})

    def _owe(self, handle: Handle, bundle: Bundle) -> None:
        if self._sent.get(handle) == bundle:
            self._owed.pop(handle, None)  # what was drawn since, and is not shown yet, is out of date
        else:
            self._owed[handle] = bundle

    def new_lines(self, name: str, screen: text.Screen | None = None) -> Bundle | None:
        """Return the rows that came since the last call, for a terminal; None if there are none.

        Args:
            name: What stands in front of each; "" for nothing.
            screen: The terminal, or None.
        """
        drawn = self.stretch.new_rows(self.client.log.total, _TERMINAL_ROWS)
        return {"text/plain": "\n".join(text.line(row, name, screen) for row in drawn)} if drawn else None

    def headline(self, screen: text.Screen | None = None) -> Bundle:
        """Return the first line of the view, for a terminal."""
        return {"text/plain": text.headline(self._card(), screen)}

    def _card(self) -> Card:
        verb = _NEXT.get(self.audience)
        # Only the view that opened the connection tells of the handshake.
        hint = f"%ws {verb} {self.client.name}" if verb else ""
        shown = card(self.client, hint=hint, handshake=self.opens)
        # A picture that is never replaced says nothing that will not stay true; nor does a view that goes on
        # in a later one: only that tells of the end.
        shown = stable_card(shown) if self.stable else shown
        passing = (self.audience is Audience.STILL or self.ended) and shown.close is None
        return shown._replace(state="") if passing else shown
