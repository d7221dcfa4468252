"""What keeps a panel current: it runs on the background loop, however busy the kernel's main thread is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import chain, pairwise
from typing import Any, Final

from ipyws.bridge.registry import REGISTRY
from ipyws.core.connection import Connection
from ipyws.widget import lines
from ipyws.widget.feed import INTERVAL, Feed
from ipyws.widget.sieve import Sieve, read_sieve

CARDS: Final = 0.25
"""Seconds between two states of the header."""

SIGN_OF_LIFE: Final = 1.0
"""Seconds after which the header is sent though nothing happened: without it a dead kernel looks alive."""

ALL: Final = "*"
_SPARK: Final = 60

Send = Callable[[dict[str, Any]], None]


class Rates:
    """How many messages a connection received in each of the last seconds."""

    def __init__(self) -> None:
        self._samples: dict[Connection, deque[tuple[float, int]]] = {}

    def sample(self, client: Connection) -> list[float]:
        """Return messages a second over the last minute, the oldest first."""
        now, received = time.monotonic(), client.log.received
        samples = self._samples.setdefault(client, deque([(now, received)], maxlen=_SPARK + 1))
        if now - samples[-1][0] >= 1:
            samples.append((now, received))
        points = list(samples)
        return [
            round((count - before) / (moment - earlier), 1)
            for (earlier, before), (moment, count) in pairwise(points)
        ]


class Live:
    """The conversation of one panel with its front end; everything here runs on the background loop.

    Args:
        send: Sends a message to the front end; may be called from any thread.
        about: Gives what the front end is told once: options, saved connections, a broken policy.
    """

    def __init__(self, send: Send, about: Callable[[], dict[str, Any]]) -> None:
        self._send = send
        self._about = about
        self._shown: str | None = None
        self._feed = Feed(self.shown)
        self._news = asyncio.Event()
        self._rates = Rates()
        self._followed: dict[Connection, tuple[Callable[[], None], ...]] = {}
        self._card_at = 0.0
        self._cards: list[dict[str, Any]] = []
        self._asked = False  # whether there is a front end at all
        self._anew = False
        self._fed: list[Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send what is new until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SIGN_OF_LIFE):
                        await self._news.wait()
                self._news.clear()
                await self._tick()
                await asyncio.sleep(INTERVAL)
        finally:
            for stop in chain.from_iterable(self._followed.values()):
                stop()

    # -- requests of the front end ------------------------------------------------------------------

    def hello(self, *, anew: bool = False) -> None:
        """Send the state and the newest rows.

        Args:
            anew: The front end is new, and its filter empty; otherwise it has missed a batch.
        """
        if anew:
            self._feed.filter(Sieve())
        self._card_at = 0.0
        self._send_cards(self._about())
        self._begin_anew()

    def acknowledge(self, batch: int) -> None:
        """Note what the front end has drawn; then more may come."""
        self._feed.acknowledge(batch)
        self._news.set()

    def filter(self, request: Mapping[str, Any]) -> None:
        """Show other messages.

        Raises:
            InvalidError: What they must hold is not a regular expression.
        """
        self._feed.filter(read_sieve(request))
        self._begin_anew()

    def choose(self, name: str | None) -> None:
        """Show a connection, all of them, or, with None, the one that the magics use."""
        self._shown = name

    def show(self, name: str) -> None:
        """Show a connection, or all of them, and begin anew."""
        self.choose(name)
        self.hello()

    def fetch(self, number: int) -> None:
        """Send the whole payload of a row."""
        message = self._feed.message(number)
        gone = {"type": "payload", "i": number, "gone": True}
        self._send(gone if message is None else {"type": "payload", **lines.payload(number, message)})

    def shown(self) -> dict[str, Connection]:
        """Return the connections whose messages are shown, by name."""
        known = {name: client.async_client for name, client in REGISTRY.all().items()}
        if self._shown == ALL:
            return dict(known)
        current = REGISTRY.current()
        name = self._shown if self._shown in known else current and current.name
        return {name: known[name]} if name in known else {}

    # -- sending ---------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        self._follow()
        self._send_cards()
        shown = list(self.shown().values())
        if not self._asked:
            return
        if self._anew or shown != self._fed:
            self._anew, self._fed = False, shown
            self._send(await self._feed.begin())
        elif (batch := await self._feed.next()) is not None:
            self._send(batch)

    def _begin_anew(self) -> None:
        self._asked = self._anew = True
        self._news.set()

    def _follow(self) -> None:
        for client in [client.async_client for client in REGISTRY.all().values()]:
            if client not in self._followed:
                listening = client.log.listen(lambda _: self._wake())
                self._followed[client] = (listening, client.watch(self._wake))
                self._card_at = 0.0

    def _wake(self) -> None:
        """Have the next turn come; called on whichever thread a connection lives on."""
        if self._loop is not None and not self._news.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._news.set)

    def _send_cards(self, about: Mapping[str, Any] | None = None) -> None:
        now = time.monotonic()
        since = now - self._card_at
        if since < CARDS:
            # What changed last would else stay unsaid until the next sign of life.
            asyncio.get_running_loop().call_later(CARDS - since, self._news.set)
            return
        known = REGISTRY.all()
        cards = [lines.card(c.async_client, self._rates.sample(c.async_client)) for c in known.values()]
        if cards == self._cards and since < SIGN_OF_LIFE:
            return
        self._card_at, self._cards = now, cards
        shown = ALL if self._shown == ALL else next(iter(self.shown()), "")
        self._send({"type": "card", "cards": cards, "shown": shown, **(about or {})})
