"""What a conversation does on a timer: heartbeats, and the longest silence of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol

from ipyws.core.constants import CloseCode
from ipyws.core.dialects.outbox import Outbox
from ipyws.core.dialects.stage import Stage
from ipyws.core.options.durations import format_duration
from ipyws.errors import WaitTimeoutError, WebSocketError


class Pauses(Protocol):
    """When a full channel keeps us from reading."""

    @property
    def held(self) -> bool:
        """Whether it does now."""

    async def reading(self) -> None:
        """Wait until it does not."""


class Heard(Protocol):
    """A connection, as far as its silence goes."""

    @property
    def last_read(self) -> float:
        """When the last data message came: monotonic seconds."""

    @property
    def pauses(self) -> Pauses:
        """Its backpressure."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of an error."""


def timers(stage: Stage, outbox: Outbox, line: Heard) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what goes on while a conversation is open."""
    yield beat(stage, outbox)
    yield watch_silence(stage, line)


async def beat(stage: Stage, outbox: Outbox) -> None:
    """Send heartbeats, as often as the session says."""
    session = stage.session
    while session is not None and session.beat_every is not None:
        await asyncio.sleep(session.beat_every)
        await stage.free()
        if outbox.empty:  # what waits for the server to read shows as well that we live
            outbox.post(session.beat())


async def watch_silence(stage: Stage, line: Heard) -> None:
    """Close the connection when the server is silent for longer than it may; our pauses don't count."""
    session, since = stage.session, time.monotonic()
    while session is not None and (longest := session.silence) is not None:
        quiet = time.monotonic() - max(since, line.last_read)
        if quiet < longest:
            await asyncio.sleep(longest - quiet)
            await asyncio.sleep(0)  # a process that was suspended finds its timers due before it reads
        elif line.pauses.held:
            await line.pauses.reading()
            since = time.monotonic()
        else:
            error = WaitTimeoutError(
                f"the server sent no heartbeat: {format_duration(longest)} passed",
                hint="it may be gone, or what is between",
            )
            line.fail(CloseCode.GOING_AWAY, "heartbeat timeout", error)
            return
