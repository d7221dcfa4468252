"""An HTTP answer that is no agreement: its status and headers at once, and the start of its body.

The parser of `websockets` reads the body of an answer to its end first. A body may have none, or be larger
than it accepts; who debugs a refused handshake wants the status all the same.
"""

from __future__ import annotations

import re

from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from ipyws.transport.translate import BODY_SHOWN

PATIENCE = 0.25
"""Seconds that the start of a body may come after its head."""

_LONGEST_HEAD = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})(?: ([^\r\n]*))?\r\n")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*)")


class Refusal:
    """Reads along until a refusal can be told."""

    def __init__(self) -> None:
        self._seen = bytearray()

    def feed(self, data: bytes) -> None:
        """Read what came of the answer; no more of it than is shown."""
        self._seen += data[: max(0, _LONGEST_HEAD + BODY_SHOWN - len(self._seen))]

    @property
    def is_whole(self) -> bool:
        """Whether as much of the body is there as is shown."""
        return len(self._seen) - self._seen.find(b"\r\n\r\n") >= BODY_SHOWN

    def error(self) -> InvalidStatus | None:
        """Return the refusal, or None while there is none."""
        head, complete, body = bytes(self._seen).partition(b"\r\n\r\n")
        status = _STATUS_LINE.match(head + b"\r\n")
        if not complete or status is None:
            return None
        headers = Headers()
        for line in head.split(b"\r\n")[1:]:
            if field := _FIELD.fullmatch(line):
                headers[field[1].decode("ascii")] = field[2].decode("latin-1").rstrip()
        reason = (status[2] or b"").decode("latin-1")
        return InvalidStatus(Response(int(status[1]), reason, headers, body[:BODY_SHOWN]))
