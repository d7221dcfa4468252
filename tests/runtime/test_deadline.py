from __future__ import annotations

import time
from datetime import timedelta

import pytest

from ipyws.errors import InvalidError
from ipyws.runtime.deadline import Deadline


def test_without_a_timeout_it_never_passes() -> None:
    deadline = Deadline(None)
    assert deadline.remaining() is None
    assert not deadline.passed


@pytest.mark.parametrize(
    ("timeout", "span"), [(5000, 5), ("5s", 5), (timedelta(seconds=5), 5), (1500.5, 1.5005), ("1h", 3600)]
)
def test_what_remains_is_counted_in_seconds_from_now(timeout: object, span: float) -> None:
    before = time.monotonic()
    remaining = Deadline(timeout).remaining()  # type: ignore[arg-type]
    assert remaining is not None
    assert span - (time.monotonic() - before) <= remaining <= span


def test_once_passed_nothing_remains() -> None:
    deadline = Deadline("1ns")
    assert deadline.remaining() == 0.0
    assert deadline.passed


@pytest.mark.parametrize(
    ("timeout", "said"),
    [
        (5, "5 ms"),
        (2.5, "2.5 ms"),
        ("5s", "5s"),
        ("1m30s", "1m30s"),
        ("90s", "90s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(milliseconds=5), "5ms"),
    ],
)
def test_its_error_repeats_the_value_with_its_unit(timeout: object, said: str) -> None:
    error = Deadline(timeout).error("no message came", hint="wait longer")  # type: ignore[arg-type]
    assert error.message == f"no message came: {said} passed"
    assert error.hint == "wait longer"
    assert (error.kind, error.retryable) == ("TIMEOUT", True)
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize("timeout", [0, -1, "0", "5", "", True, b"5s", timedelta(0), float("nan")])
def test_a_timeout_is_a_positive_duration_and_errors_name_it(timeout: object) -> None:
    with pytest.raises(InvalidError, match=r"^patience"):
        Deadline(timeout, "patience")  # type: ignore[arg-type]
