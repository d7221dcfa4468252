"""A page without a browser: the loop that waits turn, and a port with WebSockets of `websockets`."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from ipyws.browser.loop import Record, TurnedLoop
from ipyws.browser.page import PAGE
from ipyws.browser.records import BINARY, CLOSE, DRAINED, FAILED, OPEN, TEXT
from ipyws.runtime.platform import PLATFORM
from ipyws.runtime.registry import Registry
from tests.support.servers import PATIENCE

Order = dict[str, Any]


class ThreadedPort:
    """Does what port.js does: threads own the WebSockets, and what comes is queued with its time.

    Attributes:
        orders: What it was told.
    """

    ready = starts = True

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._came: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._orders: dict[int, queue.SimpleQueue[Order]] = {}
        self._threads: list[threading.Thread] = []

    def read(self, timeout: float) -> list[Record]:
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._came.get(timeout=timeout) if timeout > 0 else self._came.get_nowait())
            while True:
                found.append(self._came.get_nowait())
        return found

    def rest(self) -> bool:
        return not self._came.empty()

    def tell(self, op: str, **order: Any) -> None:
        self.orders.append({"op": op, **order})
        if op == "open":
            self._orders[order["id"]] = queue.SimpleQueue()
            thread = threading.Thread(target=self._carry, kwargs=order, daemon=True)
            self._threads.append(thread)
            thread.start()
        elif op in ("send", "close"):
            self._orders[order["id"]].put({"op": op, **order})

    def close(self) -> None:
        for orders in self._orders.values():
            orders.put({"op": "close", "code": 0, "reason": ""})
        for thread in self._threads:
            thread.join(PATIENCE)

    def put(self, id: int, kind: int, argument: int = 0, payload: bytes = b"") -> None:
        """Have something come."""
        self._came.put(Record(id, kind, argument, time.time(), payload))

    def put_at(self, id: int, text: str, moment: float) -> None:
        """Have a text come at a time: seconds since the epoch."""
        self._came.put(Record(id, TEXT, 0, moment, text.encode()))

    def _carry(self, id: int, url: str, protocols: list[str]) -> None:
        try:
            with connect(url, subprotocols=protocols or None, max_size=None) as socket:  # type: ignore[arg-type]
                self._converse(id, socket)
        except (OSError, InvalidHandshake) as error:
            self.put(id, FAILED, payload=str(error).encode())

    def _converse(self, id: int, socket: ClientConnection) -> None:
        facts = {"protocol": socket.subprotocol or "", "extensions": ""}
        self.put(id, OPEN, payload=json.dumps(facts).encode())
        doing = threading.Thread(target=self._do, args=(id, socket), daemon=True)
        doing.start()
        self._listen(id, socket)
        self._orders[id].put({"op": "end"})
        doing.join(PATIENCE)

    def _listen(self, id: int, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = socket.recv()
                if isinstance(data, str):
                    self.put(id, TEXT, payload=data.encode())
                else:
                    self.put(id, BINARY, payload=data)
        code = socket.close_code or 1006
        facts = {"reason": socket.close_reason or "", "clean": code != 1006}
        self.put(id, CLOSE, code, json.dumps(facts).encode())

    def _do(self, id: int, socket: ClientConnection) -> None:
        while (order := self._orders[id].get())["op"] != "end":
            with contextlib.suppress(ConnectionClosed):
                if order["op"] == "close":
                    socket.close(order["code"] or 1000, order["reason"])
                    continue
                for message in order["messages"]:
                    socket.send(message)
                self.put(id, DRAINED, order["size"])


@contextlib.contextmanager
def page(make: Callable[[], Any] = ThreadedPort) -> Iterator[tuple[Registry, Any]]:
    """Be in a page, with a registry of its own; yield that and the port."""
    before = PLATFORM.threads, PLATFORM.sockets
    PLATFORM.threads = PLATFORM.sockets = False
    port = make()
    PAGE.begin(TurnedLoop(port, None))
    registry = Registry()
    try:
        yield registry, port
    finally:
        try:
            registry.shut_down()
        finally:
            PAGE.end()
            PLATFORM.threads, PLATFORM.sockets = before
