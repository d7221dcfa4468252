"""One event loop without a thread of its own: turned by waits, by the page's own loop, and by signals.

It is asyncio's own loop but for what it asks for news: a port (`ipyws.browser.port`) in place of a selector,
and memory in place of sockets (`ipyws.browser.memory`).
"""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import events, tasks
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Final, NamedTuple, Protocol

from ipyws.browser.memory import teach
from ipyws.runtime import waiting

LONGEST: Final = 0.1
"""Seconds: the longest sleep, which an interrupt may have to wait for."""

_WHAT: Final = "the core's own loop"


class Record(NamedTuple):
    """Something that a port brings.

    Attributes:
        number: Of the connection that it is about.
        kind: What it is: one of `ipyws.browser.port`.
        argument: A close code, or bytes that were written.
        moment: When it came: seconds since the epoch.
        payload: What came.
    """

    number: int
    kind: int
    argument: int
    moment: float
    payload: bytes


class Port(Protocol):
    """Brings what comes for the connections of a page, and takes what they send."""

    @property
    def ready(self) -> bool:
        """Whether it can be waited for."""

    @property
    def starts(self) -> bool:
        """Whether it will be, though it is not yet."""

    def read(self, timeout: float) -> list[Record]:
        """Return what came; wait up to ``timeout`` seconds for something, where that can be waited for."""

    def rest(self) -> bool:
        """Have the page's loop woken by what comes from now on; tell whether something is there already."""

    def tell(self, op: str, **order: Any) -> None:
        """Have something done: open, send, close."""

    def close(self) -> None:
        """Bring nothing more."""


class _Selector:
    """What a loop of asyncio asks for news; the longest it may sleep is set at each turn."""

    def __init__(self, port: Port) -> None:
        self.longest = 0.0
        self._port = port

    def select(self, timeout: float | None) -> list[Record]:
        return self._port.read(self.longest if timeout is None else min(timeout, self.longest))


class TurnedLoop(asyncio.BaseEventLoop):
    """A loop that runs while somebody turns it.

    Args:
        port: Where news comes from.
        outer: The page's own loop, which turns this one when nobody else does; None where there is none.

    Attributes:
        port: As given.
        turning: Whether it is being turned now.
        alone: Whether a synchronous call turns it, and the page's own loop stands still meanwhile.
    """

    def __init__(self, port: Port, outer: asyncio.AbstractEventLoop | None) -> None:
        super().__init__()
        self.port = port
        self.turning = self.alone = False
        self._outer = outer
        self._selector = _Selector(port)
        self._hearers: dict[int, Callable[[Record | None], None]] = {}
        self._last = 0
        self._armed: tuple[float, asyncio.TimerHandle] | None = None
        teach(self)

    # -- connections that the port carries -----------------------------------------------------------

    def hear(self, hearer: Callable[[Record | None], None]) -> int:
        """Have ``hearer`` called with each record of a new connection, and with None at the end of a read.

        Returns:
            The number of that connection.
        """
        self._last += 1
        self._hearers[self._last] = hearer
        return self._last

    @property
    def carries(self) -> bool:
        """Whether the port has a connection, or opens one."""
        return bool(self._hearers)

    def forget(self, number: int) -> None:
        """Pass on nothing more of a connection."""
        self._hearers.pop(number, None)

    def _process_events(self, records: list[Record]) -> None:
        told = {}
        for record in records:
            if hearer := self._hearers.get(record.number):
                hearer(record)
                told[record.number] = hearer
        for hearer in told.values():
            hearer(None)

    # -- turning -------------------------------------------------------------------------------------

    @contextmanager
    def waited_for(self, *, alone: bool) -> Iterator[None]:
        """Note that a synchronous call waits, and whether the page's own loop stands still."""
        before, self.alone = self.alone, alone
        try:
            yield
        finally:
            self.alone = before

    def turn(self) -> None:
        """Do what is due, without waiting."""
        if not self.turning and not self.is_closed():
            self._serve(None, None)

    def run_until(self, until: Callable[[], bool], deadline: float | None) -> bool:
        """Turn until ``until()``, sleeping in between; return what it says at last.

        Args:
            until: Asked before each turn.
            deadline: In seconds of `time.monotonic`, or None.
        """
        if self.turning:
            return until()
        self._serve(until, deadline)
        return until()

    def _serve(self, until: Callable[[], bool] | None, deadline: float | None) -> None:
        outer = events._get_running_loop()
        task = None if outer is None else tasks.current_task(outer)
        if outer is not None and task is not None:
            tasks._leave_task(outer, task)
        events._set_running_loop(self)
        self.turning = True
        waiting.forbid(threading.get_ident(), _WHAT)
        try:
            self._turn_while(until, deadline)
        finally:
            waiting.allow(threading.get_ident())
            self.turning = False
            events._set_running_loop(outer)
            if outer is not None and task is not None:
                tasks._enter_task(outer, task)
            self._rest()

    def _turn_while(self, until: Callable[[], bool] | None, deadline: float | None) -> None:
        while until is None or not until():
            left = 0.0
            if until is not None:
                left = LONGEST if deadline is None else min(deadline - time.monotonic(), LONGEST)
                if left <= 0:
                    return
            self._selector.longest = left
            self._run_once()  # type: ignore[attr-defined]
            if until is None and not self._ready:  # type: ignore[attr-defined]
                return

    def _rest(self) -> None:
        """Have the page's loop turn this one when something is due."""
        scheduled = self._scheduled  # type: ignore[attr-defined]
        if self.port.rest() or self._ready:  # type: ignore[attr-defined]
            self._arm()
        elif scheduled:
            self._arm(scheduled[0]._when)

    def _arm(self, when: float = 0.0) -> None:
        if self.turning or self._outer is None or self._outer.is_closed():
            return
        if self._armed is not None:
            if self._armed[0] <= when:
                return
            self._armed[1].cancel()
        self._armed = when, self._outer.call_later(max(0.0, when - self.time()), self._wakes)

    def _wakes(self) -> None:
        self._armed = None
        self.turn()

    # -- what asyncio asks of a loop -------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio has it; the page's loop is told."""
        handle = super().call_soon(callback, *arguments, context=context)
        self._arm()
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As `call_soon`: there is one thread."""
        return self.call_soon(callback, *arguments, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio has it; the page's loop is told."""
        handle = super().call_at(when, callback, *arguments, context=context)
        self._arm(when)
        return handle

    def _write_to_self(self) -> None:
        self._arm()
