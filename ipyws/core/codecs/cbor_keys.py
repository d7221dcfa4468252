"""Which kinds of keys the maps of a CBOR payload have, told without making anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_STRINGS: Final = (2, 3)  # major types (RFC 8949 section 3.1): bytes, text
_ARRAY, _MAP, _TAG = 4, 5, 6
_SHORT: Final = 24  # an argument that is smaller stands in the first byte itself
_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of one that does not
_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_ENDLESS: Final = -1


@dataclass(slots=True)
class _Open:
    """An array, a map, or a string in pieces.

    Attributes:
        left: How many items are to come; `_ENDLESS` for up to a break.
        is_map: Whether its items are keys and values in turn.
        at_key: Whether the next one is a key.
    """

    left: int
    is_map: bool
    at_key: bool


def has_only_simple_keys(data: bytes) -> bool:
    """Tell whether all keys are numbers, texts, bytes or simple values; False for what is no CBOR too."""
    opened: list[_Open] = []
    place = 0
    try:
        while True:
            major, at_key = data[place] >> 5, bool(opened) and opened[-1].at_key
            if data[place] == _BREAK:
                opened.pop()
                place += 1
            elif at_key and major in (_ARRAY, _MAP, _TAG):
                return False
            else:
                count, place = _argument(data, place)
                if major == _TAG:
                    continue  # what it stands before is the item
                if count == _ENDLESS or (count and major in (_ARRAY, _MAP)):
                    opened.append(_entered(major, count))
                    continue
                place += count if major in _STRINGS else 0
            _end_item(opened)
            if not opened:
                return True
    except (IndexError, KeyError):
        return False


def _argument(data: bytes, place: int) -> tuple[int, int]:
    """Return the argument of the item at a place, and where what follows begins."""
    short = data[place] & 0x1F
    if short < _SHORT:
        return short, place + 1
    if short == _INDEFINITE:
        return _ENDLESS, place + 1
    end = place + 1 + _LENGTHS[short]
    return int.from_bytes(data[place + 1 : end], "big"), end


def _entered(major: int, count: int) -> _Open:
    is_map = major == _MAP
    return _Open(2 * count if is_map and count != _ENDLESS else count, is_map, at_key=is_map)


def _end_item(opened: list[_Open]) -> None:
    """Count an item that has ended, and the containers that end with it."""
    while opened:
        around = opened[-1]
        around.at_key = around.is_map and not around.at_key
        if around.left == _ENDLESS or (left := around.left - 1):
            around.left = around.left if around.left == _ENDLESS else left
            return
        opened.pop()
