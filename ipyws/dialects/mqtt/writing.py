"""Packets as bytes: those that a client sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipyws.dialects.mqtt import wire
from ipyws.dialects.mqtt.packets import (
    V5,
    Ack,
    Connect,
    Farewell,
    Packet,
    Ping,
    Publish,
    Request,
    Subscribe,
    Type,
    Unsubscribe,
    Will,
)
from ipyws.dialects.mqtt.properties import Properties, write_properties
from ipyws.errors import InvalidError


def write_packet(packet: Packet, version: int) -> bytes:
    """Return the bytes of a packet that a client sends.

    Args:
        packet: The packet; what it holds has been checked.
        version: The protocol level.

    Raises:
        InvalidError: It is longer than MQTT allows.
    """
    kind, flags, body = _WRITERS[type(packet)](packet, version)
    if len(body) > wire.LARGEST_VARIABLE:
        hint = f"MQTT allows {wire.LARGEST_VARIABLE:,}"
        raise InvalidError(f"a packet of {len(body):,} bytes is too large", hint=hint)
    return bytes([kind << 4 | flags]) + wire.variable(len(body)) + body


_Written = tuple[Type, int, bytes]


def _properties(properties: Properties, version: int) -> bytes:
    return write_properties(properties) if version == V5 else b""


def _publish(packet: Publish, version: int) -> _Written:
    flags = packet.duplicate << 3 | packet.qos << 1 | packet.retain
    number = wire.number(packet.number, 2) if packet.qos else b""
    head = wire.text(packet.topic) + number + _properties(packet.properties, version)
    return Type.PUBLISH, flags, head + packet.payload


def _ack(packet: Ack, version: int) -> _Written:
    flags = 2 if packet.type is Type.PUBREL else 0
    # MQTT 5 lets a success without properties out (section 3.4.2.1).
    code = bytes([packet.code]) if version == V5 and packet.code else b""
    return packet.type, flags, wire.number(packet.number, 2) + code


def _subscribe(packet: Subscribe, version: int) -> _Written:
    requests = b"".join(wire.text(each.filter) + bytes([_options(each)]) for each in packet.requests)
    properties = _properties(packet.properties, version)
    return Type.SUBSCRIBE, 2, wire.number(packet.number, 2) + properties + requests


def _options(request: Request) -> int:
    marks = request.no_local << 2 | request.retain_as_published << 3 | request.retain_handling << 4
    return request.qos | marks


def _unsubscribe(packet: Unsubscribe, version: int) -> _Written:
    filters = b"".join(wire.text(each) for each in packet.filters)
    properties = _properties(packet.properties, version)
    return Type.UNSUBSCRIBE, 2, wire.number(packet.number, 2) + properties + filters


def _connect(packet: Connect, version: int) -> _Written:
    flags = packet.clean << 1 | (packet.username is not None) << 7 | (packet.password is not None) << 6
    payload = wire.text(packet.client_id)
    if (will := packet.will) is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        payload += _will(will, version)
    if packet.username is not None:
        payload += wire.text(packet.username)
    if packet.password is not None:
        payload += wire.binary(packet.password)
    head = wire.text(packet.name) + bytes([packet.version, flags]) + wire.number(packet.keepalive, 2)
    return Type.CONNECT, 0, head + _properties(packet.properties, version) + payload


def _will(will: Will, version: int) -> bytes:
    return _properties(will.properties, version) + wire.text(will.topic) + wire.binary(will.payload)


def _ping(packet: Ping, version: int) -> _Written:
    return packet.type, 0, b""


def _farewell(packet: Farewell, version: int) -> _Written:
    return packet.type, 0, bytes([packet.code]) if version == V5 and packet.code else b""


_WRITERS: Final[dict[type, Callable[[Any, int], _Written]]] = {
    Publish: _publish,
    Ack: _ack,
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
    Connect: _connect,
    Ping: _ping,
    Farewell: _farewell,
}
