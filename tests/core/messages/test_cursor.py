from __future__ import annotations

import threading

from ipyws.core.messages.budget import Budget
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Control


def reading(messages: int = 1000) -> tuple[Log, Cursor]:
    log = Log(messages, 1 << 20, Budget())
    return log, Cursor(log)


def receive(log: Log, *texts: str) -> None:
    log.append("in", list(texts), sum(map(len, texts)))


def rest(cursor: Cursor) -> list[str | bytes]:
    return [message.data for message in iter(cursor.take, None)]


def test_it_passes_over_what_is_no_received_message() -> None:
    log, cursor = reading()
    receive(log, "a", "b")
    log.append("out", ["sent"], 4)
    log.append("in", [Control(b"ping")], 4, type="ping")
    receive(log, "c")
    assert cursor.unread == 3
    assert rest(cursor) == ["a", "b", "c"]
    assert (cursor.unread, cursor.missed) == (0, 0)
    assert cursor.take() is None


def test_it_goes_on_where_it_stopped() -> None:
    log, cursor = reading()
    receive(log, "a", "b")
    assert rest(cursor) == ["a", "b"]
    receive(log, "c")
    assert rest(cursor) == ["c"]


def test_what_was_evicted_unread_is_counted_exactly() -> None:
    log, cursor = reading(messages=3)
    receive(log, *"abc")
    first = cursor.take()
    receive(log, *"defgh")
    assert first is not None
    assert first.data == "a"
    assert (cursor.unread, cursor.missed) == (3, 4)
    assert rest(cursor) == ["f", "g", "h"]
    receive(log, *"ijkl")
    assert rest(cursor) == ["j", "k", "l"]
    assert cursor.missed == 5


def test_what_was_evicted_after_it_was_read_is_not_missed() -> None:
    log, cursor = reading(messages=2)
    for number in range(3000):
        receive(log, str(number))
        assert rest(cursor) == [str(number)]
    assert cursor.missed == 0


def test_sent_messages_that_push_received_ones_out_make_them_missed() -> None:
    log, cursor = reading(messages=2)
    receive(log, "a")
    log.append("out", ["x", "y"], 2)
    assert cursor.take() is None
    assert (cursor.unread, cursor.missed) == (0, 1)


def test_it_finds_its_place_after_thousands_of_batches() -> None:
    log, cursor = reading(messages=5)
    for number in range(3000):
        receive(log, str(number))
    assert rest(cursor) == [str(number) for number in range(2995, 3000)]
    assert cursor.missed == 2995


def test_skipping_moves_past_everything_unread_and_counts_it() -> None:
    log, cursor = reading()
    receive(log, *"abc")
    cursor.take()
    assert cursor.skip_all() == 2
    assert cursor.skip_all() == 0
    receive(log, "d")
    assert rest(cursor) == ["d"]
    assert cursor.missed == 0


def test_what_was_missed_is_not_skipped() -> None:
    log, cursor = reading(messages=2)
    receive(log, *"abcde")
    assert cursor.skip_all() == 2
    assert cursor.missed == 3


def test_two_cursors_do_not_steal_from_each_other() -> None:
    log, cursor = reading()
    other = Cursor(log)
    receive(log, *"ab")
    assert rest(cursor) == ["a", "b"]
    assert rest(other) == ["a", "b"]


def test_an_arrival_is_signalled_to_everyone_who_waits() -> None:
    log, cursor = reading()
    signals = [cursor.arrival(), cursor.arrival()]
    assert not any(signal.is_set() for signal in signals)
    receive(log, "a")
    assert all(signal.is_set() for signal in signals)


def test_a_signal_is_set_at_once_when_something_is_unread() -> None:
    log, cursor = reading()
    receive(log, "a")
    assert cursor.arrival().is_set()
    cursor.take()
    assert not cursor.arrival().is_set()


def test_only_received_messages_are_arrivals() -> None:
    log, cursor = reading()
    signal = cursor.arrival()
    log.append("out", ["x"], 1)
    log.append("in", [Control(b"")], 0, type="pong")
    assert not signal.is_set()


def test_a_forgotten_signal_stays_unset() -> None:
    log, cursor = reading()
    signal = cursor.arrival()
    cursor.forget(signal)
    cursor.forget(signal)
    receive(log, "a")
    assert not signal.is_set()


def test_waking_sets_all_signals_without_an_arrival() -> None:
    _, cursor = reading()
    signal = cursor.arrival()
    cursor.wake()
    assert signal.is_set()
    assert not cursor.arrival().is_set()


def test_readers_in_several_threads_get_each_message_once() -> None:
    log, cursor = reading(messages=100_000)
    taken: list[list[str | bytes]] = [[], [], []]
    done = threading.Event()

    def read(mine: list[str | bytes]) -> None:
        while not done.is_set() or cursor.unread:
            signal = cursor.arrival()
            if message := cursor.take():
                mine.append(message.data)
            elif not done.is_set():
                signal.wait(5)
            cursor.forget(signal)

    readers = [threading.Thread(target=read, args=(mine,)) for mine in taken]
    for reader in readers:
        reader.start()
    for number in range(3000):
        receive(log, f"{number}a", f"{number}b")
    done.set()
    cursor.wake()
    for reader in readers:
        reader.join(60)
    everything = [data for mine in taken for data in mine]
    assert len(everything) == len(set(everything)) == 6000
