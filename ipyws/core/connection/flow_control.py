"""Backpressure: while a channel of the connection is full, nothing is read from the network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ipyws.core.channels.message_channel import Stream
from ipyws.core.gate import Gate

if TYPE_CHECKING:
    from ipyws.core.connection.state import State


class Held(Protocol):
    """A connection, as far as its channels hold it back."""

    @property
    def state(self) -> State:
        """What it is doing; only while it is open it is held."""

    def streams(self) -> Iterable[Stream]:
        """Return its channels."""

    def hold(self, held: bool) -> None:
        """Stop reading from the network, or read again."""


class FlowControl:
    """Whether full channels keep us from reading.

    Args:
        connection: The connection.

    Attributes:
        held: Whether we are kept from reading now.
    """

    def __init__(self, connection: Held) -> None:
        self.held = False
        self._connection = connection
        self._until = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None
        self._reading = Gate(True)

    def begin(self) -> None:
        """Note the loop of the connection; called on it."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def since(self, moment: float) -> bool:
        """Tell whether a full channel kept us from reading at some time since ``moment`` (monotonic)."""
        return self.held or self._until > moment

    async def reading(self) -> None:
        """Wait until nothing keeps us from reading."""
        await self._reading.wait()

    def changed(self) -> None:
        """Have `update` called: a channel has become full, or has room again; from any thread."""
        if threading.get_ident() == self._thread:
            self.update()
        elif self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed, and the connection with it
                self._loop.call_soon_threadsafe(self.update)

    def changed_later(self) -> None:
        """Have `update` called, but not in here: for what may be called in the midst of anything."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # as above
                self._loop.call_soon_threadsafe(self.update)

    def update(self) -> None:
        """Stop reading, or read again, as the channels and the connection's state demand it."""
        connection = self._connection
        held = connection.state == "open" and any(stream.full for stream in connection.streams())
        if held == self.held:
            return
        self.held = held
        if held:
            self._reading.clear()
        else:
            self._until = time.monotonic()
            self._reading.set()
        connection.hold(held)
