from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.text.masking import remember
from ipyws.view.format import byte_size, clock, duration, shown, signed_duration


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1536, "1.5 kB"),
        (1 << 20, "1.0 MB"),
        ((1 << 20) - 1, "1.0 MB"),
        (128 << 20, "128.0 MB"),
        (3 << 30, "3.0 GB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_byte_sizes(count: int, words: str) -> None:
    assert byte_size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 ms"),
        (0.0118, "11.8 ms"),
        (0.09996, "100 ms"),
        (0.4, "400 ms"),
        (0.9996, "1.0 s"),
        (1.7, "1.7 s"),
        (59.96, "1m0s"),
        (75, "1m15s"),
        (3600 * 2 + 60 * 3, "2h3m"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_clock_that_was_set_back_gives_a_negative_delta() -> None:
    assert signed_duration(-0.5) == "−500 ms"


def test_what_became_a_secret_is_masked_where_it_was_shown_before() -> None:
    said = "a greeting of opensesame-4711"
    assert shown(said, 100) == said
    remember("opensesame-4711")
    assert shown(said, 100) == "a greeting of ***"


@given(st.integers(0, 4 * 10**9), st.integers(0, 999_999))
def test_a_clock_tells_what_a_date_does(second: int, micros: int) -> None:
    moment = datetime.fromtimestamp(second).replace(microsecond=micros)
    assert clock(moment.timestamp()) == moment.strftime("%H:%M:%S.%f")[:-3]
