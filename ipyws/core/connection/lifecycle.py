"""How a connection opens, is lost, is opened anew and ends; and what its transport tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.channels.loops import Loops
from ipyws.core.connection.closing import Close
from ipyws.core.connection.connection import Connection
from ipyws.core.connection.flow_control import Holding
from ipyws.core.connection.keepalive import timers
from ipyws.core.connection.outbox import Framed, Outbox
from ipyws.core.connection.pings import Ping
from ipyws.core.connection.reconnect import Retry, comes_back, opened_words
from ipyws.core.connection.recovery import dial_first, recover
from ipyws.core.connection.state import Event
from ipyws.core.messages.message import Control, Direction
from ipyws.errors import WebSocketError
from ipyws.text.masking import ShownText
from ipyws.text.references import note_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipyws.capture.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.connection.transport import Dial, Transport
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL


class Lifecycle(Connection):
    """A connection as it is driven: by its user through `AsyncClient`, and by its transport.

    Attributes:
        outbox: What is on its way to the transport.
        failures: How many attempts to open it anew failed in a row, the one under way included.
    """

    def __init__(
        self, url: URL, options: ConnectOptions, dial: Dial, log: RecordedLog, new_journal: type[Journal]
    ) -> None:
        super().__init__(url, options, log)
        self.failures = 0
        self.outbox = Outbox(self._write)
        self.holding = Holding(self.streams, lambda: self.state == "open", self._hold)
        self.loops = Loops(self.log, options.log_messages, self.holding, lambda: self.closed is not None)
        self._dial = dial
        self._new_journal = new_journal
        self._tasks: list[asyncio.Task[None]] = []
        self._cause: WebSocketError | None = None
        self._opener: asyncio.Task[Any] | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._dialling = self._ending = False
        self._early: list[Callable[[], None]] = []  # what the transport told before the dial was over

    # -- opening ---------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Dial; called once, by `ipyws.connect_async`."""
        self.loop = asyncio.get_running_loop()
        self.holding.begin()
        self.outbox.begin()
        self._opener = asyncio.current_task()
        try:
            self._prepare_journal()
            policy = self._options.reconnect
            await (dial_first(self, policy) if policy and policy.first_dial else self.dial())
        except BaseException as error:
            self._opener = None
            canceled = isinstance(error, asyncio.CancelledError) and self._cause is not None
            reason = self._cause if canceled else error
            self.finish(Close(1006, error=reason if isinstance(reason, WebSocketError) else None))
            if canceled and self._cause is not None:
                raise self._cause from None
            raise
        self._opener = None
        if self.journal is not None:
            self.journal.start()
            if self.closed is not None:
                self.journal.stop()
        return self

    def _prepare_journal(self) -> None:
        """Have what passes recorded, if that is wanted."""
        if self._options.record is not None:

            def failed(_: WebSocketError) -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self.loop.call_soon_threadsafe(self._changed)

            self.journal = self._new_journal(self._options.record, self.log, self.describe, failed)

    async def dial(self) -> None:
        """Dial and be open; for `open` and for `recovery`.

        Raises:
            WebSocketError: It could not be opened.
        """
        self._dialling, self._cause, self._early = True, None, []
        try:
            transport = await self._dial(self._url, self._options, self)
        finally:
            self._dialling = False
        self._transport: Transport = transport
        self._note_opened()
        self.retry = None
        self.response = transport.handshake
        self.url = ShownText(self.response.url or self._url)
        told = [str(self._url), *(value for _, value in transport.handshake.request_headers)]
        note_sent("\n".join(told).encode("utf-8", "surrogatepass"), self.origin)
        self._sessions.start(transport.handshake.elapsed)
        self.last_read = time.monotonic()
        self._states.advance(Event.OPENED)
        for stream in self.streams():
            stream.hold()
        self._tasks = [self.loop.create_task(work) for work in timers(self, self._options)]
        self.holding.update()
        # Only now: who receives it may want to answer, and that needs an open connection.
        early, self._early = self._early, []
        for tell in early:
            tell()
        self._changed()

    async def greet(self) -> None:
        """Send what is to be sent on each open; `Sending` does."""
        raise NotImplementedError

    def _note_opened(self) -> None:
        if self.retry is not None:
            after = time.monotonic() - self._sessions.lost_at
            self._log_control("open", "out", Control(b"", reason=opened_words(self.retry.attempt, after)))

    # -- ending --------------------------------------------------------------------------------------

    def _start_close(self, code: int, reason: str) -> None:
        self.outbox.flush()
        self._states.advance(Event.CLOSE_BEGUN)
        for stream in self.streams():
            stream.stop_holding(self._options.log_messages)
        self.holding.update()
        self._transport.close(code, reason)
        self._changed()

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of ``error``; for the timers of `keepalive`."""
        if self.state == "open":
            self._cause = error
            self._start_close(code, reason)

    def abort(self) -> None:
        """Drop the TCP connection at once, without a closing handshake, and open no other."""
        self._ending = True
        if self.state in ("open", "closing"):
            self._transport.abort()
        elif self._recovering is not None:
            self._recovering.cancel()
            self.finish(Close(1006, "", "us", clean=False))

    @property
    def heard(self) -> float:
        """When something last came: monotonic seconds; for the timers of `keepalive`."""
        return self._transport.heard

    def send_ping(self, payload: bytes) -> Ping:
        """Send a ping without waiting; for the timers of `keepalive`."""
        ping = self._pings.sent(payload)
        self.outbox.flush()
        self._transport.ping(payload)
        self._log_control("ping", "out", Control(payload))
        return ping

    def _write(self, messages: Sequence[Framed]) -> None:
        if self.state != "open" or not self._transport.send(messages):
            self.unsent += len(messages)

    # -- backpressure ------------------------------------------------------------------------------

    def _hold(self, held: bool) -> None:
        if held:
            self._transport.pause()
        else:
            self.last_read = time.monotonic()
            self._transport.resume()
        self._changed()

    # -- what the transport tells --------------------------------------------------------------------

    def on_data(self, payloads: list[Any], size: int) -> None:
        """Append what came; see `Sink`."""
        if self._dialling:
            self._early.append(lambda: self.on_data(payloads, size))
            return
        self.last_read = time.monotonic()
        self.log.append("in", payloads, size)

    def on_control(self, kind: Any, direction: Direction, control: Control) -> None:
        """Append a control frame, a pong with its round trip; see `Sink`."""
        if self._dialling:
            self._early.append(lambda: self.on_control(kind, direction, control))
            return
        if kind == "pong" and direction == "in":
            control = control._replace(rtt=self._pings.answered(control.data))
        elif kind == "close":
            self._states.advance(Event.CLOSE_PASSED)
            self.holding.update()  # or a full channel would keep us from seeing the end
        self._log_control(kind, direction, control)

    def on_lost(self, close: Close) -> None:
        """Note how it ended, and have it opened anew if that is wanted and can help; see `Sink`."""
        if self._dialling:
            self._early.append(lambda: self.on_lost(close))
        elif self.state in ("open", "closing"):
            close = replace(close, error=self._cause) if self._cause else close
            if close.initiator == "none":
                self._log_control("close", "in", Control(b"", code=close.code, reason=close.reason))
            policy = self._options.reconnect
            if policy is None or self._ending or not comes_back(close, policy):
                self.finish(close)
            else:
                self._end_session(Event.LOST)
                self.losses += 1
                self._wake_readers()
                self.holding.update()
                self._recovering = self.loop.create_task(recover(self, close, policy))
                self._changed()

    def _wake_readers(self) -> None:
        for cursor in tuple(self.cursors):
            cursor.wake()

    def _end_session(self, event: Event) -> None:
        self._states.advance(event)
        self.unsent += self.outbox.drop()
        self._sessions.end()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._pings.give_up(self._closed_error(waited=True))

    def wait_for(self, retry: Retry) -> None:
        """Note when the next attempt to open it anew will be made; for `recovery`."""
        self.retry = retry
        self._changed()

    def _log_control(self, kind: Any, direction: Direction, control: Control) -> None:
        self.log.append(direction, [control], len(control.data), type=kind)

    def finish(self, close: Close) -> None:
        """Be closed for good."""
        if self.closed is not None:
            return
        self.closed = close
        self.retry = None
        self._end_session(Event.ENDED)
        for stream in self.streams():
            stream.close()
        self.log.account.close()
        if self.journal is not None:
            self.journal.stop()
        self.ended.set()
        self._wake_readers()
        self._changed()
