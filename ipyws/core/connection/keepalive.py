"""Pings, and what a connection does on a timer: keep-alive, and the longest time without a message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from ipyws.core.connection.needs import Flowing, Logged
from ipyws.core.connection.pings import Ping, Pings
from ipyws.core.constants import KEEP_ALIVE, CloseCode
from ipyws.core.messages.message import Control
from ipyws.core.messages.payload import encode_ping
from ipyws.core.options.durations import Duration, format_duration
from ipyws.errors import InvalidError, WaitTimeoutError, WebSocketError
from ipyws.runtime.deadline import Deadline

if TYPE_CHECKING:
    from ipyws.core.connection.sending import Sending
    from ipyws.core.options.table import ConnectOptions

# A timer that fires this much late tells of a loop that could not run: a suspended machine, or a call that
# kept the interpreter to itself. The pong may be waiting behind what could not be read meanwhile.
_LATE: Final = 1.0
_PING_TIMEOUT: Final = "20s"


class Kept(Logged, Flowing, Protocol):
    """A connection, as far as keeping it alive goes."""

    loop: asyncio.AbstractEventLoop
    last_read: float

    @property
    def sending(self) -> Sending:
        """What carries a ping."""

    @property
    def ending(self) -> Ends:
        """What closes it."""

    def check_open(self, waited: bool = False) -> None:
        """Raise what a ping raises once it is not open."""


class Ends(Protocol):
    """Closes a connection."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close it because of an error."""


class KeepAlive:
    """The pings of one connection, and its timers while it is open.

    Args:
        connection: The connection.
        options: Its options.
    """

    def __init__(self, connection: Kept, options: ConnectOptions) -> None:
        self._pings: Pings | None = None
        self._connection = connection
        self._options = options
        self._number = 0  # of keep-alive pings since it was opened
        # Between two pings there is nothing but a timer: a task that sleeps takes 1.3 kB.
        self._timer: asyncio.TimerHandle | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def pings(self) -> Pings:
        """The pings on their way, and the round trips of those that were answered."""
        if self._pings is None:
            self._pings = Pings()
        return self._pings

    @property
    def rtts(self) -> Sequence[float]:
        """The round trips of pings that were answered, in seconds, the last 1000."""
        return () if self._pings is None else self._pings.rtts

    def start(self) -> None:
        """Start the timers: the connection is open."""
        connection, options = self._connection, self._options
        self._number = 0
        if options.ping_interval is not None and connection.sending.transport.pings:
            self._rest(options.ping_interval)
        if options.read_timeout is not None:
            self._watching = connection.loop.create_task(self._watch_reads(options.read_timeout))

    def stop(self, error: WebSocketError) -> None:
        """End the timers, and tell who waits for a pong that none will come, because of ``error``."""
        for running in (self._timer, self._pinging, self._watching):
            if running is not None:
                running.cancel()
        self._timer = self._pinging = self._watching = None
        if self._pings is not None:
            self._pings.give_up(error)

    def send_ping(self, payload: bytes) -> Ping:
        """Send a ping without waiting; on the connection's loop."""
        sending = self._connection.sending
        if not sending.transport.pings:
            raise InvalidError("a browser sends no pings", hint="send a message that the server answers")
        ping = self.pings.sent(payload)
        sending.outbox.flush()
        sending.transport.ping(payload)
        self._connection.note("ping", "out", Control(payload))
        return ping

    async def ping(self, data: bytes | str = b"", timeout: Duration | None = None) -> float:
        """Send a ping and wait for its pong; see `AsyncClient.ping`."""
        payload = encode_ping(data)
        deadline = Deadline(self._patience() if timeout is None else timeout)
        self._connection.check_open()
        ping = self.send_ping(payload)
        done, _ = await asyncio.wait({ping.pong}, timeout=deadline.remaining())
        if not done:
            raise deadline.error("no pong came")
        return ping.pong.result()

    def _patience(self) -> Duration:
        timeout = self._options.ping_timeout
        return _PING_TIMEOUT if timeout is None else timedelta(seconds=timeout)

    def _rest(self, seconds: float) -> None:
        self._timer = self._connection.loop.call_later(seconds, self._begin_ping)

    def _begin_ping(self) -> None:
        interval = self._options.ping_interval
        assert interval is not None
        self._pinging = self._connection.loop.create_task(self._keep_alive(interval))

    async def _keep_alive(self, interval: float) -> None:
        """Ping once; close the connection where an answer takes too long, else ping again.

        Args:
            interval: Seconds between a pong and the next ping.
        """
        timeout = self._options.ping_timeout
        # Anything that comes may be an answer: there are servers that talk and send no pongs.
        by_data = self._options.keepalive == "data"
        self._number += 1
        ping = self.send_ping(KEEP_ALIVE + b"%d" % self._number)
        start = time.monotonic()
        if timeout is None or await self._answered(ping, timeout):
            self._rest(interval)
        elif by_data and self._connection.sending.transport.heard > start:
            self._rest(max(0.0, interval - (time.monotonic() - start)))
        else:
            self._give_up(timeout, by_data)

    async def _answered(self, ping: Ping, timeout: float) -> bool:
        flow = self._connection.flow
        while True:
            start = time.monotonic()
            done, _ = await asyncio.wait({ping.pong}, timeout=timeout)
            if done:
                return True
            late = time.monotonic() - start - timeout > _LATE
            if not late and not flow.since(start):
                await asyncio.sleep(0)  # a process that was suspended finds its timers due before it reads
                return ping.pong.done()
            await flow.reading()

    def _give_up(self, timeout: float, by_data: bool) -> None:
        other = "" if by_data else ', keepalive="data" takes whatever comes for an answer'
        error = WaitTimeoutError(
            f"the server answered no keep-alive ping: {format_duration(timeout)} passed",
            hint="ping_timeout= sets how long an answer may take, ping_interval=None switches pings off"
            + other,
        )
        self._connection.ending.fail(CloseCode.INTERNAL_ERROR, "keep-alive ping timeout", error)

    async def _watch_reads(self, timeout: float) -> None:
        """Close the connection when no data came for ``timeout`` seconds; our own pauses don't count."""
        connection = self._connection
        while True:
            quiet = time.monotonic() - connection.last_read
            if quiet < timeout:
                await asyncio.sleep(timeout - quiet)
                await asyncio.sleep(0)  # as above
            elif connection.flow.held:
                await connection.flow.reading()
                connection.last_read = time.monotonic()
            else:
                break
        error = WaitTimeoutError(
            f"no message came: {format_duration(timeout)} passed",
            hint="read_timeout= sets the longest time without a message",
        )
        connection.ending.fail(CloseCode.GOING_AWAY, "read timeout", error)
