"""Waiting for the first of several channels that is ready: `select`, and what channels build on it.

Fair: among the ready cases the channel that was chosen longest ago goes first, so that a busy stream never
starves a timer. The original took the first ready case in the order of the list, and did.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipyws.core.lock import LOCK
from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, wait, wait_async

if TYPE_CHECKING:
    from ipyws.core.channels.channel import Channel

_turns = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Case:
    """One way for a select to go on: receiving from a channel, or sending to it."""

    channel: Channel
    sending: bool = False
    value: Any = None


@dataclass(frozen=True, slots=True)
class Selected:
    """What a select did.

    Attributes:
        channel: The channel of the chosen case; None by default.
        value: The value received or sent.
        ok: False when the channel is closed and drained.
        default: True when no case was ready and ``default=True`` was given.
    """

    channel: Channel | None = None
    value: Any = None
    ok: bool = True
    default: bool = False


def select(*cases: Case, timeout: Duration | None = None, default: bool = False) -> Selected:
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


async def select_async(*cases: Case, timeout: Duration | None = None, default: bool = False) -> Selected:
    """Wait until one of the cases can go on, in a coroutine; as `select`."""
    selection = _Selection(_check(cases), Deadline(timeout), default)
    return await selection.run_async()


def receive_from(channel: Channel, deadline: Deadline) -> tuple[Any, bool]:
    """Receive one value; the common case takes the lock once and builds nothing."""
    with LOCK:
        taken = channel._take()
    if taken is None:
        selected = _Selection((Case(channel),), deadline).run()
        taken = selected.value, selected.ok
    return taken


async def receive_from_async(channel: Channel, deadline: Deadline) -> tuple[Any, bool]:
    """Receive one value in a coroutine; as `receive_from`."""
    with LOCK:
        taken = channel._take()
    if taken is None:
        selected = await _Selection((Case(channel),), deadline).run_async()
        taken = selected.value, selected.ok
    return taken


def send_to(channel: Channel, value: Any, deadline: Deadline) -> None:
    """Send one value."""
    _Selection((Case(channel, True, value),), deadline).run()


async def send_to_async(channel: Channel, value: Any, deadline: Deadline) -> None:
    """Send one value in a coroutine."""
    await _Selection((Case(channel, True, value),), deadline).run_async()


class _Selection:
    """One select, while it waits."""

    def __init__(self, cases: Sequence[Case], deadline: Deadline, default: bool = False) -> None:
        self._cases = cases
        self._deadline = deadline
        self._default = default

    def run(self) -> Selected:
        while True:
            done, signal = self._attempt()
            if done:
                return done
            try:
                wait(signal, self._remaining())
            finally:
                self._forget(signal)

    async def run_async(self) -> Selected:
        while True:
            done, signal = self._attempt()
            if done:
                return done
            try:
                await wait_async(signal, self._remaining())
            finally:
                self._forget(signal)

    def _attempt(self) -> tuple[Selected | None, Signal]:
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

    def _try_cases(self) -> Selected | None:
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


def _check(cases: Sequence[object]) -> Sequence[Case]:
    for case in cases:
        if not isinstance(case, Case):
            raise InvalidError(
                f"select got a {type(case).__name__}",
                hint="only channel.case_receive() and channel.case_send(value) are allowed",
            )
    if not cases:
        raise InvalidError("select got no case", hint="at least one is needed")
    return cases  # type: ignore[return-value]
