"""Work beside the loop: on a thread of its own, which nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from ipyws.runtime.platform import PLATFORM
from ipyws.runtime.threads import Thread, start_thread

T = TypeVar("T")

_PATIENCE: Final = 5.0
"""Seconds without work after which a thread that was kept ends."""


def aside(work: Callable[[], T], name: str = "ipyws-aside") -> asyncio.Future[T]:
    """Run ``work`` on a thread of its own; return the future of its result, which may be cancelled.

    A daemon thread, not an executor: nobody joins it, so work that takes long keeps neither a process nor the
    end of a loop waiting. Cancelling the future does not stop the work.

    Args:
        work: Something that lets other threads run: C code without the interpreter lock, or short steps.
        name: Of the thread.
    """
    run, future = _prepared(work)
    start_thread(run, name)
    return future


class Worker:
    """A thread for work that comes again and again: it is kept for the next, and ends where none comes.

    To start one takes about 0.2 ms of CPU, which is half of what a view in a cell costs beside its rows.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._later: list[tuple[float, int, Callable[[], None]]] = []  # a heap; only the thread uses it
        self._told = 0

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run ``work`` as `aside` does, after what was to be done before; called on a loop."""
        if not PLATFORM.threads:
            return aside(work, self._name)
        run, future = _prepared(work)
        self.tell(run)
        return future

    def tell(self, work: Callable[[], None]) -> None:
        """Run ``work`` as `do` does, from any thread; nobody hears of its end, so no loop is woken for that.

        Args:
            work: Must not raise.
        """
        if not PLATFORM.threads:
            start_thread(work, self._name)
            return
        with self._lock:
            self._queue.put(work)
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._later.clear()
                self._thread = start_thread(self._work, self._name)

    def tell_later(self, delay: float, work: Callable[[], None]) -> None:
        """Run ``work`` as `tell` does, in so many seconds; called by work of this thread, where there is one.

        It is waited for here, where nothing is woken but what has to be done. `stop` drops it.
        """
        self._told += 1
        heapq.heappush(self._later, (time.monotonic() + delay, self._told, work))

    def stop(self) -> None:
        """End the thread once it has done what it was told, and wait for that for a moment."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(_PATIENCE)

    def _work(self) -> None:
        while (run := self._next()) is not None:
            run()
            del run  # what was done is kept no longer than that

    def _next(self) -> Callable[[], None] | None:
        """Return what is to be done next; None to end."""
        try:
            due = self._later[0][0] - time.monotonic() if self._later else _PATIENCE
            return self._queue.get(timeout=max(due, 0.0))
        except Empty:
            if self._later:
                return heapq.heappop(self._later)[2]
            with self._lock:  # between the two something may have come
                if not self._queue.empty():
                    return self._queue.get()
                self._thread = None
                return None


def _prepared(work: Callable[[], T]) -> tuple[Callable[[], None], asyncio.Future[T]]:
    """Return what does the work on whichever thread, and the future of its result on the running loop."""
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

    return run, future
