"""One connection: what it is, what can be seen of it, and the parts it is made of.

It decides; a `Transport` carries. Everything that passes is appended to the log, and every reader (channels,
`recv`, views) reads the log with a place of its own. The parts each do one thing and know of the connection
what a protocol in their own module says: `Opening`, `Incoming`, `Sending`, `Requests`, `Readers`,
`FlowControl`, `KeepAlive`, `Reconnecting`, `Ending`, `Rules`. `AsyncClient` and `Client` are its two faces.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ipyws.core.connection.closing import Close, describe
from ipyws.core.connection.ending import Ending
from ipyws.core.connection.flow_control import FlowControl
from ipyws.core.connection.incoming import Incoming
from ipyws.core.connection.info import About
from ipyws.core.connection.keepalive import KeepAlive
from ipyws.core.connection.opening import NewJournal, Opening
from ipyws.core.connection.readers import Readers
from ipyws.core.connection.reconnecting import Reconnecting
from ipyws.core.connection.request import Requests
from ipyws.core.connection.sending import Sending
from ipyws.core.connection.state import State, StateMachine
from ipyws.core.connection.stats import Stats
from ipyws.core.connection.uptime import Sessions
from ipyws.core.dialects.registry import without_dialect
from ipyws.core.lock import LOCK
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.message import Control, Direction
from ipyws.core.rules.rules import Rules
from ipyws.errors import WebSocketError
from ipyws.runtime.waiting import Signal
from ipyws.text.masking import ShownText, remember_parameters

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ipyws.capture.journal.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.channels.message_channel import Stream
    from ipyws.core.connection.reconnect import Retry
    from ipyws.core.connection.transport import Dial, Handshake
    from ipyws.core.dialects.conversation import Conversation
    from ipyws.core.dialects.dialect import Word
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL


class Connection:
    """A WebSocket connection on the event loop that opened it.

    Args:
        url: Where to.
        options: How.
        dial: Opens a transport.
        log: Keeps everything that passes.
        new_journal: Makes what records it.

    Attributes:
        name: The name it goes by.
        url: The URL it was opened with, or where redirects led; its repr masks secrets.
        target: The URL that is dialled.
        options: How it was opened.
        dialled: The same as they were for the last dial, for which some may have been made.
        codec: What reads the payloads, and writes dict and list.
        log: Everything that passed.
        response: How the server answered the handshake last, or None.
        closed: How it ended, or None.
        retry: The next attempt to open it again, while it is lost, or None.
        losses: How often it was lost and opened again, or is about to be.
        last_read: When the last data message came: monotonic seconds.
        journal: What records it (``record=``), or None.
        private: Names of what a protocol above sends to no other origin than the one that was asked.
        conversation: What is said in the dialect of the server, or None without one.
        loop: The event loop it lives on.
        cursor: The place in the log of `recv` and of expectations.
        states: Its state machine.
        sessions: When it was open.
        opening: Opens it.
        incoming: Is told by the transport what comes.
        sending: What is sent on it.
        readers: Its channels and loops.
        flow: Its backpressure.
        keepalive: Its pings and timers.
        reconnecting: Has it again once it is lost.
        ending: Ends it.
    """

    # A dictionary of more than thirty would be one of its own, at 1.7 kB a connection.
    __slots__ = (
        *("__weakref__", "_ended", "_is_greeted", "_requests", "_rules", "_watchers", "closed", "codec"),
        *("conversation", "cursor", "dialled", "ending", "flow", "incoming", "journal", "keepalive"),
        *("last_read", "log", "loop", "losses", "name", "opening", "options", "private", "readers"),
        *("reconnecting", "response", "retry", "sending", "sessions", "states", "target", "url"),
    )

    loop: asyncio.AbstractEventLoop

    def __init__(
        self, url: URL, options: ConnectOptions, dial: Dial, log: RecordedLog, new_journal: NewJournal
    ) -> None:
        self.name = options.name or url.short_name
        self.url: str = ShownText(str(url))
        remember_parameters(self.url)
        self.target = url
        self.options = self.dialled = options
        self.codec = options.packets
        self.log = log
        self.log.describe = self.describe
        self.response: Handshake | None = None
        self.closed: Close | None = None
        self._ended: Signal | None = None
        self.retry: Retry | None = None
        self.losses = 0
        self.last_read = time.monotonic()
        self.journal: Journal | None = None
        self.private: tuple[str, ...] = ()
        self.conversation: Conversation | None = None
        self.cursor = Cursor(log)
        self.states = StateMachine()
        self.sessions = Sessions()
        self._watchers: tuple[Callable[[], object], ...] = ()
        self._is_greeted = False
        # Most connections have no use for them, and a thousand are a thousand times their parts.
        self._requests: Requests | None = None
        self._rules: Rules | None = None
        self._make_parts(dial, new_journal)

    def _make_parts(self, dial: Dial, new_journal: NewJournal) -> None:
        options = self.options
        self.flow = FlowControl(self)
        self.readers = Readers(self, options.log_messages, options.channel_capacity)
        self.sending = Sending(self, options.write_timeout)
        self.keepalive = KeepAlive(self, options)
        self.reconnecting = Reconnecting(self, options.recovery)
        self.incoming = Incoming(self)
        self.ending = Ending(self)
        self.opening = Opening(self, dial, new_journal)
        if options.every or options.reply:
            self.opening.preparations = (*self.opening.preparations, self.rules.prepare)

    @property
    def requests(self) -> Requests:
        """The requests that await their replies."""
        if self._requests is None:
            with LOCK:
                self._requests = self._requests or Requests(self)
        return self._requests

    @property
    def rules(self) -> Rules:
        """What it sends by itself."""
        if self._rules is None:
            with LOCK:
                if self._rules is None:
                    self._rules = Rules(self, self.options.every, self.options.reply)
            # Behind that, as `greeted` looks for them behind its note: one of the two sees the other.
            if self._is_greeted and self.state == "open":
                self._rules.greeted()
        return self._rules

    @property
    def ended(self) -> Signal:
        """Set once it is closed."""
        if self._ended is None:
            with LOCK:
                self._ended = self._ended or Signal()
        return self._ended

    # -- what can be seen ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""
        return self.states.state

    @property
    def opened_at(self) -> float | None:
        """When it was first opened, in seconds since the epoch, or None."""
        return self.sessions.first

    @property
    def origin(self) -> str:
        """Scheme, host and port, or socket, that it goes to, redirects aside."""
        return self.target.origin_text

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin, which must not get what was meant for this one."""
        return self.response is not None and self.response.moved

    @property
    def withheld(self) -> tuple[str, ...]:
        """What was not sent, because a redirect led to another origin: names of options."""
        if not self.moved:
            return ()
        policy = self.options.reconnect
        on_open = ("on_open",) if policy is not None and policy.on_open else ()
        return (*on_open, *self.rules.private, *self.private)

    @property
    def elsewhere(self) -> dict[str, str]:
        """The options by which another address is dialled, or another name presented, than the URL says."""
        given = {"connect_to": self.options.connect_to, "server_hostname": self.options.server_hostname}
        return {} if self.moved else {name: value for name, value in given.items() if value is not None}

    @property
    def insecure(self) -> bool:
        """Whether the server's certificate was not checked."""
        return self.options.insecure and self.target.secure

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.response.subprotocol if self.response else None

    @property
    def stats(self) -> Stats:
        """Counters and times up to now."""
        log, sessions, rtts = self.log, self.sessions, self.keepalive.rtts
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
            connects=sessions.connects,
            sessions=sessions.lasted,
            begun=sessions.begun,
            find_latencies=log.latencies,
        )

    def describe(self) -> About:
        """Return what a capture says of this connection."""
        about = About(str(self.url), self.name, self.opened_at, codec=self.log.codec.name)
        return about if self.response is None else self.response.add_to(about)

    @property
    def held(self) -> bool:
        """True while a full channel, or a loop that is far behind, keeps us from reading."""
        return self.flow.held

    @property
    def held_by(self) -> str:
        """Who keeps us from reading, and what to do about it; "" if nobody does."""
        return self.readers.advice if self.held else ""

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error for a receive once the connection is closed, else None."""
        return None if self.closed is None else self.ending.error(waited)

    def check_open(self, waited: bool = False) -> None:
        """Raise what a send or a ping raises once the connection is not open."""
        if self.states.state != "open":
            raise self.ending.error(waited)

    def in_dialect(self, word: Word) -> Conversation:
        """Return what speaks the connection's dialect, for one of its words.

        Raises:
            InvalidError: The connection has no dialect.
        """
        if self.conversation is None:
            raise without_dialect(word)
        return self.conversation

    # -- what its parts tell -------------------------------------------------------------------------

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` on the connection's loop whenever its state changes; return what ends it."""
        self._watchers = (*self._watchers, watcher)

        def stop() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return stop

    def greeted(self) -> None:
        """Note that it is open, and all that is to be done on each open is done."""
        self._is_greeted = self.state == "open"
        if self._rules is not None:
            self._rules.greeted()

    def changed(self) -> None:
        """Tell who watches it that something can be seen now."""
        if self.states.state != "open":
            self._is_greeted = False
        if self._rules is not None:
            self._rules.look()
        for watcher in self._watchers:
            watcher()

    def note(self, kind: Any, direction: Direction, control: Control) -> None:
        """Log a control frame, or an event of the connection's own."""
        self.log.append(direction, [control], len(control.data), type=kind)

    def wake_waiters(self) -> None:
        """Have who waits for a message, or to send one, look again: the connection is lost, or closed."""
        self.cursor.wake()
        self.sending.wake()
        if self._requests is not None:
            self._requests.wake()

    def streams(self) -> tuple[Stream, ...]:
        """Return what holds it back while it is full."""
        return self.readers.all()

    def hold(self, held: bool) -> None:
        """Stop reading from the network, or read again."""
        transport = self.sending.transport
        if held:
            transport.pause()
        else:
            self.last_read = time.monotonic()
            transport.resume()
        self.changed()

    def words(self, face: str) -> str:
        """Return the connection in words, under the name of one of its faces."""
        held = ", reading paused: channel full" if self.held else ""
        return (
            f"<{face} {self.name!r} {self.url!r} {describe(self.closed, self.state)}{held}, "
            f"↓ {self.log.received:,} ↑ {self.log.sent:,}>"
        )

    def __repr__(self) -> str:
        return self.words(type(self).__name__)
