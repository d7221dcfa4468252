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
    """

    def __init__(self, write: Callable[[Sequence[Framed]], None]) -> None:
        self._write = write
        self._waiting: list[Framed] = []
        self._waiting_size = 0
        # What the loop has taken is on its way until the transport has it: framing 16 MB takes a while.
        self._writing = False
        self._writing_size = 0
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
        self._waiting_size += size
        if threading.get_ident() == self._thread:
            self._put_here()
        elif not self._due and self._loop is not None:
            self._due = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the connection with it
                self._loop.call_soon_threadsafe(self.flush)

    @property
    def size(self) -> int:
        """Bytes of payload that the transport does not have yet."""
        return self._waiting_size + self._writing_size

    @property
    def is_idle(self) -> bool:
        """Whether the transport has everything, and this is another thread than the loop's."""
        busy = self._waiting or self._due or self._writing
        return not busy and threading.get_ident() != self._thread

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
            messages = self._take(to_write=True)
            try:
                self._write(messages)
            finally:
                self._writing, self._writing_size = False, 0

    def drop(self) -> int:
        """Forget what waits; return how many messages that were."""
        return len(self._take(to_write=False))

    def _take(self, *, to_write: bool) -> list[Framed]:
        with LOCK:
            if to_write:
                self._writing, self._writing_size = True, self._waiting_size
            messages, self._waiting, self._waiting_size = self._waiting, [], 0
        return messages
