"""Opening a lost connection anew, as long as that can help."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.connection.reconnect import Reconnect, Retry, given_up, retry_after
from ipyws.core.constants import CloseCode
from ipyws.errors import CanceledError, ClosedError, ConnectError, WebSocketError

if TYPE_CHECKING:
    from ipyws.core.connection.stats import Stats


class Lost(Protocol):
    """A lost connection, as far as having it again goes."""

    failures: int

    @property
    def stats(self) -> Stats:
        """Its numbers."""

    async def dial(self) -> None:
        """Dial once; be open."""

    async def greet(self) -> None:
        """Send what is to be sent on each open."""

    def wait_for(self, retry: Retry) -> None:
        """Note when the next attempt will be made."""

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        """Close because of an error."""

    def finish(self, close: Close) -> None:
        """Be closed for good."""


async def dial_first(client: Lost, policy: Reconnect) -> None:
    """Dial for the first time, again and again as long as that can help.

    Raises:
        WebSocketError: It can't, or not in so many attempts.
    """
    for attempt in itertools.count(1):
        try:
            await client.dial()
            return
        except WebSocketError as error:
            if not error.retryable:
                raise
            if attempt == policy.attempts:
                raise given_up(attempt, error, again=False) from None
            asked = min(retry_after(error), policy.max)
        await asyncio.sleep(max(policy.delay(attempt), asked))


async def recover(client: Lost, lost: Close, policy: Reconnect) -> None:
    """Open a lost connection anew, or end it with the reason why it can't be had again.

    A connection that lasted longer than the longest wait was a good one: the count begins anew. One that is
    lost at once, again and again, is given up like one that can't be opened.
    """
    if client.stats.sessions[-1] > policy.max:
        client.failures = 0
    error: WebSocketError | None = None
    while client.failures < policy.attempts and (error is None or error.retryable):
        client.failures += 1
        asked = 0.0 if error is None else min(retry_after(error), policy.max)
        delay = max(policy.delay(client.failures), asked)
        client.wait_for(Retry(client.failures, policy.attempts, time.time() + delay, lost, error))
        await asyncio.sleep(delay)
        try:
            await client.dial()
        except WebSocketError as failed:
            error = failed
        except Exception as failed:  # unforeseen; nobody else would hear of it, and it would be lost for ever
            error = ConnectError(f"dialling raised {type(failed).__name__}: {failed}", retryable=False)
        else:
            await greet(client)
            return
    final = error if error is not None and not error.retryable else given_up(policy.attempts, error)
    client.finish(replace(lost, error=final))


async def greet(client: Lost) -> None:
    """Send what is to be sent on each open; close a connection where that fails."""
    try:
        await client.greet()
    except (ClosedError, CanceledError):
        pass  # it is lost once more, and somebody sees to that
    except WebSocketError as error:
        client.fail(CloseCode.INTERNAL_ERROR, "what is sent on each open failed", error)
