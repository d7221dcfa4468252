"""Running an event loop from inside one of its own callbacks.

asyncio forbids it. The usual way round, `nest_asyncio`, replaces methods of the loop's class and asyncio's
Task for the whole process; its version 1.6 loses a kernel's messages on ipykernel 7.1 and later, and its
successor `nest_asyncio2` can't help where 1.6 was applied first. `run_until` patches nothing. It does what a
turn of asyncio's own loop does (`BaseEventLoop._run_once`), and minds three things that make a plain second
call of that method unsound:

- Only one task may be current: the one that waits steps aside and comes back.
- A callback whose `contextvars.Context` is in use further up the stack can't run: it keeps its place in the
  queue until the wait ends. (ipykernel 7 handles all messages of a kernel in one context.)
- The turn further up the stack counted its callbacks before it began: it must find that many afterwards.

Waits inside waits end last in, first out.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from asyncio import base_events, events, tasks
from collections.abc import Callable
from heapq import heappop
from typing import Any, Final

__all__ = ["new_core_loop", "patch", "run_until", "supported"]

MAX_SELECT: Final = 0.1
"""Seconds: the longest sleep in the selector, which Ctrl-C does not wake on every platform."""

_LOOP_PARTS: Final = (
    "_clock_resolution",
    "_process_events",
    "_ready",
    "_scheduled",
    "_selector",
    "_stopping",
    "_timer_cancelled_count",
)


def supported(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether `run_until` can serve ``loop``: one of asyncio's own, patched by nest_asyncio or not.

    False for loops written in C (uvloop), for those that run by another toolkit's loop (Qt), and for a future
    asyncio without the private parts that we need.
    """
    kind = type(loop)
    return (
        isinstance(loop, asyncio.BaseEventLoop)
        and kind.call_soon is asyncio.BaseEventLoop.call_soon
        and (_turns_originally(kind) or hasattr(loop, "_nest_patched"))
        and all(hasattr(loop, part) for part in _LOOP_PARTS)
        and hasattr(tasks, "_enter_task")
        and hasattr(tasks, "_leave_task")
    )


def patch(loop: asyncio.AbstractEventLoop) -> bool:
    """Make ``loop`` re-entrant by nest_asyncio2, for loops that are not `supported`; affects all its class.

    Returns:
        Whether ``loop.run_until_complete`` may now be called while it runs.
    """
    try:
        import nest_asyncio2

        nest_asyncio2.apply(loop)
    except (ImportError, ValueError):  # ValueError: not a kind of loop that it knows how to patch
        return False
    return True


def run_until(loop: asyncio.AbstractEventLoop, until: Callable[[], bool], deadline: float | None) -> bool:
    """Serve the loop that runs in this thread, from within one of its callbacks.

    Args:
        loop: Running in this thread, and `supported`.
        until: Asked before each turn and after each callback; whatever makes it true must wake the loop.
        deadline: In seconds of `time.monotonic`, or None.

    Returns:
        What ``until`` says at the end: False after the deadline, or when the loop was told to stop.

    Raises:
        KeyboardInterrupt: Only this and SystemExit leave a callback; other errors go to the loop's handler.
    """
    inner: Any = loop
    owed = len(inner._ready)
    deferred: list[events.Handle] = []
    task = tasks.current_task(loop)
    if task is not None:
        tasks._leave_task(loop, task)
    try:
        while not until():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            _poll(inner, deadline)
            _run_ready(inner, until, deferred)
            if inner._stopping:
                return until()
        return True
    finally:
        inner._ready.extendleft(reversed(deferred))
        _pay_back(inner, owed)
        if task is not None:
            tasks._enter_task(loop, task)


def new_core_loop() -> asyncio.AbstractEventLoop:
    """Return a new selector loop that stays as asyncio made it when somebody patches asyncio's loops."""
    return _CoreLoop()


class _CoreLoop(asyncio.SelectorEventLoop):
    """Has its own references to the methods that nest_asyncio replaces in asyncio's classes."""

    run_forever = base_events.BaseEventLoop.run_forever
    run_until_complete = base_events.BaseEventLoop.run_until_complete
    _run_once = base_events.BaseEventLoop._run_once  # type: ignore[attr-defined]
    _check_running = base_events.BaseEventLoop._check_running  # type: ignore[attr-defined]
    _nest_patched = True
    """Makes nest_asyncio pass this class by."""


def _turns_originally(kind: type) -> bool:
    return getattr(kind, "_run_once", None) is base_events.BaseEventLoop._run_once  # type: ignore[attr-defined]


def _poll(loop: Any, deadline: float | None) -> None:
    """Sleep until there is something to do, then queue what the sockets and the timers bring."""
    while loop._scheduled and loop._scheduled[0]._cancelled:
        loop._timer_cancelled_count -= 1
        heappop(loop._scheduled)._scheduled = False
    loop._process_events(loop._selector.select(_sleep(loop, deadline)))
    now = loop.time() + loop._clock_resolution
    while loop._scheduled and loop._scheduled[0]._when < now:
        handle = heappop(loop._scheduled)
        handle._scheduled = False
        loop._ready.append(handle)


def _sleep(loop: Any, deadline: float | None) -> float:
    if loop._ready or loop._stopping:
        return 0.0
    seconds = MAX_SELECT
    if loop._scheduled:
        seconds = min(seconds, loop._scheduled[0]._when - loop.time())
    if deadline is not None:
        seconds = min(seconds, deadline - time.monotonic())
    return max(seconds, 0.0)


def _run_ready(loop: Any, until: Callable[[], bool], deferred: list[events.Handle]) -> None:
    for _ in range(len(loop._ready)):
        if not loop._ready:  # a wait inside this one ran them
            return
        handle = loop._ready.popleft()
        if handle._cancelled:
            continue
        if _in_use(handle._context):
            deferred.append(handle)
            continue
        handle._run()
        if until():
            return


def _in_use(context: contextvars.Context) -> bool:
    # A context does not tell whether it is entered; entering it, for the cheapest of calls, does.
    try:
        context.run(int)
    except RuntimeError:
        return True
    return False


def _pay_back(loop: Any, owed: int) -> None:
    filler = events.Handle(int, (), loop, contextvars.Context())
    filler.cancel()
    loop._ready.extend([filler] * (owed - len(loop._ready)))
