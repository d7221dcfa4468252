"""Channels: bounded queues between threads and tasks, and a reader's place in a connection's log.

The vocabulary is that of the original: ``msg, ok = ch.receive()``, where ``ok`` is False once the channel is
closed **and** drained. A channel is used from any thread and from any event loop.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple, Self

from ipyws.core.channels.select import (
    Case,
    Selectable,
    receive_from,
    receive_from_async,
    send_to,
    send_to_async,
)
from ipyws.core.lock import LOCK
from ipyws.core.options.durations import Duration, seconds
from ipyws.errors import ClosedError, InvalidError, brief
from ipyws.runtime.deadline import Deadline
from ipyws.text.numbers import is_whole

MAX_CAPACITY = 10_000

_NEVER = Deadline(None)


class Received(NamedTuple):
    """What a receive gave.

    Attributes:
        value: The value; None where there is none.
        ok: False once the channel is closed and drained.
    """

    value: Any
    ok: bool


class Channel(Selectable):
    """A queue of at most ``capacity`` values, for any number of senders and receivers.

    Args:
        capacity: 1 to 10 000 values that may wait to be received.

    Raises:
        InvalidError: ``capacity`` is out of range.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = check_capacity(capacity)
        self._closed = False
        self._queue: deque[Any] = deque()

    # -- what a user does ------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """True once nothing more can be sent; what is queued can still be received."""
        return self._closed

    def __len__(self) -> int:
        """How many values wait to be received."""
        return len(self._queue)

    # A channel that happens to be empty is still a channel: `if channel:` must not say otherwise.
    def __bool__(self) -> bool:
        return True

    def receive(self, timeout: Duration | None = None) -> Received:
        """Wait for the next value.

        Args:
            timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            WaitTimeoutError: Nothing came in time.
            InvalidError: ``timeout`` is not a duration.
            ContextError: Called from the core's own thread.
        """
        return Received(*receive_from(self, Deadline(timeout)))

    async def receive_async(self, timeout: Duration | None = None) -> Received:
        """Wait for the next value, in a coroutine; as `receive`."""
        return Received(*await receive_from_async(self, Deadline(timeout)))

    def send(self, value: Any, timeout: Duration | None = None) -> None:
        """Queue a value, waiting for room.

        Args:
            value: The value.
            timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            ClosedError: The channel is closed.
            WaitTimeoutError: There was no room in time.
        """
        send_to(self, value, Deadline(timeout))

    async def send_async(self, value: Any, timeout: Duration | None = None) -> None:
        """Queue a value, waiting for room, in a coroutine; as `send`."""
        await send_to_async(self, value, Deadline(timeout))

    def close(self) -> None:
        """Let nothing more in; receivers get what is queued, then ok=False. Idempotent."""
        with LOCK:
            self._closed = True
            self._notify()

    def case_receive(self) -> Case[Self]:
        """Return the case of receiving from this channel, for `select`."""
        return Case(self)

    def case_send(self, value: Any) -> Case[Self]:
        """Return the case of sending ``value`` to this channel, for `select`."""
        return Case(self, sending=True, value=value)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        value, ok = receive_from(self, _NEVER)
        if not ok:
            raise StopIteration
        return value

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        value, ok = await receive_from_async(self, _NEVER)
        if not ok:
            raise StopAsyncIteration
        return value

    # -- what select does, with the lock held ------------------------------------------------------

    def _take(self) -> tuple[Any, bool] | None:
        if self._queue:
            value = self._queue.popleft()
            self._notify()
            return value, True
        return (None, False) if self._closed else None

    def _put(self, value: Any) -> bool:
        if self._closed:
            raise ClosedError("the channel is closed", hint="open a new one to send")
        if len(self._queue) >= self.capacity:
            return False
        self._queue.append(value)
        self._notify()
        return True

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{type(self).__name__} {state}, {len(self)} of {self.capacity} waiting>"


class Timer(Channel):
    """A channel that delivers the time once, when it is due, and then closes."""

    def __init__(self, delay: float) -> None:
        super().__init__(1)
        self._due = time.monotonic() + delay

    def _take(self) -> tuple[Any, bool] | None:
        if not self._closed and time.monotonic() >= self._due:
            self._closed = True
            return time.time(), True
        return super()._take()

    def _put(self, value: Any) -> bool:
        raise InvalidError("a timer's channel can only be received from")

    def _wake_at(self) -> float | None:
        return None if self._closed else self._due

    def stop(self) -> Self:
        """Never deliver: receivers get ok=False."""
        self.close()
        return self


def after(delay: Duration) -> Timer:
    """Return a channel that delivers the time (seconds since the epoch) once after ``delay``, then closes.

    Args:
        delay: How long: milliseconds, "5s" or a timedelta.

    Raises:
        InvalidError: ``delay`` is not a positive duration.
    """
    return Timer(seconds(delay, name="delay"))


def check_capacity(value: object) -> int:
    """Return ``value`` if a channel can have that capacity.

    Raises:
        InvalidError: It is not a whole number from 1 to 10 000.
    """
    if not is_whole(value, 1, MAX_CAPACITY):
        raise InvalidError(
            f"channel_capacity is {brief(value)}", hint=f"a whole number from 1 to {MAX_CAPACITY} is allowed"
        )
    return value
