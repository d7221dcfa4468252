"""Work beside the loop: on a thread of its own, which nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from ipyws.runtime.threads import start_thread

T = TypeVar("T")


def aside(work: Callable[[], T], name: str = "ipyws-aside") -> asyncio.Future[T]:
    """Run ``work`` on a thread of its own; return the future of its result, which may be cancelled.

    A daemon thread, not an executor: nobody joins it, so work that takes long keeps neither a process nor the
    end of a loop waiting. Cancelling the future does not stop the work.

    Args:
        work: Something that lets other threads run: C code without the interpreter lock, or short steps.
        name: Of the thread.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, raised = None, None
        try:
            result = work()
        except BaseException as error:
            raised = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, raised)

    start_thread(run, name)
    return future
