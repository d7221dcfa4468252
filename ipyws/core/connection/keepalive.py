"""What a connection does on a timer: keep-alive pings, and the longest time without a message."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ipyws.core.constants import KEEP_ALIVE, CloseCode
from ipyws.core.options.durations import format_duration
from ipyws.errors import WaitTimeoutError, WebSocketError

if TYPE_CHECKING:
    from ipyws.core.connection.flow_control import Holding
    from ipyws.core.connection.pings import Ping
    from ipyws.core.options.table import ConnectOptions

# A timer that fires this much late tells of a loop that could not run: a suspended machine, or a call that
# kept the interpreter to itself. The pong may be waiting behind what could not be read meanwhile.
_LATE = 1.0


class Kept(Protocol):
    """A connection, as far as keeping it alive goes."""

    holding: Holding
    last_read: float

    @property
    def heard(self) -> float:
        """When something last came: monotonic seconds."""

    def send_ping(self, payload: bytes) -> Ping:
        """Send a ping without waiting."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of an error."""


def timers(client: Kept, options: ConnectOptions) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what a connection of these options does on a timer while it is open."""
    if options.ping_interval is not None:
        by_data = options.keepalive == "data"
        yield keep_alive(client, options.ping_interval, options.ping_timeout, by_data)
    if options.read_timeout is not None:
        yield watch_reads(client, options.read_timeout)


async def keep_alive(client: Kept, interval: float, timeout: float | None, by_data: bool) -> None:
    """Ping every ``interval`` seconds; close the connection when an answer takes longer than ``timeout``.

    Args:
        client: The connection.
        interval: Seconds between a pong and the next ping.
        timeout: Seconds, or None to wait for no answer.
        by_data: Whether anything that comes is an answer: there are servers that talk and send no pongs.
    """
    pause = interval
    for number in itertools.count(1):
        await asyncio.sleep(pause)
        pause = interval
        ping = client.send_ping(KEEP_ALIVE + b"%d" % number)
        start = time.monotonic()
        if timeout is None or await _answered(client, ping, timeout):
            continue
        if by_data and client.heard > start:
            pause = max(0.0, interval - (time.monotonic() - start))
        else:
            other = "" if by_data else ', keepalive="data" takes whatever comes for an answer'
            error = WaitTimeoutError(
                f"the server answered no keep-alive ping: {format_duration(timeout)} passed",
                hint="ping_timeout= sets how long an answer may take, ping_interval=None switches pings off"
                + other,
            )
            client.fail(CloseCode.INTERNAL_ERROR, "keep-alive ping timeout", error)
            return


async def _answered(client: Kept, ping: Ping, timeout: float) -> bool:
    while True:
        start = time.monotonic()
        done, _ = await asyncio.wait({ping.pong}, timeout=timeout)
        if done:
            return True
        late = time.monotonic() - start - timeout > _LATE
        if not late and not client.holding.since(start):
            await asyncio.sleep(0)  # a process that was suspended finds its timers due before it reads
            return ping.pong.done()
        await client.holding.reading()


async def watch_reads(client: Kept, timeout: float) -> None:
    """Close the connection when no data message came for ``timeout`` seconds; our own pauses don't count."""
    while True:
        quiet = time.monotonic() - client.last_read
        if quiet < timeout:
            await asyncio.sleep(timeout - quiet)
            await asyncio.sleep(0)  # as above
        elif client.holding.held:
            await client.holding.reading()
            client.last_read = time.monotonic()
        else:
            break
    error = WaitTimeoutError(
        f"no message came: {format_duration(timeout)} passed",
        hint="read_timeout= sets the longest time without a message",
    )
    client.fail(CloseCode.GOING_AWAY, "read timeout", error)
