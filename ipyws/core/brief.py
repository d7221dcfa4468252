"""A user's value in an error message."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 60


def brief(value: object) -> str:
    """Return the repr of ``value``, cut to 60 characters; it never fails, whatever the value is."""
    try:
        text = repr(value)
    except Exception:  # a foreign __repr__, or an int with more digits than Python prints
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
