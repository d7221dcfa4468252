"""Dialling as long as that can help: the first time, and again once a connection is lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.connection.needs import Stated
from ipyws.core.connection.reconnect import Reconnect, Retry, comes_back, given_up, retry_after
from ipyws.core.constants import CloseCode
from ipyws.errors import CanceledError, ClosedError, ConnectError, WebSocketError

if TYPE_CHECKING:
    pass


class Opens(Protocol):
    """Opens a connection."""

    async def dial(self) -> None:
        """Dial once; be open."""

    async def greet(self) -> None:
        """Do what is to be done on each open."""


class Ends(Protocol):
    """Ends a connection."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close it because of an error."""

    def finish(self, close: Close) -> None:
        """Have it closed for good."""


class Lost(Stated, Protocol):
    """A lost connection, as far as having it again goes."""

    loop: asyncio.AbstractEventLoop
    losses: int
    retry: Retry | None

    @property
    def opening(self) -> Opens:
        """What opens it."""

    @property
    def ending(self) -> Ends:
        """What ends it."""


class Reconnecting:
    """What has a lost connection again.

    Args:
        connection: The connection.
        policy: How it is opened again; None: not at all.

    Attributes:
        failures: How many attempts failed in a row, the one under way included.
    """

    def __init__(self, connection: Lost, policy: Reconnect | None) -> None:
        self.failures = 0
        self._connection = connection
        self._policy = policy
        self._task: asyncio.Task[None] | None = None

    def wanted(self, close: Close) -> bool:
        """Tell whether a connection that ended so is to be opened again."""
        return self._policy is not None and comes_back(close, self._policy)

    async def dial_first(self) -> None:
        """Dial for the first time: once, or as often as that can help if ``first_dial`` says so.

        Raises:
            WebSocketError: It could not be opened.
        """
        policy = self._policy
        if policy is None or not policy.first_dial:
            await self._connection.opening.dial()
            return
        for attempt in itertools.count(1):
            try:
                await self._connection.opening.dial()
                return
            except WebSocketError as error:
                if not error.retryable:
                    raise
                if attempt == policy.attempts:
                    raise given_up(attempt, error, again=False) from None
                asked = min(retry_after(error), policy.max)
            await asyncio.sleep(max(policy.delay(attempt), asked))

    def begin(self, lost: Close) -> None:
        """Have a connection that was lost again, or end it with the reason why it can't be had."""
        assert self._policy is not None
        self._connection.losses += 1
        self._task = self._connection.loop.create_task(self._recover(lost, self._policy))

    def cancel(self) -> asyncio.Task[None] | None:
        """Give up having it again; return what can be waited for, if there was an attempt."""
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _recover(self, lost: Close, policy: Reconnect) -> None:
        """Dial again and again.

        A connection that lasted longer than the longest wait was a good one: the count begins again. One that
        is lost at once, again and again, is given up like one that can't be opened.
        """
        connection = self._connection
        if connection.sessions.lasted[-1] > policy.max:
            self.failures = 0
        error: WebSocketError | None = None
        while self.failures < policy.attempts and (error is None or error.retryable):
            self.failures += 1
            asked = 0.0 if error is None else min(retry_after(error), policy.max)
            delay = max(policy.delay(self.failures), asked)
            connection.retry = Retry(self.failures, policy.attempts, time.time() + delay, lost, error)
            connection.changed()
            await asyncio.sleep(delay)
            try:
                await connection.opening.dial()
            except WebSocketError as failed:
                error = failed
            except (
                Exception
            ) as failed:  # unforeseen; nobody else would hear of it, and it would be lost for ever
                error = ConnectError(f"dialling raised {type(failed).__name__}: {failed}", retryable=False)
            else:
                await self._greet()
                return
        final = error if error is not None and not error.retryable else given_up(policy.attempts, error)
        connection.ending.finish(replace(lost, error=final))

    async def _greet(self) -> None:
        """Do what is to be done on each open; close a connection where that fails."""
        try:
            await self._connection.opening.greet()
        except (ClosedError, CanceledError):
            pass  # it is lost once more, and somebody sees to that
        except WebSocketError as error:
            what = "what is sent on each open failed"
            self._connection.ending.fail(CloseCode.INTERNAL_ERROR, what, error)
