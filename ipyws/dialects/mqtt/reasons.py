"""What the codes of packets mean.

Reason codes are those of MQTT 5, section 2.4; return codes those of MQTT 3.1.1, section 3.2.2.3.
"""

from __future__ import annotations

from typing import Final

from ipyws.errors import Kind

FAILURE: Final = 0x80
"""From this code on it is a failure."""

_REASONS: Final = {
    0x00: "success",
    0x01: "granted QoS 1",
    0x02: "granted QoS 2",
    0x04: "disconnect with will message",
    0x10: "no matching subscribers",
    0x11: "no subscription existed",
    0x18: "continue authentication",
    0x19: "re-authenticate",
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "unsupported protocol version",
    0x85: "client identifier not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "session taken over",
    0x8F: "topic filter invalid",
    0x90: "topic name invalid",
    0x91: "packet identifier in use",
    0x92: "packet identifier not found",
    0x93: "receive maximum exceeded",
    0x94: "topic alias invalid",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "payload format invalid",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9E: "shared subscriptions not supported",
    0x9F: "connection rate exceeded",
    0xA0: "maximum connect time",
    0xA1: "subscription identifiers not supported",
    0xA2: "wildcard subscriptions not supported",
}
_RETURNED: Final = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
_KINDS: Final = {
    **dict.fromkeys((0x86, 0x87, 0x8A, 0x8C), Kind.PERMISSION_DENIED),
    **dict.fromkeys((0x88, 0x89, 0x8B, 0x8D, 0x9C, 0x9D, 0xA0), Kind.UNAVAILABLE),
    **dict.fromkeys((0x93, 0x96, 0x97, 0x9F), Kind.RATE_LIMITED),
    **dict.fromkeys((0x85, 0x8F, 0x90, 0x95, 0x99, 0x9A, 0x9B, 0x9E, 0xA1, 0xA2), Kind.INVALID),
    **dict.fromkeys((0x8E, 0x91), Kind.CONFLICT),
}
_PASSING: Final = (Kind.UNAVAILABLE, Kind.RATE_LIMITED)


def reason(code: int) -> str:
    """Return a reason code in words."""
    return _REASONS.get(code, f"code 0x{code:02x}")


def of_return_code(code: int) -> int:
    """Return the reason code of MQTT 5 that means what a return code of MQTT 3.1.1 does."""
    return _RETURNED.get(code, FAILURE) if code else code


def kind_of(code: int) -> Kind:
    """Return what sort of failure a reason code is."""
    return _KINDS.get(code, Kind.UNKNOWN)


def passes(code: int) -> bool:
    """Tell whether trying the same again later can help."""
    return kind_of(code) in _PASSING
