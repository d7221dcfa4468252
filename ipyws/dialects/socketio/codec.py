"""What a message of a Socket.IO connection means, for views and expectations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.dialects.arguments import value_of
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.socketio.packet import ENGINE, MAIN, Head, read_head, write
from ipyws.errors import InvalidError, brief

_HEARTBEATS = ("ping", "pong")


class _Named(NamedTuple):
    label: str
    value: Any = None
    heartbeat: bool = False


class SocketIOCodec(Codec):
    """Socket.IO: the value of an event, or of an ack, is that of its arguments.

    Args:
        inner: What reads binary messages, which are the attachments of events.
    """

    def __init__(self, inner: Codec) -> None:
        self._inner = inner
        self.name = "socketio" if inner.name == "auto" else f"socketio+{inner.name}"

    def check(self) -> None:
        """Refuse to be used where the other one can't be."""
        self._inner.check()

    def decode(self, payload: Data) -> Any:
        """Return what a packet carries: one argument itself, several as a list; None if it carries nothing.

        Raises:
            ValueError: It is no packet; says why.
        """
        return self._inner.decode(payload) if isinstance(payload, bytes) else _read(payload).value

    def encode(self, value: Any) -> str:
        """Return the event that a list is: its name, and its arguments.

        Raises:
            InvalidError: It is no such list, or has bytes in it, which travel beside the event.
        """
        if not isinstance(value, (list, tuple)) or not value or not isinstance(value[0], str):
            what = f"an event is a list with its name first, and not {_kind_of(value)}"
            raise InvalidError(what, hint='write ["name", argument, …], or use emit')
        text, *attachments = write("event", data=list(value))
        if attachments:
            raise InvalidError("the event has bytes in it", hint="emit sends them behind it")
        return str(text)

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means, and what its packet is called."""
        if isinstance(payload, bytes):
            return self._inner.read(payload)._replace(label="attachment")
        try:
            named = _read(payload)
        except Exception as error:
            return Decoded(None, self.name, problem=self.refuse(error))
        return Decoded(named.value, self.name, label=named.label, heartbeat=named.heartbeat)


def _read(text: str) -> _Named:
    kind = engine_kind(text)
    if kind == "message":
        return _read_packet(read_head(text[1:]))
    if kind == "open":
        return _Named(kind, parse_json(text[1:]))
    return _Named(kind, text[1:] or None, kind in _HEARTBEATS)


def _read_packet(head: Head) -> _Named:
    data = head.data()
    where = "" if head.namespace == MAIN else f" {quoted(head.namespace)}"
    if head.kind == "event":
        return _Named(f"event {quoted(str(data[0]))}{where}", value_of(data[1:]))
    if head.kind == "ack":
        return _Named(f"ack {head.id}{where}", value_of(data))
    return _Named(f"{head.kind}{where}", data)


def engine_kind(text: str) -> str:
    """Return what a packet of Engine.IO is.

    Raises:
        ValueError: It is none.
    """
    digit = text[:1]
    if not digit or digit not in "0123456":
        raise ValueError("it is not a packet of Engine.IO")
    return ENGINE[int(digit)]


def _kind_of(value: Any) -> str:
    return brief(value) if isinstance(value, Sequence) else f"a value of type {type(value).__name__}"
