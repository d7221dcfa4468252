"""An HTTP answer that is no agreement, and the start of its body: what the server has to say."""

from __future__ import annotations

import re
import zlib

from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from ipyws.network.handshake.answer import Head

PATIENCE = 0.25
"""Seconds that the start of a body may come after its head."""

BODY_READ = 64 * 1024
"""Bytes of a body that are waited for, and kept."""

BODY_DECODED = 16 * 1024
"""Bytes of it after inflating."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t;][^\r\n]*)?\r?\n")


class Refusal:
    """Reads the body of a refusal, as far as it is looked at.

    Args:
        head: What the answer begins with.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        self._raw = bytearray()
        self._codings = [
            coding.strip().lower()
            for name in ("Content-Encoding", "Transfer-Encoding")
            for value in head.values(name)
            for coding in value.split(",")
        ]
        self._chunked = "chunked" in self._codings
        self._length = self._announced()

    def feed(self, data: bytes) -> None:
        """Read what came."""
        self._raw += data[: max(0, BODY_READ - len(self._raw))]

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing more to wait for."""
        if len(self._raw) >= BODY_READ or not self.head.complete:
            return True
        return self._dechunked()[1] if self._chunked else len(self._raw) >= self._length

    def error(self) -> InvalidStatus:
        """Return the refusal, with as much of its body as came."""
        head = self.head
        headers = Headers()
        for name, value in head.headers:
            headers[name] = value
        return InvalidStatus(Response(head.status, head.reason, headers, self._body()))

    def _announced(self) -> int:
        if self.head.status in (204, 304):
            return 0
        for value in self.head.values("Content-Length"):
            if re.fullmatch(r"\d{1,18}", value, re.ASCII):
                return int(value)
        return BODY_READ

    def _body(self) -> bytes:
        data = self._dechunked()[0] if self._chunked else bytes(self._raw[: self._length])
        for coding in reversed(self._codings):
            if coding in ("gzip", "x-gzip", "deflate"):
                data = _inflated(data, coding == "deflate")
        return data[:BODY_DECODED]

    def _dechunked(self) -> tuple[bytes, bool]:
        """Return what came of a body in chunks (RFC 9112 section 7.1), and whether that is all of it."""
        raw, body, place = bytes(self._raw), bytearray(), 0
        while chunk := _CHUNK.match(raw, place):
            size = int(chunk[1], 16)
            if size == 0:
                return bytes(body), True
            body += raw[chunk.end() : chunk.end() + size]
            place = chunk.end() + size
            place += 2 if raw[place : place + 2] == b"\r\n" else 1
        return bytes(body), False


def _inflated(data: bytes, deflate: bool) -> bytes:
    """Return the start of what was deflated, or the data itself where it is not."""
    for wbits in (15, -15) if deflate else (31,):  # some servers send "deflate" without zlib's frame
        try:
            return zlib.decompressobj(wbits).decompress(data, BODY_DECODED)
        except zlib.error:
            continue
    return data
