"""What a port brings: kinds of records, and how a ring in shared memory holds them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from ipyws.browser.loop import Record

OPEN: Final = 1
TEXT: Final = 2
BINARY: Final = 3
CLOSE: Final = 4
DRAINED: Final = 5
FAILED: Final = 6

_FORM: Final = struct.Struct("<IIIIdII")  # as port.js writes it


class Records:
    """Reads records; those that came in pieces are put together."""

    def __init__(self) -> None:
        self._pieces: dict[int, list[bytes]] = {}

    def read(self, data: bytes) -> Iterator[Record]:
        """Yield the records in what was taken out of the ring: whole ones, in their order."""
        at = 0
        while at < len(data):
            length, number, kind, argument, when, size, more = _FORM.unpack_from(data, at)
            payload = data[at + _FORM.size : at + _FORM.size + size]
            at += length
            if more:
                self._pieces.setdefault(number, []).append(payload)
                continue
            if number in self._pieces:
                payload = b"".join([*self._pieces.pop(number), payload])
            yield Record(number, kind, argument, when / 1000, payload)
