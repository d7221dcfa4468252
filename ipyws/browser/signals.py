"""Turns of the loop while a cell computes: a signal between two instructions of Python."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Final

from ipyws.browser.loop import TurnedLoop

_CELL: Final = "IPython.core.interactiveshell"
_NOT_INTO: Final = ("ipyws", "asyncio", "pyodide", "IPython", "ipywidgets", "traitlets", "comm", "anywidget")
"""What a signal must not strike in the midst of: it may hold a lock, or be half done."""


class Turns:
    """Turns a loop while the user's own code runs, when the port asks for it.

    Args:
        loop: The loop.
    """

    def __init__(self, loop: TurnedLoop) -> None:
        self._loop = loop

    def begin(self) -> None:
        """Take the signals, and say from now on when a cell runs."""
        from IPython import get_ipython

        signal.signal(signal.SIGUSR1, self.on_signal)
        shell = get_ipython()
        if shell is not None:
            shell.events.register("pre_run_cell", lambda *_: self._busy(True))
            shell.events.register("post_run_cell", lambda *_: self._busy(False))
        self._busy(True)  # a cell runs, which has brought us here

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Turn the loop if nothing but the user's own code is struck."""
        if is_the_users(frame):
            self._loop.turn()

    def _busy(self, how: bool) -> None:
        port: Any = self._loop.port
        port.busy(how)


def is_the_users(frame: FrameType | None) -> bool:
    """Tell whether only the user's own code is between a frame and the cell that it belongs to."""
    while frame is not None:
        name: str = frame.f_globals.get("__name__", "")
        if name == _CELL:
            return True
        if name.partition(".")[0] in _NOT_INTO:
            return False
        frame = frame.f_back
    return True
