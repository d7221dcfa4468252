"""One cell's view of a connection: what it shows at a time, and what of that was shown already."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import NamedTuple

from ipyws.core.connection.connection import Connection
from ipyws.notebook.audience import Audience
from ipyws.notebook.publisher import Bundle, Handle
from ipyws.view import html, text
from ipyws.view.card import Card
from ipyws.view.frames import frames_from
from ipyws.view.progress import Progress
from ipyws.view.stretch import Stretch
from ipyws.view.summary import card

Lane = tuple[Connection, Audience]

_TERMINAL_ROWS = 20

_NEXT = {Audience.NOTEBOOK: "panel", Audience.CONSOLE: "log"}
"""The verb that shows more; where a picture is all there is, no magic may be within reach."""


class Drawing(NamedTuple):
    """What a view shows at one time; a later one has a higher number."""

    number: int
    bundle: Bundle


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
        self.progress = progress if progress is not None and progress.matters else None
        self.stretch = Stretch(client.log, start, html.ROWS)
        self._frames = frames_from(client.log, start)
        self.due = 0.0  # monotonic time before which it is not drawn again
        self._drawn = itertools.count(1)
        self._published = 0
        self._sent: Bundle = {}

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

    def draw(self) -> Drawing | None:
        """Return what the view shows now; None if that was shown already."""
        shown = self._card()
        drawn = self.stretch.rows(shown.total)
        live = self.audience is not Audience.STILL and not self.ended and self.client.closed is None
        steps = self.progress.lines() if self.progress else ()
        bundle = {
            "text/html": html.render(shown, drawn, live=live, ended=self.ended, steps=steps),
            "text/plain": text.render(shown, drawn, steps),
        }
        if self._frames is not None:
            more = self._frames.draw(self.ended, unfold=not live)
            bundle = {mime: f"{shown}{more[mime]}" for mime, shown in bundle.items()}
        return None if bundle == self._sent else Drawing(next(self._drawn), bundle)

    def publish(self, drawing: Drawing) -> Bundle | None:
        """Return a drawing to be shown now; None if a later one is shown already."""
        if drawing.number < self._published:
            return None
        self._published, self._sent = drawing
        return self._sent

    def new_lines(self, name: str) -> Bundle | None:
        """Return the rows that came since the last call, for a terminal; None if there are none.

        Args:
            name: What stands in front of each; "" for nothing.
        """
        drawn = self.stretch.new_rows(self.client.log.total, _TERMINAL_ROWS)
        return {"text/plain": "\n".join(text.line(row, name) for row in drawn)} if drawn else None

    def headline(self) -> Bundle:
        """Return the first line of the view, for a terminal."""
        return {"text/plain": text.headline(self._card())}

    def _card(self) -> Card:
        verb = _NEXT.get(self.audience)
        shown = card(self.client, hint=f"%ws {verb} {self.client.name}" if verb else "")
        # A picture that is never replaced says nothing that will not stay true; nor does a view that goes on
        # in a later one: only that tells of the end.
        passing = (self.audience is Audience.STILL or self.ended) and shown.close is None
        return replace(shown, state="") if passing else shown
