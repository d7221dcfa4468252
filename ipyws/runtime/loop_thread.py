"""The background thread: one event loop that serves all connections of a process.

Messages, pings and demo servers go on there while a cell computes. Synchronous calls hand it a coroutine and
wait (`ipyws.runtime.waiting`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ipyws.errors import CanceledError, ContextError
from ipyws.runtime import waiting
from ipyws.runtime.nested_loop import new_core_loop
from ipyws.runtime.threads import start_thread
from ipyws.runtime.waiting import Signal, wait

T = TypeVar("T")

_NAME = "ipyws"
_START = 10.0  # seconds; a thread that takes longer will not come
_TURNS = 5  # of the loop, in which sockets are closed that cancelled tasks have dropped


class _Call:
    """One coroutine on its way through the loop thread."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._make = make
        self._task: asyncio.Task[Any] | None = None
        self._exit: BaseException | None = None
        self.done = Signal()
        self.canceled = False

    def start(self) -> None:
        if self.canceled:
            self.done.set()
            return
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(lambda _: self.done.set())

    async def _run(self) -> Any:
        # Made in here, so that whoever waits hears of it where even that raises.
        try:
            return await self._make()
        except (KeyboardInterrupt, SystemExit) as error:  # of a user's function; these two end a loop
            self._exit = error

    def cancel(self) -> None:
        self.canceled = True
        if self._task is not None:
            self._task.cancel()

    def result(self) -> Any:
        if self._task is None or self._task.cancelled():
            raise CanceledError("the core was shut down meanwhile", hint="connect again")
        if self._exit is not None:
            raise self._exit
        return self._task.result()


class CoreThread:
    """A daemon thread with an event loop of its own."""

    def __init__(self) -> None:
        self.loop = new_core_loop()
        self.pid = os.getpid()
        self._started = Signal()
        self._ender: asyncio.Task[None] | None = None
        self._thread = start_thread(self._run, _NAME)
        self._started.wait(_START)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        waiting.forbid(threading.get_ident(), "the core's own thread")
        self.loop.call_soon(self._started.set)
        try:
            self.loop.run_forever()
        finally:
            waiting.allow(threading.get_ident())
            self.loop.close()

    def call(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop and wait for its result, keeping the caller's own loop alive.

        An interrupt cancels the coroutine, then raises KeyboardInterrupt here.

        Raises:
            ContextError: The core is shut down, or this is its own thread, or a forked process without it.
        """
        self.check_process()
        call = _Call(make)
        try:
            # Inside too: an interrupt may strike when the loop has the call already.
            self._begin(call)
            wait(call.done)
        except BaseException:
            self.post(call.cancel)
            raise
        result: T = call.result()
        return result

    def _begin(self, call: _Call) -> None:
        try:
            self.loop.call_soon_threadsafe(call.start)
        except RuntimeError:
            raise ContextError("the core is shut down", hint="connect again") from None

    def check_caller(self) -> None:
        """Raise where a synchronous call would have to wait for itself, or for another process.

        Raises:
            ContextError: This is the thread of the loop, or a process forked from its own.
        """
        self.check_process()
        waiting.check()

    def check_process(self) -> None:
        """Raise in a forked child, where nothing of this thread runs.

        Raises:
            ContextError: This process was forked from that of the thread.
        """
        if self.pid != os.getpid():
            raise ContextError(
                "this connection belongs to the parent process", hint="connect again in this one"
            )

    def post(self, callback: Callable[[], object]) -> None:
        """Have the loop call ``callback`` soon; nothing happens after the shutdown."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(callback)

    def stop(self, timeout: float) -> None:
        """End the loop and the thread; what still runs there is cancelled."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=timeout / 2)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self.loop.stop()

        def begin() -> None:
            self._ender = self.loop.create_task(end())

        self.post(begin)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
