"""How a connection ends: closed by us, failed, dropped, or lost; for good, or to be opened again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from ipyws.core.connection.closing import Close, check_close, describe
from ipyws.core.connection.needs import Flowing, Logged, Stated
from ipyws.core.connection.reconnect import Retry, comes_back
from ipyws.core.connection.state import Event
from ipyws.core.constants import CloseCode
from ipyws.core.messages.message import Control
from ipyws.errors import CanceledError, ClosedError, WebSocketError
from ipyws.runtime.waiting import Signal, wait_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipyws.capture.journal.journal import Journal
    from ipyws.core.connection.keepalive import KeepAlive
    from ipyws.core.connection.readers import Readers
    from ipyws.core.connection.reconnecting import Reconnecting
    from ipyws.core.connection.sending import Sending
    from ipyws.core.options.table import ConnectOptions

_AGAIN: Final = "send once it is open again; closing it ends the attempts"
_JOURNAL: Final = 2.0  # seconds that the end of a journal is waited for


class Opens(Protocol):
    """Opens a connection."""

    def cancel(self, error: WebSocketError) -> None:
        """Open it no further."""


class Parts(Logged, Stated, Flowing, Protocol):
    """A connection with its parts, as far as they begin and end with each opening."""

    @property
    def sending(self) -> Sending:
        """What is sent on it."""

    @property
    def readers(self) -> Readers:
        """Its channels and loops."""

    @property
    def keepalive(self) -> KeepAlive:
        """Its pings and timers."""

    @property
    def reconnecting(self) -> Reconnecting:
        """What has it again."""


class Ended(Parts, Protocol):
    """A connection, as far as its end goes."""

    name: str
    closed: Close | None
    retry: Retry | None
    journal: Journal | None

    @property
    def options(self) -> ConnectOptions:
        """How it was opened."""

    @property
    def ended(self) -> Signal:
        """Set once it is closed."""

    @property
    def opening(self) -> Opens:
        """What opens it."""

    def wake_waiters(self) -> None:
        """Have who waits for a message look again."""


class Ending:
    """What ends a connection.

    Args:
        connection: The connection.

    Attributes:
        farewells: Called before a close frame of the user's is sent.
    """

    def __init__(self, connection: Ended) -> None:
        self._connection = connection
        self._cause: WebSocketError | None = None
        self._for_good = False
        self.farewells: tuple[Callable[[], object], ...] = ()

    def begin(self) -> None:
        """Forget why the connection failed: it is dialled."""
        self._cause = None

    # -- by us ---------------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection and wait until it is; see `AsyncClient.close`."""
        code, reason = check_close(code, reason)
        connection = self._connection
        self._for_good = True
        if connection.state == "connecting":
            connection.opening.cancel(CanceledError("the connection was closed while it was being opened"))
        elif connection.state == "open":
            for farewell in self.farewells:
                farewell()
            self._start_close(code, reason)
        elif connection.state == "reconnecting":
            await self._give_up(Close(code, reason, "us", clean=False))
        try:
            await wait_async(connection.ended)
        except asyncio.CancelledError:
            self.abort()
            raise
        assert connection.closed is not None
        if connection.journal is not None:
            await wait_async(connection.journal.ended, _JOURNAL)
        return connection.closed

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of ``error``, which says how it ended; on the connection's loop.

        It is opened again if that is wanted and the error is one that may pass.
        """
        if self._connection.state == "open":
            self._cause = error
            self._start_close(code, reason)
        elif self._connection.state == "closing" and not self._for_good:
            self._cause = self._cause or error  # the server said why, and its close frame came with it

    def abort(self) -> None:
        """Drop the TCP connection at once, without a closing handshake, and open no other."""
        connection = self._connection
        self._for_good = True
        if connection.state in ("open", "closing"):
            connection.sending.transport.abort()
        elif connection.reconnecting.cancel() is not None:
            self.finish(Close(1006, "", "us", clean=False))

    async def _give_up(self, close: Close) -> None:
        attempts = self._connection.reconnecting.cancel()
        self.finish(close)
        if attempts is not None:
            await asyncio.wait({attempts})

    def _start_close(self, code: int, reason: str) -> None:
        connection = self._connection
        connection.sending.outbox.flush()
        connection.states.advance(Event.CLOSE_BEGUN)
        connection.readers.stop_holding()
        connection.flow.update()
        connection.sending.transport.close(code, reason)
        connection.changed()

    # -- the end ---------------------------------------------------------------------------------------

    def lost(self, close: Close) -> None:
        """Note how it ended; have it opened again if that is wanted and can help."""
        connection = self._connection
        if connection.state not in ("open", "closing"):
            return
        close = replace(close, error=self._cause) if self._cause else close
        if close.initiator == "none":
            connection.note("close", "in", Control(b"", code=close.code, reason=close.reason))
        if self._for_good or not connection.reconnecting.wanted(close):
            self.finish(close)
            return
        self._end_session(Event.LOST)
        connection.reconnecting.begin(close)
        connection.wake_waiters()
        connection.flow.update()
        connection.changed()

    def finish(self, close: Close) -> None:
        """Be closed for good."""
        connection = self._connection
        if connection.closed is not None:
            return
        connection.closed = close
        connection.retry = None
        self._end_session(Event.ENDED)
        connection.readers.close()
        connection.log.account.close()
        if connection.journal is not None:
            connection.journal.stop()
        connection.ended.set()
        connection.wake_waiters()
        connection.changed()

    def _end_session(self, event: Event) -> None:
        connection = self._connection
        connection.states.advance(event)
        connection.sending.drop()
        connection.sessions.end()
        connection.keepalive.stop(self.error(waited=True))

    # -- in words --------------------------------------------------------------------------------------

    def error(self, waited: bool) -> WebSocketError:
        """Return the error for who uses a connection that is not open.

        Args:
            waited: Whether its user waited when it ended.
        """
        connection = self._connection
        close, state = connection.closed, connection.state
        lost = state == "reconnecting"
        cause = self._cause if state == "closing" and not self._for_good else None
        # While it is closing, nobody has said yet who did it.
        ours = self._for_good if close is None else close.initiator == "us" and close.error is None
        kind: type[WebSocketError] = CanceledError if waited and ours else ClosedError
        details = {"code": close.code, "reason": close.reason, "initiator": close.initiator} if close else {}
        what = f"connection {connection.name!r} is {describe(close, state)}"
        if cause is not None:
            return kind(f"{what}: {cause.message}", hint=cause.hint, details=details)
        return kind(what, hint=_AGAIN if lost else self._advice(), details=details)

    def _advice(self) -> str:
        """Return what to do about how it ended, or ""."""
        close = self._connection.closed
        if close is None:
            return ""
        if close.error is not None and close.error.hint:
            return close.error.hint
        if close.initiator == "peer" and close.code == CloseCode.POLICY_VIOLATION:
            return "it is the server's own policy: check the credentials"
        if self._connection.options.reconnect is None:
            return "connect again; reconnect={} does so automatically" if comes_back(close) else ""
        if close.initiator == "peer" and close.code != CloseCode.NORMAL and not comes_back(close):
            return f'connect again; reconnect={{"codes": [{close.code}]}} does so automatically'
        return ""
