"""What a log says that it holds is what it takes: wide texts, small messages, partly evicted batches."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from ipyws.core.channels.message_channel import Stream
from ipyws.core.constants import MB
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import payload_size


def append(log: Log, *payloads: str | bytes) -> None:
    log.append("in", list(payloads), sum(map(payload_size, payloads)))


def taken(fill: Callable[[], object]) -> int:
    """Return the bytes that are held once ``fill`` is done."""
    gc.collect()
    tracemalloc.start()
    try:
        fill()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_batch_that_is_partly_evicted_lets_go_of_what_is_evicted() -> None:
    log = Log(size=4 * MB, budget=Budget())
    assert taken(lambda: append(log, *("x" * MB for _ in range(32)))) < 5 * MB
    assert len(log) == 4
    assert log.bytes <= 4 * MB


@pytest.mark.parametrize("size", [10, 300, 5_000, 70_000])
@pytest.mark.parametrize("letter", ["a", "я"])
@pytest.mark.parametrize("together", [1, 7, 64])
def test_no_more_goes_than_is_too_much(size: int, letter: str, together: int) -> None:
    most = MB // 4
    log = Log(messages=10**9, size=most, budget=Budget())
    texts = [letter * (size + place % 50) for place in range(2 * (most + together * size) // size)]
    last = 2 * (size + 50) + 500  # what it takes, and its batch
    for start in range(0, len(texts), together):
        append(log, *texts[start : start + together])
        if log.evicted:
            assert log.bytes <= most < log.bytes + last
    assert [message.data for message in log] == texts[log.evicted :]
    assert log.evicted


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\U0001f600" + "a" * 20_000, id="four bytes a letter"),
        pytest.param("я" + "a" * 20_000, id="two bytes a letter"),
        pytest.param("é" * 20_000, id="one byte a letter"),
        pytest.param("a" * 20_000, id="ascii"),
        pytest.param("語" * 20_000, id="two bytes of three"),
    ],
)
@pytest.mark.parametrize("together", [1, 16])
def test_what_texts_take_is_what_counts(text: str, together: int) -> None:
    log = Log(size=2 * MB, budget=Budget())

    def fill() -> None:
        for number in range(0, 400, together):
            append(log, *(f"{text}{place:04}" for place in range(number, number + together)))

    assert taken(fill) < 1.1 * log.bytes + 128 * 1024
    assert log.bytes <= 2 * MB


@pytest.mark.parametrize("together", [1, 64])
def test_many_small_messages_take_what_is_counted(together: int) -> None:
    log = Log(messages=10**9, size=MB // 2, budget=Budget())

    def fill() -> None:
        for number in range(0, 16_000, together):
            append(log, *(f"{place:>12}" for place in range(number, number + together)))

    assert taken(fill) < 1.35 * MB // 2 + 128 * 1024
    assert log.evicted


def test_all_logs_together_take_what_the_budget_allows() -> None:
    budget = Budget(4 * MB)
    logs = [Log(budget=budget) for _ in range(8)]

    def fill() -> None:
        for number in range(64):
            append(logs[number % 8], *("\U0001f600" + "a" * 32_000 for _ in range(2)))

    assert taken(fill) < 4.5 * MB
    assert budget.total <= 4 * MB
    assert budget.total == sum(log.bytes for log in logs)


def test_who_was_given_a_batch_keeps_what_the_log_lets_go() -> None:
    log = Log(size=MB, budget=Budget())  # twice that with an open channel
    stream = Stream(log, 1000, False, lambda: None)
    texts = [f"{number}" * MB for number in range(6)]
    append(log, *texts[:3])
    given = log.batches()
    cursor = Cursor(log)
    append(log, *texts[3:])
    assert [message.data for message in log] == texts[4:]
    assert [payload for batch, skip in given for payload in batch.payloads[skip:]] == texts[2:3]
    assert [stream.receive().value.data for _ in texts] == texts
    found = cursor.take()
    assert found is not None
    assert (found.data, cursor.missed) == (texts[4], 4)


def test_passing_over_all_that_is_unread_counts_what_was_missed() -> None:
    log = Log(messages=3, budget=Budget())
    cursor = Cursor(log)
    append(log, *"abcde")
    assert (cursor.skip_all(), cursor.missed, cursor.unread) == (3, 2, 0)
    assert cursor.take() is None
    append(log, "f")
    found = cursor.take()
    assert found is not None
    assert (found.data, cursor.unread) == ("f", 0)
