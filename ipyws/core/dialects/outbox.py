"""What a conversation sends, in the order in which its session made it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ipyws.core.constants import CloseCode
from ipyws.core.dialects.dialect import Payload
from ipyws.errors import ClosedError, WaitTimeoutError, WebSocketError

MOST: Final = 1000
"""Answers that may wait for a server that does not read; then it is given up."""


class Sender(Protocol):
    """What messages are sent on."""

    @property
    def has_room(self) -> bool:
        """Whether the server keeps up with what was sent."""

    def prepare_all(self, payloads: Sequence[Payload]) -> list[Any]:
        """Return messages ready to be put, or raise why they can't be sent."""

    def put_all(self, ready: Sequence[Any]) -> None:
        """Have messages written soon, and log them."""

    async def send_all(self, payloads: Sequence[Payload]) -> int:
        """Send messages, waiting for room."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of an error."""


@dataclass(slots=True)
class _Waiting:
    payloads: Sequence[Payload]
    sent: asyncio.Future[None] | None  # None where nobody waits for it


class Outbox:
    """Messages on their way to a server, which may read slowly; on the connection's loop.

    Args:
        sender: What they are sent on.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing waits for the server to read."""
        return not self._waiting

    async def send(self, payloads: Sequence[Payload]) -> None:
        """Send messages back to back; wait for room if need be.

        Raises:
            WebSocketError: They can't be sent, or the server did not read in time.
        """
        if not payloads or self._put(payloads):
            return
        sent = asyncio.get_running_loop().create_future()
        self._queue(_Waiting(payloads, sent))
        await sent

    def post(self, payloads: Sequence[Payload]) -> None:
        """Send messages that nobody waits for, such as heartbeats; what can't be sent ends the connection."""
        try:
            if not payloads or self._put(payloads):
                return
        except ClosedError:
            return
        except WebSocketError as error:  # larger than the policy allows
            self._give_up(error)
            return
        if len(self._waiting) < MOST:
            self._queue(_Waiting(payloads, None))
        else:
            self._give_up(WaitTimeoutError(f"the server does not read our answers: {MOST:,} of them wait"))

    def clear(self, error: WebSocketError | None) -> None:
        """Forget what waits: the connection is lost."""
        waiting, self._waiting = self._waiting, deque()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for each in waiting:
            _settle(each, error or ClosedError("the connection is closed"))

    def _put(self, payloads: Sequence[Payload]) -> bool:
        """Have messages written at once if nothing is before them and there is room; tell whether."""
        ready = self._sender.prepare_all(payloads)
        if self._waiting or not self._sender.has_room:
            return False
        self._sender.put_all(ready)
        return True

    def _queue(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            if first.sent is not None and first.sent.done():  # who waited was cancelled
                self._waiting.popleft()
                continue
            try:
                await self._sender.send_all(first.payloads)
            except WaitTimeoutError as error:
                if first.sent is None:
                    continue  # keep-alive tells a server that is slow from one that is gone
                _settle(first, error)
            except WebSocketError as error:
                _settle(first, error)
            else:
                _settle(first, None)
            self._waiting.popleft()
        self._task = None

    def _give_up(self, error: WebSocketError) -> None:
        self._sender.fail(CloseCode.POLICY_VIOLATION, "an answer could not be sent", error)


def _settle(waiting: _Waiting, error: WebSocketError | None) -> None:
    if waiting.sent is None or waiting.sent.done():
        return
    if error is None:
        waiting.sent.set_result(None)
    else:
        waiting.sent.set_exception(error)
