"""Sending: checked by whoever sends, gathered in the outbox, written together by the loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from ipyws.core.connection.outbox import FULL, Framed, Outbox
from ipyws.core.lock import LOCK, UNINTERRUPTED
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Ready, Sendable, TypeChoice, chunks, encode
from ipyws.core.options.durations import format_duration
from ipyws.errors import ClosedError, InvalidError, PermissionDeniedError, WaitTimeoutError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, wait_async
from ipyws.text.references import has_any, note_sent

if TYPE_CHECKING:
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.connection.state import State
    from ipyws.core.connection.transport import Transport
    from ipyws.core.messages.log import Log


class Sender(Protocol):
    """A connection, as far as sending on it goes."""

    codec: Codec

    @property
    def log(self) -> Log:
        """Everything that passed."""

    @property
    def origin(self) -> str:
        """Where it goes to."""

    @property
    def state(self) -> State:
        """What it is doing."""

    def check_open(self, waited: bool = False) -> None:
        """Raise what a send raises once it is not open."""


class Turn:
    """The time from when a connection is open until all that is done on each open is done.

    Args:
        sending: What is sent on it.

    Attributes:
        sending: The same.
        over: Set once it is over: that is done, or the connection is lost.
        done: Whether that is done, or has failed.
    """

    def __init__(self, sending: Sending) -> None:
        self.sending = sending
        self.over = Signal()
        self.done = False


_TURN: ContextVar[Turn | None] = ContextVar("_TURN", default=None)
"""Whose turn it is, for what greets a connection and for all that it calls: functions of the user's too."""


class Sending:
    """What is sent on a connection, on its way to the transport.

    Args:
        connection: The connection.
        write_timeout: Seconds that a send waits for a server that reads slowly, or None.

    Attributes:
        transport: What carries it, since the connection was opened last.
        outbox: What waits for the loop to write it.
        unsent: Messages that the log has as sent and that were not: the connection was lost just then.
    """

    transport: Transport

    def __init__(self, connection: Sender, write_timeout: float | None) -> None:
        self.outbox = Outbox(self._write)
        self.unsent = 0
        self._turn: Turn | None = None
        self._received = -1  # messages that had come at the last attempt to write one at once
        self._connection = connection
        self._write_timeout = write_timeout

    async def send(self, data: Sendable, type: TypeChoice | None = None) -> Message:
        """Send a message; see `AsyncClient.send`."""
        ready = self.prepare(data, type)
        await self._may_send()
        if not self.has_room:
            await self.wait_for_room()
        return self.put(ready)

    async def send_all(self, payloads: Iterable[Sendable]) -> int:
        """Send messages in one go; see `AsyncClient.send_all`."""
        ready = self.prepare_all(payloads)
        await self._may_send()
        return await self.put_in_time(ready)

    async def put_in_time(self, ready: Sequence[Ready]) -> int:
        """Put messages, waiting for room; return how many they are."""
        for chunk in chunks(ready):
            if not self.has_room:
                await self.wait_for_room()
            self.put_all(chunk)
        return len(ready)

    def prepare(self, data: Sendable, type: TypeChoice | None = None) -> Ready:
        """Return a message ready to be put; for `send` in both of its faces, on any thread.

        Raises:
            WebSocketError: It can't be sent.
        """
        connection = self._connection
        logged, payload = encode(data, type, connection.codec)
        connection.check_open()
        self._check_size(len(payload))
        if has_any():
            note_sent(payload, connection.origin)
        return logged, payload

    def prepare_all(self, payloads: Iterable[Sendable]) -> list[Ready]:
        """Return messages ready to be put; as `prepare`.

        Raises:
            WebSocketError: One can't be sent; says which.
        """
        connection = self._connection
        connection.check_open()
        limited, noting = self.transport.max_message is not None, has_any()
        ready: list[Ready] = []
        try:
            for payload in payloads:
                made = encode(payload, codec=connection.codec)
                if limited:
                    self._check_size(len(made[1]))
                if noting:
                    note_sent(made[1], connection.origin)
                ready.append(made)
        except (InvalidError, PermissionDeniedError) as error:
            raise error.within(f"payload {len(ready) + 1}") from None
        return ready

    # -- who may send ----------------------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """Whether anybody may `put` at once: it is nobody's turn, and there is room."""
        return self._turn is None and self.has_room

    def reserve(self) -> None:
        """Have what is done on each open go first: all that others send waits until `first` is left."""
        self._turn = Turn(self)

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """What is sent in here has its turn, if that was reserved."""
        turn, outer = self._turn, _TURN.get()
        if turn is None:
            yield
            return
        _TURN.set(turn)
        try:
            yield
        finally:
            _TURN.set(outer)
            turn.done = True
            turn.over.set()
            if self._turn is turn:  # else it was lost meanwhile, and is open again
                self._turn = None

    def wake(self) -> None:
        """Have who waits for a turn look again: the connection is lost."""
        if self._turn is not None:
            self._turn.over.set()

    async def wait_for_turn(self, deadline: Deadline) -> bool:
        """Wait until it is nobody's turn, or one's own; False where that takes too long.

        Raises:
            ClosedError: It was one's own, but the connection has been lost since.
        """
        mine = _TURN.get()
        if mine is not None and mine.sending is self and not mine.done and self._turn is not mine:
            raise ClosedError("the connection was lost before all was sent that is sent on each open")
        waited: Turn | None = None
        while (turn := self._turn) is not None and turn not in (mine, waited):
            waited = turn
            if not await wait_async(turn.over, deadline.remaining()):
                return False
        return True

    async def _may_send(self) -> None:
        if self._turn is not None or _TURN.get() is not None:
            await self.wait_for_turn(Deadline(None))
            self._connection.check_open(waited=True)

    @property
    def has_room(self) -> bool:
        """Whether the server keeps up with what was sent."""
        return self.outbox.size < FULL and self.transport.writable

    def put(self, ready: Ready, mark: str = "", beside: Callable[[], object] = bool) -> Message:
        """Have a message written soon, and log it, with its `Message.mark`; on any thread.

        Args:
            ready: The message.
            mark: Its mark.
            beside: Called when it is logged, before anything else can be.
        """
        logged, payload = ready
        is_text = isinstance(logged, str)
        with UNINTERRUPTED:
            with LOCK:
                message = self._connection.log.append("out", [logged], len(payload), mark=mark).message(0)
                beside()
                now = self._begin_now(len(payload))
                if not now:
                    self.outbox.put(((payload, is_text),), len(payload))
            if now:  # without the lock: the loop would wait for it, with the answer in its hands
                self.transport.send_now(payload, is_text)
        return message

    def _begin_now(self, size: int) -> bool:
        """Begin to write an answer to what came in the thread of who sends it; a burst is gathered."""
        if not self.outbox.is_idle or self._received == self._connection.log.received:
            return False
        self._received = self._connection.log.received
        return self._connection.state == "open" and self.transport.begin_now(size)

    def put_all(self, ready: Sequence[Ready]) -> None:
        """Have messages written soon, and log them; as `put`."""
        size = sum(len(payload) for _, payload in ready)
        with LOCK:
            self.outbox.put([(payload, isinstance(logged, str)) for logged, payload in ready], size)
            self._connection.log.append("out", [logged for logged, _ in ready], size)

    def _check_size(self, size: int) -> None:
        limit = self.transport.max_message
        if limit is not None and size > limit:
            raise self.transport.refuse_message(size)

    async def wait_for_room(self) -> None:
        """Wait until there is room.

        Raises:
            WaitTimeoutError: The server did not read within ``write_timeout``.
            WebSocketError: The connection is closed, or was meanwhile.
        """
        self.outbox.flush()
        try:
            async with asyncio.timeout(self._write_timeout):
                while not self.transport.writable:
                    await self.transport.wait_writable()
                    self._connection.check_open(waited=True)
        except TimeoutError:
            waited = format_duration(self._write_timeout or 0)
            raise WaitTimeoutError(
                f"the server does not read what we send: {waited} passed",
                hint="nothing was sent; write_timeout= sets the limit",
            ) from None

    def _write(self, messages: Sequence[Framed]) -> None:
        if self._connection.state != "open" or not self.transport.send(messages):
            self.unsent += len(messages)

    def drop(self) -> None:
        """Count what waits as not sent: the connection is gone."""
        self.unsent += self.outbox.drop()
