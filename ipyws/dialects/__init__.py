"""What families of servers speak, each in a room of its own; a room is entered when its dialect is chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ipyws.core.offers import DIALECTS, WRAPS

if TYPE_CHECKING:
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.dialects.dialect import Dialect

_FAMILIES: Final = {
    "actioncable": "ipyws.dialects.actioncable:ActionCable",
    "graphql": "ipyws.dialects.graphql.dialect:GraphQL",
    "jsonrpc": "ipyws.dialects.jsonrpc:JsonRpc",
    "mqtt": "ipyws.dialects.mqtt.dialect:Mqtt",
    "phoenix": "ipyws.dialects.phoenix:Phoenix",
    "signalr": "ipyws.dialects.signalr.dialect:SignalR",
    "socketio": "ipyws.dialects.socketio.dialect:SocketIO",
    "stomp": "ipyws.dialects.stomp.dialect:Stomp",
}
"""Where the class of each stands: the one list of them."""


def _loader(place: str) -> Callable[[], type[Dialect]]:
    module, _, name = place.partition(":")

    def load() -> type[Dialect]:
        dialect: type[Dialect] = getattr(import_module(module), name)
        return dialect

    return load


def _codec(name: str, inner: Codec) -> Codec:
    """Return what reads a dialect's packets, as captures name it."""
    return DIALECTS[name]().configure("codec", {}).codec(inner)


for _name, _place in _FAMILIES.items():
    DIALECTS[_name] = _loader(_place)
    WRAPS[_name] = partial(_codec, _name)
