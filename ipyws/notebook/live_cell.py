"""Live views in cells: each shows its own stretch of a connection's conversation.

A stretch goes from where the view was opened to where the next view on that connection was. Views are drawn
on the background loop, at most five times a second, whatever the rate of messages; and once more at the end
of each cell, so that what a notebook saves is current.

Not every front end replaces what it shows. So a view is shown when its magic ends, or when that takes its
time: what stays for ever then is a picture of what came meanwhile. Where nobody follows, it is no more than
that picture, and takes nothing from the view before.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.batch import Batch
from ipyws.notebook.audience import Audience
from ipyws.notebook.publisher import Bundle, Handle, Publisher
from ipyws.view import html, text
from ipyws.view.card import Card
from ipyws.view.progress import Progress
from ipyws.view.stretch import Stretch
from ipyws.view.summary import card

Lane = tuple[Connection, Audience]

INTERVAL = 0.2
"""Seconds between two updates of a view."""

_LATE = 0.3
"""Seconds after which a view is shown although its magic goes on."""

_SOON = 0.03  # gives a burst of messages the time to be drawn together
_TERMINAL_ROWS = 20

_NEXT = {Audience.NOTEBOOK: "panel", Audience.CONSOLE: "log"}
"""The verb that shows more; where a picture is all there is, no magic may be within reach."""


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
        self.due = 0.0  # monotonic time before which it is not drawn again
        self._sent: Bundle = {}

    @property
    def lane(self) -> Lane:
        """Which views end where this one begins: those of the connection that are seen in the same way."""
        return self.client, self.audience

    @property
    def ended(self) -> bool:
        """Whether the conversation goes on in a later view."""
        return self.stretch.stop is not None

    @property
    def busy(self) -> bool:
        """Whether the cell is still at its steps."""
        return self.progress is not None and not self.progress.over

    def bundle(self) -> Bundle | None:
        """Return what the view shows now; None if that was shown already."""
        shown = self._card()
        drawn = self.stretch.rows(shown.total)
        live = self.audience is not Audience.STILL and not self.ended and self.client.closed is None
        steps = self.progress.lines() if self.progress else ()
        bundle = {
            "text/html": html.render(shown, drawn, live=live, ended=self.ended, steps=steps),
            "text/plain": text.render(shown, drawn, steps),
        }
        return None if bundle == self._sent else self._remember(bundle)

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

    def _remember(self, bundle: Bundle) -> Bundle:
        self._sent = bundle
        return bundle

    def _card(self) -> Card:
        verb = _NEXT.get(self.audience)
        shown = card(self.client, hint=f"%ws {verb} {self.client.name}" if verb else "")
        # A picture that is never replaced says nothing that will not stay true; nor does a view that goes on
        # in a later one: only that tells of the end.
        passing = (self.audience is Audience.STILL or self.ended) and shown.close is None
        return replace(shown, state="") if passing else shown


class Views:
    """All live views of a shell."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._newest: dict[Lane, View] = {}
        self._first: dict[Lane, View] = {}
        self._followed: set[Connection] = set()
        self._scheduled: set[Connection] = set()

    def open(self, client: Connection, start: int, progress: Progress | None = None) -> View:
        """Open a view below the running cell; the one before on that connection ends here.

        Args:
            client: The connection.
            start: The seq of the first message to show.
            progress: The steps of the cell, to be shown too.

        Returns:
            The view, to be given to `settle` when the magic ends.
        """
        view = View(client, start, progress, self._publisher.handle(), self._publisher.audience())
        if view.audience is not Audience.STILL:
            self._take_over(view)
        if not self._publisher.live:
            self.settle(view)
        elif view.audience is Audience.NOTEBOOK:
            self._show_late(view)
        return view

    def settle(self, view: View) -> None:
        """Show what a view has come to, now that its magic ends; called on the main thread."""
        with self._lock:
            if not view.shown:
                first = view.bundle() if self._publisher.live else view.headline()
                self._publisher.show(first or {}, view.handle)
                view.shown = True
                return
        if self._publisher.live:
            self._draw(view)

    def touch(self, client: Connection) -> None:
        """Have the views of a connection drawn soon; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            client.loop.call_soon_threadsafe(self._schedule, client)

    def flush(self) -> None:
        """Draw everything that is not drawn yet; called when a cell ends."""
        for lane in list(self._newest):
            self._draw_lane(lane)

    def close(self) -> None:
        """Draw a last time, and follow nothing any more."""
        self.flush()
        self._newest.clear()
        self._first.clear()
        self._followed.clear()

    def _take_over(self, view: View) -> None:
        before = self._newest.get(view.lane)
        if before is None:
            self._follow(view.client)
            self._first[view.lane] = view
        else:
            before.stretch.stop = view.stretch.start
            self._draw(before)
        self._newest[view.lane] = view

    def _show_late(self, view: View) -> None:
        def show() -> None:
            with self._lock:
                if not view.shown:
                    self._publisher.show_aside(view.bundle() or {}, view.handle)
                    view.shown = True

        with contextlib.suppress(RuntimeError):  # the loop is closed
            view.client.loop.call_soon_threadsafe(view.client.loop.call_later, _LATE, show)

    def _follow(self, client: Connection) -> None:
        if client in self._followed:
            return
        self._followed.add(client)

        def changed(_: Batch | None = None) -> None:
            if client not in self._scheduled:
                self.touch(client)

        client.log.listen(changed)
        client.watch(changed)

    def _schedule(self, client: Connection) -> None:
        """Have the connection's views drawn soon; called on its loop."""
        views = self._views(client)
        if not views or client in self._scheduled:
            return
        self._scheduled.add(client)
        delay = max(_SOON, max(view.due for view in views) - time.monotonic())
        client.loop.call_later(delay, self._tick, client)

    def _tick(self, client: Connection) -> None:
        self._scheduled.discard(client)
        for view in self._views(client):
            view.due = time.monotonic() + INTERVAL
            self._draw_lane(view.lane)

    def _views(self, client: Connection) -> list[View]:
        return [view for (its, _), view in list(self._newest.items()) if its is client]

    def _draw_lane(self, lane: Lane) -> None:
        newest = self._newest.get(lane)
        if newest is None:
            return
        ended = newest.client.closed is not None  # read first: what is drawn must not be older than this
        self._draw(newest)
        if ended and not newest.busy:
            # The card that opened the connection says how it ended too; the views between tell their part.
            first = self._first.pop(lane, newest)
            if first is not newest:
                self._draw(first)
            self._newest.pop(lane, None)  # the end of a cell and the loop may both come here
            if not self._views(newest.client):
                self._followed.discard(newest.client)

    def _draw(self, view: View) -> None:
        with self._lock:
            if not view.shown:  # it is about to be
                return
            name = view.client.name if len(self._newest) > 1 else ""
            bundle = view.bundle() if self._publisher.live else view.new_lines(name)
            if bundle:
                self._publisher.update(view.handle, bundle)
