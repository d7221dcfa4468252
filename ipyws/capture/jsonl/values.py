"""Values of JSON from a file: what is not exactly what it must be is refused."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import is_reference
from ipyws.text.numbers import is_whole

T = TypeVar("T")

LATEST: Final = 253_370_764_800.0  # the year 9999: what datetime can show, in every time zone
HIGHEST: Final = 1 << 53  # what every reader of JSON can count to
_CODES: Final = 1 << 16
_NEWEST_VERSION: Final = 1
_MOST_PAIRS: Final = 1000  # headers; programs take a hundred or two
_MOST_REFERENCES: Final = 100  # each is looked for in every text of the record

_LARGE: Final = 1 << 20
_MOST_STRUCTURE: Final = 1 << 16
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line. Of a key that stands there twice, the last counts.

    Raises:
        InvalidError: It is no UTF-8, no JSON, no object, or takes far more memory than its text.
    """
    # A hundred bytes of memory for each "[]," of a line: only what is one long text may be large.
    if len(line) > _LARGE and len(_STRING.sub(b"", line)) > _MOST_STRUCTURE:
        raise InvalidError("it holds too many values", hint="a record is a flat JSON object")
    value = parse_value(line)
    if not isinstance(value, dict):
        raise InvalidError("it is not a JSON object")
    return value


def parse_text(source: bytes) -> str:
    """Return the text that a JSON string spells.

    Raises:
        InvalidError: It is no UTF-8, no JSON or no string.
    """
    value = parse_value(source)
    if not isinstance(value, str):
        raise InvalidError("it is not a JSON string")
    return value


def parse_value(source: bytes) -> Any:
    """Return the value that JSON text spells.

    Raises:
        InvalidError: It is no UTF-8 or no JSON.
    """
    try:
        return json.loads(source.decode())
    except UnicodeDecodeError as error:
        raise InvalidError(f"it is not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"it is not JSON: {describe_json_error(error)}") from None


_MISSING: Final[Any] = object()


def get(record: dict[str, Any], key: str, read: Callable[[Any], T], default: Any = _MISSING) -> T:
    """Return the value of a key.

    Args:
        record: A JSON object.
        key: The key.
        read: Returns the value, or raises ValueError, which says what is allowed.
        default: What stands for a key that is missing or null.

    Raises:
        InvalidError: The value is wrong, or missing and there is no default.
    """
    value = record.get(key)
    if value is None and default is not _MISSING:
        missing: T = default
        return missing
    try:
        return read(value)
    except ValueError as error:
        what = f'"{key}" is {brief(value)}' if key in record else f'there is no "{key}"'
        raise InvalidError(what, hint=f"{error} is allowed") from None


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def count(value: Any) -> int:
    """Read a number of things."""
    if not is_whole(value, 0, HIGHEST):
        raise ValueError("a whole number from 0 on")
    return value


def whole(value: Any) -> int:
    """Read a whole number."""
    if not is_whole(value, -HIGHEST, HIGHEST):
        raise ValueError("a whole number")
    return value


def close_code(value: Any) -> int:
    """Read a close code, right or wrong: as it may have come."""
    if not is_whole(value, 0, _CODES - 1):
        raise ValueError("a whole number of 16 bits")
    return value


def seconds(value: Any) -> float:
    """Read a span of time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        raise ValueError("a number of seconds")
    return float(value)


def moment(value: Any) -> float:
    """Read a time as seconds since the epoch."""
    try:
        return seconds(value)
    except ValueError:
        raise ValueError("a number of seconds since 1970") from None


def encoded(value: Any) -> bytes:
    """Read bytes in base64 (RFC 4648 section 4)."""
    try:
        return base64.b64decode(text(value), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("base64") from None


def references(value: Any) -> tuple[str, ...]:
    """Read the references that stand for secrets."""
    if not isinstance(value, list) or len(value) > _MOST_REFERENCES or not all(map(is_reference, value)):
        raise ValueError(f'a list of up to {_MOST_REFERENCES} references such as "env.TOKEN"')
    return tuple(value)


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Read headers."""
    if not isinstance(value, list) or len(value) > _MOST_PAIRS or not all(map(_is_pair, value)):
        raise ValueError(f"a list of up to {_MOST_PAIRS:,} pairs of texts")
    return tuple((name, content) for name, content in value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value)


def one_of(choices: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what reads one of some words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return read


def version(value: Any) -> int:
    """Read the version of the form."""
    if count(value) > _NEWEST_VERSION:
        raise ValueError(f"up to {_NEWEST_VERSION} (this file is of a newer ipyws)")
    return count(value)
