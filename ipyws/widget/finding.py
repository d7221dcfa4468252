"""Where in a row the searched text stands, and what to show of the payload if it is not in the row."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import islice
from typing import Final

from ipyws.core.messages.message import Message
from ipyws.core.messages.regex import Find, finder
from ipyws.core.messages.search import beyond
from ipyws.text.masking import mask, mask_start
from ipyws.text.printable import visible
from ipyws.view.format import byte_size
from ipyws.view.pace import Pace
from ipyws.widget import lines
from ipyws.widget.parts import Entry
from ipyws.widget.protocol import Row
from ipyws.widget.sieve import Matching, Sieve

STRINGS: Final = 5
"""Different strings of one message that are marked."""

LOOKED: Final = 64 * 1024
"""Characters of a payload in which the first place is looked for."""

_WORK: Final = 4 << 20  # characters of all rows of a batch
_LONGEST: Final = 200  # characters of a string that is marked
_PLACES: Final = 50  # looked at for different strings
_BEFORE: Final = 24
_AFTER: Final = 60


class Finding:
    """Marks the rows of one batch.

    Args:
        sieve: What is searched.
    """

    def __init__(self, sieve: Sieve) -> None:
        self._find: Find | None = None
        if sieve.text and not sieve.where:
            self._find = finder(sieve.text, regex=sieve.regex)
        self._left = _WORK

    def mark(self, row: Row, message: Message) -> None:
        """Note in the row of a message that matches where."""
        row["hit"] = True
        if self._find is None:
            return
        shown = " ".join(filter(None, (row["wrong"], row["label"], row["preview"])))
        row["hits"] = _strings(self._find, shown)
        if row["hits"] or self._left <= 0:
            return
        size = len(message.data)
        for text in _readings(message):
            self._left -= len(text)
            place = next(self._find(text), None)
            if place is not None:
                start, end = place
                row["hits"] = [text[start:end][:_LONGEST]]
                row["excerpt"] = _around(text, start, min(end, start + _LONGEST))
                return
        if size > LOOKED:
            row["excerpt"] = f"beyond the first {byte_size(LOOKED)}"


def _strings(find: Find, text: str) -> list[str]:
    found = dict.fromkeys(text[start:end][:_LONGEST] for start, end in islice(find(text), _PLACES))
    return list(found)[:STRINGS]


def _readings(message: Message) -> list[str]:
    """Return a message as what may be searched: its payload, the name of a packet, its value; all masked."""
    data = mask_start(message.data, LOOKED)
    text = data if isinstance(data, str) else data.decode("latin-1")
    label, value = beyond(message)
    return [visible(part) for part in (text, mask(label), value[:LOOKED]) if part]


def _around(text: str, start: int, end: int) -> str:
    left, right = max(0, start - _BEFORE), end + _AFTER
    return f"{'…' if left else ''}{text[left:right]}{'…' if right < len(text) else ''}"


def marked_rows(
    found: Sequence[Entry], first: int, previous: float | None, matching: Matching, pace: Pace
) -> list[Row]:
    """Return the rows of messages, with marks where they hold what is searched.

    Args:
        found: The messages.
        first: The number of the first row.
        previous: The time of the message before it, or None.
        matching: What is searched.
        pace: The gaps so far; which is unusual is not said where a filter makes them.
    """
    finding, sieve = Finding(matching.sieve), matching.sieve
    made: list[Row] = []
    for number, (name, client, message) in enumerate(found, first):
        row = lines.line(number, name, message, previous, client.log.contract)
        gap = 0.0 if previous is None else message.time - previous
        lines.set_slow(row, pace.is_unusual(gap) and sieve.is_even)
        if sieve.text and (sieve.only or matching.holds(message)):
            row["hit"] = True
            with contextlib.suppress(
                Exception
            ):  # codecs may be anybody's; the row is there without marks too
                finding.mark(row, message)
        made.append(row)
        previous = message.time
    return lines.paired(made, found)
