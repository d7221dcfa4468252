"""Messages as a table of pandas."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from ipyws.capture.analysis.dataframe import to_frame
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control, Message
from ipyws.text import masking
from tests.support.missing import without

pandas = pytest.importorskip("pandas")

DTYPES = {
    "seq": "int64",
    "time": "datetime64[us, UTC]",
    "direction": "category",
    "type": "category",
    "size": "int64",
    "data": "object",
    "value": "object",
    "rtt": "float64",
    "code": "Int64",
    "reason": "object",
}


class Packets(Codec):
    """Packets that are called as they are."""

    name = "packets"

    def decode(self, payload: Data) -> Any:
        return payload

    def encode(self, value: Any) -> Data:
        raise NotImplementedError

    def read(self, payload: Data) -> Decoded:
        return Decoded(payload, self.name, label=str(payload))


def new_log(messages: int = 1_000_000) -> RecordedLog:
    return RecordedLog(messages, 1 << 40, Budget(1 << 40))


def conversation() -> RecordedLog:
    log = new_log(messages=7)
    log.append("in", ["evicted", "first"], 12, moment=1000.0)
    log.append("out", ["grüße", b"\xff\0"], 9, moment=1000.25)
    log.append("out", [Control(b"p")], 1, type="ping", moment=1000.5)
    log.append("in", [Control(b"p", rtt=0.125)], 1, type="pong", moment=1000.75)
    log.append("in", ["last"], 4, moment=1001.0)
    log.append("in", [Control(b"", code=4000, reason="bye")], 0, type="close", moment=1001.5)
    return log


# A log is read batch by batch, all else message by message.
@pytest.fixture(params=[lambda log: log, list, iter], ids=["log", "list", "iterator"])
def view(request: pytest.FixtureRequest) -> Callable[[RecordedLog], Iterable[Message]]:
    chosen: Callable[[RecordedLog], Iterable[Message]] = request.param
    return chosen


def test_a_row_is_a_message(view: Any) -> None:
    table = to_frame(view(conversation()))
    assert list(table.seq) == [1, 2, 3, 4, 5, 6, 7]
    assert list(table.direction) == ["in", "out", "out", "out", "in", "in", "in"]
    assert list(table.type) == ["text", "text", "binary", "ping", "pong", "text", "close"]
    assert list(table["size"]) == [5, 7, 2, 1, 1, 4, 0]
    assert list(table["data"]) == ["first", "grüße", b"\xff\0", b"p", b"p", "last", b""]
    assert list(table.reason) == [""] * 6 + ["bye"]
    assert table.code.isna().tolist() == [True] * 6 + [False]
    assert table.code[6] == 4000
    assert table.rtt.isna().tolist() == [True] * 4 + [False] + [True] * 2
    assert table.rtt[4] == 0.125
    assert table.time[0] == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert table.time[1] - table.time[0] == pandas.Timedelta(milliseconds=250)


def test_columns_have_their_types(view: Any) -> None:
    assert {name: str(dtype) for name, dtype in to_frame(view(conversation())).dtypes.items()} == DTYPES


def test_a_table_of_nothing_has_the_same_columns() -> None:
    table = to_frame(new_log())
    assert len(table) == 0
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == DTYPES


def test_a_time_is_exact_to_the_microsecond_and_may_be_far_away() -> None:
    log = new_log()
    log.append("in", ["a"], 1, moment=1790000000.123457)
    log.append("in", ["b"], 1, moment=253402300799.0)
    times = to_frame(log).time
    assert times[0].isoformat() == "2026-09-21T14:13:20.123457+00:00"
    assert times[1].isoformat() == "9999-12-31T23:59:59+00:00"


def test_tables_of_several_connections_can_be_put_together() -> None:
    both = pandas.concat([to_frame(new_log()[:]), to_frame(conversation())])
    assert str(both.type.dtype) == "category"


def test_secrets_do_not_show_in_a_table(view: Any) -> None:
    masking.remember("word-of-the-table")
    log = new_log()
    log.append("out", ["plain", "say word-of-the-table", b"\xff word-of-the-table", b"\xff"], 0)
    log.append("in", [Control(b"", code=4000, reason="no word-of-the-table")], 0, type="close")
    table = to_frame(view(log))
    assert list(table["data"]) == ["plain", "say ***", b"\xff ***", b"\xff", b""]
    assert table.reason[4] == "no ***"
    assert "word-of" not in table.to_csv()
    assert table["size"][1] == len("say word-of-the-table")


def test_a_hundred_thousand_messages_take_well_under_a_second() -> None:
    log = new_log()
    for _ in range(1000):
        log.append("in", ['{"symbol": "BTC-USD", "value": 12.5}'] * 100, 3600)
    spent = []
    for _ in range(3):
        start = time.process_time()
        assert len(to_frame(log)) == 100_000
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5


@pytest.mark.parametrize("missing", ["pandas", "numpy"])
def test_without_pandas_one_line_says_what_to_install(missing: str) -> None:
    code = f"""
{without(missing)}
from ipyws.capture.analysis.dataframe import to_frame
from ipyws.errors import InvalidError
try:
    to_frame([])
except InvalidError as error:
    print(error)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == f"a table needs pandas: {missing} is not installed; pip install ipyws[frames]\n"


HOSTILE = "\x1b[31mred\x1b]0;owned\x07 $$x^2$$ \u202egpj\n\n![x](http://127.0.0.1:1/pixel)\n<img src=x>"


def shown_of_hostile() -> Any:
    log = new_log()
    for text in ("plain", HOSTILE):
        log.append("in", [text], len(text))
    return to_frame(log)


@pytest.mark.parametrize(
    "part",
    [
        lambda frame: frame,
        lambda frame: frame[frame["size"] > 5],
        lambda frame: frame.head(2).assign(more=frame["data"] + "!"),
        lambda frame: frame.sort_values("seq", ascending=False),
        lambda frame: frame.merge(frame, on="seq"),
        lambda frame: frame[["data"]].copy(),
        lambda frame: frame.set_index("time").T,
        lambda frame: frame["data"].to_frame(),
    ],
)
def test_no_message_acts_on_the_page_or_the_terminal_that_shows_a_table(part: Callable[[Any], Any]) -> None:
    with pandas.option_context(
        "display.max_colwidth", None, "display.width", 400, "display.max_columns", None
    ):
        frame = part(shown_of_hostile())
        html, text = frame._repr_html_(), repr(frame)
    assert r"\x1b[31m" in html
    assert r"\x1b[31m" in text
    for seen in (html, text):
        assert not any(char in seen for char in "\x1b\x07\u202e")
    assert "<img" not in html
    assert "tex2jax_ignore" in html
    assert "" not in [line.strip() for line in html.split("\n")]


def test_a_column_and_a_row_of_a_table_show_no_escape_either() -> None:
    frame = shown_of_hostile()
    for series in (frame["data"], frame.iloc[1], frame["data"].tail(1), frame.data.str.upper()):
        assert "\x1b" not in repr(series)


def test_a_table_that_is_pickled_is_one_of_pandas() -> None:
    frame = shown_of_hostile()
    opened = pickle.loads(pickle.dumps(frame))
    assert type(opened) is pandas.DataFrame
    assert opened.equals(pandas.DataFrame(frame))


def test_values_are_what_the_codec_reads(view: Any) -> None:
    log = RecordedLog(codec=MSGPACK)
    log.append("in", [MSGPACK.encode({"id": 1, "tags": [b"x"]}), b"\xc1", '{"a": 2}'], 0)
    log.append("in", [Control(b"p")], 1, type="ping")
    table = to_frame(view(log))
    assert list(table.value) == [{"id": 1, "tags": [b"x"]}, None, {"a": 2}, None]
    assert "label" not in table


def test_values_of_json_and_text_need_no_codec(view: Any) -> None:
    log = new_log()
    log.append("in", ['{"price": 1.5}', "hello", b"[1]", b"\xff"], 0)
    assert list(to_frame(view(log)).value) == [{"price": 1.5}, "hello", [1], b"\xff"]


def test_packets_of_a_dialect_have_their_names(view: Any) -> None:
    log = RecordedLog(codec=Packets())
    log.append("in", ["event news", "event chat"], 0)
    log.append("in", [Control(b"p")], 1, type="ping")
    table = to_frame(view(log))
    assert list(table.label) == ["event news", "event chat", ""]


def test_secrets_do_not_show_in_values(view: Any) -> None:
    masking.remember("word-of-the-value")
    log = RecordedLog(codec=MSGPACK)
    value = {"word-of-the-value": ["word-of-the-value", b"word-of-the-value", {"n": 1}]}
    log.append("in", [MSGPACK.encode(value), '["word-of-the-value"]'], 0)
    assert list(to_frame(view(log)).value) == [{"***": ["***", b"***", {"n": 1}]}, ["***"]]
