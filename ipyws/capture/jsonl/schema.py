"""A message as a JSON object of one line, and back; also the header line, which tells of the connection.

The form is that of journals, of ``save("x.jsonl")`` and of what the panel exports. Secrets are taken out on
the way to it. On the way back nothing is believed: it may come from anywhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final, get_args

from ipyws.capture.jsonl import values
from ipyws.capture.jsonl.values import get
from ipyws.capture.redact import Redact
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.connection.info import About
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Control, Direction, Message, Replaced
from ipyws.text.masking import MASK, is_sensitive_header, only_references
from ipyws.text.references import with_references

VERSION: Final = 1
"""Of the form; the value of "ipyws" in a header line."""

_DATA_TYPES: Final = ("text", "binary")
_TYPE: Final = values.one_of(get_args(MessageType))
_DIRECTION: Final = values.one_of(get_args(Direction))
_SCHEMES: Final = ("", "Basic ", "Bearer ", "Token ", "token ", "bearer ", "basic ")

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Recorded(Message):
    """A message that was read from a capture.

    Attributes:
        refs: The references that stand in it in place of secrets: "env.TOKEN" for ``{{env.TOKEN}}``.
        masked: Whether stars stand in it in place of other secrets: it can't be sent again.
    """

    __slots__ = ("masked", "refs")

    def __init__(
        self,
        type: MessageType,
        data: Data,
        direction: Direction,
        seq: int,
        time: float,
        control: Control | None = None,
        refs: tuple[str, ...] = (),
        masked: bool = False,
        codec: Codec = AUTO,
    ) -> None:
        # As `Message` does it: a call of that would take as long again, for each message of a file.
        self._type = type
        self._data = data
        self._direction = direction
        self._seq = seq
        self._time = time
        self._control = control
        self._codec = codec
        self._mark = ""
        self.refs = refs
        self.masked = masked


# -- writing ---------------------------------------------------------------------------------------


class _Veil:
    """Takes the secrets out of the texts of one record, and notes what stands for them."""

    def __init__(self, refs: Iterable[str] = (), masked: bool = False) -> None:
        self._refs = dict.fromkeys(refs)
        self.masked = masked

    def text(self, text: str) -> str:
        shown, refs, masked = with_references(text)
        self._refs.update(dict.fromkeys(refs))
        self.masked = self.masked or masked
        return shown

    def bytes(self, data: bytes) -> bytes:
        return self.text(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def header(self, name: str, value: str) -> tuple[str, str]:
        """Return a header; of a sensitive one only the references, if it is a scheme and nothing else."""
        if not is_sensitive_header(name):
            return name, self.text(value)
        shown, refs, _ = with_references(value)
        if any(only_references(shown.removeprefix(scheme)) for scheme in _SCHEMES):
            self._refs.update(dict.fromkeys(refs))
            return name, shown
        self.masked = True
        return name, MASK

    def notes(self) -> dict[str, Any]:
        """Return the keys of the record that tell of it."""
        refs = {"refs": list(self._refs)} if self._refs else {}
        return {**refs, "masked": True} if self.masked else refs


def to_record(message: Message, redact: Redact | None = None) -> dict[str, Any]:
    """Return a message as what its JSON object holds, without secrets.

    Args:
        message: A message of a log or of another capture.
        redact: Takes out the values of JSON keys too, if given; `redaction.make_redact` makes one.
    """
    veil = _Veil(message.refs, message.masked) if isinstance(message, Recorded) else _Veil()
    record: dict[str, Any] = {
        "seq": message.seq,
        "time": message.time,
        "direction": message.direction,
        "type": message.type,
        "size": message.size,
    }
    data = message.data
    if redact is not None and message.type in (*_DATA_TYPES, "breach"):
        without = redact.payload(message)
        data, veil.masked = without, veil.masked or without != data
    if isinstance(data, str):
        record["data"] = veil.text(data)
    elif data or message.type in _DATA_TYPES:
        record["base64"] = base64.b64encode(veil.bytes(data)).decode("ascii")
    if message.rtt is not None:
        record["rtt"] = message.rtt
    if message.code is not None:
        record["code"] = message.code
    if message.reason:
        record["reason"] = veil.text(message.reason)
    if message.breach:
        record["breach"] = veil.text(message.breach)
    return {**record, **veil.notes()}


def to_line(message: Message, redact: Redact | None = None) -> str:
    r"""Return a message as a line of JSON with its "\n"; UTF-8 can encode it. See `to_record`."""
    return as_line(to_record(message, redact))


def as_line(record: dict[str, Any]) -> str:
    r"""Return a record, a header or a gap as a line of JSON with its "\n"; UTF-8 can encode it."""
    return to_json(record) + "\n"


def to_json(value: dict[str, Any]) -> str:
    """Return an object as JSON that UTF-8 can encode."""
    return escaped(_encode(value))


def escaped(text: str) -> str:
    """Return JSON that UTF-8 can encode: with its lone surrogates escaped."""
    # A surrogate escaped by a backslash is its escape in JSON too.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def to_header(about: About | None, evicted: int = 0) -> dict[str, Any]:
    """Return what the header line of a connection holds, without secrets.

    Args:
        about: The connection; None if nothing is known of it.
        evicted: Messages that the log had given up before the first that follows.
    """
    header: dict[str, Any] = {"ipyws": VERSION}
    if about is not None:
        header |= _describe(about)
    return {**header, "evicted": evicted} if evicted else header


def _describe(about: About) -> dict[str, Any]:
    veil = _Veil(about.refs, about.masked)
    described = {
        "url": veil.text(about.url),
        "name": veil.text(about.name),
        "opened": about.opened_at,
        "subprotocol": about.subprotocol and veil.text(about.subprotocol),
        "status": about.status,
        "reason": veil.text(about.reason),
        "headers": [veil.header(*pair) for pair in about.headers],
        "request_headers": [veil.header(*pair) for pair in about.request_headers],
        "extensions": veil.text(about.extensions),
        "proxy": about.proxy and veil.text(about.proxy),
        "codec": None if about.codec == AUTO.name else veil.text(about.codec),
    }
    return {key: value for key, value in described.items() if value is not None} | veil.notes()


# -- reading ---------------------------------------------------------------------------------------


def from_record(record: dict[str, Any], seq: int, codec: Codec = AUTO) -> Recorded:
    """Return the message that a JSON object holds. Keys that are not known are passed over.

    Args:
        record: The object.
        seq: The seq of the message unless the record says it.
        codec: What reads its payload.

    Raises:
        InvalidError: A key is missing or has a wrong value; says which.
    """
    kind: MessageType = get(record, "type", _TYPE)
    get(record, "size", values.count, 0)
    data = _data(record, kind)
    return Recorded(
        kind,
        data,
        get(record, "direction", _DIRECTION),
        get(record, "seq", values.count, seq),
        get(record, "time", values.moment),
        None if isinstance(data, str) or kind == "binary" else _control(record, kind, data),
        get(record, "refs", values.references, ()),
        get(record, "masked", values.flag, False),
        codec,
    )


def _data(record: dict[str, Any], kind: MessageType) -> Data:
    if kind == "text":
        text, breach = get(record, "data", values.text), get(record, "breach", values.text, "")
        return Replaced(text, breach) if breach else text
    if kind == "binary":
        return get(record, "base64", values.encoded)
    return get(record, "base64", values.encoded, b"")


def _control(record: dict[str, Any], kind: MessageType, data: bytes) -> Control:
    return Control(
        data,
        get(record, "rtt", values.seconds, None),
        _code(record, kind),
        get(record, "reason", values.text, ""),
        get(record, "breach", values.text, "") if kind == "breach" else "",
    )


def _code(record: dict[str, Any], kind: MessageType) -> int | None:
    if kind == "close":
        return get(record, "code", values.close_code)
    return get(record, "code", values.close_code, None) if kind == "breach" else None


def from_header(header: dict[str, Any]) -> tuple[About | None, int]:
    """Return what a header line says: the connection, if anything, and how many messages were evicted.

    Raises:
        InvalidError: A key has a wrong value; says which.
    """
    get(header, "ipyws", values.version)
    evicted = get(header, "evicted", values.count, 0)
    if header.get("url") is None:
        return None, evicted
    about = About(
        url=get(header, "url", values.text),
        name=get(header, "name", values.text, ""),
        opened_at=get(header, "opened", values.moment, None),
        subprotocol=get(header, "subprotocol", values.text, None),
        status=get(header, "status", values.count, 0),
        reason=get(header, "reason", values.text, ""),
        headers=get(header, "headers", values.pairs, ()),
        request_headers=get(header, "request_headers", values.pairs, ()),
        extensions=get(header, "extensions", values.text, ""),
        proxy=get(header, "proxy", values.text, None),
        refs=get(header, "refs", values.references, ()),
        masked=get(header, "masked", values.flag, False),
        codec=get(header, "codec", values.text, AUTO.name),
    )
    return about, evicted


def from_gap(gap: dict[str, Any]) -> int:
    """Return how many messages are missing where a gap line stands.

    Raises:
        InvalidError: It says no number.
    """
    return get(gap, "gap", values.count)
