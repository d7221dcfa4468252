"""Threads of our own, and what stands in for them where there are none."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from ipyws.runtime.platform import PLATFORM

Thread: TypeAlias = threading.Thread

_LOOK: Final = 0.05
"""Seconds until work on a loop looks again whether there is more to do."""

_running: set[asyncio.Task[None]] = set()


def start_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """Start a daemon thread that a debugger leaves alone.

    At a breakpoint a debugger stops every thread of the process. Ours would answer no pings then, and a cell
    that waits for them could not be looked into; ipykernel marks its threads in the same way.

    Where there are no threads, ``target`` has run when this returns.

    Args:
        target: What it does.
        name: What it is called where threads are listed.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    if not PLATFORM.threads:
        target()
        return thread
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]
    thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]
    thread.start()
    return thread


def start_work(steps: Iterator[float | None], wake: threading.Event, name: str) -> None:
    """Do work that waits in between: on a thread of its own, else in turns of the running loop.

    Args:
        steps: The work; yields the seconds that it waits for ``wake``, or None to wait for ever.
        wake: Set where there is more to do.
        name: As in `start_thread`.
    """

    def run() -> None:
        for pause in steps:
            wake.wait(pause)

    async def take_turns() -> None:
        for pause in steps:
            await asyncio.sleep(0)
            end = math.inf if pause is None else time.monotonic() + pause
            while not wake.is_set() and time.monotonic() < end:  # noqa: ASYNC110 - set from anywhere
                await asyncio.sleep(min(_LOOK, end - time.monotonic()))

    if PLATFORM.threads:
        start_thread(run, name)
    else:
        task = asyncio.get_running_loop().create_task(take_turns(), name=name)
        _running.add(task)  # a loop has only weak references to its tasks
        task.add_done_callback(_running.discard)
