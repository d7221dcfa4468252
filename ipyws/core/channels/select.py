"""Waiting for the first of several channels that is ready: `select`, and what channels build on it.

Fair: among the ready cases the channel that was chosen longest ago goes first, so that a busy stream never
starves a timer. The original took the first ready case in the order of the list, and did.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ipyws.core.lock import LOCK
from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, Wakeable, wait, wait_async

_turns = itertools.count(1)


class Selectable(ABC):
    """What a select can wait for: a channel. All but the first method are called with the lock held."""

    def __init__(self) -> None:
        # Appended to without the lock, by who looks afterwards whether there is something; whoever has put
        # something there drains it afterwards: so each is woken, and waiting needs no section of the lock.
        self._waiting: list[Wakeable] = []
        self._served = 0  # when it was last chosen

    def _wake_at(self) -> float | None:
        """When to look again though nobody notifies: a monotonic time, or None."""
        return None

    @abstractmethod
    def _take(self) -> tuple[Any, bool] | None:
        """Return the next value and True, (None, False) when closed and drained, None when empty."""

    @abstractmethod
    def _put(self, value: Any) -> bool:
        """Queue ``value`` if there is room."""

    def _notify(self) -> None:
        waiting = self._waiting
        while waiting:
            waiting.pop().set()

    def _await(self, signal: Wakeable) -> None:
        self._waiting.append(signal)

    def _forget(self, signal: Wakeable) -> None:
        with contextlib.suppress(ValueError):
            self._waiting.remove(signal)


C = TypeVar("C", bound=Selectable, covariant=True)


@dataclass(frozen=True, slots=True)
class Case(Generic[C]):
    """One way for a select to go on: receiving from a channel, or sending to it."""

    channel: C
    sending: bool = False
    value: Any = None


@dataclass(frozen=True, slots=True)
class Selected(Generic[C]):
    """What a select did.

    Attributes:
        channel: The channel of the chosen case; None by default.
        value: The value received or sent.
        ok: False when the channel is closed and drained.
        default: True when no case was ready and ``default=True`` was given.
    """

    channel: C | None = None
    value: Any = None
    ok: bool = True
    default: bool = False


def select(*cases: Case[C], timeout: Duration | None = None, default: bool = False) -> Selected[C]:
    """Wait until one of the cases can go on, and let it.

    Args:
        cases: From `Channel.case_receive` and `Channel.case_send`.
        timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.
        default: Return at once, with ``.default`` set, when no case is ready.

    Raises:
        WaitTimeoutError: No case was ready in time.
        ClosedError: A case sends to a closed channel.
        InvalidError: There is no case, something is not a case, or ``timeout`` is not a duration.
    """
    selection = _Selection(_check(cases), Deadline(timeout), default)
    return selection.run()


async def select_async(
    *cases: Case[C], timeout: Duration | None = None, default: bool = False
) -> Selected[C]:
    """Wait until one of the cases can go on, in a coroutine; as `select`."""
    selection = _Selection(_check(cases), Deadline(timeout), default)
    return await selection.run_async()


def receive_from(channel: Selectable, deadline: Deadline) -> tuple[Any, bool]:
    """Receive one value; the common case takes the lock once and builds nothing."""
    with LOCK:
        taken = channel._take()
    if taken is None:
        selected = _Selection((Case(channel),), deadline).run()
        taken = selected.value, selected.ok
    return taken


async def receive_from_async(channel: Selectable, deadline: Deadline) -> tuple[Any, bool]:
    """Receive one value in a coroutine; as `receive_from`."""
    with LOCK:
        taken = channel._take()
    if taken is None:
        selected = await _Selection((Case(channel),), deadline).run_async()
        taken = selected.value, selected.ok
    return taken


def send_to(channel: Selectable, value: Any, deadline: Deadline) -> None:
    """Send one value."""
    _Selection((Case(channel, True, value),), deadline).run()


async def send_to_async(channel: Selectable, value: Any, deadline: Deadline) -> None:
    """Send one value in a coroutine."""
    await _Selection((Case(channel, True, value),), deadline).run_async()


class _Selection(Generic[C]):
    """One select, while it waits."""

    def __init__(self, cases: Sequence[Case[C]], deadline: Deadline, default: bool = False) -> None:
        self._cases = cases
        self._deadline = deadline
        self._default = default

    def run(self) -> Selected[C]:
        while True:
            done, signal = self._attempt()
            if done:
                return done
            try:
                wait(signal, self._remaining())
            finally:
                self._forget(signal)

    async def run_async(self) -> Selected[C]:
        while True:
            done, signal = self._attempt()
            if done:
                return done
            try:
                await wait_async(signal, self._remaining())
            finally:
                self._forget(signal)

    def _attempt(self) -> tuple[Selected[C] | None, Signal]:
        """Let a ready case go on, or have every channel set the signal when it changes."""
        signal = Signal()
        with LOCK:
            done = self._try_cases()
            if done is None and self._default:
                done = Selected(default=True)
            if done is None and self._deadline.passed:
                raise self._deadline.error("no channel was ready")
            if done is None:
                for case in self._cases:
                    case.channel._await(signal)
        return done, signal

    def _try_cases(self) -> Selected[C] | None:
        for case in sorted(self._cases, key=lambda case: case.channel._served):
            channel = case.channel
            if case.sending:
                if channel._put(case.value):
                    channel._served = next(_turns)
                    return Selected(channel, case.value)
            elif taken := channel._take():
                channel._served = next(_turns)
                return Selected(channel, *taken)
        return None

    def _forget(self, signal: Signal) -> None:
        with LOCK:
            for case in self._cases:
                case.channel._forget(signal)

    def _remaining(self) -> float | None:
        left = [max(0.0, at - time.monotonic()) for case in self._cases if (at := case.channel._wake_at())]
        if (remaining := self._deadline.remaining()) is not None:
            left.append(remaining)
        return min(left, default=None)


def _check(cases: Sequence[Case[C]]) -> Sequence[Case[C]]:
    for case in cases:
        if not isinstance(case, Case):
            raise InvalidError(
                f"select got a {type(case).__name__}",
                hint="only channel.case_receive() and channel.case_send(value) are allowed",
            )
    if not cases:
        raise InvalidError("select got no case", hint="at least one is needed")
    return cases
