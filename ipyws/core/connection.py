"""One connection: its state, its log, and what the transport tells of it.

It decides; a `Transport` carries. Everything that passes is appended to the log, and every reader (channels,
`recv`, views) reads the log with a place of its own. `AsyncClient` is what a user does with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

from ipyws.core.close import Close, describe
from ipyws.core.cursor import Cursor
from ipyws.core.keepalive import keep_alive, watch_reads
from ipyws.core.log import Log
from ipyws.core.message import Control, Direction
from ipyws.core.pings import Ping, Pings
from ipyws.core.stats import Stats
from ipyws.core.stream import Stream
from ipyws.core.waiting import Signal
from ipyws.errors import CanceledError, ClosedError, WebSocketError
from ipyws.secrets import ShownURL, remember_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ipyws.core.options import ConnectOptions
    from ipyws.core.transport import Dial, Handshake, Transport
    from ipyws.policy.url import URL

State = Literal["connecting", "open", "closing", "closed", "reconnecting"]


class Connection:
    """A WebSocket connection on the event loop that opened it.

    Attributes:
        name: The name it goes by.
        url: The URL it was opened with; its repr masks secrets.
        log: Everything that passed.
        response: How the server answered the handshake: status, headers, extensions, addresses.
        closed: How it ended, or None.
        held: True while a full channel keeps us from reading.
        opened_at: When it was opened, in seconds since the epoch, or None.
        cursor: The place in the log of `recv` and of expectations.
        ended: Set once it is closed.
        last_read: When the last data message came: monotonic seconds.
    """

    def __init__(self, url: URL, options: ConnectOptions, dial: Dial) -> None:
        self.name = options.name or f"{url.host}:{url.port}"
        self.url = ShownURL(str(url))
        remember_parameters(self.url)
        self.log = Log(options.log_messages, options.log_bytes)
        self.response: Handshake | None = None
        self.closed: Close | None = None
        self.held = False
        self.opened_at: float | None = None
        self.last_read = time.monotonic()
        self.ended = Signal()
        self.cursor = Cursor(self.log)
        self._url = url
        self._options = options
        self._dial = dial
        self._state: State = "connecting"
        self._streams: dict[bool, Stream] = {}
        self._pings = Pings()
        self._tasks: list[asyncio.Task[None]] = []
        self._cause: WebSocketError | None = None
        self._watchers: tuple[Callable[[], object], ...] = ()
        self._opened_at = self._ended_at = 0.0
        self._held_until = 0.0

    # -- opening ---------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Dial; called once, by `ipyws.connect_async`."""
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._reading = asyncio.Event()
        self._reading.set()
        self._opener = asyncio.current_task()
        try:
            transport = await self._dial(self._url, self._options, self)
        except BaseException as error:
            self._opener = None
            canceled = isinstance(error, asyncio.CancelledError) and self._cause is not None
            reason = self._cause if canceled else error
            self._finish(Close(1006, error=reason if isinstance(reason, WebSocketError) else None))
            if canceled and self._cause is not None:
                raise self._cause from None
            raise
        self._opener = None
        self._transport: Transport = transport
        self.response = transport.handshake
        self._opened_at = self.last_read = time.monotonic()
        self.opened_at = time.time()
        if self.closed is None:
            self._state = "open"
            self._start_timers()
            self._update_reading()
        return self

    def _start_timers(self) -> None:
        options = self._options
        if options.ping_interval is not None:
            self._start(keep_alive(self, options.ping_interval, options.ping_timeout))
        if options.read_timeout is not None:
            self._start(watch_reads(self, options.read_timeout))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self.loop.create_task(coroutine))

    # -- what can be seen ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""
        return self._state

    @property
    def insecure(self) -> bool:
        """Whether the server's certificate was not checked."""
        return self._options.insecure and self._url.secure

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.response.subprotocol if self.response else None

    @property
    def stats(self) -> Stats:
        """Counters and times up to now."""
        end = self._ended_at or time.monotonic()
        return Stats(
            received=self.log.received,
            sent=self.log.sent,
            bytes_received=self.log.bytes_received,
            bytes_sent=self.log.bytes_sent,
            kept=len(self.log),
            evicted=self.log.evicted,
            missed=self.cursor.missed,
            connecting=self.response.elapsed if self.response else 0.0,
            duration=max(0.0, end - self._opened_at) if self._opened_at else 0.0,
            rtt=self._pings.rtts[-1] if self._pings.rtts else None,
            rtts=tuple(self._pings.rtts),
        )

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` on the connection's loop whenever its state changes; return what ends it."""
        self._watchers = (*self._watchers, watcher)

        def stop() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return stop

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    # -- ending --------------------------------------------------------------------------------------

    def _start_close(self, code: int, reason: str) -> None:
        self._state = "closing"
        for stream in self._streams.values():
            stream.stop_holding(self._options.log_messages)
        self._update_reading()
        self._transport.close(code, reason)
        self._changed()

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of ``error``; for the timers of `keepalive`."""
        if self._state == "open":
            self._cause = error
            self._start_close(code, reason)

    def abort(self) -> None:
        """Drop the TCP connection at once, without a closing handshake."""
        if self._state in ("open", "closing"):
            self._transport.abort()

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error for a receive once the connection is closed, else None."""
        return None if self.closed is None else self._closed_error(waited)

    def check_open(self, waited: bool = False) -> None:
        """Raise what a send or a ping raises once the connection is not open."""
        if self._state != "open":
            raise self._closed_error(waited)

    def _closed_error(self, waited: bool) -> WebSocketError:
        close = self.closed
        ours = close is None or (close.initiator == "us" and close.error is None)
        kind: type[WebSocketError] = CanceledError if waited and ours else ClosedError
        details = {"code": close.code, "reason": close.reason, "initiator": close.initiator} if close else {}
        return kind(f"connection {self.name!r} is {describe(close, self._state)}", details=details)

    def send_ping(self, payload: bytes) -> Ping:
        """Send a ping without waiting; for the timers of `keepalive`."""
        ping = self._pings.sent(payload)
        self._transport.ping(payload)
        self._log_control("ping", "out", Control(payload))
        return ping

    # -- backpressure ------------------------------------------------------------------------------

    def held_since(self, moment: float) -> bool:
        """Tell whether a full channel kept us from reading at some time since ``moment`` (monotonic)."""
        return self.held or self._held_until > moment

    async def reading(self) -> None:
        """Wait until nothing keeps us from reading."""
        await self._reading.wait()

    def _reading_changed(self) -> None:
        if threading.get_ident() == self._thread:
            self._update_reading()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the connection with it
                self.loop.call_soon_threadsafe(self._update_reading)

    def _update_reading(self) -> None:
        held = self._state == "open" and any(stream.full for stream in self._streams.values())
        if held == self.held:
            return
        self.held = held
        if held:
            self._reading.clear()
            self._transport.pause()
        else:
            self._held_until = self.last_read = time.monotonic()
            self._reading.set()
            self._transport.resume()
        self._changed()

    # -- what the transport tells --------------------------------------------------------------------

    def on_data(self, payloads: list[Any], size: int) -> None:
        """Append what came; see `Sink`."""
        self.last_read = time.monotonic()
        self.log.append("in", payloads, size)

    def on_control(self, kind: Any, direction: Direction, control: Control) -> None:
        """Append a control frame, a pong with its round trip; see `Sink`."""
        if kind == "pong" and direction == "in":
            control = control._replace(rtt=self._pings.answered(control.data))
        elif kind == "close" and self._state == "open":
            self._state = "closing"
            self._update_reading()  # or a full channel would keep us from seeing the end
        self._log_control(kind, direction, control)

    def on_lost(self, close: Close) -> None:
        """Note how it ended; see `Sink`."""
        self._finish(replace(close, error=self._cause) if self._cause else close)

    def _log_control(self, kind: Any, direction: Direction, control: Control) -> None:
        self.log.append(direction, [control], len(control.data), type=kind)

    def _finish(self, close: Close) -> None:
        if self.closed is not None:  # a dial that was given up may hear of its end once more
            return
        if close.initiator == "none" and self.response is not None:
            self._log_control("close", "in", Control(b"", code=close.code, reason=close.reason))
        self.closed = close
        self._state = "closed"
        self._ended_at = time.monotonic()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._pings.give_up(self._closed_error(waited=True))
        for stream in self._streams.values():
            stream.close()
        self.log.account.close()
        self.cursor.wake()
        self.ended.set()
        self._changed()

    def __repr__(self) -> str:
        held = ", reading paused: channel full" if self.held else ""
        return (
            f"<{type(self).__name__} {self.name!r} {self.url!r} {describe(self.closed, self._state)}{held}, "
            f"↓ {self.log.received:,} ↑ {self.log.sent:,}>"
        )
