"""An echo server in the test process that remembers what reached it: the other end of what a kernel does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from tests.support import servers


@dataclass
class Witness:
    """What the server saw.

    Attributes:
        url: Where to connect.
        requests: The handshake of each connection, oldest first.
        messages: What came, over all connections.
        closes: Code and reason with which each connection ended, in the order of their ends.
        open: How many connections are open.
        most: How many were open at one time.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    messages: list[str | bytes] = field(default_factory=list)
    closes: list[tuple[int, str]] = field(default_factory=list)
    open: int = 0
    most: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, what: Callable[[Witness], bool], timeout: float = servers.PATIENCE) -> bool:
        """Wait until ``what`` holds."""
        with self.changed:
            return self.changed.wait_for(lambda: what(self), timeout)

    def forget(self) -> None:
        """Forget everything but the open connections."""
        with self.changed:
            self.requests, self.messages, self.closes, self.most = [], [], [], self.open

    def note(self, connection: ServerConnection, request: Request) -> None:
        """Note a handshake before it is answered: once a client is connected, it is here."""
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()

    async def serve(self, connection: ServerConnection) -> None:
        """Echo until the connection ends."""
        with self.changed:
            self.open += 1
            self.most = max(self.most, self.open)
            self.changed.notify_all()
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
                with contextlib.suppress(ConnectionClosed):  # what came before the close is still to be read
                    await connection.send(message)
        await connection.wait_closed()
        with self.changed:
            self.open -= 1
            self.closes.append((connection.close_code or 0, connection.close_reason or ""))
            self.changed.notify_all()


@contextlib.contextmanager
def witness() -> Iterator[Witness]:
    """Run such a server."""
    seen = Witness()
    with servers.server(seen.serve, process_request=seen.note) as site:
        seen.url = site.url
        yield seen
