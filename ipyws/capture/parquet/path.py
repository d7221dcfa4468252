"""Places in values that become columns: ``price``, ``data.items[0].price``, ``/data/price``."""

from __future__ import annotations

import re
from typing import Any, Final

from ipyws.errors import InvalidError, brief

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9})\]")
_LONGEST: Final = 200
_NOTHING: Final = None


class ValuePath:
    """A place in the values of messages.

    Args:
        text: As it is written: names with dots between, places of lists in brackets; or a JSON Pointer.

    Attributes:
        text: What the column is called.

    Raises:
        InvalidError: It is not a path.
    """

    def __init__(self, text: object) -> None:
        if not isinstance(text, str) or not text or len(text) > _LONGEST:
            raise _refuse(text)
        self.text = text
        self._steps = _pointer(text) if text.startswith("/") else _dotted(text)

    def of(self, value: Any) -> Any:
        """Return what stands there in a value, or None."""
        for step in self._steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isascii() and step.isdigit():
                place = int(step)
                value = value[place] if place < len(value) else _NOTHING
            else:
                return None
        return value


def _pointer(text: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _dotted(text: str) -> list[str]:
    steps: list[str] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (match[0].startswith(".") and not at):
            raise _refuse(text)
        steps.append(match[1] or match[2])
        at = match.end()
    return steps


def _refuse(text: object) -> InvalidError:
    hint = 'a place in the values such as "price", "data.items[0].price" or "/data/price" is allowed'
    return InvalidError(f"column {brief(text)} is not a path", hint=hint)
