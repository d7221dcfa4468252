"""Durations: Go's notation, and the one conversion that every option and timeout goes through."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal, overload

from ipyws.errors import InvalidError, brief

Duration = int | float | str | timedelta
"""What a user may write for a duration; a bare number is milliseconds."""

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LONGEST: Final = 2**63 - 1
_BARE: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
_TERM: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")

# More digits than these can't change the result, and a hostile text must not cost a big multiplication.
_WHOLE_DIGITS: Final = 19
_FRACTION_DIGITS: Final = 18
_FRACTION_SCALE: Final = 10**18

ALLOWED: Final = (
    'allowed is a positive number of milliseconds, a string such as "300ms" or "1m30s", or a timedelta'
)


@lru_cache(maxsize=128)  # the timeout of each request is the same few letters
def parse_go_duration(text: str) -> int:
    """Return the nanoseconds that ``text`` says in the syntax of Go's ``time.ParseDuration``.

    Args:
        text: Terms such as "300ms", "-1.5h" or "2h45m": units ns, us, µs, ms, s, m, h; "0" needs no unit.

    Returns:
        Exact nanoseconds, a fraction of one cut off; negative where the text is. Fits in an int64.

    Raises:
        InvalidError: The text is not a duration, or is too long for an int64.
    """
    negative = text.startswith("-")
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    if unsigned == "0":
        return 0
    total = _sum_terms(unsigned, text)
    if total > _LONGEST + negative:
        raise _invalid("duration is too long", text)
    return -total if negative else total


@overload
def seconds(value: object, *, name: str, allow_none: Literal[False] = False) -> float: ...


@overload
def seconds(value: object, *, name: str, allow_none: bool) -> float | None: ...


def seconds(value: object, *, name: str, allow_none: bool = False) -> float | None:
    """Return the seconds that a user's ``value`` means.

    Args:
        value: A number of milliseconds, a string in Go's syntax, or a timedelta; at least 1 ns,
            at most what an int64 of nanoseconds holds (292 years).
        name: The option or argument, named in the error.
        allow_none: Whether None is allowed; it is returned as it is.

    Raises:
        InvalidError: Wrong type, not a duration, zero, negative, not finite, or too long.
    """
    if value is None and allow_none:
        return None
    hint = ALLOWED + (", or None to switch it off" if allow_none else "")
    try:
        nanoseconds = _nanoseconds(value)
    except InvalidError as error:
        if isinstance(value, str) and _BARE.fullmatch(value):
            raise InvalidError(f"{name} {value} has no unit", hint=f"{_with_units(value)}; {hint}") from None
        raise InvalidError(f"{name}: {error.message}", hint=hint) from None
    if nanoseconds is None or not 0 < nanoseconds <= _LONGEST:
        raise InvalidError(f"{name} is {brief(value)}", hint=hint)
    return nanoseconds / 1e9


def format_duration(seconds: float) -> str:
    """Return a duration in Go's notation without empty parts: "5ms", "250µs", "1m30s", "1h".

    Args:
        seconds: A finite number of seconds, shown to the nanosecond.
    """
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds < _UNITS["s"]:
        return sign + _format_fraction(nanoseconds)
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    parts = [(minutes // 60, "h"), (minutes % 60, "m")]
    text = "".join(f"{count}{unit}" for count, unit in parts if count)
    return sign + text + (_decimal(rest, "s") if rest else "")


def _sum_terms(terms: str, text: str) -> int:
    if not terms:
        raise _invalid("invalid duration", text)
    total = position = 0
    while position < len(terms):
        match = _TERM.match(terms, position)
        assert match is not None  # every part of the pattern may be empty
        whole, fraction, unit = match.groups(default="")
        if not whole and not fraction:
            raise _invalid("invalid duration", text)
        if unit not in _UNITS:
            if _BARE.fullmatch(text):
                raise InvalidError(f"{text} has no unit", hint=_with_units(text))
            what = f"unknown unit {brief(unit)}" if unit else "missing unit (ms, s, m, h)"
            raise _invalid(f"{what} in duration", text)
        total += _term(whole.lstrip("0"), fraction[:_FRACTION_DIGITS], _UNITS[unit])
        position = match.end()
    return total


def _term(whole: str, fraction: str, unit: int) -> int:
    if len(whole) > _WHOLE_DIGITS:
        return _LONGEST + 2
    return int(whole or "0") * unit + int(fraction.ljust(_FRACTION_DIGITS, "0")) * unit // _FRACTION_SCALE


def _nanoseconds(value: object) -> int | None:
    if isinstance(value, str):
        return parse_go_duration(value)
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1) * _UNITS["us"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(value * _UNITS["ms"]) if abs(value) <= _LONGEST else None


def _format_fraction(nanoseconds: int) -> str:
    unit = next((unit for unit in ("ms", "µs", "ns") if nanoseconds >= _UNITS[unit]), "s")
    return _decimal(nanoseconds, unit)


def _decimal(nanoseconds: int, unit: str) -> str:
    size = _UNITS[unit]
    whole, rest = divmod(nanoseconds, size)
    fraction = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}{unit}" if fraction else f"{whole}{unit}"


def _with_units(text: str) -> str:
    """Return the hint for a bare number as text: which of the two was meant is not guessed."""
    return f"write {text}s or {text}ms"


def _invalid(what: str, text: str) -> InvalidError:
    return InvalidError(f"{what} {brief(text)}", hint='write it as in "300ms", "1m30s" or "1.5h"')
