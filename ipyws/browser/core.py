"""The core of a page: connections on a loop that is turned by whoever waits."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Final

from ipyws.browser import memory
from ipyws.browser.loop import TurnedLoop
from ipyws.browser.page import PAGE
from ipyws.errors import ContextError
from ipyws.runtime import waiting
from ipyws.runtime.interrupts import SigintGuard
from ipyws.runtime.loop_thread import CoreThread
from ipyws.runtime.waiting import Signal

_SOON: Final = 0.005  # seconds of turning before the page's own loop gets its turns too
_LOOK: Final = 0.05  # seconds between two looks for an interrupt while it has them
_ENDING: Final = 0.5


class TurnedCore(CoreThread):
    """Does what the background thread does, without a thread."""

    def __init__(self) -> None:
        self.loop: TurnedLoop = PAGE.loop()
        self.pid = os.getpid()
        waiting.set_turner(self.wait)

    def wait(self, signal: Signal, deadline: float | None) -> bool:
        """Turn the loop until a signal is set; where the browser can, the page's own goes on too.

        Args:
            signal: The signal.
            deadline: In seconds of `time.monotonic`, or None.

        Raises:
            ContextError: Nothing can come before this returns.
        """
        loop = self.loop
        if loop.turning:
            return signal.is_set()
        soon = time.monotonic() + _SOON
        suspends = PAGE.can_suspend()
        with loop.waited_for(alone=not suspends), SigintGuard(lambda: None) as sigint:

            def over() -> bool:
                return signal.is_set() or sigint.pending

            if loop.run_until(over, soon if deadline is None else min(deadline, soon)):
                return signal.is_set()
            if suspends:
                PAGE.suspend(_until(signal, over, deadline))
            elif loop.port.ready:
                loop.run_until(over, deadline)
            else:
                self._wait_here(over, deadline)
        return signal.is_set()

    def _wait_here(self, over: Callable[[], bool], deadline: float | None) -> None:
        """Turn the loop for as long as that can be enough: what is waited for may dial only later."""
        if not self.loop.run_until(lambda: over() or not self._is_all_here(), deadline):
            return
        if not over():
            raise ContextError(
                "nothing can come in while this page waits",
                hint="use the async call, with await; or run this cell again once the page is ready",
            )

    def _is_all_here(self) -> bool:
        """Tell whether turning this loop is enough: nothing comes by the port, nor from the page's loop."""
        return not self.loop.carries and not memory.is_served_by_others(self.loop)

    def stop(self, timeout: float) -> None:
        """Cancel what still runs; the loop itself is the page's."""
        others = asyncio.all_tasks(self.loop)
        for task in others:
            task.cancel()
        self.loop.run_until(lambda: all(task.done() for task in others), time.monotonic() + timeout)
        waiting.set_turner(None)


async def _until(signal: Signal, over: Callable[[], bool], deadline: float | None) -> None:
    while not over():
        left = _LOOK if deadline is None else min(deadline - time.monotonic(), _LOOK)
        if left <= 0:
            return
        await waiting.wait_async(signal, left)
