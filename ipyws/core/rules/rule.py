"""A rule: something that a connection sends by itself, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from ipyws.core.codecs.codec import Codec
from ipyws.core.functions import call, failure
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Ready, Sendable, encode
from ipyws.core.rules.openness import Openness
from ipyws.errors import CanceledError, ClosedError, WaitTimeoutError, WebSocketError

RulePayload = Sendable | Callable[..., Any]
"""A payload that a rule sends, or a function that returns one, or None for nothing this time."""


class Sender(Protocol):
    """A connection, as far as sending by rules goes."""

    @property
    def has_room(self) -> bool:
        """Whether the server keeps up with what was sent."""

    def prepare(self, data: Sendable) -> Ready:
        """Return a message ready to be put; raises what `send` does."""

    def put(self, ready: Ready, mark: str = "") -> Message:
        """Have a message written soon, and log it."""

    async def wait_for_room(self) -> None:
        """Wait until there is room; raises a `WaitTimeoutError` if the server does not read in time."""


class Ground(Protocol):
    """What rules stand on: a connection as they know it."""

    codec: Codec
    loop: asyncio.AbstractEventLoop

    @property
    def log(self) -> Log:
        """Everything that passed."""

    @property
    def sending(self) -> Sender:
        """What sends."""

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin, which must not get what was meant for this one."""


class Rule(ABC):
    """Something that a connection sends by itself; made by ``client.every`` and ``client.reply``.

    It works on the connection's loop, also while the caller computes and after the connection was opened
    again, until it is stopped, a function of it raises, or the connection is closed.

    Attributes:
        number: Its place among the rules of the connection, from 1: what ``%ws rules --stop`` takes.
        mark: The `Message.mark` of what it sends: "every 20s", "reply".
        words: What it does, in words.
        sent: How many messages it has sent.
        skipped: How many it has not sent because the server does not read.
        error: Why it stopped by itself, or None.
        stopped: Whether it has ended: stopped by you, by its error, or by the end of the connection.
        private: Whether it sends nothing to another origin, where a redirect led to one.
    """

    def __init__(
        self, ground: Ground, openness: Openness, number: int, mark: str, payload: RulePayload
    ) -> None:
        self.number = number
        self.mark = self.words = mark
        self.sent = self.skipped = 0
        self.error: WebSocketError | None = None
        self.stopped = self.private = False
        self._ground = ground
        self._openness = openness
        # What the user does to his own later changes nothing; and what can't be sent is told now.
        self._payload = payload if callable(payload) else encode(payload, codec=ground.codec)[0]
        self._crowded = False  # the server had its time to read, and did not
        self._task: asyncio.Task[None] | None = None
        self._told: Callable[[], object] = lambda: None

    def stop(self) -> None:
        """Send nothing any more; idempotent, from any thread."""
        with LOCK:  # nothing is put any more once this returns
            self.stopped = True
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._ground.loop.call_soon_threadsafe(self.end)

    def begin(self, told: Callable[[], object]) -> None:
        """Start it; on the connection's loop.

        Args:
            told: Called on that loop when there is something new to see of it.
        """
        self._told = told
        if self.stopped:
            self._over()
            return
        self._task = self._ground.loop.create_task(self._run())
        self._task.add_done_callback(self._over)  # a task that is cancelled at once runs not a line

    def end(self) -> None:
        """End it; on the connection's loop."""
        self.stopped = True
        if self._task is not None:
            self._task.cancel()
        self._told()

    async def _run(self) -> None:
        try:
            await self._live()
        except asyncio.CancelledError:
            raise
        except WebSocketError as error:
            self.error = error
        except BaseException as error:  # unforeseen; nobody else would hear of it
            self.error = failure(self.mark, error)

    def _over(self, _: object = None) -> None:
        self.stopped = True
        self._release()
        self._told()

    @abstractmethod
    async def _live(self) -> None:
        """Do what it does, for as long as it lasts.

        Raises:
            WebSocketError: It can't go on.
        """

    def _release(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what it holds."""

    async def _send(self, *arguments: Any) -> bool:
        """Send its payload, or what its function makes; tell whether it was sent."""
        payload = self._payload
        if self.private and self._ground.moved:
            return False
        if callable(payload):
            payload = await call(payload, *arguments, what=f"the function of {self.mark}")
            if payload is None:
                return False
        try:
            return await self._put(payload)
        except (ClosedError, CanceledError):
            return False  # it is lost; what is due then is nobody's any more

    async def _put(self, payload: Sendable) -> bool:
        sender = self._ground.sending
        ready = sender.prepare(payload)
        if not sender.has_room and not await self._has_room_in_time(sender):
            self.skipped += 1
            return False
        self._crowded = False
        with LOCK:
            if self.stopped:
                return False
            sender.put(ready, self.mark)
            self.sent += 1
        return True

    async def _has_room_in_time(self, sender: Sender) -> bool:
        """Wait for room as a `send` does; but once in vain, wait no more until there is some."""
        if self._crowded:
            return False
        try:
            await sender.wait_for_room()
        except WaitTimeoutError:
            self._crowded = True
            self._told()
        return not self._crowded

    def __repr__(self) -> str:
        return f"<Rule {self.describe()}>"

    def describe(self) -> str:
        """Return in words what it does, and what came of it."""
        skipped = f", {self.skipped:,} skipped: the server does not read" if self.skipped else ""
        ended = f", stopped: {self.error.message}" if self.error else ", stopped" if self.stopped else ""
        return f"{self.words}, {self.sent:,} sent{skipped}{ended}"
