"""The one lock of all logs and channels, which keeps interrupts out too.

One for all, because a select has to look at several channels at once, and because the appends of all
connections come from one thread anyway. It is held for a few hundred nanoseconds at a time, and never
while something waits.

Ctrl-C raises KeyboardInterrupt between any two steps of the main thread: there it would leave a message sent
and not logged, or counted and not there. While that thread holds the lock an interrupt is noted, and raised
when it lets go. `asyncio.run` has it cancel a task instead, the first time: nothing is raised then, and the
handler stays as it is.
"""

from __future__ import annotations

# What `signal` wraps in enums: a section of the main thread costs 0.7 µs more by it, by `signal` 4.5.
import _signal  # type: ignore[import-not-found]
import asyncio
import os
import threading
from _thread import get_ident
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import FrameType
from typing import Any, Final

_Handler = Callable[[int, FrameType | None], Any]

_OF_RUNNER: Final[Any] = getattr(asyncio.Runner, "_on_sigint", None)


def _raises_nothing(handler: partial[Any]) -> bool:
    """Tell whether it is that of `asyncio.run`, whose task goes on and was not interrupted yet."""
    if getattr(handler.func, "__func__", None) is not _OF_RUNNER:
        return False
    runner = getattr(handler.func, "__self__", None)
    # Twice within the microseconds of one section is no human hand.
    is_first = getattr(runner, "_interrupt_count", 1) == 0
    return is_first and not handler.keywords["main_task"].done()


class Lock:
    """A re-entrant lock, inside of which the main thread is not interrupted.

    Attributes:
        main: The main thread.
        plain: The lock alone: all that a section of another thread needs, for half of what it costs.
    """

    def __init__(self) -> None:
        self._handler: _Handler = self._note  # bound once, to be recognised
        self.renew()

    def renew(self) -> None:
        """Be free: after a fork, which may happen while another thread holds it."""
        self.plain = threading.RLock()
        self.main = threading.main_thread().ident
        self._theirs: _Handler | None = None
        self._depth = 0  # of the main thread
        self._interrupted = False

    def section(self) -> AbstractContextManager[Any]:
        """Return the least that a section of this thread needs: this, or the lock alone.

        Of a message that comes alone to a task under `asyncio.run`, this was a sixth of what it cost.
        """
        if get_ident() != self.main:
            return self.plain
        theirs = _signal.getsignal(_signal.SIGINT)
        return self.plain if type(theirs) is partial and _raises_nothing(theirs) else self

    def __enter__(self) -> None:
        if get_ident() == self.main:
            self._hold_back()
        self.plain.acquire()

    def __exit__(self, *error: object) -> None:
        self.plain.release()
        if get_ident() == self.main:
            self._let_go()

    def _hold_back(self) -> None:
        theirs = _signal.getsignal(_signal.SIGINT)
        if theirs is self._handler:
            self._depth += 1
        elif callable(theirs) and not (type(theirs) is partial and _raises_nothing(theirs)):
            self._interrupted = False
            _signal.signal(_signal.SIGINT, self._handler)
            self._theirs, self._depth = theirs, 1

    def _let_go(self) -> None:
        theirs = self._theirs
        if theirs is None or _signal.getsignal(_signal.SIGINT) is not self._handler:
            return
        self._depth -= 1
        if not self._depth:
            self._theirs = None
            _signal.signal(_signal.SIGINT, theirs)
            if self._interrupted:
                theirs(_signal.SIGINT, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True


class Uninterrupted:
    """What keeps interrupts out as the lock does, without the lock: for a step behind a section of it.

    Args:
        lock: Whose sections it may hold.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if get_ident() == self._lock.main:
            self._lock._hold_back()

    def __exit__(self, *error: object) -> None:
        if get_ident() == self._lock.main:
            self._lock._let_go()


LOCK = Lock()
UNINTERRUPTED = Uninterrupted(LOCK)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LOCK.renew)
