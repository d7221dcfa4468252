"""The frames of a connection as its panel shows them: a list, and one of them drawn."""

from __future__ import annotations

import json
from typing import Any, Final

from ipyws.capture.recording import RecordedLog
from ipyws.core.wire.frame import Frame, HandshakeText
from ipyws.errors import InvalidError
from ipyws.view.diagram import dump, notes, rows
from ipyws.view.format import byte_size, clock
from ipyws.view.frames import words

LISTED: Final = 200
"""Frames in the list, the newest."""

_ARROWS: Final = {"in": "↓", "out": "↑"}
_HANDSHAKES: Final = 5


def frame_list(log: RecordedLog) -> str:
    """Return the newest frames as JSON, a line each, with the handshakes before them.

    Raises:
        InvalidError: They were not kept.
    """
    if log.wire is None:
        log.frames()
        raise AssertionError
    found = log.wire.newest(LISTED)
    return json.dumps(
        {
            "total": log.wire.total,
            "handshakes": [_handshake(one) for one in found.handshakes[-_HANDSHAKES:]],
            "frames": [_line(frame) for frame in found],
        }
    )


def frame_detail(log: RecordedLog, number: int) -> str:
    """Return one frame as JSON: the rows of its diagram, what its fields mean, its bytes.

    Raises:
        InvalidError: It is not kept, or no frame was.
    """
    found = log.frames() if log.wire is None else log.wire.frames(number, 1)
    if not found or found[0].number != number:
        raise InvalidError(f"frame {number} is no longer kept", hint="step to a newer one")
    frame = found[0]
    return json.dumps(
        {
            "rows": [[list(piece) for piece in row] for row in rows(frame)],
            "fields": [[field.name, field.value, field.meaning] for field in frame.fields],
            "notes": notes(frame),
            "bytes": dump(frame),
        }
    )


def _line(frame: Frame) -> dict[str, Any]:
    return {
        "number": frame.number,
        "dial": frame.dial,
        "time": clock(frame.time),
        "arrow": _ARROWS[frame.direction],
        "name": frame.name,
        "flags": frame.flags,
        "size": byte_size(frame.size),
        "words": words(frame),
        "control": frame.opcode >= 8,
    }


def _handshake(one: HandshakeText) -> dict[str, Any]:
    return {
        "dial": one.dial,
        "time": clock(one.time),
        "request": one.request,
        "response": one.response,
        "ended": one.ended,
    }
