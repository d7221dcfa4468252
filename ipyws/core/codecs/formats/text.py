"""Text, and nothing in it."""

from __future__ import annotations

import re
from typing import Any, Final

from ipyws.core.codecs.codec import Data, Detail
from ipyws.core.codecs.formats.json import JsonWriter
from ipyws.text.masking import mask_start

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TextCodec(JsonWriter):
    """UTF-8, in binary messages too; dict and list are written as JSON."""

    name = "text"
    structured = False

    def decode(self, payload: Data) -> str:
        """Return the text.

        Raises:
            ValueError: It is not UTF-8.
        """
        return payload if isinstance(payload, str) else payload.decode()

    def preview(self, value: Any, limit: int = 300) -> str:
        """Return the start of the text."""
        return str(mask_start(value, limit))

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        """Return the text."""
        return Detail("text", str(mask_start(value, limit)))


def as_text(payload: bytes) -> str | None:
    """Return bytes as the text that they are; None for what is not UTF-8, or holds controls."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


TEXT: Final = TextCodec()
