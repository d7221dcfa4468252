"""Values as text for people: as in JSON, and bytes as in the diagnostic notation of CBOR (RFC 8949)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ipyws.core.codecs.formats.json_encoder import plain
from ipyws.text.masking import mask, mask_bytes

_BYTES = 512  # of one value; a longer one is cut
_BITS = 8192  # of a number
_LISTS = (list, tuple, set, frozenset)


def spelled(value: Any, limit: int, *, indented: bool = False) -> str:
    """Return a value as text without secrets.

    Args:
        value: What a codec has made of a payload.
        limit: The work ends soon after so many characters; the caller cuts what is beyond.
        indented: Give each item a line of its own.
    """
    pieces: list[str] = []
    length = 0
    try:
        for piece in _pieces(value, 0 if indented else None):
            pieces.append(piece)
            length += len(piece)
            if length > limit:
                break
    except RecursionError:
        pieces.append("…")
    return "".join(pieces)


def _pieces(value: Any, depth: int | None) -> Iterator[str]:
    if isinstance(value, Mapping):
        items = ((f"{_scalar(key)}: ", item) for key, item in value.items())
        yield from _container("{}", items, depth)
    elif isinstance(value, _LISTS):
        yield from _container("[]", (("", item) for item in value), depth)
    elif type(value).__name__ == "CBORTag":  # of cbor2: 1000([1]) in diagnostic notation
        yield f"{value.tag}("
        yield from _pieces(value.value, depth)
        yield ")"
    else:
        yield _scalar(value)


def _container(brackets: str, items: Iterable[tuple[str, Any]], depth: int | None) -> Iterator[str]:
    within = None if depth is None else depth + 1
    between = brackets[0]
    for key, item in items:
        yield f"{between}{_line(within)}{key}"
        yield from _pieces(item, within)
        between = "," if within else ", "
    empty = between == brackets[0]
    yield brackets if empty else f"{_line(depth)}{brackets[1]}"


def _line(depth: int | None) -> str:
    return "" if depth is None else "\n" + "  " * depth


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(mask(value), ensure_ascii=False)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        more = "…" if len(data) > _BYTES else ""
        return f"h'{mask_bytes(data)[:_BYTES].hex(' ')}{more}'"
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"{hex(value)[:_BYTES]}…"  # whose decimal digits take too long
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return mask(str(plain(value)))
