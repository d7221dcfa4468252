"""Messages that come one by one are kept together, and nobody who reads them sees that."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.channels.message_channel import Stream
from ipyws.core.messages.batch import RUN, Batch
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.log import Log

COMING = st.lists(
    st.tuples(
        st.sampled_from(["in", "in", "in", "out"]),
        st.lists(st.text("aé€", max_size=4), min_size=1, max_size=2),
    ),
    max_size=200,
)


def new_log(messages: int = 100_000) -> Log:
    return Log(messages, 1 << 26, Budget())


def come(log: Log, *texts: str, moment: float = 1.0) -> None:
    """Have each text come in a read of its own, a second after the one before."""
    for place, text in enumerate(texts):
        log.receive([text], len(text.encode()), moment + place)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_each_keeps_its_own_moment_and_number() -> None:
    log = new_log()
    come(log, *numbers(3 * RUN), moment=100.0)
    assert [(m.seq, m.time, m.data) for m in log] == [(n, 100.0 + n, str(n)) for n in range(3 * RUN)]
    assert [(b.seq, b.time, b.payloads, skip) for b, skip in log.batches()] == [
        (n, 100.0 + n, [str(n)], 0) for n in range(3 * RUN)
    ]


@given(COMING, st.integers(1, 150))
def test_who_reads_meanwhile_gets_what_it_would_of_single_messages(
    coming: list[tuple[Any, list[str]]], messages: int
) -> None:
    log = new_log(messages)
    cursor, stream, heard = Cursor(log), Stream(log, 10_000, False, lambda: None), list[Batch]()
    log.listen(heard.append)
    expected, taken = list[tuple[int, str]](), list[tuple[int, Any]]()
    for number, (direction, texts) in enumerate(coming):
        if direction == "in":
            expected += [(log.total + place, text) for place, text in enumerate(texts)]
            log.receive(list(texts), sum(len(text.encode()) for text in texts), float(number))
        else:
            log.append("out", list(texts), sum(len(text.encode()) for text in texts), moment=float(number))
        if number % 3:
            taken += [(m.seq, m.data) for m in iter(cursor.take, None)]
    taken += [(m.seq, m.data) for m in iter(cursor.take, None)]
    kept = [each for each in expected if each[0] >= log.first]
    assert [each for each in taken if each[0] >= log.first] == kept
    assert len(taken) + cursor.missed == len(expected)
    assert [(b.seq, b.payloads, b.time) for b in heard] == [
        (sum(len(texts) for _, texts in coming[:n]), texts, float(n)) for n, (_, texts) in enumerate(coming)
    ]
    assert [stream.receive().value.data for _ in expected] == [text for _, text in expected]


@pytest.mark.parametrize("before", [0, 1, 2, 3, RUN - 1, RUN, RUN + 1, RUN + 2])
def test_a_place_behind_what_has_come_stays_there_while_the_run_grows(before: int) -> None:
    log = new_log()
    come(log, *numbers(before))
    now, all_of_it = Cursor(log, from_now=True), Cursor(log)
    assert now.take() is None
    assert all_of_it.skip_all() == before
    come(log, "d", "e")
    for cursor in (now, all_of_it):
        assert [message.data for message in iter(cursor.take, None)] == ["d", "e"]


def test_who_waits_with_a_timeout_again_and_again_leaves_nothing_behind() -> None:
    log = new_log()
    cursor = Cursor(log)
    for _ in range(100):
        cursor.forget(cursor.arrival())
    assert len(log._awaiting) == 1
    cursor.close()
    assert not log._awaiting


def test_a_mark_that_is_set_later_is_found_by_who_got_the_message_before() -> None:
    log = new_log()
    stream = Stream(log, 100, False, lambda: None)
    come(log, "a", "b", "c")
    log.mark(0, "first")
    log.mark(2, "third")
    assert [stream.receive().value.mark for _ in range(3)] == ["first", "", "third"]
    assert [message.mark for message in log] == ["first", "", "third"]


def test_what_is_read_alone_is_evicted_alone() -> None:
    log = new_log(messages=RUN + 10)
    come(log, *numbers(5 * RUN))
    assert [message.data for message in log] == numbers(5 * RUN)[-RUN - 10 :]
    assert (log.evicted, log.evicted_in) == (4 * RUN - 10, 4 * RUN - 10)
    budget = Budget(1000)
    small = Log(1000, 1 << 20, budget)
    come(small, *("x" * 100 for _ in range(20)))
    assert (len(small), budget.total) == (10, small.bytes)


@given(COMING, st.integers(1, 100))
def test_a_full_log_keeps_what_a_list_of_the_newest_does(coming: list[Any], limit: int) -> None:
    log, passed = new_log(limit), list[tuple[str, str]]()
    for direction, texts in coming * 3:
        size = sum(len(text.encode()) for text in texts)
        if direction == "in":
            log.receive(texts, size)
        else:
            log.append(direction, texts, size)
        passed += [(direction, text) for text in texts]
        assert (log[0].direction, log[0].data) == passed[-limit:][0]
    assert [(message.direction, message.data) for message in log] == passed[-limit:]
    assert log.evicted_in == sum(direction == "in" for direction, _ in passed[:-limit])
    while log.evict_oldest():
        pass
    assert (log._shelf.size, log._shelf.extra) == (0, 0)


def test_a_full_log_keeps_what_a_channel_has_yet_to_read() -> None:
    log = new_log(messages=3)
    channel = Stream(log, 10, False, lambda: None)
    come(log, *numbers(9))
    assert [message.data for message in log] == numbers(9)
    assert [next(channel).data for _ in range(9)] == numbers(9)
    come(log, "more")
    assert (len(log), log.evicted_in) == (3, 7)


def test_a_hundred_thousand_take_at_most_sixty_bytes_each_and_few_objects() -> None:
    log, count = new_log(), 100_000
    texts = [f"{number:>12}" for number in range(count)]
    gc.collect()
    before = len(gc.get_objects())
    tracemalloc.start()
    for text in texts:
        log.receive([text], 12)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / count <= 60
    assert len(gc.get_objects()) - before < count / 10
