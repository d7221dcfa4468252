from __future__ import annotations

import pytest

from ipyws.core.channels.message_channel import Stream
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Control
from ipyws.errors import InvalidError


class Held:
    """What the stream told whoever reads from the network: full or not, each time it said so."""

    def __init__(self, log: Log, capacity: int = 4, control: bool = False) -> None:
        self.told: list[bool] = []
        self.stream = Stream(log, capacity, control, lambda: self.told.append(self.stream.full))


def new_log(messages: int = 1000) -> Log:
    return Log(messages, 1 << 20, Budget())


def receive(log: Log, *texts: str) -> None:
    log.append("in", list(texts), sum(map(len, texts)))


def read(stream: Stream, count: int | None = None) -> list[str | bytes]:
    count = len(stream) if count is None else count
    return [stream.receive(1000).value.data for _ in range(count)]


def test_it_starts_at_the_first_message_of_the_connection() -> None:
    log = new_log()
    receive(log, "a", "b")
    stream = Held(log, 10).stream
    receive(log, "c")
    assert read(stream) == ["a", "b", "c"]
    assert (stream.evicted, stream.missed) == (0, 0)


def test_it_delivers_received_data_only() -> None:
    log = new_log()
    stream = Held(log, 10).stream
    log.append("out", ["sent"], 4)
    log.append("in", [Control(b"p")], 1, type="ping")
    receive(log, "a")
    assert len(stream) == 1
    assert read(stream) == ["a"]


def test_with_control_it_also_delivers_control_records_of_both_ways() -> None:
    log = new_log()
    log.append("out", [Control(b"1")], 1, type="ping")
    stream = Held(log, 10, control=True).stream
    log.append("in", [Control(b"2")], 1, type="pong")
    log.append("out", ["sent"], 4)
    receive(log, "a")
    log.append("in", [Control(b"", code=1000)], 0, type="close")
    seen = [stream.receive(1000).value for _ in range(len(stream))]
    assert [(m.type, m.direction) for m in seen] == [
        ("ping", "out"),
        ("pong", "in"),
        ("text", "in"),
        ("close", "in"),
    ]


def test_it_says_once_that_it_is_full_and_once_that_half_is_read() -> None:
    log = new_log()
    held = Held(log, 4)
    receive(log, "a", "b", "c")
    assert held.told == []
    receive(log, "d")
    receive(log, "e")
    assert held.told == [True]
    read(held.stream, 2)
    assert held.told == [True]
    read(held.stream, 1)
    assert held.told == [True, False]
    assert len(held.stream) == 2
    read(held.stream)
    assert held.told == [True, False]


def test_it_is_full_again_when_filled_again() -> None:
    log = new_log()
    held = Held(log, 2)
    for _ in range(3):
        receive(log, "a", "b")
        read(held.stream)
    assert held.told == [True, False] * 3


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_a_small_channel_resumes_too(capacity: int) -> None:
    log = new_log()
    held = Held(log, capacity)
    receive(log, *"abc")
    assert held.stream.full
    assert read(held.stream) == ["a", "b", "c"]
    assert not held.stream.full


def test_one_read_may_overshoot_the_capacity_and_loses_nothing() -> None:
    log = new_log(messages=3)
    held = Held(log, 2)
    receive(log, *"abcdefgh")
    assert len(held.stream) == 8
    assert read(held.stream) == list("abcdefgh")
    assert held.stream.missed == 0


def test_what_it_has_to_deliver_outlives_eviction() -> None:
    log = new_log(messages=2)
    held = Held(log, 3)
    for text in "abcdefghij":
        receive(log, text)
    log.evict_oldest()
    assert read(held.stream) == list("abcdefghij")


def test_unread_messages_are_pinned_in_the_log_until_read() -> None:
    log = new_log(messages=2)
    held = Held(log, 4)
    receive(log, *"ab")
    receive(log, *"cd")
    assert [m.data for m in log] == ["a", "b", "c", "d"]
    read(held.stream, 3)
    receive(log, "e")
    assert [m.data for m in log] == ["d", "e"]


def test_opened_late_it_says_what_was_already_evicted() -> None:
    log = new_log(messages=3)
    receive(log, *"ab")
    log.append("out", ["sent"], 4)
    receive(log, *"cde")
    stream = Held(log).stream
    assert stream.evicted == 2
    assert read(stream) == ["c", "d", "e"]


def test_opened_late_it_begins_within_a_batch() -> None:
    log = new_log(messages=3)
    receive(log, *"abcde")
    stream = Held(log, 10).stream
    assert stream.evicted == 2
    assert read(stream) == ["c", "d", "e"]
    receive(log, "f")
    assert read(stream) == ["f"]


def test_opened_late_it_may_be_full_at_once() -> None:
    log = new_log()
    receive(log, *"abcde")
    told: list[str] = []
    stream = Stream(log, 4, False, lambda: told.append("changed"))
    assert stream.full
    assert told == ["changed"]


def test_closed_by_the_user_it_holds_nothing_and_can_be_drained() -> None:
    log = new_log()
    held = Held(log, 2)
    receive(log, *"ab")
    held.stream.close()
    assert held.told == [True, False]
    receive(log, *"cd")
    assert held.told == [True, False]
    assert len(held.stream) == 2
    assert [message.data for message in held.stream] == ["a", "b"]
    assert held.stream.receive() == (None, False)


def test_after_stop_holding_it_never_is_full_and_counts_what_nobody_took() -> None:
    log = new_log()
    held = Held(log, 2)
    receive(log, *"ab")
    held.stream.stop_holding(3)
    assert not held.stream.full
    receive(log, "c")
    receive(log, "d")
    receive(log, "e", "f")
    assert held.told == [True]
    assert held.stream.missed == 3
    assert read(held.stream) == ["a", "b", "c"]
    receive(log, "g")
    assert read(held.stream) == ["g"]


def test_stop_holding_leaves_at_least_the_capacity() -> None:
    log = new_log()
    held = Held(log, 3)
    held.stream.stop_holding(1)
    for text in "abcd":
        receive(log, text)
    assert read(held.stream) == ["a", "b", "c"]
    assert held.stream.missed == 1


def test_it_can_only_be_received_from() -> None:
    stream = Held(new_log()).stream
    with pytest.raises(InvalidError, match="only be received from") as caught:
        stream.send("x")
    assert "client.send" in caught.value.hint


def test_repr_tells_unread_and_capacity() -> None:
    log = new_log()
    stream = Held(log, 4).stream
    receive(log, *"abc")
    assert repr(stream) == "<Stream open, 3 of 4 waiting>"
