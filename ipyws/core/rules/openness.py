"""Whether a connection is open and has sent what is sent on each open: when rules may go on."""

from __future__ import annotations

import asyncio

from ipyws.core.gate import Gate


class Openness:
    """Something to wait for, on the connection's loop."""

    def __init__(self) -> None:
        self._open = Gate(False)
        self._lost = Gate(False)

    def begin(self) -> None:
        """Note that the connection is open, and what is sent on each open is sent."""
        self._lost.clear()
        self._open.set()

    def end(self) -> None:
        """Note that it is not open any more."""
        self._open.clear()
        self._lost.set()

    async def opened(self) -> None:
        """Wait until it is open; return at once if it is."""
        await self._open.wait()

    async def lost_within(self, seconds: float) -> bool:
        """Wait for some seconds, or until it is lost; tell whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return not self._open.is_set()
        return True
