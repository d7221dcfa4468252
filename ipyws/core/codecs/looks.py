"""What a payload that is no JSON looks like: for errors, so that nobody has to guess."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Callable
from typing import Final

from ipyws.core.codecs.codec import Data

PLAIN: Final = "it is plain text"
"""What `looks_like` says of text that is nothing else."""

_HEAD: Final = 4096  # bytes that are looked at
_TERMINATOR: Final = "\x1e"

_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy"),
    (b"\xd9\xd9\xf7", "CBOR"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a RIFF file, such as WAV or WebP"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"OggS", "Ogg"),
    (b"\x1aE\xdf\xa3", "WebM"),
    (b"PAR1", "Parquet"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1", "Arrow"),
    (b"\xff\xff\xff\xff", "Arrow, as a stream"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c\x1d\x1f\x7f]")
_ENGINE: Final = re.compile(r"\d{1,2}-?(?:/[^,\[{]*,)?\d*[\[{]")
_STOMP: Final = re.compile(r"(?:CONNECTED|MESSAGE|RECEIPT|ERROR)\r?\n")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")
_SOCKJS: Final = re.compile(r"a\[|c\[|[oh]\s*\Z")
_PYTHON: Final = re.compile(r"\s*[{\[]\s*[{\[]*\s*(?:'|None|True|False)")


def looks_like(data: Data) -> str:
    """Return what a payload that is no JSON seems to be, as a clause: "it looks like gzip: …".

    Only its beginning and its end are looked at, and nothing of what it says is repeated.
    """
    if not data:
        return "it is empty"
    cut = len(data) > _HEAD
    if isinstance(data, str):
        return _text(data[:_HEAD], cut, ends=data.endswith(_TERMINATOR))
    head = data[:_HEAD]
    for looks in (_magic, _deflated, _prefixed):
        if found := looks(head, len(data)):
            return found
    text = _decoded(head, cut)
    if text:
        return _text(text, cut, ends=data.endswith(_TERMINATOR.encode()))
    for packed in (_msgpack, _cbor):
        if found := packed(head):
            return found
    begins = f"it begins with {_hex(head[:4])}"
    return f"{begins} and may be protobuf" if not cut and _is_protobuf(head) else begins


def _decoded(head: bytes, cut: bool) -> str:
    """Return bytes as text, or "" if they are none."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=not cut)
    except UnicodeDecodeError:
        return ""
    return "" if _CONTROL.search(text) else text


# -- bytes -----------------------------------------------------------------------------------------


def _hex(data: bytes) -> str:
    return data.hex(" ")


def _magic(head: bytes, _: int) -> str:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return f"it looks like {name}: it begins with {_hex(magic[:4])}"
    return ""


def _deflated(head: bytes, _: int) -> str:
    if head[0] & 0x0F == 8 and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:  # RFC 1950 2.2
        if _inflates(head, zlib.MAX_WBITS):
            return f"it looks like zlib: it begins with {_hex(head[:2])}"
    elif _inflates(head, -zlib.MAX_WBITS).lstrip()[:1] in (b"{", b"["):  # it has no mark of its own
        return "it looks like deflate without a header: inflated it begins like JSON"
    return ""


def _inflates(head: bytes, bits: int) -> bytes:
    try:
        return zlib.decompressobj(bits).decompress(head, 16)
    except zlib.error:
        return b""


def _prefixed(head: bytes, size: int) -> str:
    for skip, what in ((4, "a length of 4 bytes"), (5, "the 5 bytes of a gRPC message")):
        told = int.from_bytes(head[skip - 4 : skip], "big")
        if told == size - skip and head[skip : skip + 1] in (b"{", b"["):
            return f"it looks like JSON behind {what}"
    return ""


def _msgpack(head: bytes) -> str:
    first, second = head[0], head[1:2]
    if 0x81 <= first <= 0x8F or first in (0xDE, 0xDF):
        key = {0xDE: head[3:4], 0xDF: head[5:6]}.get(first, second)
        if key and (0xA0 <= key[0] <= 0xBF or key[0] == 0xD9 or key[0] < 0x80):
            return f"it looks like a map of msgpack: it begins with {_hex(head[:2])}"
    elif 0x91 <= first <= 0x9F or first in (0xDC, 0xDD):
        return f"it looks like a list of msgpack: it begins with {_hex(head[:2])}"
    return ""


def _cbor(head: bytes) -> str:
    first, key = head[0], head[1:2]
    if (0xA1 <= first <= 0xB7 or first == 0xBF) and key and 0x61 <= key[0] <= 0x78:
        return f"it looks like a map of CBOR: it begins with {_hex(head[:2])}"
    return ""


def _is_protobuf(data: bytes) -> bool:
    """Tell whether all of it reads as fields of protobuf."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        field, wire = tag >> 3, tag & 7
        if not 0 < field < 1 << 16 or wire not in (0, 1, 2, 5):
            return False
        if wire == 0:
            _, place = _varint(data, place)
        elif wire == 2:
            length, place = _varint(data, place)
            place += length
        else:
            place += 8 if wire == 1 else 4
    return place == len(data)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80:
            return value, place
    return 0, len(data) + 1


# -- text ------------------------------------------------------------------------------------------


def _text(head: str, cut: bool, *, ends: bool) -> str:
    start = head.lstrip()
    if not start:
        return "it holds only white space" if not cut else "it begins with white space only"
    for found, words in _KINDS_OF_TEXT:
        if found(head, start):
            return words
    if ends:
        return "it ends in 0x1E, as the records of SignalR do: what stands before may be JSON"
    if start[0] in "{[":
        return _like_json(start, cut)
    if _BASE64.fullmatch(head):
        if start.startswith("eyJ"):
            return "it looks like JSON in base64"
        if start.startswith("H4sI"):
            return "it looks like gzip in base64"
    return PLAIN


def _like_json(start: str, cut: bool) -> str:
    """Return what is wrong with text that begins as JSON does."""
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except json.JSONDecodeError as error:
        if _PYTHON.match(start):
            return "it looks like a value of Python: JSON has double quotes, null, true and false"
        broken = not cut and error.pos >= len(start.rstrip())
        return "it begins like JSON and breaks off" if broken else "it begins like JSON"
    except RecursionError:
        return "it begins like JSON"
    behind = start[end:]
    if "\n" in behind[: len(behind) - len(behind.lstrip()) + 1]:
        return "it looks like several JSON values, one on each line"
    more = behind.lstrip()[:1] in ("{", "[")
    return "it looks like several JSON values in a row" if more else "something stands behind its JSON"


_KINDS_OF_TEXT: Final[tuple[tuple[Callable[[str, str], object], str], ...]] = (
    (lambda head, _: head.startswith("\ufeff"), "it begins with a byte order mark"),
    (lambda head, _: head.startswith(_TERMINATOR), "it begins with 0x1E, as a JSON text sequence does"),
    (lambda _, start: re.match(r"<(?:!doctype\s+html|html)\b", start, re.IGNORECASE), "it looks like HTML"),
    (lambda _, start: re.match(r"<[?!/A-Za-z]", start), "it looks like XML"),
    (
        lambda head, _: _ENGINE.match(head),
        "it looks like a packet of Socket.IO: digits stand before its JSON",
    ),
    (lambda head, _: _STOMP.match(head), "it looks like a frame of STOMP"),
    (lambda head, _: _SOCKJS.match(head), "it looks like a frame of SockJS"),
)
