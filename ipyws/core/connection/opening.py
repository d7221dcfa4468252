"""How a connection opens, the first time and again: prepare, dial, take what came early, greet.

What hooks into it, of rules and dialects, stands in two tuples: `Opening.preparations` are asked before each
dial what is to be dialled, `Opening.greeters` are run in order after it, on the open connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.connection.ending import Ending, Parts
from ipyws.core.connection.freshen import freshen
from ipyws.core.connection.greeting import Greeted, Greeting
from ipyws.core.connection.reconnect import Retry, opened_words
from ipyws.core.connection.state import Event
from ipyws.core.messages.message import Control
from ipyws.errors import CanceledError, ClosedError, WebSocketError
from ipyws.text.masking import ShownText
from ipyws.text.references import has_any, note_sent

if TYPE_CHECKING:
    from ipyws.capture.journal.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.connection.incoming import Incoming
    from ipyws.core.connection.info import About
    from ipyws.core.connection.transport import Dial, Handshake, Transport
    from ipyws.core.messages.log import Log
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL

Prepare = Callable[["URL", "ConnectOptions"], Awaitable[tuple["URL", "ConnectOptions"]]]
"""Returns what is dialled for what was to be dialled: with fresh credentials, say."""

_PREPARATIONS: Final[tuple[Prepare, ...]] = (freshen,)

NewJournal = Callable[
    ["ConnectOptions", "Log", Callable[[], "About | None"], Callable[[WebSocketError], object]], "Journal"
]
"""Makes what records a connection: by its options, of its log, with what is known of it; told of failures."""


class Greeter(NamedTuple):
    """What is done each time that the connection has opened, before its user goes on.

    Attributes:
        name: What it is called.
        greet: Does it, on the open connection. An error ends the connection, but for a loss meanwhile.
    """

    name: str
    greet: Callable[[], Awaitable[object]]


class Opened(Parts, Greeted, Protocol):
    """A connection, as far as opening it goes."""

    loop: asyncio.AbstractEventLoop
    url: str
    response: Handshake | None
    closed: Close | None
    retry: Retry | None
    journal: Journal | None
    last_read: float
    target: URL
    dialled: ConnectOptions

    @property
    def options(self) -> ConnectOptions:
        """How."""

    @property
    def log(self) -> RecordedLog:
        """Everything that passed."""

    @property
    def origin(self) -> str:
        """Where it goes to, for what may be sent there."""

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin."""

    @property
    def incoming(self) -> Incoming:
        """What the transport tells."""

    @property
    def ending(self) -> Ending:
        """What ends it."""

    def describe(self) -> About:
        """Return what a capture says of it."""

    def greeted(self) -> None:
        """Note that it is open, and all that is to be done on each open is done."""


class Opening:
    """What opens a connection.

    Args:
        connection: The connection.
        dial: Opens a transport.
        new_journal: Makes what records it.

    Attributes:
        preparations: Asked before each dial, in order. An error fails the dial.
        greeters: Run after each dial, in order.
    """

    def __init__(self, connection: Opened, dial: Dial, new_journal: NewJournal) -> None:
        self.preparations: tuple[Prepare, ...] = _PREPARATIONS
        self.greeters: tuple[Greeter, ...] = ()
        policy = connection.options.reconnect
        if policy is not None and policy.on_open:
            greeting = Greeting(connection)
            self.preparations = (*_PREPARATIONS, greeting.prepare)
            self.greeters = (Greeter("on_open", greeting.greet),)
        self._connection = connection
        self._dial = dial
        self._new_journal = new_journal
        self._task: asyncio.Task[Any] | None = None
        self._canceled: WebSocketError | None = None

    async def open(self) -> None:
        """Open the connection for the first time; called once.

        Raises:
            WebSocketError: It could not be opened, or greeted.
        """
        connection = self._connection
        connection.loop = asyncio.get_running_loop()
        connection.flow.begin()
        connection.sending.outbox.begin()
        self._task = asyncio.current_task()
        try:
            self._prepare_journal()
            await connection.reconnecting.dial_first()
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._task = None
        self._start_journal()
        await self._greet_first()

    def cancel(self, error: WebSocketError) -> None:
        """Open it no further; `open` raises ``error``."""
        self._canceled = error
        if self._task is not None:
            self._task.cancel()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError) and self._canceled is not None:
            self._connection.ending.finish(Close(1006, error=self._canceled))
            raise self._canceled from None
        self._connection.ending.finish(
            Close(1006, error=error if isinstance(error, WebSocketError) else None)
        )

    # -- each time -------------------------------------------------------------------------------------

    async def dial(self) -> None:
        """Dial, and be open.

        Raises:
            WebSocketError: It could not be opened.
        """
        connection = self._connection
        url, options = connection.target, connection.options
        for prepare in self.preparations:
            url, options = await prepare(url, options)
        connection.target, connection.dialled = url, options
        connection.ending.begin()
        connection.incoming.wait()
        self._be_open(await self._dial(url, options, connection.incoming), url)

    def _be_open(self, transport: Transport, dialled: URL) -> None:
        connection = self._connection
        if connection.retry is not None:
            after = time.monotonic() - connection.sessions.lost_at
            words = opened_words(connection.retry.attempt, after, _sent_again(connection.options))
            connection.note("open", "out", Control(b"", reason=words))
            connection.retry = None
        handshake = connection.response = transport.handshake
        connection.sending.transport = transport
        connection.url = ShownText(handshake.url or connection.target)
        if has_any():
            told = [str(dialled), *(value for _, value in handshake.request_headers)]
            note_sent("\n".join(told).encode("utf-8", "surrogatepass"), connection.origin)
        connection.sessions.start(handshake.elapsed)
        connection.last_read = time.monotonic()
        if self.greeters:
            connection.sending.reserve()
        connection.states.advance(Event.OPENED)
        connection.readers.hold()
        connection.keepalive.start()
        connection.flow.update()
        connection.incoming.go_on()
        connection.changed()

    async def greet(self) -> None:
        """Do what is to be done on each open."""
        with self._connection.sending.first():
            for greeter in self.greeters:
                await greeter.greet()
        self._connection.greeted()

    async def _greet_first(self) -> None:
        try:
            await self.greet()
        except (ClosedError, CanceledError):
            pass  # lost already; the state says so
        except BaseException:
            self._connection.ending.abort()
            raise

    # -- the journal -----------------------------------------------------------------------------------

    def _prepare_journal(self) -> None:
        """Have what passes recorded, if that is wanted."""
        connection = self._connection
        if connection.options.record is not None:

            def failed(_: WebSocketError) -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    connection.loop.call_soon_threadsafe(connection.changed)

            options, log = connection.options, connection.log
            connection.journal = self._new_journal(options, log, connection.describe, failed)

    def _start_journal(self) -> None:
        connection = self._connection
        if connection.journal is not None:
            connection.journal.start()
            if connection.closed is not None:
                connection.journal.stop()


def _sent_again(options: ConnectOptions) -> str:
    """Return what is sent on each open, in words; "" for nothing."""
    opening = f"{options.dialect.title}'s opening" if options.dialect else ""
    on_open = "on_open" if options.reconnect is not None and options.reconnect.on_open else ""
    return " and ".join(filter(None, (opening, on_open)))
