"""Sizes as people write them: "4096", "64kB", "1MB"; an MB is 2**20 bytes."""

from __future__ import annotations

import re

from ipyws.errors import InvalidError, brief

_SIZE = re.compile(r"([0-9]{1,15})\s*(B|kB|KB|MB|)")
_UNITS = {"": 1, "B": 1, "kB": 1 << 10, "KB": 1 << 10, "MB": 1 << 20}


def read_size(text: str) -> int:
    """Return a number of bytes from "4096", "64kB" or "1MB".

    Raises:
        InvalidError: The text is none.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise InvalidError(f"{brief(text)} is not a size", hint='"4096", "64kB" and "1MB" are allowed')
    return int(match[1]) * _UNITS[match[2]]


def show_size(size: int) -> str:
    """Return a number of bytes as it would be written: exact, in the largest unit that fits."""
    for unit in ("MB", "kB"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]} {unit}"
    return f"{size} B"
