"""What coroutines of one loop wait for until it is so; it costs nothing while nobody waits."""

from __future__ import annotations

import asyncio


class Gate:
    """An `asyncio.Event` that is made when somebody waits: each takes 760 bytes, and a connection has five.

    Args:
        is_set: Whether nobody has to wait at first.
    """

    __slots__ = ("_event", "_is_set")

    def __init__(self, is_set: bool) -> None:
        self._is_set = is_set
        self._event: asyncio.Event | None = None

    def is_set(self) -> bool:
        """Tell whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Let everybody go on who waits."""
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    def clear(self) -> None:
        """Have everybody wait who comes from now on."""
        self._is_set = False

    async def wait(self) -> None:
        """Wait until it is set; return at once if it is."""
        if self._is_set:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()
