"""Help in two columns that fit a terminal of 80."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

WIDTH: Final = 80
"""Columns of the narrowest terminal that the help fits."""

_GAP: Final = "  "
_LONGEST: Final = 28  # columns of a word that its meaning stands beside


def wrapped(text: str) -> str:
    """Return a paragraph in lines that fit."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def columns(rows: Iterable[tuple[str, str]], width: int = 0) -> str:
    """Return rows of a word and what it means; a long word has a line of its own.

    Args:
        rows: The words and their meanings.
        width: Columns of the words, at least, so that several tables are in line.
    """
    rows = list(rows)
    width = max(width, width_of(left for left, _ in rows))
    return "\n".join(line for left, right in rows for line in _row(left, right, width))


def width_of(words: Iterable[str]) -> int:
    """Return the columns that words need, those aside that have a line of their own."""
    return max((len(word) for word in words if len(word) <= _LONGEST), default=0)


def _row(left: str, right: str, width: int) -> list[str]:
    indent = " " * (len(_GAP) + width + len(_GAP))
    first, *others = textwrap.wrap(right, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    rest = [indent + line for line in others]
    if len(left) > width:
        return [_GAP + left, indent + first, *rest]
    return [f"{_GAP}{left:<{width}}{_GAP}{first}", *rest]
