"""Payloads as they are."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.codec import Data, Detail
from ipyws.core.codecs.formats.json import JsonWriter
from ipyws.core.codecs.formats.text import TEXT
from ipyws.text.masking import mask_start

_DUMPED: Final = 4096  # bytes


class RawCodec(JsonWriter):
    """Text stays text, bytes stay bytes; dict and list are written as JSON."""

    name = "raw"
    structured = False

    def decode(self, payload: Data) -> Data:
        """Return the payload."""
        return payload

    def preview(self, value: Any, limit: int = 300) -> str:
        """Return the start of the payload: bytes in hexadecimal digits."""
        if isinstance(value, str):
            return TEXT.preview(value, limit)
        shown: bytes = mask_start(value, limit // 3)
        return shown.hex(" ")

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        """Return the payload: bytes in hexadecimal digits."""
        if isinstance(value, str):
            return TEXT.detail(value, limit)
        shown: bytes = mask_start(value, min(limit // 3, _DUMPED))
        return Detail("dump", shown.hex(" "))


RAW: Final = RawCodec()
