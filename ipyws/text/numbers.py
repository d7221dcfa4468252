"""Whole numbers, as values and as text."""

from __future__ import annotations

import re
from typing import TypeGuard

from ipyws.errors import InvalidError, brief

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def is_whole(value: object, low: int | None = None, high: int | None = None) -> TypeGuard[int]:
    """Tell whether a value is a whole number in a range; True and False are none.

    Args:
        value: The value.
        low: The least that is allowed; None for any.
        high: The most that is allowed; None for any.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return (low is None or low <= value) and (high is None or value <= high)


def read_whole(text: str) -> int:
    """Return the whole number that a text is.

    Raises:
        InvalidError: It is none.
    """
    if not _WHOLE.fullmatch(text):
        raise InvalidError(f"{brief(text)} is not a whole number", hint="digits are allowed")
    return int(text)
