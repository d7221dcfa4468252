"""What a message of a SignalR connection means, for views and expectations."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.dialects.arguments import value_of
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.signalr.json_protocol import SEPARATOR, records
from ipyws.dialects.signalr.message import HubMessage
from ipyws.errors import InvalidError, brief

_HANDSHAKE: Final = 2000  # characters, or bytes, that it may have
_MOST: Final = 10_000  # messages in one of WebSocket that are read


class HubProtocol(Protocol):
    """What reads and writes messages."""

    name: str

    def write(self, message: HubMessage) -> Data:
        """Return a message as it is sent."""

    def read(self, payload: Data) -> Any:
        """Yield the messages of one of WebSocket; raises ValueError and RecursionError."""


class _Named(NamedTuple):
    label: str
    value: Any = None
    heartbeat: bool = False


class SignalRCodec(Codec):
    """SignalR: the value of an invocation is that of its arguments, else it is the item or the result.

    A message of WebSocket may hold several of SignalR; its value is the list of theirs.

    Args:
        protocol: What they are encoded in.
    """

    def __init__(self, protocol: HubProtocol) -> None:
        self._protocol = protocol
        self.name = "signalr+msgpack" if protocol.name == "messagepack" else "signalr"

    def decode(self, payload: Data) -> Any:
        """Return what a message carries.

        Raises:
            ValueError: It is none; says why.
        """
        return self._read(payload).value

    def encode(self, value: Any) -> Data:
        """Return the invocation that a list is: its target, and its arguments.

        Raises:
            InvalidError: It is no such list.
        """
        if not isinstance(value, (list, tuple)) or not value or not isinstance(value[0], str):
            what = f"an invocation is a list with its target first, and not {brief(value)}"
            raise InvalidError(what, hint='write ["target", argument, …], or use emit')
        return self._protocol.write(HubMessage("invocation", target=value[0], value=list(value[1:])))

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means, and what its message is called."""
        try:
            named = self._read(payload)
        except Exception as error:  # payloads are hostile
            return Decoded(None, self.name, problem=self._problem(error))
        return Decoded(named.value, self.name, label=named.label, heartbeat=named.heartbeat)

    def _problem(self, error: Exception) -> InvalidError:
        return error if isinstance(error, InvalidError) else self.refuse(error)

    def _read(self, payload: Data) -> _Named:
        if (handshake := _handshake(payload)) is not None:
            return _Named("handshake", handshake)
        found = [_named(message) for message in islice(self._protocol.read(payload), _MOST)]
        if len(found) == 1:
            return found[0]
        more = f" and {len(found) - 1:,} more" if found else "nothing"
        label = f"{found[0].label}{more}" if found else more
        return _Named(label, [each.value for each in found], all(each.heartbeat for each in found))


def _handshake(payload: Data) -> Any:
    """Return what a message of the handshake says, which is JSON in any protocol; None if it is none."""
    if len(payload) > _HANDSHAKE or payload[:1] not in ("{", b"{"):
        return None
    try:
        (record,) = records(payload)
        fields = parse_json(record)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and "type" not in fields else None


def read_handshake(payload: Data) -> tuple[dict[str, Any], Data]:
    """Return the server's answer to a handshake, and what follows it in the same message.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested too deeply.
    """
    separator = SEPARATOR if isinstance(payload, str) else SEPARATOR.encode()
    begun, ended, rest = payload.partition(separator)  # type: ignore[arg-type]
    fields = parse_json(begun) if ended else None
    if not isinstance(fields, dict) or "type" in fields:
        raise ValueError("it is not an answer to a handshake")
    return fields, rest


def _named(message: HubMessage) -> _Named:
    kind = message.kind
    name = message.target or message.id or ""
    label = f"{kind} {quoted(name)}".rstrip()
    if kind in ("invocation", "stream invocation"):
        return _Named(label, value_of(message.value))
    if message.error is not None:
        return _Named(label, {"error": message.error})
    return _Named(label, message.value, kind == "ping")
