"""Python values as JSON: also those of numpy, pandas, pydantic and the like, which are known by their looks.

Nothing of these is imported. What has one obvious form in JSON takes it: numbers are numbers, times are
ISO 8601, records are objects. What has several, such as a set, or none, is refused with its place.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, KeysView, Mapping, Sequence, Set, ValuesView
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from ipyws.core.codecs.formats.records import fields_of
from ipyws.errors import InvalidError, brief

_SHOWN: Final = 100  # characters of a place
_TEXTS: Final = (UUID, PurePath, IPv4Address, IPv4Network, IPv6Address, IPv6Network)
_LISTS: Final = (Sequence, KeysView, ValuesView)
_MISSING: Final = ("NAType", "NaTType")
_HINTS: Final[tuple[tuple[Callable[[object], bool], str], ...]] = (
    (lambda value: isinstance(value, float), "JSON has no such number; None is null"),
    (lambda value: isinstance(value, (bytes, bytearray, memoryview)), "decode it, or send bytes alone"),
    (lambda value: isinstance(value, Set), "a set has no order: sorted(…) or list(…) gives it one"),
    (lambda value: hasattr(value, "to_dicts"), "to_dicts() makes a list of objects of it"),
    (lambda value: hasattr(value, "to_dict"), 'to_dict("records") makes a list of objects of it'),
    (lambda value: hasattr(value, "__next__"), "list(…) collects what it yields"),
)


class _FormlessError(Exception):
    """A value has no form in JSON; ``args`` has why."""


def dumps(value: Any, what: str, *, compact: bool = True) -> str:
    """Return ``value`` as JSON text.

    Args:
        value: What is to be written.
        what: What is to be said of a value that can't be.
        compact: Leave out the spaces behind commas and colons.

    Raises:
        InvalidError: Something in it has no form in JSON; the message says where and what it is.
    """
    numbers = _Numbers()
    separators = (",", ":") if compact else (", ", ": ")
    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=separators, default=numbers.form
        )
    except Exception:  # also whatever a foreign object raises: now its place is looked for
        simple = _Simplified(numbers, what).of(value)
        text = json.dumps(simple, ensure_ascii=False, allow_nan=False, separators=separators)
    return numbers.put_in(text)


def is_record(value: object) -> bool:
    """Tell whether a value becomes a JSON object: a mapping, or an instance of a class of records."""
    return isinstance(value, Mapping) or fields_of(value) is not None


def plain(value: Any) -> Any:
    """Return a scalar as JSON has it, text for a Decimal, and anything else as it is."""
    if isinstance(value, (str, int, float, type(None))) and not isinstance(value, Enum):
        return value
    try:
        found = _form(value)
    except Exception:
        return value
    if isinstance(found, Decimal):
        return str(found)
    return found if isinstance(found, (str, int, float, type(None))) else value


def stand_in(value: Any) -> Any:
    """Return what stands in other formats for a value that they don't know: the form that it has in JSON.

    Raises:
        InvalidError: It has none.
    """
    return json.loads(dumps([value], "it"))[0]


def simplified(value: Any) -> Any:
    """Return what a value is once it was written as JSON and read again; what can't be written stays."""
    if isinstance(value, Mapping):
        return {plain(key): simplified(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [simplified(item) for item in value]
    found = plain(value)
    return float(value) if isinstance(value, Decimal) and value.is_finite() else found


class _Numbers:
    """Decimals of one text: written with all their digits, which a float has not."""

    def __init__(self) -> None:
        self._mark = ""
        self._texts: list[str] = []

    def form(self, value: object) -> Any:
        found = _form(value)
        if not isinstance(found, Decimal):
            return found
        if not found.is_finite():
            raise _FormlessError(f"{found}, which is not finite")
        self._mark = self._mark or os.urandom(16).hex()  # nobody else can write it
        self._texts.append(str(found))
        return f"{self._mark}:{len(self._texts) - 1}"

    def put_in(self, text: str) -> str:
        if not self._texts:
            return text
        return re.sub(f'"{self._mark}:([0-9]+)"', lambda match: self._texts[int(match[1])], text)


class _Simplified:
    """A value in which only JSON's own types are left, keys too; finds the place of what has none."""

    def __init__(self, numbers: _Numbers, what: str) -> None:
        self._numbers = numbers
        self._what = what
        self._within: set[int] = set()
        self._place: list[Any] = []

    def of(self, value: Any) -> Any:
        try:
            return self._any(value)
        except RecursionError:
            raise InvalidError(f"{self._what}: it is nested too deeply") from None

    def _any(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            raise self._refused(f"is {float(value)!r}, which is not finite", value)
        if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, Enum)):
            return value
        if id(value) in self._within:
            raise self._refused("holds itself", value)
        self._within.add(id(value))
        try:
            return self._items(self._form(value))
        finally:
            self._within.discard(id(value))

    def _form(self, value: Any) -> Any:
        if isinstance(value, (dict, list, tuple)):
            return value
        try:
            return self._numbers.form(value)
        except _FormlessError as error:
            raise self._refused(f"is {error}", value) from None
        except RecursionError:
            raise
        except Exception as error:
            what = f"is of type {type(value).__name__}, whose fields raise {type(error).__name__}"
            raise self._refused(what, value) from None

    def _items(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._key(key): self._at(key, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._at(number, item) for number, item in enumerate(value)]
        return value if isinstance(value, str) else self._any(value)

    def _at(self, key: Any, item: Any) -> Any:
        self._place.append(key)
        found = self._any(item)
        self._place.pop()
        return found

    def _key(self, key: Any) -> Any:
        found = plain(key)
        if found is None or isinstance(found, (str, int, float)):
            return found
        what = f"has the key {brief(key)} of type {type(key).__name__}"
        raise self._refused(what, None, "keys are text")

    def _refused(self, why: str, value: object, hint: str = "") -> InvalidError:
        found = next((words for fits, words in _HINTS if fits(value)), "convert it first")
        return InvalidError(f"{self._what}: {_path(self._place)} {why}", hint=hint or found)


def _path(place: list[Any]) -> str:
    """Return where something stands, as one writes it: ``orders[0].price``."""
    text = ""
    for key in place:
        if isinstance(key, str) and key.isidentifier():
            text += f".{key}" if text else key
        else:
            text += f"[{brief(key)}]"
    return (text if len(text) <= _SHOWN else f"…{text[-_SHOWN:]}") or "it"


# -- what stands for a value -----------------------------------------------------------------------


def _form(value: Any) -> Any:
    """Return what stands for a value that JSON does not know: one step towards what it knows, or a Decimal.

    Raises:
        _FormlessError: Nothing does.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (date, time)):  # a datetime is a date
        return None if _is_missing(value) else value.isoformat()
    if isinstance(value, timedelta):
        return None if _is_missing(value) else _iso(value)
    if isinstance(value, _TEXTS):
        return str(value)
    fields = fields_of(value)
    if fields is not None:
        return fields()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, _LISTS) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    if _is_missing(value):
        return None
    return _of_arrays(value)


def _is_missing(value: object) -> bool:
    """Tell whether this is one of the values of pandas that stand for none."""
    return type(value).__name__ in _MISSING and type(value).__module__.partition(".")[0] == "pandas"


def _iso(value: timedelta) -> str:
    """Return a duration by ISO 8601."""
    sign, span = ("-", -value) if value < timedelta(0) else ("", value)
    whole = span.days * 86_400 + span.seconds
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    return f"{sign}PT{whole}{fraction}S"


def _of_arrays(value: Any) -> Any:
    """Return a scalar as Python has it, and an array as a list."""
    kind: Any = getattr(value, "dtype", None)
    letter = getattr(kind, "kind", "")
    if letter and value.shape == ():
        return _of_scalar(value, letter)
    if letter in ("M", "m") or (letter == "f" and kind.itemsize != 8):
        return list(value)  # whose items know better what they are
    for name in ("tolist", "to_list", "as_py"):
        if callable(give := getattr(type(value), name, None)) and not isinstance(value, memoryview):
            return give(value)
    raise _FormlessError(f"of type {type(value).__name__}")


def _of_scalar(value: Any, letter: str) -> Any:
    """Return a scalar of numpy, by the letter of its kind."""
    if letter in ("c", "S", "V"):  # complex, bytes, structures
        raise _FormlessError(f"of type {type(value).__name__}")
    text = str(value)
    if letter in ("M", "m"):
        if text == "NaT":
            return None
        return text.rstrip("0").rstrip(".") if "." in text else text if letter == "M" else _span(value)
    return float(text) if letter == "f" else value.item()  # of a short one no more digits than it has


def _span(value: Any) -> Any:
    return value.astype("timedelta64[us]").item()
