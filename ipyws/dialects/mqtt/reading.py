"""Packets read from hostile bytes: taken out of the stream, then each from its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from ipyws.dialects.mqtt.packets import (
    V5,
    Ack,
    Connack,
    Connect,
    Farewell,
    Granted,
    Packet,
    Ping,
    Publish,
    Request,
    Subscribe,
    Type,
    Unsubscribe,
    Will,
)
from ipyws.dialects.mqtt.properties import read_properties
from ipyws.dialects.mqtt.wire import MalformedError, Reader

_DUPLICATE: Final = 0x08
_RETAIN: Final = 0x01
_FIXED_FLAGS: Final = {Type.PUBREL: 2, Type.SUBSCRIBE: 2, Type.UNSUBSCRIBE: 2}


class Raw(NamedTuple):
    """A packet as it was taken out of the stream: its type, the flags beside it, and what follows."""

    type: Type
    flags: int
    body: bytes


# -- out of the stream -------------------------------------------------------------------------------


class Head(NamedTuple):
    """The fixed header of a packet (section 2.1), and where its body is."""

    type: Type
    flags: int
    start: int
    end: int


def read_head(data: bytes | bytearray, at: int) -> Head | None:
    """Return the fixed header at a place; None if it is not there as a whole yet.

    Raises:
        MalformedError: There can't be one.
    """
    if at >= len(data):
        return None
    kind, flags = data[at] >> 4, data[at] & 0x0F
    if not kind:
        raise MalformedError("there is no packet of type 0")
    length = shift = 0
    for place in range(at + 1, at + 5):
        if place >= len(data):
            return None
        length |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:
            return Head(Type(kind), flags, place + 1, place + 1 + length)
        shift += 7
    raise MalformedError("the length of a packet has more than four bytes")


def split(data: bytes | bytearray) -> Iterator[Raw | int]:
    """Yield the whole packets in bytes, and at last the place behind them.

    Raises:
        MalformedError: Something in it can't be a packet.
    """
    at = 0
    while (head := read_head(data, at)) is not None and head.end <= len(data):
        yield Raw(head.type, head.flags, bytes(data[head.start : head.end]))
        at = head.end
    yield at


# -- a packet from its body --------------------------------------------------------------------------


def read_packet(raw: Raw, version: int) -> Packet:
    """Return what a packet is.

    Args:
        raw: The packet.
        version: The protocol level; CONNECT says its own.

    Raises:
        MalformedError: It is none of this version.
    """
    if raw.type is not Type.PUBLISH and raw.flags != _FIXED_FLAGS.get(raw.type, 0):
        raise MalformedError(f"the flags of {raw.type.name} are {raw.flags}")
    reader = Reader(raw.body)
    packet = _READERS[raw.type](raw, reader, version)
    if reader.left:
        raise MalformedError(f"{raw.type.name} goes on behind its end")
    return packet


def _properties(reader: Reader, version: int) -> dict[str, Any]:
    return read_properties(reader) if version == V5 else {}


def _publish(raw: Raw, reader: Reader, version: int) -> Publish:
    qos = raw.flags >> 1 & 3
    if qos == 3:
        raise MalformedError("a QoS is 3")
    topic = reader.text()
    number = _identifier(reader) if qos else 0
    properties = _properties(reader, version)
    duplicate, retain = bool(raw.flags & _DUPLICATE), bool(raw.flags & _RETAIN)
    return Publish(topic, reader.rest(), qos, retain, duplicate, number, properties)


def _identifier(reader: Reader) -> int:
    number = reader.number(2)
    if not number:
        raise MalformedError("a packet identifier is 0")
    return number


def _ack(raw: Raw, reader: Reader, version: int) -> Ack:
    number = _identifier(reader)
    if version != V5:
        return Ack(raw.type, number)
    code = reader.number(1) if reader.left else 0
    return Ack(raw.type, number, code, read_properties(reader) if reader.left else {})


def _granted(raw: Raw, reader: Reader, version: int) -> Granted:
    number, properties = _identifier(reader), _properties(reader, version)
    return Granted(raw.type, number, tuple(reader.rest()), properties)


def _connack(raw: Raw, reader: Reader, version: int) -> Connack:
    flags, code = reader.number(1), reader.number(1)
    # A server that knows only older versions says so in their form, which ends here (section 3.2 of 3.1.1).
    properties = read_properties(reader) if version == V5 and reader.left else {}
    return Connack(code, bool(flags & 1), properties)


def _farewell(raw: Raw, reader: Reader, version: int) -> Farewell:
    if version != V5 and raw.type is Type.AUTH:
        raise MalformedError("there is no AUTH in MQTT 3.1.1")
    code = reader.number(1) if reader.left and version == V5 else 0
    return Farewell(raw.type, code, read_properties(reader) if reader.left and version == V5 else {})


def _ping(raw: Raw, reader: Reader, version: int) -> Ping:
    return Ping(raw.type)


def _subscribe(raw: Raw, reader: Reader, version: int) -> Subscribe:
    number, properties = _identifier(reader), _properties(reader, version)
    requests = []
    while reader.left:
        name, options = reader.text(), reader.number(1)
        marks = (bool(options & 4), bool(options & 8), options >> 4 & 3)
        requests.append(Request(name, options & 3, *marks))
    return Subscribe(number, tuple(requests), properties)


def _unsubscribe(raw: Raw, reader: Reader, version: int) -> Unsubscribe:
    number, properties = _identifier(reader), _properties(reader, version)
    filters = []
    while reader.left:
        filters.append(reader.text())
    return Unsubscribe(number, tuple(filters), properties)


def _connect(raw: Raw, reader: Reader, version: int) -> Connect:
    name, level, flags, keepalive = reader.text(), reader.number(1), reader.number(1), reader.number(2)
    properties = _properties(reader, level)
    client_id = reader.text()
    will = _will(reader, level, flags) if flags & 0x04 else None
    username = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    clean = bool(flags & 0x02)
    return Connect(level, client_id, clean, keepalive, username, password, will, properties, name)


def _will(reader: Reader, version: int, flags: int) -> Will:
    properties = _properties(reader, version)
    return Will(reader.text(), reader.binary(), flags >> 3 & 3, bool(flags & 0x20), properties)


_READERS: Final[dict[Type, Callable[[Raw, Reader, int], Packet]]] = {
    Type.CONNECT: _connect,
    Type.CONNACK: _connack,
    Type.PUBLISH: _publish,
    Type.PUBACK: _ack,
    Type.PUBREC: _ack,
    Type.PUBREL: _ack,
    Type.PUBCOMP: _ack,
    Type.SUBSCRIBE: _subscribe,
    Type.SUBACK: _granted,
    Type.UNSUBSCRIBE: _unsubscribe,
    Type.UNSUBACK: _granted,
    Type.PINGREQ: _ping,
    Type.PINGRESP: _ping,
    Type.DISCONNECT: _farewell,
    Type.AUTH: _farewell,
}
