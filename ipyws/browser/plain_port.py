"""The port of a page that is not isolated: without shared memory, Python's own thread has the WebSockets.

Nothing comes while Python computes. A synchronous call can wait where the browser can suspend it, and for
servers of the page's own memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_proxy, to_js

from ipyws.browser.loop import Record
from ipyws.browser.records import BINARY, CLOSE, DRAINED, FAILED, OPEN, TEXT


class PlainPort:
    """The WebSockets of this thread.

    Args:
        woken: Called when something came.
    """

    ready = starts = False

    def __init__(self, woken: Callable[[], object]) -> None:
        self._woken = woken
        self._came: list[Record] = []
        self._sockets: dict[int, Any] = {}

    def tell(self, op: str, id: int = 0, **order: Any) -> None:
        """Open a connection, send on it or close it."""
        if op == "open":
            self._open(id, **order)
        elif (socket := self._sockets.get(id)) is not None:
            (self._send if op == "send" else self._close)(id, socket, **order)

    def busy(self, how: bool) -> None:
        """Nothing interrupts a cell here."""

    def read(self, timeout: float) -> list[Record]:
        """Return what came; without waiting, as nothing would.

        Nor with a sleep: where Pyodide can suspend Python, its `time.sleep` lets the page's loop go on in the
        midst of a turn of ours; where it can't, it turns in a circle as whoever waits here does.
        """
        came, self._came = self._came, []
        return came

    def rest(self) -> bool:
        """Tell whether something is there."""
        return bool(self._came)

    def close(self) -> None:
        """Close all connections."""
        for socket in self._sockets.values():
            socket.close()

    def _open(self, number: int, url: str, protocols: list[str]) -> None:
        try:
            socket = js.WebSocket.new(url, to_js(protocols))
        except Exception as error:  # whatever JavaScript raises
            self._came_in(number, FAILED, 0, str(error).encode())
            return
        self._sockets[number] = socket
        socket.binaryType = "arraybuffer"
        socket.onopen = create_proxy(
            lambda _: self._came_in(
                number,
                OPEN,
                0,
                json.dumps({"protocol": socket.protocol, "extensions": socket.extensions}).encode(),
            )
        )
        socket.onmessage = create_proxy(lambda event: self._message(number, event.data))
        socket.onclose = create_proxy(lambda event: self._closed(number, event))

    def _message(self, number: int, data: Any) -> None:
        if isinstance(data, str):
            self._came_in(number, TEXT, 0, data.encode("utf-8", "surrogatepass"))
        else:
            self._came_in(number, BINARY, 0, data.to_bytes())

    def _closed(self, number: int, event: Any) -> None:
        self._sockets.pop(number, None)
        facts = {"reason": event.reason, "clean": event.wasClean}
        self._came_in(number, CLOSE, event.code, json.dumps(facts).encode())

    def _send(self, number: int, socket: Any, messages: list[Any], size: int) -> None:
        for message in messages:
            socket.send(message if isinstance(message, str) else to_js(message))
        self._came_in(number, DRAINED, size, b"")

    def _close(self, number: int, socket: Any, code: int, reason: str) -> None:
        socket.close(code, reason) if code else socket.close()

    def _came_in(self, number: int, kind: int, argument: int, payload: bytes) -> None:
        self._came.append(Record(number, kind, argument, time.time(), payload))
        self._woken()
