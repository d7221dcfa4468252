"""The lines of a whole batch at once: the same as of each message alone, for a quarter of the time."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from json.encoder import encode_basestring

from ipyws.capture.masking import hold_no_secret
from ipyws.capture.schema import to_line
from ipyws.core.codecs.codec import Data
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.message import Replaced, payload_size

_TOGETHER = 128


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


def _plain_lines(batch: Batch, start: int, payloads: list[Data]) -> str:
    common = f', "time": {batch.time!r}, "direction": "{batch.direction}", "type": '
    return "".join(
        f'{{"seq": {seq}{common}{_payload(data)}}}\n' for seq, data in enumerate(payloads, batch.seq + start)
    )


def _payload(data: Data) -> str:
    if isinstance(data, str):
        breach = f', "breach": {encode_basestring(data.breach)}' if isinstance(data, Replaced) else ""
        return f'"text", "size": {payload_size(data)}, "data": {encode_basestring(data)}{breach}'
    return f'"binary", "size": {len(data)}, "base64": "{b2a_base64(data, newline=False).decode("ascii")}"'
