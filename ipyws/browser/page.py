"""The page that Python runs in: what the browser gives it, and its one loop for all connections."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from ipyws.browser import memory
from ipyws.browser.capabilities import lacks_of_page
from ipyws.browser.loop import Port, TurnedLoop


class Page:
    """What is asked of the browser; all of it is looked up late, so that this can be imported anywhere."""

    def __init__(self) -> None:
        self._loop: TurnedLoop | None = None

    def loop(self) -> TurnedLoop:
        """Return the loop of all connections of the page, made the first time."""
        if self._loop is None:
            outer = asyncio.get_event_loop()  # it runs always, here
            memory.teach(outer)
            self.begin(TurnedLoop(self._port(lambda: self.loop().turn()), outer))
            self._watch(self.loop())
        assert self._loop is not None
        return self._loop

    def begin(self, loop: TurnedLoop) -> None:
        """Have a loop for all connections.

        Args:
            loop: One with a port of its own.
        """
        self._loop = loop

    def end(self) -> None:
        """Close the loop, with all that it has; the next one is another."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.port.close()
            loop.close()

    def _port(self, woken: Any) -> Port:
        import js

        if not hasattr(js, "SharedArrayBuffer"):  # the page is not isolated
            from ipyws.browser.plain_port import PlainPort

            return PlainPort(woken)
        from ipyws.browser.port import RingPort

        return RingPort(woken)

    def _watch(self, loop: TurnedLoop) -> None:
        from ipyws.browser.signals import Turns

        Turns(loop).begin()

    def lacks(self) -> str:
        """Return what a connection may miss in this page, in words; an empty string where that is nothing."""
        return lacks_of_page(
            isolated=self.loop().port.starts,
            suspends=self.can_suspend(),
            folder=Path.cwd() != Path.home(),  # where Pyodide begins, and nothing is kept
        )

    def can_suspend(self) -> bool:
        """Tell whether Python can wait here while the page goes on (JavaScript Promise Integration)."""
        try:
            from pyodide.ffi import can_run_sync
        except ImportError:  # no page
            return False
        return bool(can_run_sync())

    def suspend(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for a coroutine on the page's loop, which goes on."""
        from pyodide.ffi import run_sync

        run_sync(work)


PAGE = Page()
