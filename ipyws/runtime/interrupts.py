"""Keeping an interrupt out of code that is not ours while a wait runs it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["SigintGuard"]


class SigintGuard:
    """Context manager of a wait: notes an interrupt, ends the wait, and then lets the interrupt happen.

    Python would raise KeyboardInterrupt wherever the main thread happens to be: inside a callback or task of
    the user's, which dies of it. Does nothing on other threads and where SIGINT is ignored.

    Args:
        wake: Called by the signal handler; must end the wait.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.pending = False
        """Whether the user has interrupted."""
        self._wake = wake
        self._previous: Callable[[int, FrameType | None], Any] | None = None
        self._active = False

    def __enter__(self) -> SigintGuard:
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous = previous
                self._active = True
                signal.signal(signal.SIGINT, self._on_sigint)
        return self

    def __exit__(self, *error: object) -> None:
        if self._previous is None:
            return
        self._active = False
        if signal.getsignal(signal.SIGINT) == self._on_sigint:
            signal.signal(signal.SIGINT, self._previous)
        if self.pending:
            self._pass_on(self._previous)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        if self._active:
            self.pending = True
            self._wake()
        elif self._previous is not None:
            # A kernel may save and restore handlers around messages, and so put ours back after its time.
            self._previous(number, frame)

    def _pass_on(self, previous: Callable[[int, FrameType | None], Any]) -> None:
        previous(signal.SIGINT, None)
        # It was not Python's own handler, or it had raised. Under a handler that asks for a cancellation the
        # wait ends cancelled: KeyboardInterrupt in a task would end the loop, and with it the kernel.
        raise KeyboardInterrupt if asyncio._get_running_loop() is None else asyncio.CancelledError
