"""One connection: what it is and what can be seen of it.

It decides; a `Transport` carries. Everything that passes is appended to the log, and every reader (channels,
`recv`, views) reads the log with a place of its own. `Lifecycle` is how it opens, is lost and ends;
`AsyncClient` what a user does with it.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.closing import Close, describe
from ipyws.core.connection.flow_control import Holding
from ipyws.core.connection.info import About
from ipyws.core.connection.pings import Pings
from ipyws.core.connection.reconnect import comes_back
from ipyws.core.connection.state import State, StateMachine
from ipyws.core.connection.stats import Stats
from ipyws.core.connection.uptime import Sessions
from ipyws.core.constants import CloseCode
from ipyws.core.messages.cursor import Cursor
from ipyws.errors import CanceledError, ClosedError, WebSocketError
from ipyws.runtime.waiting import Signal
from ipyws.text.masking import ShownText, remember_parameters

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ipyws.capture.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.channels.loops import Loops
    from ipyws.core.connection.reconnect import Retry
    from ipyws.core.connection.transport import Handshake
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL

_BY_CHANNEL: Final = "an open channel is full and holds the server back: read it, or close it"
_BY_LOOP: Final = (
    "a loop over the connection is far behind and holds the server back: go on with it, or leave it"
)
_AGAIN: Final = "send again once it is open anew; closing it ends the attempts"


class Connection:
    """A WebSocket connection on the event loop that opened it.

    What users see of it is told by `AsyncClient`; the rest is for those who work on it.

    Attributes:
        codec: What reads the payloads, and writes dict and list.
        retry: The next attempt to open it anew, while it is lost, or None.
        loop: The event loop it lives on.
        cursor: The place in the log of `recv` and of expectations.
        cursors: That one, and those of requests that await their replies.
        losses: How often it was lost and opened anew, or is about to be.
        unsent: Messages that the log has as sent and that were not: the connection was lost just then.
        ended: Set once it is closed.
        last_read: When the last data message came: monotonic seconds.
        numbers: Gives the ids of its requests.
        holding: Its backpressure.
        loops: The loops over it.
        private: Names of what a protocol above sends to no other origin than the one that was asked.
    """

    holding: Holding
    loops: Loops

    loop: asyncio.AbstractEventLoop

    def __init__(self, url: URL, options: ConnectOptions, log: RecordedLog) -> None:
        self.name = options.name or url.short_name
        self.url = ShownText(str(url))
        remember_parameters(self.url)
        self.codec = options.codec
        self.log = log
        self.log.describe = self.describe
        self.response: Handshake | None = None
        self.closed: Close | None = None
        self.retry: Retry | None = None
        self.last_read = time.monotonic()
        self.ended = Signal()
        self.cursor = Cursor(self.log)
        self.cursors = {self.cursor}
        self.losses = 0
        self.unsent = 0
        self.numbers = itertools.count(1)
        self.journal: Journal | None = None
        self.private: tuple[str, ...] = ()
        self._url = url
        self._options = options
        self._states = StateMachine()
        self._streams: dict[bool, Stream] = {}
        self._pings = Pings()
        self._sessions = Sessions()
        self._watchers: tuple[Callable[[], object], ...] = ()

    # -- what can be seen ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""
        return self._states.state

    @property
    def opened_at(self) -> float | None:
        """When it was first opened, in seconds since the epoch, or None."""
        return self._sessions.first

    @property
    def origin(self) -> str:
        """Scheme, host and port, or socket, that it goes to, redirects aside."""
        return self._url.origin_text

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin, which must not get what was meant for this one."""
        return self.response is not None and self.response.moved

    @property
    def withheld(self) -> tuple[str, ...]:
        """What was not sent, because a redirect led to another origin: names of options."""
        if not self.moved:
            return ()
        policy = self._options.reconnect
        return (*(("on_open",) if policy is not None and policy.on_open else ()), *self.private)

    @property
    def elsewhere(self) -> dict[str, str]:
        """The options by which another address is dialled, or another name presented, than the URL says."""
        given = {"connect_to": self._options.connect_to, "server_hostname": self._options.server_hostname}
        return {} if self.moved else {name: value for name, value in given.items() if value is not None}

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
        log, sessions, rtts = self.log, self._sessions, self._pings.rtts
        return Stats(
            received=log.received,
            sent=log.sent,
            bytes_received=log.bytes_received,
            bytes_sent=log.bytes_sent,
            kept=len(log),
            evicted=log.evicted,
            missed=self.cursor.missed,
            connecting=sessions.connects[-1] if sessions.connects else 0.0,
            duration=sessions.duration,
            rtt=rtts[-1] if rtts else None,
            rtts=tuple(rtts),
            connects=tuple(sessions.connects),
            sessions=sessions.lasted,
            begun=sessions.begun,
            find_latencies=log.latencies,
        )

    def describe(self) -> About:
        """Return what a capture says of this connection."""
        response = self.response
        about = About(str(self.url), self.name, self.opened_at)
        if response is None:
            return about
        return replace(
            about,
            subprotocol=response.subprotocol,
            status=response.status,
            reason=response.reason,
            headers=response.headers,
            request_headers=response.request_headers,
            extensions=response.extensions,
            proxy=response.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        """Return what holds the connection back while it is full: its channels, and that of its loops."""
        looped = self.loops.stream
        return (*self._streams.values(), *(() if looped is None else (looped,)))

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` on the connection's loop whenever its state changes; return what ends it."""
        self._watchers = (*self._watchers, watcher)

        def stop() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return stop

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    @property
    def held(self) -> bool:
        """True while a full channel, or a loop that is far behind, keeps us from reading."""
        return self.holding.held

    @property
    def held_by(self) -> str:
        """Who keeps us from reading, and what to do about it; "" if nobody does."""
        if not self.held:
            return ""
        looped = self.loops.stream
        return _BY_LOOP if looped is not None and looped.full else _BY_CHANNEL

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error for a receive once the connection is closed, else None."""
        return None if self.closed is None else self._closed_error(waited)

    def check_open(self, waited: bool = False) -> None:
        """Raise what a send or a ping raises once the connection is not open."""
        if self._states.state != "open":
            raise self._closed_error(waited)

    def _closed_error(self, waited: bool) -> WebSocketError:
        close = self.closed
        lost = self.state == "reconnecting"
        ours = not lost and (close is None or (close.initiator == "us" and close.error is None))
        kind: type[WebSocketError] = CanceledError if waited and ours else ClosedError
        details = {"code": close.code, "reason": close.reason, "initiator": close.initiator} if close else {}
        what = f"connection {self.name!r} is {describe(close, self.state)}"
        return kind(what, hint=_AGAIN if lost else self._advice(), details=details)

    def _advice(self) -> str:
        """Return what to do about how it ended, or ""."""
        close = self.closed
        if close is None:
            return ""
        if close.error is not None and close.error.hint:
            return close.error.hint
        if close.initiator == "peer" and close.code == CloseCode.POLICY_VIOLATION:
            return "it is the server's own policy: check the credentials"
        if self._options.reconnect is None:
            return "connect again; reconnect= does so by itself" if comes_back(close) else ""
        if close.initiator == "peer" and close.code != CloseCode.NORMAL and not comes_back(close):
            return f'connect again; reconnect={{"codes": [{close.code}]}} does so by itself'
        return ""

    def __repr__(self) -> str:
        held = ", reading paused: channel full" if self.held else ""
        return (
            f"<{type(self).__name__} {self.name!r} {self.url!r} {describe(self.closed, self.state)}{held}, "
            f"↓ {self.log.received:,} ↑ {self.log.sent:,}>"
        )
