"""What families of servers speak, each in a room of its own; a room is entered when its dialect is chosen."""

from __future__ import annotations

from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.registry import DIALECTS


def _signalr() -> type[Dialect]:
    from ipyws.dialects.signalr.dialect import SignalR

    return SignalR


def _socketio() -> type[Dialect]:
    from ipyws.dialects.socketio.dialect import SocketIO

    return SocketIO


DIALECTS.update(signalr=_signalr, socketio=_socketio)
