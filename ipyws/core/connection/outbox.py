"""What is to be sent: gathered from any thread, and written together on the connection's loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Final

from ipyws.core.lock import LOCK

Framed = tuple[bytes, bool]
"""A payload as the wire carries it, and whether it is text."""

FULL: Final = 64 * 1024
"""Bytes from which messages are written at once rather than gathered, and other threads have to wait."""


class Outbox:
    """Messages on their way to the transport.

    A message costs a fifth where a burst is written in one piece: one wake-up of the loop, one system call.

    Args:
        write: Writes some messages; called on the loop, in the order in which they were put.

    Attributes:
        size: Bytes of payload that wait.
    """

    def __init__(self, write: Callable[[Sequence[Framed]], None]) -> None:
        self.size = 0
        self._write = write
        self._waiting: list[Framed] = []
        self._due = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None

    def begin(self) -> None:
        """Note the loop of the connection; called on it."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def put(self, messages: Sequence[Framed], size: int) -> None:
        """Have messages written soon; from any thread, with the lock held so that the log has their order.

        Args:
            messages: The messages.
            size: Bytes of payload in them.
        """
        self._waiting.extend(messages)
        self.size += size
        if threading.get_ident() == self._thread:
            self._put_here()
        elif not self._due and self._loop is not None:
            self._due = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the connection with it
                self._loop.call_soon_threadsafe(self.flush)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and this is another thread than the loop's."""
        return not (self._waiting or self._due) and threading.get_ident() != self._thread

    def _put_here(self) -> None:
        """Write the first message of a burst at once, for a prompt answer; gather those that follow it."""
        if not self._due and self._loop is not None:
            self.flush()
            self._due = True
            self._loop.call_soon(self.flush)
        elif self.size >= FULL:
            self.flush()

    def flush(self) -> None:
        """Write what waits; called on the loop."""
        self._due = False
        if self._waiting:
            self._write(self._take())

    def drop(self) -> int:
        """Forget what waits; return how many messages that were."""
        return len(self._take())

    def _take(self) -> list[Framed]:
        with LOCK:
            messages, self._waiting, self.size = self._waiting, [], 0
        return messages
