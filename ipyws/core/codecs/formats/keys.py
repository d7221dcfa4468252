"""Which kinds of keys the maps of a payload have, told without making anything of it.

Who chooses keys that have the same hash makes a dict of them take hours. Text and bytes are safe from that,
as Python salts their hashes, and of numbers there are too few; of lists of numbers, whose hashes anybody can
work out, there are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ipyws.core.codecs.bounds import DEEPEST

ANY_KEYS: Final = 64 * 1024
"""Bytes of a payload whose keys may be anything: there is no room for many."""

Head = tuple[str, int, int]
"""What stands at a place of a payload, how many items are to come of it, and where what follows begins.

It is an "item" that is whole, an "array", "map" or "string" that is begun, a "tag", which only stands before
an item, or a "break", which ends what is begun.
"""

_ENDLESS: Final = -1  # items up to a break


@dataclass(slots=True)
class _Open:
    """What is begun.

    Attributes:
        left: How many items are to come; `_ENDLESS` for up to a break.
        is_map: Whether its items are keys and values in turn.
        at_key: Whether the next one is a key.
    """

    left: int
    is_map: bool
    at_key: bool


def has_only_simple_keys(data: bytes, head: Callable[[bytes, int], Head]) -> bool:
    """Tell whether all keys are numbers, texts, bytes or simple values; False for what is too deep or broken.

    Args:
        data: The payload.
        head: `cbor_head` or `msgpack_head`.
    """
    opened: list[_Open] = []
    place = 0
    try:
        while len(opened) <= DEEPEST:
            kind, count, place = head(data, place)
            if kind == "item":
                pass
            elif kind in ("array", "map", "tag") and opened and opened[-1].at_key:
                return False
            elif kind == "tag":
                continue
            elif kind == "break":
                opened.pop()
            elif count:
                is_map = kind == "map"
                opened.append(_Open(2 * count if is_map and count > 0 else count, is_map, at_key=is_map))
                continue
            _end_item(opened)
            if not opened:
                return True
    except (IndexError, KeyError):
        pass
    return False


def _end_item(opened: list[_Open]) -> None:
    """Count an item that has ended, and those around it that end with it."""
    while opened:
        around = opened[-1]
        if around.is_map:
            around.at_key = not around.at_key
        if around.left > 1:
            around.left -= 1
            return
        if around.left == _ENDLESS:
            return
        opened.pop()


# -- CBOR (RFC 8949 section 3) ---------------------------------------------------------------------

_SHORT: Final = 24  # an argument that is smaller stands in the first byte itself
_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of one that does not
_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_BEGUN: Final = {2: "string", 3: "string", 4: "array", 5: "map"}  # by major type
_TAG: Final = 6


def cbor_head(data: bytes, place: int) -> Head:
    """Return what stands at a place of CBOR."""
    first = data[place]
    major, short = first >> 5, first & 0x1F
    if first == _BREAK:
        return "break", 0, place + 1
    if short == _INDEFINITE:
        return _BEGUN[major], _ENDLESS, place + 1
    count, end = short, place + 1
    if short >= _SHORT:
        end += _LENGTHS[short]
        count = int.from_bytes(data[place + 1 : end], "big")
    if major == _TAG:
        return "tag", 0, end
    return _whole_or_begun(_BEGUN.get(major, "item"), count, end)


def _whole_or_begun(kind: str, count: int, behind: int) -> Head:
    """Return a string as a whole item, of so many bytes; all else as it is."""
    return ("item", 0, behind + count) if kind == "string" else (kind, count, behind)


# -- MessagePack -----------------------------------------------------------------------------------

_SIZES: Final = dict(  # bytes behind the first one, by that: null, booleans, numbers, extensions
    zip(
        (0xC0, 0xC2, 0xC3, *range(0xCA, 0xD4), *range(0xD4, 0xD9)),
        (0, 0, 0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17),
        strict=True,
    )
)
_LONG: Final = {  # bytes of a count, of what it is, and how many bytes stand between
    **{0xC4 + each: (1 << each, "string", 0) for each in range(3)},
    **{0xC7 + each: (1 << each, "string", 1) for each in range(3)},
    **{0xD9 + each: (1 << each, "string", 0) for each in range(3)},
    **{0xDC + each: (2 << each, "array", 0) for each in range(2)},
    **{0xDE + each: (2 << each, "map", 0) for each in range(2)},
}


def msgpack_head(data: bytes, place: int) -> Head:
    """Return what stands at a place of MessagePack."""
    first, behind = data[place], place + 1
    if first < 0x80 or first >= 0xE0:
        return "item", 0, behind
    if first < 0xA0:
        return "map" if first < 0x90 else "array", first & 0x0F, behind
    if first < 0xC0:
        return "item", 0, behind + (first & 0x1F)
    if first in _SIZES:
        return "item", 0, behind + _SIZES[first]
    width, kind, more = _LONG[first]
    behind += width
    count = int.from_bytes(data[place + 1 : behind], "big")
    return _whole_or_begun(kind, count, behind + more)
