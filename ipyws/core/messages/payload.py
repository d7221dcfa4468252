"""What a user hands to `send` and `ping`, as what goes on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.json import JSON, JsonText
from ipyws.core.codecs.formats.json_encoder import is_record
from ipyws.core.connection.outbox import FULL
from ipyws.core.constants import BINARY, TEXT, TYPE_BINARY, TYPE_TEXT
from ipyws.errors import InvalidError, brief


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Attrs(Protocol):
    __attrs_attrs__: ClassVar[Any]


class _Struct(Protocol):
    __struct_fields__: ClassVar[tuple[str, ...]]


class _Model(Protocol):
    def model_dump(self) -> dict[str, Any]: ...


Sendable = (
    str
    | bytes
    | bytearray
    | memoryview
    | Mapping[Any, Any]
    | list[Any]
    | _Dataclass
    | _Attrs
    | _Struct
    | _Model
)
"""Text, bytes, or what becomes JSON text, as mappings, lists, dataclasses and models of pydantic do."""
TypeChoice = Literal[1, 2, "text", "binary"]
"""As what a message is sent, `ipyws.TEXT` or `ipyws.BINARY`, also by name."""

Ready = tuple[Data, bytes]
"""A payload as the log keeps it, and as the wire carries it."""

PING_LIMIT = 125
"""Bytes of payload that a control frame holds (RFC 6455 section 5.5)."""

_KINDS = {TEXT: TYPE_TEXT, BINARY: TYPE_BINARY, TYPE_TEXT: TYPE_TEXT, TYPE_BINARY: TYPE_BINARY}


def encode(data: object, type: object = None, codec: Codec = AUTO) -> tuple[Data, bytes]:
    """Return a payload as the log keeps it, str for text and bytes for binary, and as the wire carries it.

    Args:
        data: str (text), bytes-like (binary), or mappings, lists and records such
            as dataclasses (JSON text).
        type: TEXT or BINARY to override what follows from the type of ``data``.
        codec: What makes payloads of mappings, lists and records.

    Raises:
        InvalidError: ``data`` is nothing of these, can't be encoded, or ``type`` is no message type.
    """
    if type is None and data.__class__ is str:  # by far the most: a fifth of what follows
        return data, _utf8(data)
    if isinstance(data, JsonText) or not isinstance(data, (str, bytes, bytearray, memoryview)):
        data = _payload_of(data, codec)
    default = TYPE_TEXT if isinstance(data, str) else TYPE_BINARY
    kind = default if type is None else _kind(type)
    wire = _utf8(data) if isinstance(data, str) else bytes(data)
    if kind == TYPE_BINARY:
        return wire, wire
    return (data if isinstance(data, str) else _text(wire)), wire


def _payload_of(data: object, codec: Codec) -> Data:
    if isinstance(data, (list, JsonText)) or is_record(data):
        try:
            return codec.from_json(data) if isinstance(data, JsonText) else codec.encode(data)
        except InvalidError:
            raise
        except Exception as error:
            raise InvalidError(f"the payload can't be written as {codec.name}: {error}") from None
    hint = "str (text), bytes (binary), dict, list and records such as dataclasses (JSON) are allowed"
    if hasattr(data, "tobytes"):
        hint = ".tolist() makes JSON of it, .tobytes() a binary message"
    raise InvalidError(f"a payload of type {_name(data)} can't be sent", hint=hint)


def chunks(ready: Sequence[Ready], size: int = FULL) -> Iterator[list[Ready]]:
    """Yield messages in their order, together as many as ``size`` bytes hold; at least one."""
    chunk: list[Ready] = []
    left = size
    for message in ready:
        chunk.append(message)
        left -= len(message[1])
        if left <= 0:
            yield chunk
            chunk, left = [], size
    if chunk:
        yield chunk


def encode_ping(data: object) -> bytes:
    """Return the payload of a ping.

    Raises:
        InvalidError: It is neither str nor bytes, or longer than 125 bytes.
    """
    if isinstance(data, (bytes, bytearray, memoryview)):
        payload = bytes(data)
    elif isinstance(data, str):
        payload = _utf8(data)
    else:
        raise InvalidError(f"ping data is of type {_name(data)}", hint="str and bytes are allowed")
    if len(payload) > PING_LIMIT:
        raise InvalidError(f"ping data has {len(payload)} bytes", hint=f"at most {PING_LIMIT} are allowed")
    return payload


def to_json(value: Any) -> str:
    """Return ``value`` as compact JSON; see `json_encoder` for what it may hold.

    Raises:
        InvalidError: It holds something that JSON has not; says where and what.
    """
    return JSON.encode(value)


def _kind(type: object) -> str:
    if isinstance(type, (int, str)) and not isinstance(type, bool) and type in _KINDS:
        return _KINDS[type]
    raise InvalidError(f"message type is {brief(type)}", hint="TEXT (1) and BINARY (2) are allowed")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidError(
            f"the text holds a lone surrogate at position {error.start}",
            hint="only text that UTF-8 can encode may be sent",
        ) from None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidError(
            f"the bytes are not UTF-8 at position {error.start}", hint="send them as BINARY"
        ) from None


def _name(value: object) -> str:
    return type(value).__name__
