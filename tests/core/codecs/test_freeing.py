"""Large values are given up as far as nobody holds them, and are not gone through for garbage."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from ipyws.core.codecs import freeing
from ipyws.core.codecs.formats import json_slices
from ipyws.core.codecs.formats.json_slices import LARGE, parse_json
from ipyws.core.codecs.freeing import free, keep, keeping, uncollected


class Thing:
    """Something of which can be told whether it is there."""


@pytest.fixture(autouse=True)
def _collecting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    assert gc.isenabled()
    monkeypatch.setattr(freeing, "_frozen", [])
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()
    if not frozen:
        gc.unfreeze()
    elif not gc.get_freeze_count():
        gc.freeze()  # as the suite has it


def wide(thing: Thing) -> Any:
    return [[thing] * 3 for _ in range(1000)]


def deep(thing: Thing) -> Any:
    value: Any = [thing, [thing]]
    for _ in range(10_000):
        value = [value, [[]]]
    return value


def keyed(thing: Thing) -> Any:
    return {str(number): {"a": {"b": [thing, [[thing]]]}} for number in range(1000)}


@pytest.mark.parametrize("make", [wide, deep, keyed])
def test_what_nobody_holds_is_given_up(make: Any) -> None:
    thing = Thing()
    is_there = weakref.ref(thing)
    values = [make(thing), "text", 1, [], make(thing)]
    del thing
    free(values)
    assert values == []
    assert is_there() is None


def test_what_somebody_holds_is_as_it_was() -> None:
    whole = [[1, [2]], {"a": [3, [4]]}]
    part = {"b": [5, {"c": [6]}]}
    root = [[part, [7, [8]]], whole]
    items = iter([9, [10, [11]]])
    values = [root, whole, [items]]
    del root
    free(values)
    assert whole == [[1, [2]], {"a": [3, [4]]}]
    assert part == {"b": [5, {"c": [6]}]}
    assert list(items) == [9, [10, [11]]]


def test_a_list_that_stands_twice_in_a_value_is_no_harm() -> None:
    twice = [[1], [2]]
    values = [[twice, twice]]
    free(values)
    assert twice == [[1], [2]]
    free([[twice, twice], twice])
    assert twice == [[1], [2]]


def test_what_was_made_is_not_young() -> None:
    gc.unfreeze()
    gc.set_threshold(0)  # nothing grows old by itself
    with uncollected():
        assert not gc.isenabled()
        made: list[Any] = [[] for _ in range(10_000)]
    assert gc.isenabled()
    assert not any(each is made for each in gc.get_objects(generation=0))


def test_garbage_is_looked_for_again_whatever_happens() -> None:
    def fail() -> None:
        with uncollected():
            assert not gc.isenabled()
            with uncollected():
                pass
            assert not gc.isenabled()
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert gc.isenabled()


def test_who_collects_no_garbage_still_does_not() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_what_somebody_froze_stays_so() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with uncollected():
        pass
    assert gc.get_freeze_count() > frozen // 2 > 0


def test_what_somebody_froze_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def counts() -> int:
        counted.append(1)
        return 7

    monkeypatch.setattr(gc, "get_freeze_count", counts)
    for _ in range(3):
        with uncollected():
            pass
    assert len(counted) == 1
    monkeypatch.undo()


def test_the_large_values_that_a_thread_parses_are_kept_if_it_says_so() -> None:
    text = f"[{'[],' * LARGE}[]]"
    parse_json(text)
    kept: list[Any] = []
    others: list[Any] = []
    with keeping(kept):
        parse_json("[1]")
        value = parse_json(text)
        with keeping(others):
            keep(1)
        elsewhere = Thread(target=parse_json, args=(text,))
        elsewhere.start()
        elsewhere.join()
        keep(2)
    keep(3)
    assert kept[0] is value
    assert (kept[1:], others) == ([2], [1])


@pytest.mark.parametrize("end", ["x]", "[1,[2]", "[]]]", "[]]x"])
def test_what_was_made_of_broken_json_is_held_by_nobody_when_it_is_freed(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, alone = [], [[1]]

    def frees(values: list[Any]) -> None:
        held.append(sys.getrefcount(values[0]) - sys.getrefcount(alone[0]))
        free(values)

    monkeypatch.setattr(json_slices, "free", frees)
    with pytest.raises(ValueError, match=r"line 1 column"):
        parse_json(f"[{'[],' * LARGE}{end}")
    assert held == [0]
