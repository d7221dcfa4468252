"""What stays in a panel of a connection that was opened again."""

from __future__ import annotations

from typing import Any

from ipyws.widget.earlier import MOST, Earlier


class Dialled:
    """A connection, as far as it matters where it goes."""

    def __init__(self, target: str = "ws://here/") -> None:
        self.target = target


def test_those_before_one_that_is_shown_alone_are_in_front_of_it_the_last_three() -> None:
    earlier, opened = Earlier(), [Dialled() for _ in range(MOST + 3)]
    for each in opened:
        earlier.note({"a": each, "b": opened[0]})  # type: ignore[dict-item]
    now: Any = {"a": opened[-1]}
    before = earlier.before(now)
    assert list(before.values()) == opened[-MOST - 1 :]
    assert list(before)[-1] == "a"
    both: Any = {**now, "b": opened[0]}
    assert earlier.before(both) == both
    other: Any = {"b": opened[0]}
    assert earlier.before(other) == other


def test_names_of_those_before_stay_as_they_are() -> None:
    earlier, opened = Earlier(), [Dialled() for _ in range(3)]
    names = []
    for each in opened:
        now: Any = {"a": each}
        earlier.note(now)
        names.append([name for name, one in earlier.before(now).items() if one is opened[0]])
    assert names[1] == names[2] != ["a"] == names[0]


def test_one_that_leads_elsewhere_or_was_gone_meanwhile_has_none_before_it() -> None:
    earlier, there = Earlier(), Dialled("ws://there/")
    opened: list[Any] = [{"a": Dialled()}, {"a": Dialled()}, {"a": there}, {}, {"a": Dialled("ws://there/")}]
    counts = []
    for now in opened:
        earlier.note(now)
        counts.append(len(earlier.before(now)))
    assert counts == [1, 2, 1, 0, 1]
