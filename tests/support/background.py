"""A WebSocket client on a loop of its own thread, as small as it can be: what a synchronous wait is for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import websockets

from ipyws.runtime.nested_loop import new_core_loop
from ipyws.runtime.waiting import Signal, wait

_loop = new_core_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


def call(coroutine: Coroutine[Any, Any, Any], timeout: float | None = 60) -> Any:
    """Run ``coroutine`` on the background loop and wait for it synchronously."""
    signal = Signal()
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop)
    future.add_done_callback(lambda _: signal.set())
    try:
        if not wait(signal, timeout):
            raise TimeoutError
    finally:
        future.cancel()
    return future.result()


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        async def dial() -> websockets.ClientConnection:
            return await websockets.connect(f"ws://localhost:{port}", proxy=None)

        self._connection = call(dial())

    def echo(self, text: str) -> Any:
        """Send ``text`` and return what comes back."""

        async def exchange() -> Any:
            await self._connection.send(text)
            return await self._connection.recv()

        return call(exchange())
