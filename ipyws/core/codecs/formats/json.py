"""JSON: read from text and binary messages, written as text."""

from __future__ import annotations

import json
from typing import Any, Final

from ipyws.core.codecs.bounds import check_json_depth
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.codecs.looks import looks_like
from ipyws.errors import InvalidError


class JsonText(str):
    """A text that was written by hand as JSON: on the wire it is what the connection's codec makes of it."""

    __slots__ = ()


class JsonWriter(Codec):
    """A codec that writes JSON text."""

    def encode(self, value: Any) -> str:
        """Return compact JSON; see `json_encoder` for what it may hold.

        Raises:
            InvalidError: It holds something that JSON has not; says where and what.
        """
        return dumps(value, "the payload can't be written as JSON")

    def from_json(self, text: str) -> str:
        """Return the text to the letter."""
        return str(text)


class JsonCodec(JsonWriter):
    """JSON (RFC 8259); bytes may be UTF-8, UTF-16 or UTF-32."""

    name = "json"

    def decode(self, payload: Data) -> Any:
        """Return the value of JSON, however large it is.

        Raises:
            InvalidError: It is none; says where it stops to be, and what it looks like.
        """
        try:
            return check_json_depth(parse_json(payload), payload)
        except (ValueError, RecursionError) as error:
            raise not_json(payload, error) from None


def not_json(payload: Data, error: Exception) -> InvalidError:
    """Return the error for a payload that `json` refused."""
    what = f"not JSON: {describe_json_error(error)} ({looks_like(payload)})"
    return InvalidError(what, hint="its payload is in .data")


def describe_json_error(error: Exception) -> str:
    """Return where and why JSON text is wrong, in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} at line {error.lineno} column {error.colno}"
    if isinstance(error, UnicodeDecodeError):  # of bytes; json guesses which encoding they should be in
        return "it is not text"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


JSON: Final = JsonCodec()
