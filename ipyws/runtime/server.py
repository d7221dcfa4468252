"""Demo servers on the background loop, for lessons without a network and for tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.connection.forms import SERVE, Synchronous
from ipyws.errors import InvalidError
from ipyws.runtime.registry import REGISTRY
from ipyws.text.rich import Rich, Table

if TYPE_CHECKING:
    from ipyws.capture.capture import Capture
    from ipyws.capture.replay.server import ReplayServer
    from ipyws.contracts.mock import MockServer
    from ipyws.core.messages.contract import Contract
    from ipyws.demo import RunningServer


class Server(Synchronous, Rich):
    """A running demo server; made by `serve`. Closes with the kernel, or by `close`, or as a context manager.

    Attributes:
        kind: "echo", "chat", "prices", "chaos", "socketio", "replay" or "spec".
        url: Where to connect.
        port: The port of that; 0 at a Unix socket.
        path: The path of its Unix socket, or None.
        subprotocol: Of a replay: the subprotocol that clients have to offer, or None.
        closed: Whether `close` was called.
    """

    _forms = SERVE

    def __init__(self, running: RunningServer | ReplayServer | MockServer) -> None:
        self._running = running
        self.kind = running.kind
        self.url = running.url
        self.port = running.port
        self.path = running.path
        self.subprotocol: str | None = getattr(running, "subprotocol", None)
        self.closed = False
        self._forget = REGISTRY.at_end(running.close)

    def _shown_as(self) -> Table:
        state = "closed" if self.closed else f"{self.connections:,} connected"
        return Table(f"{self.kind} server", [("URL", self.url), ("state", state)])

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self._running.connections

    @property
    def differing(self) -> int:
        """How many messages of clients were not the recorded ones of a replay, or broke the contract."""
        return getattr(self._running, "differing", 0)

    def listens_at(self, port: int, unix: str | Path | None) -> bool:
        """Tell whether it listens where it is wanted.

        Args:
            port: Where; 0 for any.
            unix: The path of a Unix socket, or None.
        """
        if unix is None:
            return self.port != 0 and port in (0, self.port)
        return port == 0 and self.path == os.path.abspath(os.path.expanduser(unix))

    def close(self) -> None:
        """Stop serving; clients are closed with 1001. Idempotent."""
        self.closed = True
        if self._forget():
            REGISTRY.core().call(self._running.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        differing = f", {self.differing} messages differed" if self.differing else ""
        return f"<Server {self.kind} at {self.url}, {self.connections} connected{differing}>"


def serve(
    kind: str | None = None,
    port: int = 0,
    *,
    unix: str | Path | None = None,
    replay: str | Path | Capture | None = None,
    speed: float = 1.0,
    spec: str | Path | Contract | None = None,
) -> Server:
    """Start a small real server on this machine.

    Args:
        kind: *echo*, the default, sends back what comes; *chat* has rooms; *prices* streams what is
            subscribed to; *chaos* misbehaves on demand; *socketio* speaks Socket.IO, by python-socketio.
        port: Where to listen on 127.0.0.1; 0 picks a free port.
        unix: In place of a port, the path of a Unix socket: made for you alone, and removed at the end.
        replay: In place of a kind, a capture, as a file or as `ipyws.load` returned it: each client gets what
            the recorded server sent.
        speed: Of a replay: the recorded gaps are divided by this; ``float("inf")`` leaves none.
        spec: In place of a kind, an AsyncAPI document or a JSON Schema, as a file or as `ipyws.contract`
            returned it: what clients send is judged, and answered with examples of what the server may send.

    Raises:
        InvalidError: There is no such kind, the capture can't be played, the contract can't be read, or the
            port or the path is out of range or taken.
    """
    if spec is not None:
        if kind is not None or replay is not None:
            raise InvalidError(
                "a spec is given together with a kind of server or a replay", hint="one of them is allowed"
            )
        return Server(_mock(spec, port, unix))
    if replay is None:
        from ipyws import demo

        if speed != 1.0:
            raise InvalidError("speed is given without replay", hint="replay= names the capture to play")
        return Server(REGISTRY.core().call(lambda: demo.start(kind or "echo", port=port, unix=unix)))
    if kind is not None:
        raise InvalidError("a kind of server and a replay are given together", hint="one of them is allowed")
    return Server(_play(replay, port, unix, speed))


def _mock(spec: str | Path | Contract, port: int, unix: str | Path | None) -> MockServer:
    from ipyws.contracts.mock import serve_contract
    from ipyws.contracts.reading import contract

    read = contract(spec)
    return REGISTRY.core().call(lambda: serve_contract(read, port=port, unix=unix))


def _play(replay: str | Path | Capture, port: int, unix: str | Path | None, speed: float) -> ReplayServer:
    from ipyws.capture.load import load
    from ipyws.capture.replay.server import serve_capture

    capture = load(replay) if isinstance(replay, str | Path) else replay
    core = REGISTRY.core()
    where: dict[str, Any] = {"port": port, "unix": unix}
    return core.call(lambda: serve_capture(capture, about=capture.about, **where, speed=speed))
