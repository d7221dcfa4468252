"""Curves stay bounded and keep their extremes; what has no number is counted."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.recording import RecordedLog
from ipyws.script.plotting import make_reader, split_by
from ipyws.view.curves import CURVES, LOOKED, STEPS, Curves


def came(log: RecordedLog, moment: float, *values: Any) -> None:
    payloads = [value if isinstance(value, str) else json.dumps(value) for value in values]
    log.append("in", payloads, sum(map(len, payloads)), moment=moment)


def curves_of(log: RecordedLog, expression: str = "json", last: float | None = None) -> Curves:
    value, by = split_by(expression)
    return Curves(log, make_reader(value, by, {}), last, "value")


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e9, 1e9)), min_size=1, max_size=400))
def test_extremes_and_the_last_value_survive_whatever_comes(points: list[tuple[float, float]]) -> None:
    log = RecordedLog()
    for moment, value in points:  # not in order: clocks are set back
        came(log, moment, value)
    curves = curves_of(log)
    curves.take()
    (curve,) = curves.curves.values()
    assert len(curve.steps) <= STEPS
    assert min(step.low for step in curve.steps) == min(value for _, value in points)
    assert max(step.high for step in curve.steps) == max(value for _, value in points)
    assert curve.steps[-1].last == points[-1][1]
    assert [step.number for step in curve.steps] == sorted({step.number for step in curve.steps})


def test_a_day_of_ticks_has_as_many_steps_as_a_screen_and_keeps_its_spike() -> None:
    log = RecordedLog(messages=1000)
    curves = curves_of(log)
    for tick in range(20_000):
        came(log, tick * 4.3, 1000 if tick == 7777 else 1)
        if tick % 500 == 0:
            curves.take()
    curves.take()
    (curve,) = curves.curves.values()
    assert STEPS / 2 <= len(curve.steps) <= STEPS
    assert max(step.high for step in curve.steps) == 1000
    assert (curve.count, curves.passed_over) == (20_000, 0)


def test_only_the_last_minute_is_kept_where_that_is_wanted() -> None:
    log = RecordedLog()
    curves = curves_of(log, last=60)
    for second in range(600):
        came(log, float(second), second)
    curves.take()
    (curve,) = curves.curves.values()
    assert curve.steps[-1].last == 599
    assert curve.steps[0].low in (538, 539)


def test_names_divide_curves_and_mappings_are_several() -> None:
    log = RecordedLog()
    came(log, 1.0, {"s": "BTC", "bid": "1.5", "ask": 2}, {"s": "ETH", "bid": 3, "ask": 4})
    curves = curves_of(log, '{"bid": json["bid"], "ask": json["ask"]} by json["s"]')
    curves.take()
    assert {name: curve.steps[-1].last for name, curve in curves.curves.items()} == {
        "BTC bid": 1.5,
        "BTC ask": 2,
        "ETH bid": 3,
        "ETH ask": 4,
    }


def test_what_has_no_number_is_counted_and_never_raises() -> None:
    log = RecordedLog()
    hostile = ["no json", "NaN", "1e999", "[]", "null", '"x"', "{}", "9" * 5000]
    came(log, 1.0, *hostile, 7)
    log.append("out", ["8"], 1)
    curves = curves_of(log)
    curves.take()
    assert [curve.steps[-1].last for curve in curves.curves.values()] == [7]
    assert curves.skipped == len(hostile)


def test_curves_beyond_the_eighth_are_counted_names_are_short_and_without_secrets() -> None:
    log = RecordedLog()
    came(log, 1.0, *({"k": f"{n}" + "x" * 100, "v": n} for n in range(CURVES + 3)))
    curves = curves_of(log, 'json["v"] by json["k"]')
    curves.take()
    assert (len(curves.curves), curves.left_out) == (CURVES, 3)
    assert all(len(curve.name) <= 40 for curve in curves.curves.values())


def test_of_a_flood_the_newest_are_looked_at_and_the_rest_is_counted() -> None:
    log = RecordedLog()
    came(log, 1.0, 0)
    curves = curves_of(log)
    curves.take()
    came(log, 2.0, *range(3 * LOOKED))
    curves.take()
    assert curves.passed_over == 2 * LOOKED
    (curve,) = curves.curves.values()
    assert curve.steps[-1].last == 3 * LOOKED - 1
