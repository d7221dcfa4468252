"""Numbers of a connection: trends as k6 has them, counters, latencies by id."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.analysis.latency import latencies
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.connection.stats import Stats
from ipyws.core.connection.trend import Trend
from ipyws.core.messages.budget import Budget
from ipyws.errors import InvalidError

TIMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


def stats(**changes: Any) -> Stats:
    nothing: dict[str, Any] = dict.fromkeys(
        ("received", "sent", "bytes_received", "bytes_sent", "kept", "evicted", "missed"), 0
    )
    return Stats(**{**nothing, "connecting": 0.0, "duration": 0.0, "rtt": None, "rtts": (), **changes})


# -- trends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "milliseconds"),
    [(0, 10.0), (25, 20.0), (50, 30.0), (75, 40.0), (90, 46.0), (95, 48.0), (99, 49.6), (100, 50.0)],
)
def test_a_percentile_between_two_times_is_interpolated(percent: float, milliseconds: float) -> None:
    # k6's place in n sorted values is percent · (n - 1); of five, 90 % is 0.6 of the way from 40 to 50.
    trend = Trend([0.05, 0.01, 0.04, 0.02, 0.03])
    assert trend.percentile(percent) == pytest.approx(milliseconds)
    assert trend[f"p({percent})"] == trend.percentile(percent)


@given(TIMES)
def test_figures_agree_with_the_standard_library(times: list[float]) -> None:
    trend = Trend(times)
    thousandfold = [time * 1000 for time in times]
    assert trend.count == len(times)
    assert (trend.min, trend.max) == (min(thousandfold), max(thousandfold))
    assert trend.med == pytest.approx(statistics.median(thousandfold))
    assert trend.avg == pytest.approx(statistics.fmean(thousandfold))
    if len(times) > 1:
        cuts = statistics.quantiles(thousandfold, n=100, method="inclusive")
        figures = (trend.p90, trend.p95, trend.p99)
        assert figures == pytest.approx((cuts[89], cuts[94], cuts[98]))


@given(TIMES, st.floats(0, 100), st.floats(0, 100))
def test_a_higher_percentile_is_never_a_shorter_time(times: list[float], one: float, other: float) -> None:
    trend = Trend(times)
    low, high = trend.percentile(min(one, other)), trend.percentile(max(one, other))
    assert low <= high or low == pytest.approx(high)
    assert trend.min <= low or low == pytest.approx(trend.min)


def test_one_time_is_all_of_its_percentiles() -> None:
    trend = Trend([0.25])
    assert {trend.min, trend.med, trend.max, trend.avg, trend.p90, trend.p95, trend.p99} == {250.0}


def test_where_nothing_was_measured_nothing_is_claimed() -> None:
    trend = Trend()
    assert trend.count == 0
    assert all(math.isnan(trend[name]) for name in ("avg", "min", "med", "max", "p(90)", "p(95)"))
    assert not trend.p95 < 1e9
    assert repr(trend) == "nothing measured"


def test_a_trend_reads_like_a_line_of_k6() -> None:
    times = [0.0000005, 0.00025, 0.0012345, 1.5]
    assert (
        repr(Trend(times[1:3])) == "avg=742.25µs min=250µs med=742.25µs max=1.23ms p(90)=1.14ms p(95)=1.19ms"
    )
    assert repr(Trend([0.0000005])).startswith("avg=500ns ")
    assert repr(Trend([1.5])).startswith("avg=1.5s ")
    assert repr(Trend([90.0])).startswith("avg=1m30s ")


def test_figures_are_found_by_the_names_of_k6() -> None:
    trend = Trend([0.001, 0.003])
    assert (trend["count"], trend["avg"], trend["min"], trend["max"]) == (2, 2.0, 1.0, 3.0)
    assert trend["p(99.9)"] == pytest.approx(1 + 2 * 0.999)


@pytest.mark.parametrize("name", ["p95", "p(101)", "p()", "p(1e2)", "_sorted", "percentile", ""])
def test_a_figure_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(InvalidError, match=r"trend has no|percentile is") as caught:
        Trend([1.0])[name]
    assert "allowed" in caught.value.hint


@pytest.mark.parametrize("percent", [-0.1, 100.1, math.nan])
def test_a_percentile_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(InvalidError, match="percentile is"):
        Trend([1.0]).percentile(percent)


# -- stats -----------------------------------------------------------------------------------------


def test_the_metrics_of_k6_are_those_of_the_connection() -> None:
    seen = stats(received=5, sent=3, rtts=(0.01, 0.03), connects=(0.2, 0.4), sessions=(8.0, 2.0))
    assert (seen.ws_msgs_received, seen.ws_msgs_sent, seen.ws_sessions) == (5, 3, 2)
    assert seen.ws_ping.med == pytest.approx(20.0)
    assert seen.ws_connecting.max == pytest.approx(400.0)
    assert seen.ws_session_duration.avg == pytest.approx(5000.0)


def test_latency_is_looked_for_only_when_it_is_asked_for() -> None:
    asked = []
    log = talk(("out", {"id": 1}), ("in", {"id": 1}))

    def find() -> Iterator[Any]:
        asked.append(True)
        return latencies(log)

    seen = stats(find_latencies=find)
    repr(seen)
    assert asked == []
    assert seen.latency.count == 1
    assert asked == [True]


def test_the_summary_has_a_line_for_each_metric() -> None:
    log = talk(("out", {"id": 1}), ("in", {"id": 1}))
    seen = stats(
        received=1200, bytes_received=48_000, sent=2, bytes_sent=20, rtts=(0.0125,), connects=(0.25,),
        sessions=(10.0,), find_latencies=lambda: latencies(log),
    )  # fmt: skip
    assert seen.summary().splitlines() == [
        "data_received..........: 48,000 B  4,800.0 B/s",
        "data_sent..............: 20 B  2.0 B/s",
        "latency................: avg=1s min=1s med=1s max=1s p(90)=1s p(95)=1s",
        "ws_connecting..........: avg=250ms min=250ms med=250ms max=250ms p(90)=250ms p(95)=250ms",
        "ws_msgs_received.......: 1,200  120.0/s",
        "ws_msgs_sent...........: 2  0.2/s",
        "ws_ping................: avg=12.5ms min=12.5ms med=12.5ms max=12.5ms p(90)=12.5ms p(95)=12.5ms",
        "ws_session_duration....: avg=10s min=10s med=10s max=10s p(90)=10s p(95)=10s",
        "ws_sessions............: 1",
    ]


def test_the_summary_of_a_connection_that_never_opened_divides_by_nothing() -> None:
    lines = stats().summary().splitlines()
    assert "data_received..........: 0 B" in lines
    assert "ws_ping................: nothing measured" in lines
    assert not any("latency" in line or "/s" in line for line in lines)


def test_a_snapshot_shows_on_one_line_however_many_pings_there_were() -> None:
    seen = stats(received=1200, sent=3, bytes_received=10, rtt=0.0012344, rtts=(0.1,) * 1000, evicted=7)
    shown = repr(seen)
    assert shown == "<Stats: ↓ 1,200 (10 B), ↑ 3 (0 B), 0 kept, 7 evicted, open for 0s, rtt 1.23ms>"


# -- latencies -------------------------------------------------------------------------------------


def talk(*turns: tuple[Any, Any]) -> RecordedLog:
    """Return a log of messages a second apart; what is neither str nor bytes is sent as JSON."""
    log = RecordedLog(1000, 1 << 20, Budget())
    for moment, (direction, payload) in enumerate(turns):
        data = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        log.append(direction, [data], len(data), moment=float(moment))
    return log


def found(*turns: tuple[Any, Any]) -> list[tuple[Any, float]]:
    return [(latency.id, latency.seconds) for latency in latencies(talk(*turns))]


def test_the_reply_is_the_first_message_received_with_the_id_of_a_request() -> None:
    requests = [("out", {"id": 1}), ("out", {"id": "a"})]
    turns = [*requests, ("in", {"n": 1}), ("in", {"id": "a"}), ("in", {"id": 1}), ("in", {"id": 1})]
    assert found(*turns) == [("a", 2.0), (1, 4.0)]
    first = next(iter(latencies(talk(*turns))))
    assert (first.request.seq, first.reply.seq) == (1, 3)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ({"id": 1}, {"id": "1"}),
        ({"id": 1}, {"id": True}),
        ({"id": 1}, {"id": 1.0}),
        ({"id": None}, {"id": None}),
        ({"id": [1]}, {"id": [1]}),
        ({"a": {"id": 1}}, {"a": {"id": 1}}),
        ([{"id": 1}], [{"id": 1}]),
        ('{"id": 1', '{"id": 1'),
        ('"id"', '"id"'),
        (b'\x00{"id": 1}', b'\x00{"id": 1}'),
        ('{"id": 1}', "[" * 100_000 + '"id"'),
        ('{"id": 1}', '{"id": ' + "9" * 5000 + "}"),
    ],
)
def test_what_has_no_id_in_common_is_no_request_and_reply(request_: Any, reply: Any) -> None:
    assert found(("out", request_), ("in", reply)) == []


def test_json_in_binary_messages_is_request_and_reply_too() -> None:
    assert found(("out", b'{"id": 1}'), ("in", b'{"id": 1}')) == [(1, 1.0)]


def test_an_id_that_is_used_again_begins_again() -> None:
    turns = [("out", {"id": 1}), ("out", {"id": 1}), ("in", {"id": 1}), ("out", {"id": 1}), ("in", {"id": 1})]
    assert found(*turns) == [(1, 1.0), (1, 1.0)]


def test_a_message_received_before_the_request_is_no_reply() -> None:
    assert found(("in", {"id": 1}), ("out", {"id": 1})) == []


def test_a_clock_that_was_set_back_makes_no_reply_earlier_than_its_request() -> None:
    log = RecordedLog(10, 1 << 20, Budget())
    log.append("out", ['{"id": 1}'], 9, moment=100.0)
    log.append("in", ['{"id": 1}'], 9, moment=40.0)
    assert [latency.seconds for latency in latencies(log)] == [0.0]


def test_requests_and_replies_of_a_binary_format_are_paired() -> None:
    log = RecordedLog(codec=MSGPACK)
    log.append("out", [MSGPACK.encode({"id": 7, "do": "x"})], 0, moment=1.0)
    log.append("in", [MSGPACK.encode({"id": 8}), b"\xc1 no msgpack with an id"], 0, moment=2.0)
    log.append("in", [MSGPACK.encode({"id": 7})], 0, moment=3.5)
    assert [(found.id, found.seconds) for found in latencies(log)] == [(7, 2.5)]
