"""How far a ``%%ws`` cell has come: one line for each step of its body."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from ipyws.script.steps import Send, Step, describe
from ipyws.view.format import duration, shown

State = Literal["pending", "running", "done", "failed"]

MARKS: Final[dict[State, str]] = {"pending": "·", "running": "…", "done": "✓", "failed": "✗"}

LINES: Final = 30
"""Most lines that a view shows: what a server made of markup and quotes still leaves room for messages."""

_WORDS: Final = 160  # characters of a step
_RESULT: Final = 120  # of what came of it
_FAILURE: Final = 140


class Line(NamedTuple):
    """One step as a view shows it; masked, visible and cut.

    Attributes:
        state: How far it has come.
        where: The line of the cell it stands on, "" for a line that stands for others.
        words: What it does.
        result: What came of it, and how long it took; "" as long as nothing did.
        payload: What it sent, on one line; or "".
    """

    state: State
    where: str
    words: str
    result: str
    payload: str = ""


class Progress:
    """The steps of a body while they are done, and afterwards.

    Args:
        script: The steps in their order.

    Attributes:
        over: Whether no further step will be done.
    """

    def __init__(self, script: Sequence[Step]) -> None:
        self.over = False
        self._script = script
        self._states: list[State] = ["pending"] * len(script)
        self._results = [""] * len(script)
        self._payloads = [""] * len(script)
        self._current = -1
        self._began = 0.0

    @property
    def matters(self) -> bool:
        """Whether there is more to see than that messages are sent."""
        return any(not isinstance(step, Send) for step in self._script)

    def begin(self) -> None:
        """Note that the next step is being done."""
        self._current += 1
        self._began = time.monotonic()
        self._states[self._current] = "running"

    def count(self, words: str) -> None:
        """Say how far the current step is."""
        self._results[self._current] = shown(words, _RESULT)

    def sent(self, payload: str) -> None:
        """Say what the current step has sent, as a row shows it."""
        self._payloads[self._current] = shown(payload, _WORDS)

    def end(self, words: str = "", *, failed: bool = False) -> None:
        """Note what came of the current step."""
        took = duration(time.monotonic() - self._began)
        cut = shown(words, _FAILURE if failed else _RESULT)
        self._states[self._current] = "failed" if failed else "done"
        self._results[self._current] = f"{cut}, {took}" if cut else took

    def lines(self) -> tuple[Line, ...]:
        """Return the steps as lines: all, or those around the current one."""
        total = len(self._script)
        if total <= LINES:
            return tuple(map(self._line, range(total)))
        room = LINES - 2  # two lines say what is left out
        first = max(0, min(self._current - room // 2, total - room))
        before = [_others("done", first, "before")] if first else []
        after = [_others("pending", total - first - room, "after")] if first + room < total else []
        return (*before, *map(self._line, range(first, first + room)), *after)

    def _line(self, index: int) -> Line:
        step = self._script[index]
        words = shown(describe(step), _WORDS)
        where = f"line {step.line}"
        return Line(self._states[index], where, words, self._results[index], self._payloads[index])


def _others(state: State, count: int, where: str) -> Line:
    return Line(state, "", f"{count:,} {'step' if count == 1 else 'steps'} {where}", "")
