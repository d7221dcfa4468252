"""The lines of many messages at once: the same as of each message alone, for a quarter of the time."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring

from ipyws.capture.jsonl.schema import Recorded, to_line
from ipyws.capture.masking import hold_no_secret
from ipyws.capture.redact import Redact
from ipyws.core.codecs.codec import Data
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.message import Message, Replaced, payload_size

_TOGETHER = 128
_LARGE = 1 << 18
_DATA = ("text", "binary")


def to_lines(batch: Batch) -> Iterator[str]:
    r"""Yield the lines of a batch in order, many to a piece; each line ends in "\n".

    A lone surrogate is left to whoever encodes them, with "backslashreplace".
    """
    for start in range(0, len(batch.payloads), _TOGETHER):
        payloads = batch.payloads[start : start + _TOGETHER]
        if batch.type is None and hold_no_secret(payloads):
            yield _plain_lines(batch, start, payloads)
        else:
            numbers = range(start, start + len(payloads))
            yield "".join(to_line(batch.message(number)) for number in numbers)


def lines_of(messages: Iterable[Message], redact: Redact | None = None) -> Iterator[str]:
    """Yield the lines of messages in order, many to a piece; see `to_lines`.

    Args:
        messages: Of a log, or of another capture.
        redact: Takes out the values of JSON keys too, if given.
    """
    for some in together(messages):
        if redact is None and are_plain(some):
            yield "".join(map(_plain_line, some))
        else:
            yield "".join(to_line(message, redact) for message in some)


def together(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield messages in order, as many to a list as are looked at together for secrets; large ones alone."""
    some: list[Message] = []
    length = 0
    for message in messages:
        some.append(message)
        length += len(message.data)
        if len(some) == _TOGETHER or length > _LARGE:
            yield some
            some, length = [], 0
    if some:
        yield some


def are_plain(messages: Sequence[Message]) -> bool:
    """Tell whether all are data with nothing in it to be hidden, and nothing that was hidden."""
    return (
        all(message.type in _DATA for message in messages)
        and not any(isinstance(each, Recorded) and (each.refs or each.masked) for each in messages)
        and hold_no_secret([message.data for message in messages])
    )


def _plain_line(message: Message) -> str:
    return (
        f'{{"seq": {message.seq}, "time": {message.time!r}, "direction": "{message.direction}", '
        f'"type": {_payload(message.data)}}}\n'
    )


def _plain_lines(batch: Batch, start: int, payloads: list[Data]) -> str:
    common = f', "time": {batch.time!r}, "direction": "{batch.direction}", "type": '
    return "".join(
        f'{{"seq": {seq}{common}{_payload(data)}}}\n' for seq, data in enumerate(payloads, batch.seq + start)
    )


def _payload(data: Data) -> str:
    if isinstance(data, str):
        breach = f', "breach": {encode_basestring(data.breach)}' if isinstance(data, Replaced) else ""
        return f'"text", "size": {payload_size(data)}, "data": {encode_basestring(data)}{breach}'
    return f'"binary", "size": {len(data)}, "base64": "{to_base64(data)}"'


def to_base64(data: bytes) -> str:
    """Return bytes as RFC 4648 section 4 has them in JSON."""
    return b2a_base64(data, newline=False).decode("ascii")
