"""The expanded form of a payload: indented JSON and hexdumps, both of bounded length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

DUMPED = 512
"""Bytes that a hexdump shows."""

LINE = 16
"""Bytes on one line of a hexdump."""

# A short list of numbers stays on its line: an order book is unreadable with one number a line.
_TOKEN = re.compile(r'\[[^\[\]{}"]{0,72}\]|\{\s*\}|"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_START = re.compile(r"\s*[{\[]")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # of however many digits
_OPENING = ("{", "[")
_CLOSING = ("}", "]")
_BREAKING = (*_OPENING, ",")


def reads_as_json(text: str, whole: bool = True) -> bool:
    """Tell whether a text is shown as JSON: it is an object or a list.

    Args:
        text: The text, or its beginning.
        whole: Whether it is all there; otherwise it counts how it begins.
    """
    if _START.match(text) is None:
        return False
    try:
        if whole:
            _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def indented_json(text: str, limit: int) -> str:
    """Return JSON text with line breaks and indentation.

    Nothing but white space changes: numbers keep their spelling, repeated keys and escapes stay. The work
    stops soon after ``limit`` characters; the caller cuts what is beyond.
    """
    pieces: list[str] = []
    length, depth, previous = 0, 0, ""
    for match in _TOKEN.finditer(text):  # straight on: most of what a row of JSON costs is here
        token = match[0]
        closes = token in _CLOSING
        depth -= closes
        breaks = closes or previous in _BREAKING
        space = " " if previous == ":" else "\n" + "  " * depth if breaks else ""
        piece = space + (token if token[0] == '"' else " ".join(token.split()))
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            break
        depth += token in _OPENING
        previous = token
    return "".join(pieces)


def hexdump(data: bytes, total: int) -> str:
    """Return offset, 16 bytes and their ASCII on each line, for the first 512 bytes.

    Args:
        data: The bytes, or as many of them as are at hand.
        total: How many there are in all; the last line tells how many are not shown.
    """
    lines = [f"{offset}  {digits:<48}  {letters}" for offset, digits, letters in dump(data[:DUMPED])]
    hidden = total - min(len(data), DUMPED)
    return "\n".join([*lines, f"… {hidden:,} more"] if hidden > 0 else lines)


def dump(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the offset, the bytes in hexadecimal and their ASCII of each line."""
    for start in range(0, len(data), LINE):
        yield f"{start:06x}", _digits(data, start), _letters(data, start)


def hex_line(data: bytes) -> str:
    """Return the first 16 bytes in hexadecimal and in ASCII."""
    return f"{_digits(data, 0)}  {_letters(data, 0)}" if data else ""


def _digits(data: bytes, start: int) -> str:
    half = start + LINE // 2
    return f"{data[start:half].hex(' ')}  {data[half : start + LINE].hex(' ')}".rstrip()


def _letters(data: bytes, start: int) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[start : start + LINE])
