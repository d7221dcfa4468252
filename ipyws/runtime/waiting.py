"""Waiting for another thread without freezing the event loop that this thread runs.

A synchronous call in a notebook runs *inside* the kernel's event loop. Blocking there would freeze whatever
the user keeps on that loop: a server started in a cell could never answer the client in the next one. So
`wait` blocks only briefly; after that it goes on serving the loop until the signal comes.

==========================================  ==========================================================
this thread                                 how it waits
==========================================  ==========================================================
runs no loop (script, worker thread)        blocks
has a loop that rests (terminal IPython)    blocks up to 5 ms, then runs that loop
runs a loop (notebook cell)                 blocks up to 5 ms, then re-enters the loop (`reentry`)
runs a loop that can't be re-entered        blocks (uvloop)
is the only one there is (a browser)        turns the core's loop (`set_turner`)
==========================================  ==========================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from ipyws.errors import CanceledError, ContextError
from ipyws.runtime import nested_loop
from ipyws.runtime.interrupts import SigintGuard

__all__ = [
    *("Signal", "Sleeper", "Wakeable", "allow", "check", "forbid", "set_idle_loop", "set_turner", "wait"),
    "wait_async",
]

SLICE: Final = 0.1
"""Seconds: the longest uninterrupted sleep; some platforms can't wake a sleeping thread for Ctrl-C."""

GRACE: Final = 0.005
"""Seconds that waits may block before the loop is served: enough for most calls that need no loop, and what
each call to a server on that very loop pays (its round trip takes 0.3 ms otherwise)."""


class Signal:
    """Something that happens once and wakes everyone who waits for it; safe in all threads."""

    __slots__ = ("_callbacks", "_first", "_gate", "_set")

    def __init__(self) -> None:
        self._set = False
        self._first = threading.Lock()
        self._gate = threading.Lock()
        self._gate.acquire()
        self._callbacks: list[Callable[[], object]] = []  # a deque takes 600 bytes

    def set(self) -> None:
        """Wake all waiters and call all callbacks; does nothing the second time."""
        if self._first.acquire(blocking=False):
            self._set = True
            self._gate.release()
            self._call_back()

    def is_set(self) -> bool:
        """Tell whether `set` was called."""
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        """Block this thread, loop and all; `wait` of this module is the one that keeps a loop alive.

        Args:
            timeout: Seconds; 0 or less only looks; None waits for ever.

        Returns:
            Whether the signal is set.
        """
        if _turner is not None and not self._set:
            return _turner(self, None if timeout is None else time.monotonic() + timeout)
        seconds = -1.0 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX)
        if not self._set and self._gate.acquire(timeout=seconds):
            self._gate.release()
        return self._set

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called once, by the thread that calls `set`; at once if that has happened.

        Args:
            callback: Must return quickly and must not raise.
        """
        self._callbacks.append(callback)
        # Whoever appends looks at the flag afterwards, whoever sets the flag looks at the list afterwards,
        # and popping is atomic: so each callback runs exactly once, without a lock around it.
        if self._set:
            self._call_back()

    def remove_callback(self, callback: Callable[[], object]) -> None:
        """Forget ``callback``; does nothing if it was called already."""
        with contextlib.suppress(ValueError):
            self._callbacks.remove(callback)

    def _call_back(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                callback = self._callbacks.pop(0)
                callback()


class Wakeable(Protocol):
    """Who waits, as far as it is woken: a `Signal`, or a `Sleeper`."""

    def set(self) -> None:
        """Wake it; from any thread."""


class Sleeper(asyncio.Future[None]):
    """A coroutine that waits to be woken, once: it awaits this where `sleep` would be one coroutine too many.

    What `Signal` and `wait_async` do for any number of waiters, and itself the future, with nothing made
    beside it: of a message that comes alone, those were a third of what reading it costs.
    """

    __slots__ = ()

    def set(self) -> None:
        """Wake it; from any thread."""
        loop = self.get_loop()
        # As the loop itself has it; until Python 3.12, asking which loop runs is a system call.
        if getattr(loop, "_thread_id", 0) != get_ident() and asyncio._get_running_loop() is not loop:
            _resolve_soon(loop, self)
        elif not self.done():  # awake: waking it would cost two system calls
            try:  # noqa: SIM105 - a context manager is three calls
                self.set_result(None)
            except asyncio.InvalidStateError:  # a signal handler has cancelled it in between
                pass

    async def sleep(self, timeout: float | None = None) -> None:
        """Wait until `set` is called, or so many seconds have passed."""
        if timeout is None:
            await self
            return
        timer = self.get_loop().call_later(max(timeout, 0.0), _resolve, self)
        try:
            await self
        finally:
            timer.cancel()


_forbidden: dict[int, str] = {}
_unserved: WeakKeyDictionary[asyncio.AbstractEventLoop, float] = WeakKeyDictionary()
"""Loops that have not run since a wait blocked their thread, and when that was."""


def _no_idle_loop() -> asyncio.AbstractEventLoop | None:
    return None


_idle_loop: Callable[[], asyncio.AbstractEventLoop | None] = _no_idle_loop


def forbid(thread_ident: int, reason: str) -> None:
    """Make `wait` raise `ContextError` in a thread that must never block, such as the core's own.

    Args:
        thread_ident: As `threading.get_ident` returns it.
        reason: What that thread is: a lower-case fragment for the message.
    """
    _forbidden[thread_ident] = reason


def allow(thread_ident: int) -> None:
    """Undo `forbid`; does nothing for other threads."""
    _forbidden.pop(thread_ident, None)


def check() -> None:
    """Raise in a thread that must never block.

    Raises:
        ContextError: This thread was named to `forbid`.
    """
    if reason := _forbidden.get(threading.get_ident()):
        raise ContextError(f"a synchronous call from {reason}", hint="use the async call there, with await")


def set_idle_loop(provider: Callable[[], asyncio.AbstractEventLoop | None] | None) -> None:
    """Name the loop that `wait` runs on the main thread when no loop runs there.

    Terminal IPython has such a loop: it runs only while a cell awaits, and between cells it holds the
    servers that the user started.

    Args:
        provider: Asked at each wait; its loop is left alone while it runs or once it is closed. None for
            no such loop.
    """
    global _idle_loop
    _idle_loop = provider or _no_idle_loop


_turner: Callable[[Signal, float | None], bool] | None = None


def set_turner(turner: Callable[[Signal, float | None], bool] | None) -> None:
    """Have every wait done by turning a loop: where there are no threads, nobody else would.

    Args:
        turner: Gets the signal and the deadline, in seconds of `time.monotonic` or None; returns whether the
            signal is set. None: this thread waits for others, as usual.
    """
    global _turner
    _turner = turner


def wait(signal: Signal, timeout: float | None = None) -> bool:
    """Block the caller until ``signal`` is set, while the event loop of this thread goes on.

    Args:
        signal: Set by another thread.
        timeout: Seconds; 0 or less only looks; None waits for ever.

    Returns:
        True once the signal is set, False when the timeout passed first.

    Raises:
        ContextError: This thread was named to `forbid`.
        CanceledError: The loop was stopped meanwhile, as a kernel that shuts down does.
        KeyboardInterrupt: The user interrupted; raised here only, never in a callback or task of the loop.
        asyncio.CancelledError: The same where somebody else turns interrupts into cancellation:
            `asyncio.run`, an async cell, an outer wait.
    """
    check()
    if signal.is_set():
        return True
    deadline = None if timeout is None else time.monotonic() + timeout
    if _turner is not None:
        return _turner(signal, deadline)
    loop = asyncio._get_running_loop() or _resting_loop()
    return _block(signal, deadline) if loop is None else _serve(loop, signal, deadline)


async def wait_async(signal: Signal, timeout: float | None = None) -> bool:
    """Wait until ``signal`` is set; the signal never notices that a waiter was cancelled.

    Args:
        signal: Set by any thread.
        timeout: Seconds; 0 or less only looks; None waits for ever.

    Returns:
        True once the signal is set, False when the timeout passed first.
    """
    if signal.is_set():
        return True
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if asyncio._get_running_loop() is loop:  # awake already: waking it would cost two system calls
            _resolve(done)
        else:
            _resolve_soon(loop, done)

    with contextlib.suppress(TimeoutError), _calling(signal, wake):
        async with asyncio.timeout(timeout):
            await done
    return signal.is_set()


def _resting_loop() -> asyncio.AbstractEventLoop | None:
    if _idle_loop is _no_idle_loop or threading.current_thread() is not threading.main_thread():
        return None
    loop = _idle_loop()
    return None if loop is None or loop.is_running() or loop.is_closed() else loop


def _left(deadline: float | None, most: float = SLICE) -> float:
    return most if deadline is None else min(deadline - time.monotonic(), most)


def _block(signal: Signal, deadline: float | None, sigint: SigintGuard | None = None) -> bool:
    """Wait without serving any loop."""
    while not signal.wait(_left(deadline)):
        if _left(deadline) <= 0 or (sigint and sigint.pending):
            return False
    return True


def _serve(loop: asyncio.AbstractEventLoop, signal: Signal, deadline: float | None) -> bool:
    """Block while the loop can spare this thread, then run the loop until the wait is over."""
    done: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        _resolve_soon(loop, done)

    with SigintGuard(wake) as sigint:
        if signal.wait(_left(deadline, _grace(loop))):
            return True
        with _calling(signal, wake):
            if not loop.is_running():
                _complete(loop, done, deadline)
            elif nested_loop.supported(loop):
                _reenter(loop, done, deadline)
            elif nested_loop.patch(loop):
                _complete(loop, done, deadline)
            else:
                _block(signal, deadline, sigint)
    return signal.is_set()


def _reenter(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None], deadline: float | None) -> None:
    if not nested_loop.run_until(loop, done.done, deadline) and _left(deadline) > 0:
        raise _stopped()


def _complete(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None], deadline: float | None) -> None:
    timer = None if deadline is None else loop.call_later(deadline - time.monotonic(), _resolve, done)
    try:
        loop.run_until_complete(done)
    except RuntimeError:
        raise _stopped() from None
    finally:
        if timer:
            timer.cancel()


def _stopped() -> CanceledError:
    return CanceledError("the event loop was stopped during the wait")


def _grace(loop: asyncio.AbstractEventLoop) -> float:
    """Return the seconds for which this thread may block before its loop needs to run again."""
    now = time.monotonic()
    since = _unserved.get(loop)
    if since is None:
        # The loop itself will tell us that it ran; in a context of its own, so that nothing defers this.
        loop.call_soon(_unserved.pop, loop, None, context=contextvars.Context())
        since = _unserved[loop] = now
    return since + GRACE - now


def _resolve_soon(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
    """Resolve from any thread and from a signal handler; a loop that is closed has nobody left to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_resolve, future)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@contextlib.contextmanager
def _calling(signal: Signal, callback: Callable[[], object]) -> Iterator[None]:
    signal.add_callback(callback)
    try:
        yield
    finally:
        signal.remove_callback(callback)
