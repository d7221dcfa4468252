"""JSON commands from clients: taken apart field by field, and refused in one readable sentence."""

from __future__ import annotations

import json
import reprlib
from typing import Any, NoReturn

from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.text.numbers import is_whole


class RefusedError(Exception):
    """A command is not what it must be; the text is the sentence for the client."""


class Command:
    """A JSON object, whose fields are taken one by one; what is left over at the end is refused.

    Args:
        message: The message that holds it.

    Raises:
        RefusedError: The message is not a JSON object.
    """

    def __init__(self, message: str | bytes) -> None:
        try:
            fields = json.loads(message, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"This is not JSON: {describe_json_error(error)}.") from None
        if not isinstance(fields, dict):
            raise RefusedError(f"A command is a JSON object, not {reprlib.repr(fields)}.")
        self._fields: dict[str, Any] = fields

    def given(self, name: str) -> bool:
        """Tell whether the field is there; null counts as absent."""
        if self._fields.get(name) is None:
            self._fields.pop(name, None)
            return False
        return True

    def take(self, name: str, default: Any = None) -> Any:
        """Take a field of any type."""
        return self._fields.pop(name, default)

    def text(self, name: str, most: int, default: str | None = None) -> str:
        """Take a text of 1 to ``most`` characters.

        Raises:
            RefusedError: The field is missing without a default, no text, empty or too long.
        """
        value = self.take(name, default)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            _refuse(name, f"a text of 1 to {most} characters", value)
        return value

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """Take a number from ``low`` to ``high``.

        Raises:
            RefusedError: The field is missing without a default, no number or out of range.
        """
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            _refuse(name, f"a number from {low:g} to {high:g}", value)
        return value

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Take a whole number from ``low`` to ``high``.

        Raises:
            RefusedError: The field is missing without a default, no whole number or out of range.
        """
        value = self.take(name, default)
        if not is_whole(value, low, high):
            _refuse(name, f"a whole number from {low} to {high}", value)
        return value

    def finish(self) -> None:
        """Refuse the command if a field was not taken.

        Raises:
            RefusedError: There are unknown fields.
        """
        if self._fields:
            raise RefusedError(f"Unknown field {reprlib.repr(next(iter(self._fields)))} in this command.")


def to_json(value: Any) -> str:
    """Return ``value`` as JSON text that UTF-8 can encode.

    Raises:
        RefusedError: JSON has no way to write it.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return text if is_utf8(text) else json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"This cannot be written as JSON: {error}.") from None


def is_utf8(text: str) -> bool:
    """Tell whether ``text`` can be sent as it is: whether it holds no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(name: str, allowed: str, value: object) -> NoReturn:
    found = "it is missing" if value is None else f"not {reprlib.repr(value)}"
    raise RefusedError(f'"{name}" must be {allowed}, {found}.')


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not allowed")
