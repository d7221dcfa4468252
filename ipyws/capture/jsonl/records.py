"""Records of JSON lines and of HAR, many at once, where msgspec is installed.

A record takes a fifth of the time that `json` and checks of its keys one by one need. What is taken here is
what `schema.from_record` takes, with the same result; anything else (a lone surrogate, a key that is not
known, a value that is wrong) is left to that, which also says what is wrong.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from ipyws.capture.jsonl import values
from ipyws.capture.jsonl.schema import Recorded, from_record
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Direction
from ipyws.errors import InvalidError

try:
    import msgspec
except ImportError:  # such as in a browser: `json` reads everything, in five times the time
    msgspec = None  # type: ignore[assignment]

_NOTHING: Final = (None,) * 6
_LONGEST: Final = 1 << 18
"""Bytes of what is read at once: what is longer may hold too many values, which others look for first."""

_OPENS: Final = {ord("{")}


if msgspec is not None:
    _Count = Annotated[int, msgspec.Meta(ge=0, le=values.HIGHEST)]
    _Moment = Annotated[float, msgspec.Meta(ge=0, le=values.LATEST)]

    class Fields(msgspec.Struct, gc=False, forbid_unknown_fields=True):
        """The keys of a record; what is not there, or null, is None."""

        time: _Moment
        direction: Direction
        type: MessageType
        seq: _Count | None = None
        size: _Count | None = None
        data: str | None = None
        base64: bytes | None = None
        rtt: float | None = None
        code: int | None = None
        reason: str | None = None
        breach: str | None = None
        refs: list[str] | None = None
        masked: bool | None = None

    class TextFields(msgspec.Struct, gc=False, forbid_unknown_fields=True):
        """The keys of a text as it is most of the time: nothing about it has to be looked at one by one."""

        time: _Moment
        direction: Direction
        type: Literal["text"]
        data: str
        seq: _Count | None = None
        size: _Count | None = None
        masked: bool | None = None

    class HarFields(msgspec.Struct, gc=False, forbid_unknown_fields=True):
        """The keys of a message of a HAR: Chrome's, and ours with an underscore; see `Fields`."""

        type: Literal["send", "receive"]
        time: float
        opcode: int
        data: str
        seq: int | None = msgspec.field(default=None, name="_seq")
        rtt: float | None = msgspec.field(default=None, name="_rtt")
        code: int | None = msgspec.field(default=None, name="_code")
        reason: str | None = msgspec.field(default=None, name="_reason")
        breach: str | None = msgspec.field(default=None, name="_breach")
        refs: list[str] | None = msgspec.field(default=None, name="_refs")
        masked: bool | None = msgspec.field(default=None, name="_masked")

    _decode_lines = msgspec.json.Decoder(Fields).decode_lines
    _decode_texts = msgspec.json.Decoder(TextFields).decode_lines
    _decode_har = msgspec.json.Decoder(list[HarFields]).decode
    # Of bytes that are no UTF-8, msgspec says so by its own error only since 0.23.
    _REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def check(block: bytes, first: int) -> int | None:
    """Return how many records stand in whole lines; None if they have to be looked at one by one.

    Args:
        block: The lines.
        first: The number of the first.
    """
    texts = _texts(block)
    if texts is not None:  # a loop over all of them would take a third as long as to decode them
        return len(texts) if _is_one_a_line(block, len(texts)) else None
    found = _decode(block)
    if found is None or not _is_one_a_line(block, len(found)):
        return None
    try:
        for number, fields in enumerate(found, first):
            if _plain(fields) is None:
                from_record(as_object(fields), number)
    except InvalidError:
        return None
    return len(found)


def read(block: bytes, first: int, codec: Codec) -> list[Recorded] | None:
    """Return the messages of whole lines that were checked; None if they have to be read one by one.

    See `check`. Which line a record stands in is nothing that it would look at again.
    """
    texts = _texts(block)
    if texts is not None:
        return [
            Recorded(  # what `_message` does: a call of that would take a sixth of the time
                "text",
                fields.data,
                fields.direction,
                number if fields.seq is None else fields.seq,
                fields.time,
                None,
                (),
                fields.masked is True,
                codec,
            )
            for number, fields in enumerate(texts, first)
        ]
    found = _decode(block)
    if found is None:
        return None
    try:
        return [_message(fields, number, codec) for number, fields in enumerate(found, first)]
    except InvalidError:
        return None


def _texts(block: bytes) -> list[TextFields] | None:
    """Return the records of whole lines; None if one of them is anything else than a plain text."""
    if msgspec is not None and len(block) <= _LONGEST:
        with suppress(*_REFUSED):
            return _decode_texts(block)
    return None


def _decode(block: bytes) -> list[Fields] | None:
    """Return the records of whole lines; None if a line holds anything else."""
    if msgspec is not None and len(block) <= _LONGEST:
        with suppress(*_REFUSED):
            return _decode_lines(block)
    return None


def _is_one_a_line(block: bytes, count: int) -> bool:
    """Tell whether so many records stand in as many lines, each in one: `decode_lines` asks for neither.

    No object lies within a record and no line break within a text: a "{" at the start of a line begins a
    record. Where each line has one and there are no more records, each has exactly one.
    """
    lines = BytesIO(block).readlines()  # a third of what counting line breaks and a search take
    return len(lines) == count and {*map(itemgetter(0), lines)} == _OPENS


def _plain(fields: Fields) -> Data | None:
    """Return the payload of data of which nothing else has to be looked at; None of any other record."""
    if fields.breach is None and fields.refs is None:
        if fields.type == "text":
            return fields.data
        if fields.type == "binary":
            return fields.base64
    return None


def _message(fields: Fields, number: int, codec: Codec) -> Recorded:
    data = _plain(fields)
    if data is None:
        return from_record(as_object(fields), number, codec)
    return Recorded(
        fields.type,
        data,
        fields.direction,
        number if fields.seq is None else fields.seq,
        fields.time,
        None,
        (),
        fields.masked is True,
        codec,
    )


def decode_har(items: bytes) -> list[HarFields] | None:
    """Return messages of a HAR that stand with commas between them; None if anything else does."""
    if msgspec is not None:
        with suppress(*_REFUSED):
            return _decode_har(b"[%b]" % items)
    return None


def as_object(fields: Fields | HarFields) -> dict[str, Any]:
    """Return the JSON object that was read, without what is null; bytes are base64 again."""
    return {name: value for name, value in msgspec.to_builtins(fields).items() if value is not None}


def is_plain_har(fields: HarFields) -> bool:
    """Tell whether a message of a HAR has but the keys that every program writes, and a seq that may be."""
    seq = fields.seq is None or 0 <= fields.seq <= values.HIGHEST
    rest = (fields.rtt, fields.code, fields.reason, fields.breach, fields.refs, fields.masked)
    return seq and rest == _NOTHING
