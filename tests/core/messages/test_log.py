from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.batch import RUN, Batch
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control, Message
from ipyws.errors import InvalidError


def new_log(messages: int = 1000, size: int = 1 << 20) -> RecordedLog:
    return RecordedLog(messages, size, Budget())


def receive(log: RecordedLog, *payloads: str | bytes) -> Batch:
    return log.append("in", list(payloads), sum(map(len, payloads)))


def send(log: RecordedLog, *payloads: str | bytes) -> Batch:
    return log.append("out", list(payloads), sum(map(len, payloads)))


def ping(log: RecordedLog, data: bytes = b"") -> Batch:
    return log.append("in", [Control(data)], len(data), type="ping")


def data_of(messages: Sequence[Any]) -> list[Any]:
    return [message.data for message in messages]


def test_both_directions_and_control_frames_are_numbered_in_one_order() -> None:
    log = new_log()
    receive(log, "a", b"b")
    send(log, "c")
    ping(log, b"d")
    seen = [(m.seq, m.direction, m.type, m.data) for m in log]
    assert seen == [
        (0, "in", "text", "a"),
        (1, "in", "binary", b"b"),
        (2, "out", "text", "c"),
        (3, "in", "ping", b"d"),
    ]
    assert (log.received, log.sent, log.bytes_received, log.bytes_sent) == (2, 1, 2, 1)


def test_messages_carry_the_moment_they_passed() -> None:
    log = new_log()
    log.append("in", ["a", "b"], 2, moment=12.5)
    assert [m.time for m in log] == [12.5, 12.5]


def test_it_is_indexed_like_any_sequence() -> None:
    log = new_log()
    for text in "abcdefgh":
        receive(log, text)
    plain = list("abcdefgh")
    for index in range(-8, 8):
        assert log[index].data == plain[index]
    for start in (None, -9, -3, 0, 2, 8, 20):
        for stop in (None, -9, -3, 0, 5, 8, 20):
            for step in (None, -1, 1, 3):
                assert data_of(log[start:stop:step]) == plain[start:stop:step]
    assert data_of(list(reversed(log))) == plain[::-1]
    assert log[3] in log


@pytest.mark.parametrize("index", [-1, 0, 1])
def test_an_empty_log_has_no_item(index: int) -> None:
    log = new_log()
    with pytest.raises(IndexError, match="keeps 0"):
        log[index]
    assert log[:] == []
    assert list(log) == []


@pytest.mark.parametrize("index", [3, -4, 100])
def test_an_index_outside_is_an_index_error(index: int) -> None:
    log = new_log()
    receive(log, "a", "b", "c")
    with pytest.raises(IndexError, match="keeps 3"):
        log[index]


def test_indexes_count_from_the_oldest_kept_and_seq_from_the_start() -> None:
    log = new_log(messages=3)
    for text in "abcde":
        receive(log, text)
    assert [(m.seq, m.data) for m in log] == [(2, "c"), (3, "d"), (4, "e")]
    assert (log[0].seq, log[-1].seq, log[-3].seq) == (2, 4, 2)
    assert (log.first, log.total, log.evicted, log.evicted_in) == (2, 5, 2, 2)


def test_exactly_log_messages_are_kept() -> None:
    log = new_log(messages=3)
    receive(log, "a", "b", "c")
    assert (len(log), log.evicted) == (3, 0)
    receive(log, "d")
    assert (len(log), log.evicted) == (3, 1)


def test_a_batch_larger_than_the_limit_is_kept_in_part() -> None:
    log = new_log(messages=3)
    receive(log, *"abcdefgh")
    assert data_of(log[:]) == ["f", "g", "h"]
    assert (log.evicted, log.evicted_in, log.bytes) == (5, 5, 3)
    receive(log, *"ij")
    assert data_of(log[:]) == ["h", "i", "j"]


def test_exactly_log_bytes_are_kept() -> None:
    log = new_log(size=6)
    receive(log, "aa", "bb", "cc")
    assert (len(log), log.bytes) == (3, 6)
    receive(log, "d")
    assert data_of(log[:]) == ["bb", "cc", "d"]
    assert log.bytes == 5


def test_bytes_of_text_are_those_of_utf8() -> None:
    log = new_log(size=6)
    log.append("in", ["éé", "x"], 5)
    receive(log, "yz")
    assert data_of(log[:]) == ["x", "yz"]
    assert log.bytes == 3


def test_the_newest_message_is_kept_however_large() -> None:
    log = new_log(size=6)
    receive(log, "a")
    receive(log, "b" * 100)
    assert data_of(log[:]) == ["b" * 100]
    receive(log, "c")
    assert data_of(log[:]) == ["c"]


def test_only_received_data_counts_as_evicted_in() -> None:
    log = new_log(messages=1)
    receive(log, "a", "b")
    send(log, "c", "d")
    ping(log)
    ping(log)
    assert (log.evicted, log.evicted_in) == (5, 2)
    assert (log.received, log.sent) == (2, 2)


def test_control_frames_count_for_both_limits() -> None:
    log = new_log(size=6)
    for _ in range(4):
        ping(log, b"abc")
    assert (len(log), log.bytes) == (2, 6)


def test_unread_messages_of_an_open_channel_are_pinned() -> None:
    log = new_log(messages=4)
    receive(log, *"abcd")
    log.pin(lambda: (2, 3))
    receive(log, *"ef")
    assert data_of(log[:]) == ["c", "d", "e", "f"]
    receive(log, *"ghi")
    assert data_of(log[:]) == list("cdefghi")


def test_pins_hold_no_more_than_the_capacity_beyond_the_limit() -> None:
    log = new_log(messages=4)
    receive(log, *"abcd")
    log.pin(lambda: (0, 3))
    receive(log, *"efg")
    assert len(log) == 7
    receive(log, "h")
    assert data_of(log[:]) == ["e", "f", "g", "h"]


def test_pins_hold_no_more_than_twice_the_bytes() -> None:
    log = new_log(size=4)
    log.pin(lambda: (0, 100))
    receive(log, "aaaa")
    receive(log, "bbbb")
    assert log.bytes == 8
    receive(log, "c")
    assert data_of(log[:]) == ["bbbb", "c"]


def test_a_pin_that_is_read_lets_go() -> None:
    log = new_log(messages=2)
    places: list[tuple[int, int]] = [(0, 9)]
    log.pin(lambda: places[0] if places else None)
    receive(log, *"abc")
    assert len(log) == 3
    places.clear()
    receive(log, "d")
    assert data_of(log[:]) == ["c", "d"]


def test_reading_from_a_place_that_was_evicted_begins_with_the_oldest() -> None:
    log = new_log(messages=3)
    receive(log, *"abcde")
    assert data_of(log.read(0, 2)) == ["c", "d"]
    assert data_of(log.read(3, 10)) == ["d", "e"]
    assert log.read(5, 10) == []


def test_iterating_yields_what_was_kept_when_it_began() -> None:
    log = new_log()
    receive(log, *"abc")
    seen = []
    for message in log:
        seen.append(message.data)
        receive(log, "more")
    assert seen == ["a", "b", "c"]


def test_iterating_passes_over_what_is_evicted_meanwhile() -> None:
    log = new_log(messages=2000)
    receive(log, *map(str, range(2000)))
    seen = []
    for message in log:
        seen.append(message.seq)
        if message.seq == 0:
            receive(log, *map(str, range(1500)))
    assert seen == [*range(1000), *range(1500, 2000)]


def test_it_stays_right_over_many_batches() -> None:
    log = new_log(messages=10)
    for number in range(5000):
        receive(log, str(number))
    assert data_of(log[:]) == [str(number) for number in range(4990, 5000)]
    assert len(log._shelf._batches) < 2000


def test_batches_say_where_the_first_begins() -> None:
    log = new_log(messages=3)
    receive(log, "a", "b")
    send(log, "c", "d")
    kept = log.batches()
    assert [(batch.payloads, start) for batch, start in kept] == [(["a", "b"], 1), (["c", "d"], 0)]


def test_received_data_is_found_from_any_place() -> None:
    log = new_log(messages=4)
    receive(log, "a", "b")
    send(log, "x")
    ping(log)
    receive(log, "c")
    found, number, place = [], 0, 0
    while step := log.next_received(number, place):
        number, batch, place = step
        found.append(batch.payloads[place])
        place += 1
    assert found == ["b", "c"]


def test_listeners_hear_each_batch_once_until_they_stop() -> None:
    log = new_log(messages=1)
    heard: list[Batch] = []
    stop = log.listen(heard.append)
    first, second = receive(log, "a", "b"), send(log, "c")
    stop()
    receive(log, "d")
    assert heard == [first, second]


def test_append_returns_the_batch_as_logged() -> None:
    log = new_log()
    receive(log, "a")
    batch = send(log, "b", "c")
    assert [batch.message(place) for place in (0, 1)] == log[1:]


def filtered_log() -> RecordedLog:
    log = new_log()
    receive(log, "Tick ONE", b"tick \xe9")
    send(log, "tick two")
    ping(log, b"tick three")
    return log


@pytest.mark.parametrize(
    ("conditions", "seqs"),
    [
        ({}, [0, 1, 2, 3]),
        ({"direction": "in"}, [0, 1, 3]),
        ({"direction": "out"}, [2]),
        ({"types": ["text"]}, [0, 2]),
        ({"types": "binary"}, [1]),
        ({"types": ("binary", "ping")}, [1, 3]),
        ({"types": []}, []),
        ({"grep": "tick"}, [0, 1, 2, 3]),
        ({"grep": "^tick t"}, [2, 3]),
        ({"grep": "one$"}, [0]),
        ({"grep": "é"}, [1]),
        ({"grep": "t", "types": ["text"], "direction": "in"}, [0]),
    ],
)
def test_filter_gives_what_matches_everything(conditions: dict[str, Any], seqs: list[int]) -> None:
    assert [message.seq for message in filtered_log().filter(**conditions)] == seqs


def test_grep_searches_the_whole_payload() -> None:
    log = new_log()
    receive(log, "x" * 100_000 + "needle")
    assert len(log.filter(grep="needle")) == 1


@pytest.mark.parametrize(
    ("conditions", "about"),
    [
        ({"grep": "("}, "not a regular expression"),
        ({"direction": "IN"}, "direction is 'IN'"),
        ({"types": ["text", "bytes"]}, "no message type 'bytes'"),
    ],
)
def test_filter_refuses_what_could_never_match(conditions: dict[str, Any], about: str) -> None:
    with pytest.raises(InvalidError, match=about):
        filtered_log().filter(**conditions)


def test_repr_counts_honestly() -> None:
    log = new_log(messages=2)
    receive(log, *"abc")
    send(log, "d")
    assert repr(log) == "<Log: 2 kept of 4, ↓ 3 ↑ 1, 2 evicted>"


APPENDS = st.lists(
    st.tuples(
        st.sampled_from(["in", "out", "control"]),
        st.lists(st.text("aé€", max_size=6), min_size=1, max_size=8),
    ),
    max_size=40,
)


@given(APPENDS, st.integers(1, 30), st.integers(1, 60))
def test_whatever_is_appended_the_newest_is_kept_and_the_rest_is_counted(
    appends: list[tuple[Any, list[str]]], messages: int, size: int
) -> None:
    log = new_log(messages, size)
    everything: list[tuple[str, str | bytes]] = []
    for kind, texts in appends:
        total = sum(len(text.encode()) for text in texts)
        if kind == "control":
            log.append("in", [Control(text.encode()) for text in texts], total, type="pong")
            everything += [("control", text.encode()) for text in texts]
        else:
            log.append(kind, list(texts), total)
            everything += [(kind, text) for text in texts]
        gone, kept = everything[: log.evicted], everything[log.evicted :]
        sizes = [len(data.encode() if isinstance(data, str) else data) for _, data in kept]
        assert log.total == len(everything)
        assert len(log) == log.total - log.evicted == len(kept) <= messages
        assert log.bytes == sum(sizes)
        assert log.bytes <= size or len(log) == 1
        assert [(m.seq, m.data) for m in log] == [
            (log.evicted + place, data) for place, (_, data) in enumerate(kept)
        ]
        assert log.evicted_in == sum(kind == "in" for kind, _ in gone)
        assert log.received == sum(kind == "in" for kind, _ in everything)
        assert log.sent == sum(kind == "out" for kind, _ in everything)


def test_what_a_rule_sent_is_marked_and_may_be_marked_later() -> None:
    log = new_log(messages=4)
    receive(log, "a", "b", "c")
    log.append("out", ["ping", "ping"], 8, mark="every 20s")  # the log keeps b, c and these
    log.mark(2, "reply")
    log.mark(0, "too late")
    log.mark(9, "not there yet")
    assert [message.mark for message in log] == ["", "reply", "every 20s", "every 20s"]
    rest = [batch.rest(start) for batch, start in log.batches()]
    assert [[message.mark for message in batch.messages(0, 9)] for batch in rest] == [
        ["", "reply"],
        ["every 20s", "every 20s"],
    ]


def test_whether_all_are_wanted_is_what_a_look_at_each_tells() -> None:
    log = new_log(messages=10)
    for number in range(6):
        receive(log, f"alone {number}")
    ping(log)
    receive(log, "together", "with", "these")
    ping(log)
    receive(log, "last")  # the oldest two are gone
    for seq in range(log.total + 1):
        for end in range(seq, log.total + 3):
            each = [message.type == "text" for message in log if seq <= message.seq < end]
            assert log.all_are(lambda batch: batch.type is None, seq, end) == all(each), (seq, end)


def test_what_is_read_together_is_what_each_is_alone() -> None:
    log = new_log(messages=RUN + 12)
    for number in range(RUN + 8):
        receive(log, f"alone {number}")
    send(log, "out", b"bytes")
    ping(log, b"p")
    receive(log, *(f"together {number}" for number in range(40)), b"and bytes")
    log.append("out", ["ping", "ping"], 8, mark="every 20s")
    log.mark(log.total - 6, "reply")
    receive(log, "last")
    names = (*Message.__slots__, "size", "rtt")
    alone = [[getattr(log[place], name) for name in names] for place in range(len(log))]
    for start in (0, log.first, log.first + 5, log.first + 30, log.total - 1, log.total):
        for count in (0, 1, 7, 60, 1000):
            read = [[getattr(message, name) for name in names] for message in log.read(start, count)]
            place = max(0, start - log.first)
            assert read == alone[place : place + count]
            sliced = log[place : place + count]
            assert [[getattr(message, name) for name in names] for message in sliced] == read
