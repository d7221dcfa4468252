"""The kinds of demo server, and how one is started."""

from __future__ import annotations

from typing import Any, NamedTuple

from websockets.asyncio.server import ServerConnection

from ipyws.core.constants import SERVER_KINDS
from ipyws.demo.chaos import handler as chaos
from ipyws.demo.chat import handler as chat
from ipyws.demo.echo import handler as echo
from ipyws.demo.misbehaving import RawConnection
from ipyws.demo.prices import handler as prices
from ipyws.demo.server import HandlerFactory, RunningServer, listen
from ipyws.demo.socketio import handler as socketio
from ipyws.errors import InvalidError, brief, closest


class _Kind(NamedTuple):
    handler: HandlerFactory
    connection: type[ServerConnection] = ServerConnection


_HANDLERS = (_Kind(echo), _Kind(chat), _Kind(prices), _Kind(chaos, RawConnection), _Kind(socketio))
_KINDS = dict(zip(SERVER_KINDS, _HANDLERS, strict=True))

KINDS: tuple[str, ...] = SERVER_KINDS
"""The kinds of server that `start` knows."""


async def start(kind: str, *, host: str = "127.0.0.1", port: int = 0, unix: object = None) -> RunningServer:
    """Start a demo server on the running loop.

    Args:
        kind: One of `KINDS`.
        host: A loopback address, "127.0.0.1" or "::1".
        port: 0-65535; 0 lets the system choose a free one.
        unix: Instead of both, the path of a Unix socket.

    Returns:
        The server, already listening.

    Raises:
        InvalidError: The kind is unknown, the host is not a loopback address, or the port is out of range,
            of a wrong type, in use or not ours to take.
    """
    if kind not in KINDS:
        raise _unknown(kind)
    chosen = _KINDS[kind]
    where: dict[str, Any] = {"host": host, "port": port, "unix": unix}
    return await listen(kind, chosen.handler(), **where, connection=chosen.connection)


def _unknown(kind: object) -> InvalidError:
    close = closest(kind, KINDS)
    guess = f"did you mean {close!r}? " if close else ""
    return InvalidError(f"server kind is {brief(kind)}", hint=f"{guess}one of {', '.join(KINDS)} is allowed")
