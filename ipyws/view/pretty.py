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
_OPENING = ("{", "[")
_CLOSING = ("}", "]")


def indented_json(text: str, limit: int) -> str:
    """Return JSON text with line breaks and indentation, or "" where ``text`` is not JSON.

    Nothing but white space changes: numbers keep their spelling, repeated keys and escapes stay. The work
    stops soon after ``limit`` characters; the caller cuts what is beyond.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return ""
    pieces: list[str] = []
    length = 0
    for piece in _indent(text):
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            break
    return "".join(pieces)


def hexdump(data: bytes, total: int) -> str:
    """Return offset, 16 bytes and their ASCII on each line, for the first 512 bytes.

    Args:
        data: The bytes, or as many of them as are at hand.
        total: How many there are in all; the last line tells how many are not shown.
    """
    starts = range(0, min(len(data), DUMPED), LINE)
    lines = [f"{start:06x}  {_digits(data, start):<48}  {_letters(data, start)}" for start in starts]
    hidden = total - min(len(data), DUMPED)
    return "\n".join([*lines, f"… {hidden:,} more"] if hidden > 0 else lines)


def hex_line(data: bytes) -> str:
    """Return the first 16 bytes in hexadecimal and in ASCII."""
    return f"{_digits(data, 0)}  {_letters(data, 0)}" if data else ""


def _digits(data: bytes, start: int) -> str:
    half = start + LINE // 2
    return f"{data[start:half].hex(' ')}  {data[half : start + LINE].hex(' ')}".rstrip()


def _letters(data: bytes, start: int) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[start : start + LINE])


def _indent(text: str) -> Iterator[str]:
    depth, previous = 0, ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        depth -= token in _CLOSING
        yield _space(previous, token, depth) + _on_one_line(token)
        depth += token in _OPENING
        previous = token


def _space(previous: str, token: str, depth: int) -> str:
    if previous == ":":
        return " "
    breaks = previous in (*_OPENING, ",") or token in _CLOSING
    return "\n" + "  " * depth if breaks else ""


def _on_one_line(token: str) -> str:
    return token if token.startswith('"') else " ".join(token.split())
