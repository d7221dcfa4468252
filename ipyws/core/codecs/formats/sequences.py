"""Several values of JSON in one payload: on lines of their own, or with 0x1E between them."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.bounds import check_json_depth
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.codecs.formats.json_slices import parse_json


class JsonSequence(Codec):
    """A list of values, each of them JSON.

    Args:
        name: What the option ``codec`` calls it.
        end: What is written behind each of them.
        item: What one of them is called.
    """

    def __init__(self, name: str, end: str, item: str) -> None:
        self.name = name
        self._end = end
        self._item = item

    def decode(self, payload: Data) -> list[Any]:
        """Return the values; what stands before the first mark, or behind the last, is one too.

        Raises:
            ValueError: One of them is no JSON; says which, and where in it.
        """
        text = payload if isinstance(payload, str) else payload.decode()
        pieces = enumerate(text.split(self._end), 1)
        return [self._parsed(number, piece) for number, piece in pieces if piece and not piece.isspace()]

    def encode(self, value: Any) -> str:
        """Return the text of the items of a list, or of one value, each with its mark.

        Raises:
            InvalidError: Something in it has no form in JSON.
        """
        items = value if isinstance(value, (list, tuple)) else [value]
        what = f"the payload can't be written as {self.name}"
        return "".join(f"{dumps(item, what)}{self._end}" for item in items)

    def _parsed(self, number: int, text: str) -> Any:
        try:
            return check_json_depth(parse_json(text), text)
        except ValueError as error:
            raise ValueError(f"{self._item} {number} is no JSON: {describe_json_error(error)}") from None


NDJSON: Final = JsonSequence("ndjson", "\n", "line")
"""Newline-delimited JSON."""

RECORDS: Final = JsonSequence("records", "\x1e", "record")
"""JSON behind 0x1E as in a JSON text sequence (RFC 7464), or before it as in SignalR, which is written."""
