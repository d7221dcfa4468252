"""Messages as a few lines of JSON: for programs, and for models whose room is small."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ipyws.capture.masking import masked_value
from ipyws.core.messages.message import Message
from ipyws.text.masking import mask_start

MAX: Final = 4096
"""Bytes that all lines have together, unless said."""

_SHARE: Final = 4  # one message takes at most this part of the room
_LEAST: Final = 80
_DATA: Final = ("text", "binary")


def brief_lines(messages: Sequence[Message], room: int = MAX) -> list[str]:
    """Return messages as lines of JSON, oldest first; the newest are kept where not all have room.

    A line has seq, time, direction, type, size, what is known besides (label, code, reason), and ``value``:
    what the payload means; or ``data`` or ``hex``, its start, and ``cut`` where that is not all of it.
    Secrets are masked.

    Args:
        messages: The messages, oldest first.
        room: Bytes of all lines together, line feeds included. Where messages have no room, the first line
            says how many were left out.
    """
    longest = max(_LEAST, room // _SHARE)
    lines: list[str] = []
    left = room - _LEAST
    for message in reversed(messages):
        line = _line(message, longest)
        size = len(line.encode()) + 1
        if size > left:
            break
        left -= size
        lines.append(line)
    left_out = len(messages) - len(lines)
    head = [_dumps({"left_out": left_out, "newest_of": len(messages)})] if left_out else []
    return head + lines[::-1]


def _line(message: Message, longest: int) -> str:
    moment = datetime.fromtimestamp(message.time, UTC).isoformat(timespec="milliseconds")
    line: dict[str, Any] = {
        "seq": message.seq,
        "time": moment.replace("+00:00", "Z"),
        "direction": message.direction,
        "type": message.type,
        "size": message.size,
    }
    decoded = message.read() if message.type in _DATA and message.size <= longest * _SHARE else None
    if decoded is not None and decoded.label:
        line["label"] = mask_start(decoded.label, longest)
    if message.code is not None:
        line["code"] = message.code
    for name in ("reason", "breach"):
        if said := getattr(message, name):
            line[name] = mask_start(said, longest)[:longest]
    if decoded is not None and decoded.problem is None:
        whole = _dumps({**line, "value": masked_value(decoded.value)})
        if len(whole) <= longest:
            return whole
    return _dumps({**line, **_start(message, longest)})


def _start(message: Message, longest: int) -> dict[str, Any]:
    """Return the start of a payload; bytes in hex."""
    if not message.data:
        return {}
    shown = mask_start(message.data, longest * 2)[: longest // 2]
    if isinstance(shown, bytes):
        return {"hex": shown.hex(), **({"cut": True} if message.size > len(shown) else {})}
    return {"data": shown, **({"cut": True} if len(message.data) > len(shown) else {})}


def _dumps(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=False, default=_spelled).encode("utf-8", "backslashreplace").decode()
    )


def _spelled(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
