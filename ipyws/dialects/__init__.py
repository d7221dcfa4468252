"""What families of servers speak, each in a room of its own; a room is entered when its dialect is chosen."""

from __future__ import annotations

from functools import partial

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import offer_wrapper
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.registry import DIALECTS


def _signalr() -> type[Dialect]:
    from ipyws.dialects.signalr.dialect import SignalR

    return SignalR


def _socketio() -> type[Dialect]:
    from ipyws.dialects.socketio.dialect import SocketIO

    return SocketIO


DIALECTS.update(signalr=_signalr, socketio=_socketio)


def _codec(name: str, inner: Codec) -> Codec:
    """Return what reads a dialect's packets, as captures name it."""
    return DIALECTS[name]().configure("codec", {}).codec(inner)


for _name in DIALECTS:
    offer_wrapper(_name, partial(_codec, _name))
