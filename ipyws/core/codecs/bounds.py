"""How large and how deep a value may be that is made of somebody else's payload."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.constants import MB

DEEPEST: Final = 200
"""Containers around each other that a value may have."""

LARGEST: Final = 16 * MB
"""Bytes of a payload in a binary format: a byte of one may take 72 as an object."""

INFLATED: Final = 16 * MB
"""Bytes that a payload may have once it is inflated, unless the option ``read_limit`` says otherwise."""

_CONTAINERS: Final = frozenset((dict, list, tuple))
_AS_LISTS: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))
_PIECE: Final = 64 * 1024  # of what is looked at before other threads have their turn
_LEVELS: Final = 8  # that are taken off each piece by itself


def check_binary(payload: str | bytes) -> bytes:
    """Return the payload of a binary format.

    Raises:
        ValueError: It is text, or larger than `LARGEST`.
    """
    if isinstance(payload, str):
        raise ValueError("it is text")
    if len(payload) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // MB} MB")
    return payload


def check_depth(value: Any) -> Any:
    """Return a value that is not deeper than `DEEPEST`.

    Raises:
        RecursionError: It is.
    """
    if is_deeper(value, DEEPEST):
        raise RecursionError
    return value


def check_json_depth(value: Any, payload: str | bytes) -> Any:
    """Return the value of JSON as `check_depth` does; most payloads say themselves that it is not deep."""
    if len(payload) <= 2 * DEEPEST or _is_flat(payload):
        return value
    return check_depth(value)


def _is_flat(payload: str | bytes) -> bool:
    """Tell whether the brackets of JSON show that it is not too deep: a tenth of the work that parsing is.

    What is left of it are brackets and quotation marks. Those of a string stand beside each other, unless
    there is a bracket in it, and then nothing can be told; neither can it where a string has an escaped one.
    """
    if isinstance(payload, bytes) and (not payload[:2].isascii() or b"\0" in payload[:4]):
        return False  # it may be UTF-16
    pieces = []
    for place in range(0, len(payload), _PIECE):
        piece = payload[place : place + _PIECE + 1]  # and one more, which may be what is escaped at its end
        data = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else piece
        if b'\\"' in data:
            return False
        data = data if len(piece) <= _PIECE else data[:-1]
        pieces.append(_without_levels(data.translate(_AS_LISTS, _NO_BRACKETS).replace(b'""', b""), _LEVELS))
    return not _without_levels(b"".join(pieces).replace(b'""', b""), DEEPEST - _LEVELS)


def _without_levels(brackets: bytes, most: int) -> bytes:
    """Return brackets without so many of the innermost levels; what has quotation marks as it is."""
    for _ in range(most):
        if not brackets or b'"' in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return brackets


def is_deeper(value: Any, most: int) -> bool:
    """Tell whether containers stand deeper in each other than so many."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(most):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return False
    return True
