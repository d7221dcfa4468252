"""Live views in cells: each shows its own stretch of a connection's conversation.

A stretch goes from where the view was opened to where the next view on that connection was. Views are drawn
beside the background loop, at most five times a second, whatever the rate of messages; and once more at the
end of each cell, so that what a notebook saves is current.

Not every front end replaces what it shows. So a view is shown when its magic ends, or when that takes its
time: what stays for ever then is a picture of what came meanwhile. Where nobody follows, it is no more than
that picture, and takes nothing from the view before.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from functools import partial

from ipyws.core.connection.connection import Connection
from ipyws.notebook.audience import Audience
from ipyws.notebook.cell_view import Lane, Piece, View
from ipyws.notebook.publisher import Publisher
from ipyws.runtime.aside import Worker
from ipyws.runtime.platform import PLATFORM
from ipyws.view.html import wire_size
from ipyws.view.progress import Progress

INTERVAL = 0.21
"""Seconds between two updates of a view."""

QUICK = 0.38
"""The same where more came since the last one than anybody reads in that time."""

STEADY = 0.5
"""The same once a stream has raced by for a while, all that is seen being replaced by each update."""

_RACED = 4  # updates that are such a while; each takes a kernel as much as it takes to receive ten messages

_FLOWS = 2  # messages from one update to the next: if more came, more will

_MANY = 8  # messages that are more than that

RATE = 36_000
"""Bytes a second of a view that goes on; with what is sent where cells end it stays below 50 000."""

_AROUND = 1000  # bytes of a message around what it shows

_LATE = 0.3
"""Seconds after which a view is shown although its magic goes on."""

_EARLY = 0.005  # seconds that a timer may be early

_SOON = 0.03  # gives a burst of messages the time to be drawn together


class Views:
    """All live views of a shell.

    Attributes:
        stable: Whether those that are opened leave out times and ports.
    """

    stable = False

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._worker = Worker("ipyws-view")
        self._newest: dict[Lane, View] = {}
        self._first: dict[Lane, View] = {}
        self._followed: set[Connection] = set()
        self._scheduled: set[Connection] = set()
        self._drawing: set[Connection] = set()

    def open(self, client: Connection, start: int, progress: Progress | None = None) -> View:
        """Open a view below the running cell; the one before on that connection ends here.

        A second magic of a cell goes on with the view of the first, so that a cell has one of a connection.

        Args:
            client: The connection.
            start: The seq of the first message to show.
            progress: The steps of the cell, to be shown too.

        Returns:
            The view, to be given to `settle` when the magic ends.
        """
        handle, audience = self._publisher.handle(), self._publisher.audience()
        shown = self._newest.get((client, audience))
        if progress is None and shown is not None and shown.is_of(handle):
            return shown
        view = View(client, start, progress, handle, audience)
        view.stable = self.stable
        view.opens = shown is None and start == 0
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
                if not self._publisher.live:
                    first = view.headline(self._publisher.screen)
                else:
                    first = view.publish()[0].bundle if view.draw(whole=True) else view.headline()
                self._publisher.show(first, view.handle)
                view.shown = True
                view.due = time.monotonic() + INTERVAL
                return
        if self._publisher.live:
            self._draw(view, whole=True)

    def touch(self, client: Connection) -> None:
        """Have the views of a connection drawn soon; from any thread."""
        if asyncio._get_running_loop() is client.loop:  # awake: waking it would cost two system calls
            self._schedule(client)
            return
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
        self._worker.stop()
        self._scheduled.clear()  # what was to be drawn later is not
        self._drawing.clear()

    def _take_over(self, view: View) -> None:
        before = self._newest.get(view.lane)
        if before is None:
            self._follow(view.client)
            self._first[view.lane] = view
        else:
            before.end(view.stretch.start, view.handle.cell)
            self._draw(before)
        self._newest[view.lane] = view

    def _show_late(self, view: View) -> None:
        def draw() -> None:
            self._worker.do(lambda: self._first_of(view)).add_done_callback(show)

        def show(drawing: asyncio.Future[bool]) -> None:
            with self._lock:
                if not view.shown and drawing.result():
                    self._publisher.show_aside(view.publish()[0].bundle, view.handle)
                    view.shown = True

        with contextlib.suppress(RuntimeError):  # the loop is closed
            view.client.loop.call_soon_threadsafe(view.client.loop.call_later, _LATE, draw)

    def _first_of(self, view: View) -> bool:
        with self._lock:
            return not view.shown and view.draw()

    def _follow(self, client: Connection) -> None:
        if client in self._followed:
            return
        self._followed.add(client)

        def changed(*_: object) -> None:
            if client not in self._scheduled:
                self.touch(client)

        client.log.listen(changed, changed)
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
        """Have the views of a connection drawn beside its loop: what they show may have to be unpacked."""
        if client in self._drawing or self._wait(self._views(client)) > _EARLY:
            self._scheduled.discard(client)
            self._schedule(client)
            return
        self._drawing.add(client)
        self._worker.tell(partial(self._redraw, client))

    def _wait(self, views: list[View]) -> float:
        """Return for how many seconds views have to be quiet yet."""
        return max((view.due for view in views), default=0.0) - time.monotonic()

    def _redraw(self, client: Connection) -> None:
        """Draw the views of a connection and show them; called on the thread of the worker.

        As long as much comes, that thread alone sees to the next update: none of the loop's turns is spent
        on them.
        """
        views = self._views(client)
        if (wait := self._wait(views)) > _EARLY:  # one was shown meanwhile
            self._worker.tell_later(wait, partial(self._redraw, client))
            return
        flows = PLATFORM.threads and any(view.came > _FLOWS for view in views)
        if not flows:
            self._scheduled.discard(client)  # first: what changes from here on asks for another drawing
        try:
            for view in views:
                self._renew(view)
        except Exception as error:
            self._report(client, error)
        finally:
            self._drawing.discard(client)
        if flows:
            self._worker.tell_later(max(self._wait(views), _SOON), partial(self._redraw, client))
        elif any(view.races for view in views):  # nothing more may come, and that was not all
            self.touch(client)

    def _renew(self, view: View) -> None:
        ended = view.client.closed is not None  # read first: what is drawn must not be older than this
        view.due = time.monotonic() + INTERVAL
        self._draw(view)
        if ended:
            self._finish(view)

    def _report(self, client: Connection, error: Exception) -> None:
        context = {"message": "a view could not be drawn", "exception": error}
        with contextlib.suppress(RuntimeError):  # the loop is closed
            client.loop.call_soon_threadsafe(client.loop.call_exception_handler, context)

    def _views(self, client: Connection) -> list[View]:
        return [view for (its, _), view in list(self._newest.items()) if its is client]

    def _draw_lane(self, lane: Lane) -> None:
        newest = self._newest.get(lane)
        if newest is None:
            return
        ended = newest.client.closed is not None
        self._draw(newest, whole=True)
        if ended:
            self._finish(newest)

    def _finish(self, newest: View) -> None:
        """Follow a connection no more that has ended and is drawn to its end."""
        lane = newest.lane
        if newest.busy or self._newest.get(lane) is not newest:
            return
        # The card that opened the connection says how it ended too; the views between tell their part.
        first = self._first.pop(lane, newest)
        if first is not newest:
            self._draw(first)
        self._newest.pop(lane, None)  # the end of a cell and the loop may both come here
        if not self._views(newest.client):
            self._followed.discard(newest.client)

    def _draw(self, view: View, *, whole: bool = False) -> None:
        with self._lock:
            if self._make(view, whole):
                self._update(view)

    def _make(self, view: View, whole: bool) -> bool:
        """Draw a view; return whether there is something to be shown. To a terminal it is printed at once."""
        if not view.shown:  # it is about to be
            return False
        if self._publisher.live:
            return view.draw(whole=whole)
        if lines := view.new_lines(self._name_of(view), self._publisher.screen):
            self._publisher.update(view.handle, lines)
        return False

    def _name_of(self, view: View) -> str:
        """Return what a terminal has in front of the view's lines."""
        return view.client.name if len(self._newest) > 1 else ""

    def _update(self, view: View) -> None:
        pause = STEADY if view.raced > _RACED else QUICK if view.came > _MANY else INTERVAL
        pieces = view.publish()
        for handle, bundle, new in pieces:
            if new:
                self._publisher.show_aside(bundle, handle)
            else:
                self._publisher.update(handle, bundle)
        view.due = max(view.due, time.monotonic() + _pause(pieces, pause))


def _pause(pieces: list[Piece], least: float) -> float:
    """Return for how many seconds a view has to be quiet after an update, to keep to its rates."""
    size = sum(_AROUND + sum(map(wire_size, piece.bundle.values())) for piece in pieces)
    return max(least, INTERVAL * len(pieces), size / RATE)
