"""HAR 1.2 with the messages of WebSocket connections, as the developer tools of Chrome write it.

An entry has ``"_resourceType": "websocket"`` and ``_webSocketMessages``; a message ``type`` (send, receive),
``time`` (in seconds), ``opcode`` and ``data``: text for opcode 1, base64 for all others. What HAR has no
place for stands under keys of our own, which begin with an underscore too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, Final, TextIO
from urllib.parse import parse_qsl

from ipyws.capture.jsonl.lines import are_plain, to_base64, together
from ipyws.capture.jsonl.schema import escaped, to_header, to_json, to_record
from ipyws.capture.redact import Redact
from ipyws.core.connection.info import About
from ipyws.core.messages.message import Message, Replaced
from ipyws.text.masking import mask
from ipyws.version import __version__

OPCODES: Final = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10, "open": -1, "breach": -1}
"""Those of RFC 6455 section 5.2; what is no frame has -1, as errors have in Chrome."""

OURS: Final = ("seq", "rtt", "code", "reason", "breach", "refs", "masked")
"""Keys of a record that a message of a HAR has with an underscore in front."""

MEMBERS: Final = (
    "name",
    "opened",
    "subprotocol",
    "extensions",
    "proxy",
    "codec",
    "evicted",
    "refs",
    "masked",
)
"""Keys of a header that an entry of a HAR has below ``_ipyws``; there they count."""


def write(
    stream: TextIO, messages: Iterable[Message], about: About | None, evicted: int, redact: Redact | None
) -> None:
    """Write a HAR with one connection and its messages.

    Raises:
        OSError: The file can't be written.
    """
    header = to_header(about, evicted)
    rest = iter(messages)
    first = next(rest, None)
    started: float = header.get("opened", first.time if first else 0.0)
    stream.write(_start(header, started))
    ended, between = started, ""
    for some in together(chain([first] if first else [], rest)):
        items = _plain_items(some) if redact is None else None
        items = items or [to_json(_message(message, redact)) for message in some]
        stream.write(between + escaped(",\n".join(items)))
        ended, between = some[-1].time, ",\n"
    stream.write(_end(max(0.0, ended - started) * 1000))


def _plain_items(messages: Sequence[Message]) -> list[str] | None:
    """Return the objects of messages as `_message` makes them; None if one has something to be hidden."""
    if not are_plain(messages) or any(isinstance(each.data, Replaced) for each in messages):
        return None
    return list(map(_plain_item, messages))


def _plain_item(message: Message) -> str:
    way, data = "send" if message.direction == "out" else "receive", message.data
    payload = encode_basestring(data) if isinstance(data, str) else f'"{to_base64(data)}"'
    return (
        f'{{"type": "{way}", "time": {message.time!r}, "opcode": {OPCODES[message.type]}, '
        f'"data": {payload}, "_seq": {message.seq}}}'
    )


def _start(header: dict[str, Any], started: float) -> str:
    """Return the start of the document, up to the messages."""
    creator = {"name": "ipyws", "version": __version__}
    log = to_json({"version": "1.2", "creator": creator, "pages": []})
    ours = {key: header[key] for key in MEMBERS if key in header}
    entry = {
        "startedDateTime": _iso(started),
        "request": _request(header),
        "response": _response(header),
        "cache": {},
        "_resourceType": "websocket",
        "_ipyws": ours,
    }
    return f'{{"log": {log[:-1]}, "entries": [\n{to_json(entry)[:-1]}, "_webSocketMessages": [\n'


def _end(milliseconds: float) -> str:
    """Return the rest of the document, from the end of the messages."""
    timings = {"send": 0, "wait": 0, "receive": milliseconds}
    return f"\n], {to_json({'time': milliseconds, 'timings': timings})[1:]}\n]}}}}\n"


def _request(header: dict[str, Any]) -> dict[str, Any]:
    url = header.get("url", "")
    # Masked once more: a spelling that hid a secret in the URL is gone.
    query = [
        (mask(name), mask(value))
        for name, value in parse_qsl(url.partition("?")[2].partition("#")[0], keep_blank_values=True)
    ]
    return {
        "method": "GET",
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(header.get("request_headers", ())),
        "queryString": _named(query),
        "headersSize": -1,
        "bodySize": 0,
    }


def _response(header: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": header.get("status", 0),
        "statusText": header.get("reason", ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(header.get("headers", ())),
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(message: Message, redact: Redact | None) -> dict[str, Any]:
    record = to_record(message, redact)
    ours = {f"_{key}": record[key] for key in OURS if key in record}
    return {
        "type": "send" if message.direction == "out" else "receive",
        "time": message.time,
        "opcode": OPCODES[message.type],
        "data": record.get("data", record.get("base64", "")),
        **ours,
    }
