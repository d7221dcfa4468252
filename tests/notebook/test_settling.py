"""The outputs below the first of a view: settled rows in them are left alone, the oldest give way."""

from __future__ import annotations

from itertools import count

import pytest

from ipyws.capture.recording import RecordedLog
from ipyws.notebook import settling
from ipyws.notebook.settling import OUTPUTS, SETTLED_ROWS, Tail, Tails

EACH = 3
"""Messages that come between two drawings."""


@pytest.fixture(autouse=True)
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have rows settle, and outputs be old enough, at once."""
    for lasts in ("_SETTLES", "_KEPT", "_TOGETHER"):
        monkeypatch.setattr(settling, lasts, -1.0)


class Stream:
    """A view below whose first output a stream ticks."""

    def __init__(self) -> None:
        self.log = RecordedLog()
        self.tails = Tails(self.log, None)
        self.tails.put_together(rows=True)
        self._numbers = count()

    def tick(self, races: bool = False) -> Tail:
        """Have some messages come, and draw; return the output that ticks."""
        for _ in range(EACH):
            said = f"m{next(self._numbers)}" if not races else f'["m{next(self._numbers)}", 1, 2]'
            self.log.receive([said], len(said))
        drawn = self.tails.draw(0, self.log.total, noted=False, races=races)
        assert drawn is not None
        return drawn


def test_the_oldest_rows_give_way_and_all_others_stay_in_their_outputs() -> None:
    stream = Stream()
    before: dict[str, list[str]] = {}
    for _ in range(OUTPUTS - 1):
        tail = stream.tick()
        before[tail.handle.id] = [row.preview for row in tail.rows]
    tails = stream.tails
    shown = [row.preview for row in tails.shown]
    assert shown == [f"m{number}" for number in range(stream.log.total - len(shown), stream.log.total)]
    assert SETTLED_ROWS - EACH < len(shown) - EACH <= SETTLED_ROWS
    assert tails.place_of(tail) == len(before)
    given = tails.gap(0)
    assert given is not None
    line, last, hidden = given
    assert line.id == next(iter(before))
    assert last == len(before) - len(shown) // EACH
    assert hidden == stream.log.total - len(shown)
    assert tails.gap(0) is None  # said once
    emptied = [handle.id for handle in tails.left]
    assert emptied == list(before)[1:last]


def test_all_is_put_together_once_no_output_is_left_and_the_same_are_used_again() -> None:
    stream = Stream()
    used = [stream.tick().handle.id for _ in range(OUTPUTS)]
    assert len(set(used)) == OUTPUTS
    assert stream.tails.full
    assert stream.tick().handle.id == used[-1]  # it ticks there until then
    stream.tails.put_together(rows=True)
    assert not stream.tails.full
    assert sorted(handle.id for handle in stream.tails.all_emptied()) == sorted(used)
    assert [stream.tick().handle.id for _ in range(3)] == used[:3]
    assert stream.tails.gap(0) is None


def test_what_has_not_stood_for_a_while_does_not_give_way_and_what_comes_ticks_in_one_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "_KEPT", 3600.0)
    stream = Stream()
    used = [stream.tick().handle.id for _ in range(OUTPUTS)]
    assert len(set(used)) == SETTLED_ROWS // EACH + 1
    assert stream.tails.gap(0) is None
    assert not stream.tails.full
    monkeypatch.setattr(settling, "_KEPT", -1.0)
    assert stream.tick().handle.id not in used
    assert stream.tails.gap(0) is not None


def test_a_first_output_that_is_too_old_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_LONGEST", -1.0)
    stream = Stream()
    assert not stream.tails.full  # nothing stands below it
    stream.tick()
    assert stream.tails.full


def test_rows_that_race_by_are_left_alone_only_once_they_can_be_opened() -> None:
    stream = Stream()
    racing = stream.tick(races=True)
    assert [row.detail for row in racing.rows] == [""] * EACH
    calm = stream.tails.draw(0, stream.log.total, noted=False)  # nothing came
    assert calm is racing
    assert all(row.detail for row in calm.rows)
    assert stream.tails.draw(0, stream.log.total, noted=False) is None
    assert stream.tick() is not racing
