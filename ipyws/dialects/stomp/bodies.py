"""Bodies of frames: what their content type says of them."""

from __future__ import annotations

import re
from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.codecs.formats.text import TEXT, as_text
from ipyws.dialects.payloads import read_payload
from ipyws.dialects.stomp.frames import Frame

_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\b", re.IGNORECASE)
_TEXT: Final = re.compile(r"text/", re.IGNORECASE)


def read_body(frame: Frame, codec: Codec) -> Decoded:
    """Return what the body of a frame means; never raises.

    A codec that was named reads it. ``auto`` goes by the content type where there is one.
    """
    kind = frame.headers.get("content-type", "")
    is_json, is_text = bool(_JSON.match(kind)), bool(_TEXT.match(kind))
    if codec is AUTO and is_text and as_text(frame.body) is not None:
        codec = TEXT
    return read_payload(frame.body, codec, is_json or is_text)


def content_type(payload: Any, codec: Codec) -> str | None:
    """Return the content type of a payload that is sent: None for bytes, which may be anything."""
    if payload is None or isinstance(payload, (bytes, bytearray, memoryview)):
        return None
    if type(payload) is str:
        return "text/plain;charset=utf-8"
    return "application/json;charset=utf-8" if codec in (AUTO, JSON) else None
