"""Demo servers on the background loop, for lessons without a network and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ipyws.bridge.registry import REGISTRY

if TYPE_CHECKING:
    from ipyws.transport.servers import RunningServer


class Server:
    """A running demo server; made by `serve`. Closes with the kernel, or by `close`, or as a context manager.

    Attributes:
        kind: "echo", "chat", "prices" or "chaos".
        url: Where to connect.
        port: The port of that.
    """

    def __init__(self, running: RunningServer) -> None:
        self._running = running
        self.kind = running.kind
        self.url = running.url
        self.port = running.port
        self._forget = REGISTRY.at_end(running.close)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self._running.connections

    def close(self) -> None:
        """Stop serving; clients are closed with 1001. Idempotent."""
        if self._forget():
            REGISTRY.core().call(self._running.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server {self.kind} at {self.url}, {self.connections} connected>"


def serve(kind: str = "echo", port: int = 0) -> Server:
    """Start a small real server on this machine.

    Args:
        kind: *echo* sends back what comes; *chat* has rooms; *prices* streams what is subscribed to; *chaos*
            misbehaves on demand.
        port: Where to listen on 127.0.0.1; 0 picks a free port.

    Raises:
        InvalidError: There is no such kind, or the port is out of range or taken.
    """
    from ipyws.transport import servers

    return Server(REGISTRY.core().call(lambda: servers.start(kind, port=port)))
