"""What objects show in a notebook beside their repr: small cards and tables, made by `ipyws.view.objects`.

Nothing of that is loaded before a notebook asks; an object says what there is to see, not how it looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeVar

LARGEST_TEXT: Final = 1_900
"""Most bytes of an object as plain text."""

_T = TypeVar("_T")
_BETWEEN: Final = ",\n "
_LOOK: Final = "ipyws.view.objects"
"""Where the look is decided, by name: it knows all these objects."""


@dataclass(frozen=True, slots=True)
class Table:
    """What an object has to show, as text that may come from anywhere: it is masked and escaped later.

    Attributes:
        title: What it is, in a line.
        rows: Its lines, each as long as ``head`` if there is one.
        head: The names of the columns, or none.
        note: What is said below.
        left_out: How many rows are not among them.
    """

    title: str
    rows: Sequence[Sequence[str]] = ()
    head: Sequence[str] = ()
    note: str = ""
    left_out: int = 0


class Rich:
    """Something that a notebook shows as a card or a table."""

    __slots__ = ()

    def _shown_as(self) -> Table | None:
        """Return what there is to show; None where `ipyws.view.objects` knows better."""
        return None

    def _repr_html_(self) -> str | None:
        html: str | None = import_module(_LOOK).html_of(self, self._shown_as)
        return html


class RichList(list[_T], Rich):
    """A list whose text is bounded too where a notebook shows it."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write the first items, as IPython asks for it; the repr of the list itself is as ever."""
        room, lines = LARGEST_TEXT, []
        for item in self:
            line = repr(item)
            room -= len(line.encode("utf-8", "replace")) + 3
            if room < 0:
                break
            lines.append(line)
        left_out = len(self) - len(lines)
        more = [f"… and {left_out:,} more"] if left_out else []
        printer.text(f"[{_BETWEEN.join([*lines, *more])}]")
