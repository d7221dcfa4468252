"""Properties of packets (MQTT 5, section 2.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipyws.dialects.mqtt import wire
from ipyws.dialects.mqtt.wire import MalformedError, Reader

Properties = Mapping[str, Any]
"""Properties by the names of the standard, in lower case; those that may stand several times are lists."""

_PROPERTIES: Final = {
    0x01: ("payload_format_indicator", "byte"),
    0x02: ("message_expiry_interval", "four"),
    0x03: ("content_type", "text"),
    0x08: ("response_topic", "text"),
    0x09: ("correlation_data", "binary"),
    0x0B: ("subscription_identifier", "variable"),
    0x11: ("session_expiry_interval", "four"),
    0x12: ("assigned_client_identifier", "text"),
    0x13: ("server_keep_alive", "two"),
    0x15: ("authentication_method", "text"),
    0x16: ("authentication_data", "binary"),
    0x17: ("request_problem_information", "byte"),
    0x18: ("will_delay_interval", "four"),
    0x19: ("request_response_information", "byte"),
    0x1A: ("response_information", "text"),
    0x1C: ("server_reference", "text"),
    0x1F: ("reason_string", "text"),
    0x21: ("receive_maximum", "two"),
    0x22: ("topic_alias_maximum", "two"),
    0x23: ("topic_alias", "two"),
    0x24: ("maximum_qos", "byte"),
    0x25: ("retain_available", "byte"),
    0x26: ("user_property", "pair"),
    0x27: ("maximum_packet_size", "four"),
    0x28: ("wildcard_subscription_available", "byte"),
    0x29: ("subscription_identifier_available", "byte"),
    0x2A: ("shared_subscription_available", "byte"),
}
_NUMBERS: Final = {name: (number, kind) for number, (name, kind) in _PROPERTIES.items()}
_WIDTHS: Final = {"byte": 1, "two": 2, "four": 4}
_REPEATED: Final = ("user_property", "subscription_identifier")


def read_properties(reader: Reader) -> dict[str, Any]:
    """Take the properties of a packet.

    Raises:
        MalformedError: One is unknown, stands twice, or is cut.
    """
    within = reader.part(reader.variable())
    found: dict[str, Any] = {}
    while within.left:
        number = within.variable()
        if number not in _PROPERTIES:
            raise MalformedError(f"there is no property {number}")
        name, kind = _PROPERTIES[number]
        value = _read(within, kind)
        if name in _REPEATED:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise MalformedError(f"the property {name} stands twice")
        else:
            found[name] = value
    return found


def write_properties(properties: Properties) -> bytes:
    """Return properties as they stand in a packet; names and values must be right."""
    written = bytearray()
    for name, value in properties.items():
        number, kind = _NUMBERS[name]
        for each in value if name in _REPEATED else (value,):
            written += wire.variable(number) + _write(each, kind)
    return wire.variable(len(written)) + bytes(written)


def _read(reader: Reader, kind: str) -> Any:
    if kind == "text":
        return reader.text()
    if kind == "binary":
        return reader.binary()
    if kind == "pair":
        return [reader.text(), reader.text()]
    return reader.variable() if kind == "variable" else reader.number(_WIDTHS[kind])


def _write(value: Any, kind: str) -> bytes:
    if kind == "text":
        return wire.text(value)
    if kind == "binary":
        return wire.binary(value)
    if kind == "pair":
        return wire.text(value[0]) + wire.text(value[1])
    return wire.variable(value) if kind == "variable" else wire.number(value, _WIDTHS[kind])
