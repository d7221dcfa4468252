"""Pings on their way: matching pongs to them, and giving up on them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from ipyws.errors import WebSocketError

_KEPT = 1000


@dataclass(slots=True)
class Ping:
    """A ping that waits for its pong."""

    payload: bytes
    pong: asyncio.Future[float]
    sent: float = field(default_factory=time.perf_counter)


class Pings:
    """The pings of a connection that are not answered yet, and the round trips of those that were."""

    def __init__(self) -> None:
        # Lists, because a deque takes 600 bytes; both are short, but for a server that answers no ping.
        self._waiting: list[Ping] = []
        self.rtts: list[float] = []

    def sent(self, payload: bytes) -> Ping:
        """Note a ping that is about to be written."""
        ping = Ping(payload, asyncio.get_running_loop().create_future())
        self._waiting.append(ping)
        if len(self._waiting) > _KEPT:  # a server that answers none, and nobody who minds
            self._waiting.pop(0).pong.cancel()
        return ping

    def answered(self, payload: bytes) -> float | None:
        """Note a pong; return the round trip in seconds, or None if it answers no ping of ours.

        A pong answers the ping of its payload and all earlier ones (RFC 6455 section 5.5.3).
        """
        if all(ping.payload != payload for ping in self._waiting):
            return None
        now = time.perf_counter()
        while True:
            ping = self._waiting.pop(0)
            rtt = now - ping.sent
            if not ping.pong.done():
                ping.pong.set_result(rtt)
            if ping.payload == payload:
                self.rtts.append(rtt)
                del self.rtts[:-_KEPT]
                return rtt

    def give_up(self, error: WebSocketError) -> None:
        """Tell everybody who waits for a pong that none will come."""
        while self._waiting:
            ping = self._waiting.pop(0)
            if not ping.pong.done():
                ping.pong.set_exception(error)
                ping.pong.exception()  # nobody has to be waiting for it
