"""What families of servers speak, each in a room of its own; a room is entered when its dialect is chosen."""

from __future__ import annotations

from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.registry import DIALECTS


def _socketio() -> type[Dialect]:
    from ipyws.dialects.socketio.dialect import SocketIO

    return SocketIO


DIALECTS["socketio"] = _socketio
