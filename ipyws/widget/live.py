"""What keeps a panel current: it runs on the background loop, however busy the kernel's main thread is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.message import Message
from ipyws.runtime.aside import aside
from ipyws.runtime.registry import REGISTRY
from ipyws.text.numbers import is_whole
from ipyws.view.summary import card
from ipyws.widget import lines, protocol
from ipyws.widget.chart.panes import Panes
from ipyws.widget.earlier import Earlier
from ipyws.widget.feed import INTERVAL
from ipyws.widget.rates import Rates
from ipyws.widget.rights import ALL, Rights
from ipyws.widget.seats import Seat, Seats, identity, read_place
from ipyws.widget.sieve import Sieve, read_sieve

CARDS: Final = 0.25
"""Seconds between two states of the header."""

SIGN_OF_LIFE: Final = 1.0
"""Seconds after which the header is sent though nothing happened: without it a dead kernel looks alive."""

_SELECTED: Final = 1000
"""Rows of a request that are looked at."""

_LOADS: Final = 10
"""Gaps that a front end may want to be loaded in one turn."""

Send = Callable[[protocol.ToFront], None]
Request = Mapping[str, Any]

_NOBODY: Final[Request] = {}


class Live:
    """The conversation of one panel with its front ends; everything here runs on the background loop.

    Args:
        send: Sends a message to the front ends; may be called from any thread.
        about: Gives what a front end is told once: options, saved connections, a broken policy.
        rights: What the front ends may do.
        busy: Tells whether the kernel runs a cell.
        names: What the names of an expression mean; None where front ends may not run code.

    Attributes:
        greeted: Called when a front end says hello.
        charts: What is drawn for front ends.
    """

    def __init__(
        self,
        send: Send,
        about: Callable[[], protocol.About],
        rights: Rights = Rights(),  # noqa: B008 - it never changes
        busy: Callable[[], bool] = lambda: False,
        names: Mapping[str, Any] | None = None,
    ) -> None:
        self._send = send
        self._about = about
        self._rights = rights
        self.greeted: Callable[[], None] = lambda: None
        self._chosen: str | None = rights.only
        self._earlier = Earlier()
        self._seats = Seats(lambda seat: self._earlier.before(self._shown(seat.shown)), busy, names)
        self.charts = Panes(send, names)
        self._news = asyncio.Event()
        self._rates = Rates()
        self._followed: dict[Connection, tuple[Callable[[], None], ...]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send what is new until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SIGN_OF_LIFE if len(self._seats) else None):
                        await self._news.wait()
                self._news.clear()
                await self._tick()
                await asyncio.sleep(INTERVAL)
        finally:
            self._follow(())
            self.charts.follow({})

    @property
    def is_watched(self) -> bool:
        """Whether there is a front end."""
        return len(self._seats) > 0

    # -- requests of a front end -----------------------------------------------------------------------

    def hello(self, request: Request = _NOBODY, *, again: bool = False) -> None:
        """Send the state and the newest rows.

        Args:
            request: Of the front end; it may bring a filter, and the connection that was chosen there.
            again: The front end is new, and its filter empty; otherwise it has missed something.

        Raises:
            InvalidError: Its filter is not a regular expression.
        """
        self.greeted()
        is_new = self._seats.known(request) is None
        seat = self._seats.take(request, self._chosen)
        if isinstance(request.get("shown"), str) and self._rights.only is None:
            seat.shown = request["shown"]
        self._begin_again(seat)
        self.charts.greet(seat.id)
        seat.told = (0.0, None)
        self._send_cards([seat], self._about())
        if isinstance(request.get("filter"), Mapping):
            seat.feed.filter(read_sieve(request["filter"]))
        elif is_new or again:
            seat.feed.filter(Sieve())

    def here(self, request: Request) -> None:
        """Note that a front end is still there; one that was forgotten is asked who it is."""
        if self._seats.hear(request) is None:
            self._send({"type": "who", "view": identity(request)})

    def bye(self, request: Request) -> None:
        """Forget a front end."""
        self._seats.leave(request)
        self._news.set()

    def acknowledge(self, request: Request, batch: int) -> None:
        """Note what a front end has drawn; then more may come."""
        self.here(request)
        if (seat := self._seats.known(request)) is not None:
            seat.feed.acknowledge(batch)
            self._news.set()

    def filter(self, request: Request) -> None:
        """Show other messages.

        Raises:
            InvalidError: What they must hold is not a regular expression.
        """
        seat = self._seats.take(request, self._chosen)
        seat.feed.filter(read_sieve(request))
        self._begin_again(seat, read_place(request.get("place")))

    def choose(self, name: str | None) -> None:
        """Show a connection to front ends yet to come, all of them, or, with None, the current one."""
        self._chosen = name

    def show(self, request: Request, name: str) -> None:
        """Show a connection to a front end, or all of them, and begin again.

        Raises:
            PermissionDeniedError: It is not one that this panel shows.
        """
        self._rights.check_shown(name)
        self.choose(name)
        self._seats.take(request, name).shown = name
        self.hello({"view": identity(request)})

    def fetch(self, request: Request, number: int) -> None:
        """Send the whole payload of a row."""
        seat = self._seats.hear(request)
        message = seat.feed.message(number) if seat is not None else None
        unfolding = aside(partial(lines.payload, message))

        def send(done: asyncio.Future[protocol.Content]) -> None:
            self._send({**done.result(), "type": "payload", "view": identity(request), "row": number})

        unfolding.add_done_callback(send)

    def load(self, request: Request, number: int) -> None:
        """Send rows that a gap stands for, with the next turn."""
        seat = self._seats.hear(request)
        if seat is not None and len(seat.loads) < _LOADS:
            seat.loads.append(number)
            self._news.set()

    def selected(self, request: Request, client: Connection) -> list[Message] | None:
        """Return the messages of the rows that a request names, from any thread; None if it names none."""
        seat, rows = self._seats.known(request), request.get("rows")
        if seat is None or not isinstance(rows, list):
            return None
        return seat.feed.messages([number for number in rows[-_SELECTED:] if is_whole(number)], client)

    def shown(self, request: Request | None = None) -> dict[str, Connection]:
        """Return the connections whose messages a front end is shown, by name; from any thread.

        Args:
            request: One that it makes; for None, those that a new one would be shown.
        """
        seat = self._seats.known(request) if request is not None else None
        return self._shown(seat.shown if seat is not None else self._chosen)

    # -- sending ---------------------------------------------------------------------------------------

    def _known(self) -> dict[str, Connection]:
        """Return the connections that may be shown, by name."""
        known: dict[str, Connection] = {name: c.connection for name, c in REGISTRY.all().items()}
        only = self._rights.only
        return known if only is None else {name: known[name] for name in known if name == only}

    def _shown(self, chosen: str | None) -> dict[str, Connection]:
        known = self._known()
        if chosen == ALL:
            return known
        current = REGISTRY.current()
        name = chosen if chosen in known else current and current.name
        return {name: known[name]} if name in known else {}

    async def _tick(self) -> None:
        self._seats.forget_silent()
        seats = self._seats.all()
        known = self._known() if seats else {}
        self._earlier.note(known)
        self._follow(known.values())
        self.charts.follow({seat.id: self._shown(seat.shown) for seat in seats})
        if seats:
            self._send_cards(seats)
        await asyncio.gather(*map(self._feed, seats))

    async def _feed(self, seat: Seat) -> None:
        now = self._shown(seat.shown)
        fed = self._earlier.before(now)
        shown = list(fed.values())
        if seat.begins or shown != seat.fed:
            seat.begins, seat.fed = False, shown
            seat.feed.earlier = fed.keys() - now.keys()
            batch: protocol.Batch | None = await seat.feed.begin(seat.place)
            seat.place = None
        else:
            batch = await seat.feed.next()
        if batch is not None:
            self._send({**batch, "type": "rows", "view": seat.id})
        loads, seat.loads = seat.loads, []
        for number in loads:
            rows = await seat.feed.load(number)
            self._send({"type": "loaded", "view": seat.id, "row": number, "rows": rows})

    def _begin_again(self, seat: Seat, place: tuple[str, int] | None = None) -> None:
        seat.begins = True
        seat.place = place
        self._news.set()

    def _follow(self, clients: Iterable[Connection]) -> None:
        """Be woken by some connections, and keep no other."""
        wanted = set(clients)
        for client in self._followed.keys() - wanted:
            for stop in self._followed.pop(client):
                stop()
        for client in wanted - self._followed.keys():
            self._followed[client] = (client.log.listen(self._wake, self._wake), client.watch(self._wake))
        self._rates.keep(wanted)

    def _wake(self, *_: object) -> None:
        """Have the next turn come; called on whichever thread a connection lives on."""
        if self._loop is not None and not self._news.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._news.set)

    def _send_cards(self, seats: list[Seat], about: protocol.About | None = None) -> None:
        now = time.monotonic()
        due = [seat for seat in seats if now - seat.told[0] >= CARDS]
        if len(due) < len(seats):
            # What changed last would else stay unsaid until the next sign of life.
            asyncio.get_running_loop().call_later(CARDS, self._news.set)
        if not due:
            return
        known = self._known().values()
        rates = [self._rates.sample(client) for client in known]
        shown_cards = list(map(card, known))
        cards = list(map(lines.card, shown_cards, rates))
        together = lines.all_together(shown_cards, rates)
        for seat in due:
            shown = ALL if seat.shown == ALL else next(iter(self._shown(seat.shown)), "")
            state = (cards, shown)
            if state == seat.told[1] and now - seat.told[0] < SIGN_OF_LIFE:
                continue
            seat.told = (now, state)
            message: protocol.State = {
                "type": "card",
                "view": seat.id,
                "cards": cards,
                "all": together,
                "shown": shown,
            }
            self._send({**message, **about} if about is not None else message)
