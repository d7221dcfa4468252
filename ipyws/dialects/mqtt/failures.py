"""What a server refused or broke, as errors that say what it said."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.dialects.dialect import Broken
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.mqtt.packets import V5, Connack, Farewell, Type
from ipyws.dialects.mqtt.properties import Properties
from ipyws.dialects.mqtt.reasons import kind_of, of_return_code, passes, reason
from ipyws.dialects.mqtt.wire import MalformedError
from ipyws.errors import ConnectError, InvalidError, ReplyError

OLDER: Final = 'dialect={"name": "mqtt", "version": "3.1.1"} speaks the version that servers had before'
"""What to try with a server that does not take MQTT 5."""

_NEWER: Final = 'dialect="mqtt" speaks MQTT 5'
_LOGIN: Final = 'auth=("user", "password") logs in'
_HINTS: Final = {
    0x85: 'the setting client_id says another one: dialect={"name": "mqtt", "client_id": "…"}',
    0x86: _LOGIN,
    0x87: _LOGIN,
}
_WHAT: Final = {Type.SUBACK: "the subscription"}


def malformed(error: MalformedError) -> Broken:
    """Return that the server broke the protocol."""
    what = f"the server does not keep to MQTT: {error}"
    return Broken(InvalidError(what, hint="the log has what it sent"), 1002, "not MQTT")


def refused(packet: Connack, version: int) -> ConnectError:
    """Return the error for a CONNACK that refuses the connection."""
    code = packet.code if packet.code > 5 else of_return_code(packet.code)  # an older server's own
    words = _words(code, packet.properties)
    details = {"phase": "dialect", "code": packet.code, "reason": words}
    if code == 0x84:
        spoken, hint = ("5", OLDER) if version == V5 else ("3.1.1", _NEWER)
        what = f"the server does not speak MQTT {spoken}"
    else:
        what, hint = f"the server refused the connection: {words}", _HINTS.get(code, "")
    return ConnectError(what, hint=hint, details=details, retryable=passes(code))


def failed(kind: Type, code: int, properties: Properties, version: int) -> ReplyError:
    """Return the error for an answer that says that something was not done."""
    words = _words(code, properties) if version == V5 else "it gives no reason"
    what = f"the server refused {_WHAT.get(kind, 'the message')}: {words}"
    return ReplyError(what, details=_details(code, words), kind=kind_of(code), retryable=passes(code))


def ended(packet: Farewell) -> Broken:
    """Return that the server ended the conversation."""
    if packet.type is Type.AUTH:
        what = "the server asks for an authentication that goes on, which ipyws does not have"
        return Broken(ReplyError(what, hint=_LOGIN), 1002, "AUTH is not supported")
    words = _words(packet.code, packet.properties)
    error = ReplyError(
        f"the server ended the session: {words}",
        details=_details(packet.code, words),
        kind=kind_of(packet.code),
        retryable=passes(packet.code),
    )
    return Broken(error, 1000, "DISCONNECT")


def _details(code: int, words: str) -> dict[str, Any]:
    return {"code": code, "message": words}


def _words(code: int, properties: Properties) -> str:
    """Return a reason code in words, and what the server adds to it."""
    said = properties.get("reason_string") or ""
    server = properties.get("server_reference") or ""
    more = [quoted(said)] if said else []
    more += [f"use {quoted(server)}"] if server else []
    return ", ".join([reason(code), *more])
