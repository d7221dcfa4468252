from __future__ import annotations

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control
from ipyws.view.rows import Row
from ipyws.view.stretch import LOOKED, Stretch


def new_log(messages: int = 100_000) -> RecordedLog:
    return RecordedLog(messages, 1 << 20, Budget())


def receive(log: RecordedLog, *payloads: str) -> None:
    log.append("in", list(payloads), sum(map(len, payloads)))


def ping(log: RecordedLog, count: int = 1) -> None:
    for _ in range(count):
        log.append("in", [Control(b"")], 0, type="ping")


def kinds(rows: list[Row]) -> list[str]:
    return [row.kind for row in rows]


def test_rows_stand_for_all_that_passed() -> None:
    log = new_log()
    stretch = Stretch(log, 0, 10)
    for burst in (1, 3, 30, 5 * LOOKED, 2):
        receive(log, *map(str, range(burst)))
        ping(log, burst % 7)
        rows = stretch.rows(log.total)
        assert len(rows) <= 10
        assert sum(row.stands_for for row in rows) == log.total
    assert kinds(rows) == ["gap", *["text"] * 8, "heartbeats"]


def test_heartbeats_leave_what_was_shown_before_them() -> None:
    log = new_log()
    stretch = Stretch(log, 0, 10)
    receive(log, "first")
    for _ in range(30):
        ping(log, 10)
        rows = stretch.rows(log.total)
    assert [row.preview for row in rows] == ["first", "300 heartbeats"]


def test_what_the_next_view_shows_is_not_counted_twice() -> None:
    log = new_log()
    stretch = Stretch(log, 0, 10)
    receive(log, "a", "b")
    ping(log, 3)
    stretch.rows(log.total)
    stretch.stop = 3
    assert [row.preview for row in stretch.rows(log.total)] == ["a", "b", "1 heartbeat"]


def test_what_a_rule_answered_later_is_folded() -> None:
    log = new_log()
    stretch = Stretch(log, 0, 10)
    receive(log, "are you there?", "news")
    assert kinds(stretch.rows(log.total)) == ["text", "text"]
    log.mark(0, "reply")
    log.append("out", ["yes"], 3, mark="reply")
    assert [row.preview for row in stretch.rows(log.total)] == ["news", "2 heartbeats"]


def test_what_the_log_gave_up_is_counted() -> None:
    log = new_log(messages=4)
    stretch = Stretch(log, 0, 10)
    receive(log, "a", "b", "c", "d", "e", "f")
    gap, *others = stretch.rows(log.total)
    assert (gap.stands_for, gap.evicted, [row.preview for row in others]) == (2, 2, ["c", "d", "e", "f"])
    ping(log, 20)
    rows = stretch.rows(log.total)
    assert sum(row.stands_for for row in rows) == 26


def test_a_terminal_is_told_of_heartbeats_with_the_next_message() -> None:
    log = new_log()
    stretch = Stretch(log, 0, 50)
    receive(log, "a")
    assert kinds(stretch.new_rows(log.total, 20)) == ["text"]
    ping(log, 5)
    assert stretch.new_rows(log.total, 20) == []
    receive(log, "b")
    assert [row.preview for row in stretch.new_rows(log.total, 20)] == ["5 heartbeats", "b"]
    receive(log, *map(str, range(30)))
    rows = stretch.new_rows(log.total, 20)
    assert len(rows) == 21
    assert sum(row.stands_for for row in rows) == 30
