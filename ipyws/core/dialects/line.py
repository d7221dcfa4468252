"""A connection as far as a conversation on it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ipyws.core.constants import CloseCode
from ipyws.core.dialects.dialect import Broken, Opening, Payload
from ipyws.errors import WebSocketError

if TYPE_CHECKING:
    import asyncio

    from ipyws.capture.recording import RecordedLog
    from ipyws.core.connection.closing import Close
    from ipyws.core.connection.ending import Ending
    from ipyws.core.connection.flow_control import FlowControl
    from ipyws.core.connection.sending import Sending
    from ipyws.core.connection.state import State
    from ipyws.core.messages.log import Log
    from ipyws.core.options.table import ConnectOptions
    from ipyws.runtime.deadline import Deadline

_TAIL = 20


class Connected(Protocol):
    """A connection, as far as a conversation needs it."""

    log: RecordedLog
    loop: asyncio.AbstractEventLoop
    closed: Close | None
    losses: int
    options: ConnectOptions
    dialled: ConnectOptions
    last_read: float

    @property
    def state(self) -> State:
        """What it is doing."""

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin."""

    @property
    def withheld(self) -> tuple[str, ...]:
        """What was not sent, because a redirect led to another origin."""

    @property
    def sending(self) -> Sending:
        """What is sent on it."""

    @property
    def flow(self) -> FlowControl:
        """Whether we are kept from reading."""

    @property
    def ending(self) -> Ending:
        """What ends it."""

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` whenever its state changes."""

    def check_open(self) -> None:
        """Raise what a send raises unless it is open."""

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error for who still waits, once it is closed."""


class Line:
    """What a conversation asks of its connection, and has it do.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: Connected) -> None:
        self._connection = connection

    # -- what it is ----------------------------------------------------------------------------------

    @property
    def log(self) -> Log:
        """What passed."""
        return self._connection.log

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop it lives on."""
        return self._connection.loop

    @property
    def state(self) -> State:
        """What it is doing."""
        return self._connection.state

    @property
    def closed(self) -> Close | None:
        """How it ended for good, or None."""
        return self._connection.closed

    @property
    def losses(self) -> int:
        """How often it was lost."""
        return self._connection.losses

    @property
    def last_close(self) -> tuple[int, str]:
        """Code and reason of the last close frame that passed; 1006 if there was none."""
        passed = (message for message in reversed(self.log[-_TAIL:]) if message.type == "close")
        close = next(passed, None)
        return (CloseCode.ABNORMAL_CLOSURE, "") if close is None else (close.code or 1005, close.reason)

    @property
    def offered(self) -> tuple[str, ...]:
        """The subprotocols that it was offered."""
        return self._connection.dialled.offered

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._connection.subprotocol

    @property
    def withheld(self) -> tuple[str, ...]:
        """What was not sent, because a redirect led to another origin."""
        return self._connection.withheld

    @property
    def opening(self) -> Opening:
        """What it knows now that it is open."""
        connection, options = self._connection, self._connection.dialled
        only = options.offered[0] if len(options.offered) == 1 else None
        return Opening(
            subprotocol=connection.subprotocol or only,
            credentials=None if connection.moved else options.dialect_auth,
            moved=connection.moved,
            codec=options.codec,
            limit=options.largest,
        )

    @property
    def last_read(self) -> float:
        """When the last data message came: monotonic seconds."""
        return self._connection.last_read

    @property
    def pauses(self) -> FlowControl:
        """Its backpressure."""
        return self._connection.flow

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` on the loop whenever the state changes; return what ends it."""
        return self._connection.watch(watcher)

    def check_open(self) -> None:
        """Raise what a send raises unless it is open."""
        self._connection.check_open()

    def over(self) -> WebSocketError | None:
        """Return the error for who still waits, once it is closed."""
        return self._connection.over(waited=True)

    # -- sending -------------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether the server keeps up with what was sent."""
        return self._connection.sending.has_room

    def prepare_all(self, payloads: Sequence[Payload]) -> list[Any]:
        """Return messages ready to be put, or raise why they can't be sent."""
        return self._connection.sending.prepare_all(payloads)

    def put_all(self, ready: Sequence[Any]) -> None:
        """Have messages written soon, and log them."""
        self._connection.sending.put_all(ready)

    async def send_all(self, payloads: Sequence[Payload]) -> int:
        """Send messages, waiting for room."""
        sending = self._connection.sending
        return await sending.put_in_time(sending.prepare_all(payloads))

    async def wait_for_turn(self, deadline: Deadline) -> bool:
        """Wait until all is done that is done on each open; False where that takes too long."""
        return await self._connection.sending.wait_for_turn(deadline)

    # -- ending --------------------------------------------------------------------------------------

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of an error."""
        self._connection.ending.fail(code, reason, error)

    async def give_up(self, how: Broken) -> None:
        """Close because of an error, for good, and wait until it is."""
        self._connection.ending.fail(how.code, how.reason, how.error)
        await self._connection.ending.close()
