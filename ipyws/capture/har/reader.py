"""Reading the WebSocket connections of a HAR, of any size and whoever wrote it, into JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from json.encoder import encode_basestring
from typing import Any, BinaryIO, Final

from ipyws.capture.har.scanner import Scanner
from ipyws.capture.har.writer import MEMBERS, OPCODES, OURS
from ipyws.capture.jsonl import values
from ipyws.capture.jsonl.jsonl import LONGEST_LINE, Span, add
from ipyws.capture.jsonl.records import HarFields, as_object, decode_har, is_plain_har
from ipyws.capture.jsonl.schema import VERSION, as_line, from_header, from_record
from ipyws.capture.jsonl.values import get, parse_object, parse_value
from ipyws.core.constants import MB
from ipyws.errors import InvalidError

_KINDS: Final = {opcode: kind for kind, opcode in OPCODES.items() if kind != "breach"}
_DIRECTIONS: Final = {"send": "out", "receive": "in"}
_SCHEMES: Final = {"http:": "ws:", "https:": "wss:"}
_LONGEST_PART: Final = 1 << 20  # bytes of a URL, or of all headers of a request
_MILLISECONDS: Final = 1e11  # as seconds, this is the year 5138


def read(file: BinaryIO, into: BinaryIO) -> list[Span]:
    """Write the messages of a HAR as JSON lines, connection after connection.

    Args:
        file: The HAR.
        into: Gets the lines.

    Returns:
        The connections, in the order of the HAR. Entries of other requests are passed over.

    Raises:
        InvalidError: It is no HAR, an entry or a message is wrong, or the file ends too early; says which.
        OSError: A file can't be read or written.
    """
    return _Reading(file, into).run()


class _Reading:
    def __init__(self, file: BinaryIO, into: BinaryIO) -> None:
        self._scanner = Scanner(file)
        self._into = into
        self._offset = 0
        self._spans: list[Span] = []
        self._where = ""

    def run(self) -> list[Span]:
        try:
            self._members({"log": lambda: self._members({"entries": self._entries})})
        except InvalidError as error:
            raise InvalidError(f"{self._where}{error.message}", hint=error.hint) from None
        return self._spans

    def _members(self, readers: dict[str, Callable[[], None]]) -> None:
        """Go through the object that comes next: call a reader where there is one for the key."""
        for key in self._scanner.members():
            readers.get(key, self._scanner.skip)()

    def _entries(self) -> None:
        for number in self._scanner.elements():
            self._where = f"entry {number}: "
            self._entry()
        self._where = ""

    def _entry(self) -> None:
        parts: dict[str, Any] = {}
        span = Span()
        self._members(
            {
                "request": lambda: self._head(parts, "request", ("url", "headers")),
                "response": lambda: self._head(parts, "response", ("status", "statusText", "headers")),
                "startedDateTime": lambda: self._part(parts, "started"),
                "_resourceType": lambda: self._part(parts, "resource"),
                "_ipyws": lambda: self._part(parts, "ours"),
                "_webSocketMessages": lambda: self._messages(parts, span),
            }
        )
        if "messages" in parts or parts.get("resource") == "websocket":
            span.about, span.evicted = from_header(_header(parts))
            add(self._spans, span)

    def _head(self, parts: dict[str, Any], name: str, keys: tuple[str, ...]) -> None:
        if self._scanner.peek() != b"{":
            self._scanner.skip()
            return
        head: dict[str, Any] = {}
        parts[name] = head
        self._members({key: partial(self._part, head, key) for key in keys})

    def _part(self, parts: dict[str, Any], key: str) -> None:
        """Read a value; one that is too large is of no connection."""
        source = self._scanner.read(_LONGEST_PART)
        if source is not None:
            parts[key] = parse_value(source)

    # -- messages ----------------------------------------------------------------------------------

    def _messages(self, parts: dict[str, Any], span: Span) -> None:
        parts["messages"] = True
        entry, count = self._where, 0
        for _ in self._scanner.elements():
            if passed := self._scanner.pass_lines(lambda items: self._many(items, span)):
                count += passed
                continue
            count += 1
            self._where = f"{entry}message {count}: "
            source = self._scanner.read(LONGEST_LINE)
            if source is None:
                raise InvalidError(f"it is longer than {LONGEST_LINE // MB} MB")
            self._message(parse_object(source), span)
        self._where = entry

    def _many(self, items: bytes, span: Span) -> int | None:
        """Take many messages at once; return how many, or None if they have to be taken one by one."""
        found = decode_har(items)
        try:
            lines = None if found is None else list(map(_line, found))
        except InvalidError:
            return None  # who takes them one by one says which
        if lines is None:
            return None
        kept = [line for line in lines if line is not None]
        block = "".join(kept).encode("utf-8", "backslashreplace")
        span.foreign += len(lines) - len(kept)
        span.index.add_many(self._offset, len(kept))
        self._into.write(block)
        self._offset += len(block)
        return len(lines)

    def _message(self, found: dict[str, Any], span: Span) -> None:
        record = _record(found)
        if record is None:
            span.foreign += 1
            return
        from_record(record, span.index.count)
        line = as_line(record).encode()
        self._into.write(line)
        span.index.add(self._offset)
        self._offset += len(line)


def _line(fields: HarFields) -> str | None:
    """Return the line of a message; None if it is no message."""
    if fields.opcode == OPCODES["text"] and is_plain_har(fields) and 0 <= fields.time <= _MILLISECONDS:
        seq = "" if fields.seq is None else f', "seq": {fields.seq}'
        start = f'{{"time": {fields.time!r}, "direction": "{_DIRECTIONS[fields.type]}", "type": "text"'
        return f'{start}, "data": {encode_basestring(fields.data)}{seq}}}\n'
    found = as_object(fields)
    if fields.opcode == OPCODES["open"]:  # what is null there, and what is missing, differ
        raise InvalidError("it has to be read alone")
    record = _record(found)
    if record is not None:
        from_record(record, 0)
    return None if record is None else as_line(record)


def _record(found: dict[str, Any]) -> dict[str, Any] | None:
    """Return a message of a HAR as a record; None if it is no message, such as an error that Chrome noted."""
    kind = _KINDS.get(get(found, "opcode", values.whole))
    direction = _DIRECTIONS.get(get(found, "type", values.text))
    # A reader of HAR takes an event of ours for an error.
    if kind is None or direction is None or (kind == "open" and "_seq" not in found):
        return None
    if kind == "open" and "_breach" in found:
        kind = "breach"
    data = get(found, "data", values.text)
    record = {
        "time": get(found, "time", _clock),
        "direction": direction,
        "type": kind,
        "data" if kind == "text" else "base64": data,
    }
    if kind == "close" and "_code" not in found:
        record |= _close(get(found, "data", values.encoded))
    return record | {key: found[f"_{key}"] for key in OURS if f"_{key}" in found}


def _clock(value: Any) -> float:
    """Read a time in seconds, or in milliseconds, as Playwright writes it."""
    if isinstance(value, int | float) and _MILLISECONDS < value < 1000 * _MILLISECONDS:
        value = value / 1000
    return values.moment(value)


def _close(payload: bytes) -> dict[str, Any]:
    """Return what the payload of a close frame says (RFC 6455 section 5.5.1)."""
    code = int.from_bytes(payload[:2]) if len(payload) > 1 else 1005
    return {"code": code, "reason": payload[2:].decode("utf-8", "replace")}


# -- what is said of the connection ----------------------------------------------------------------


def _header(parts: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry says of its connection as the header of JSON lines has it."""
    request, response = parts.get("request", {}), parts.get("response", {})
    headers = _pairs(response.get("headers"))
    found = {
        "ipyws": VERSION,
        "url": _websocket_url(get(request, "url", values.text)) or None,
        "status": max(0, get(response, "status", values.whole, 0)),
        "reason": response.get("statusText"),
        "headers": headers,
        "request_headers": _pairs(request.get("headers")),
        "subprotocol": _one(headers, "sec-websocket-protocol"),
        "extensions": _one(headers, "sec-websocket-extensions"),
        "opened": _moment(parts.get("started")),
    }
    ours = parts.get("ours")
    if isinstance(ours, dict):
        found |= {key: ours.get(key) for key in MEMBERS}
    return found


def _websocket_url(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    return _SCHEMES.get(scheme + colon, scheme + colon) + rest


def _pairs(headers: Any) -> list[list[str]]:
    """Return headers as pairs; what has no name and no value is left out, it is no header."""
    if not isinstance(headers, list):
        return []
    pairs: list[list[Any]] = [
        [item.get("name"), item.get("value")] for item in headers if isinstance(item, dict)
    ]
    return [pair for pair in pairs if all(isinstance(text, str) for text in pair)]


def _one(headers: list[list[str]], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _moment(started: Any) -> float | None:
    try:
        return values.moment(datetime.fromisoformat(started).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
