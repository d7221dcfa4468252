from __future__ import annotations

import contextlib
import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.options.durations import format_duration, parse_go_duration, seconds
from ipyws.errors import InvalidError

H, M, S, MS, US = 3_600_000_000_000, 60_000_000_000, 1_000_000_000, 1_000_000, 1_000
LONGEST = 2**63 - 1

# What Go's time.ParseDuration makes of each text.
PARSED = {
    "0": 0,
    "+0": 0,
    "-0": 0,
    "1s": S,
    "+5s": 5 * S,
    "-5s": -5 * S,
    ".5s": 500 * MS,
    "1.s": S,
    "1.5h": 90 * M,
    "1h15m30.918s": H + 15 * M + 30 * S + 918 * MS,
    "1m1h": H + M,
    "1s1s": 2 * S,
    "3000s": 50 * M,
    "100ms": 100 * MS,
    "1us": US,
    "1\u00b5s": US,
    "1\u03bcs": US,
    "1ns": 1,
    "0s": 0,
    "0.1ns": 0,
    "0.9999999999ns": 0,
    "9223372036854775807ns": LONGEST,
    "-9223372036854775808ns": -(2**63),
    "2562047h47m16.854775807s": LONGEST,
    "0.100000000000000000000h": 6 * M,
    "9007199254.740993ms": 9_007_199_254_740_993,
    "00000000000000000000001s": S,
}

REFUSED = {
    "": "invalid duration",
    "+": "invalid duration",
    "00": "00 has no unit",
    "5": "5 has no unit",
    "1.5": "1.5 has no unit",
    " 5s": "invalid duration",
    "5s ": "unknown unit 's '",
    "5 s": "unknown unit ' s'",
    ".s": "invalid duration",
    "-.s": "invalid duration",
    "1d": "unknown unit 'd'",
    "1w": "unknown unit 'w'",
    "1S": "unknown unit 'S'",
    "1H": "unknown unit 'H'",
    "1e3s": "unknown unit 'e'",
    "1.5.5s": "missing unit",
    "1h-5m": "unknown unit 'h-'",
    "--5s": "invalid duration",
    "5sm": "unknown unit 'sm'",
    "1,5s": "unknown unit ','",
    "9223372036854775808ns": "too long",
    "-9223372036854775809ns": "too long",
    "2562048h": "too long",
    "9" * 5000 + "s": "too long",
    "0x1s": "unknown unit 'x'",
    "1_000ms": "unknown unit '_'",
    "٣s": "invalid duration",
    "infs": "invalid duration",
}


@pytest.mark.parametrize(("text", "nanoseconds"), PARSED.items())
def test_text_that_go_parses_means_the_same_nanoseconds(text: str, nanoseconds: int) -> None:
    assert parse_go_duration(text) == nanoseconds


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=lambda text: text[:30])
def test_text_that_go_refuses_is_invalid_and_the_message_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_go_duration(text)
    assert reason in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 0.005),
        (1500, 1.5),
        (0.5, 0.0005),
        ("300ms", 0.3),
        ("1m30s", 90.0),
        (timedelta(minutes=2), 120.0),
        (timedelta(microseconds=1), 1e-6),
        ("1ns", 1e-9),
        (LONGEST // MS, LONGEST / S),
    ],
)
def test_numbers_are_milliseconds_and_the_rest_carries_its_unit(value: object, expected: float) -> None:
    assert seconds(value, name="dial_timeout") == pytest.approx(expected, rel=1e-12)


BAD_VALUES = [
    *(0, -1, 0.0, -0.5, 1e-9, math.nan, math.inf, -math.inf, True, False, 10**13, 1e300, 10**5000),
    *("", "0", "5", "-5s", "0.1ns", "soon", "2562048h"),
    *(None, b"5s", [], timedelta(0), timedelta(seconds=-1), timedelta.max),
]


@pytest.mark.parametrize(
    "value", BAD_VALUES, ids=lambda value: repr(value)[:20] if value != 10**5000 else "10**5000"
)
def test_what_is_no_positive_duration_is_invalid_with_name_value_and_what_is_allowed(value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        seconds(value, name="ping_timeout")
    assert "ping_timeout" in caught.value.message
    shown = "<int>" if value == 10**5000 else "5" if value == "5" else repr(value)[:50]
    assert shown in caught.value.message
    assert all(way in caught.value.hint for way in ("milliseconds", '"300ms"', "timedelta"))
    assert "None" not in caught.value.hint


def test_a_time_without_a_unit_says_how_it_is_written() -> None:
    with pytest.raises(InvalidError) as caught:
        seconds("5", name="timeout")
    assert caught.value.message == "timeout 5 has no unit"
    assert caught.value.hint.startswith("write 5s or 5ms")


def test_none_switches_off_only_where_it_may() -> None:
    assert seconds(None, name="ping_interval", allow_none=True) is None
    with pytest.raises(InvalidError) as caught:
        seconds(0, name="ping_interval", allow_none=True)
    assert "None to switch it off" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0s"),
        (0.005, "5ms"),
        (0.00025, "250µs"),
        (1e-9, "1ns"),
        (0.0015, "1.5ms"),
        (1, "1s"),
        (1.05, "1.05s"),
        (90, "1m30s"),
        (3600, "1h"),
        (3600.5, "1h0.5s"),
        (5430, "1h30m30s"),
        (0.9999999999, "1s"),
        (-0.005, "-5ms"),
    ],
)
def test_a_duration_is_shown_in_gos_notation_without_empty_parts(value: float, text: str) -> None:
    assert format_duration(value) == text


@given(st.integers(-(2**50), 2**50))
def test_what_is_shown_reads_back_as_the_same_duration(nanoseconds: int) -> None:
    assert parse_go_duration(format_duration(nanoseconds / 1e9)) == nanoseconds


@given(st.text(alphabet="0123456789.+-nuµmsh ", max_size=30))
def test_any_text_is_an_int64_or_invalid(text: str) -> None:
    with contextlib.suppress(InvalidError):
        assert -(2**63) <= parse_go_duration(text) <= LONGEST
