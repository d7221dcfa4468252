"""Messages as a table of Parquet: what other programs find in it, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import ipyws
from ipyws.capture.recording import Found
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Control, Direction, Message
from ipyws.core.options.credentials import remember_payload
from ipyws.errors import InvalidError
from ipyws.text.masking import remember

FIXED = {
    "seq": "int64",
    "time": "timestamp[us, tz=UTC]",
    "direction": "string",
    "type": "string",
    "size": "int64",
    "text": "string",
    "binary": "binary",
}


def message(data: Any, seq: int, direction: Direction = "in", **more: Any) -> Message:
    payload = data if isinstance(data, (str, bytes)) else json.dumps(data)
    return Message(
        "text" if isinstance(payload, str) else "binary", payload, direction, seq, 1e9 + seq / 8, **more
    )


def saved(tmp_path: Path, messages: list[Message], **more: Any) -> Path:
    return Found(messages, None).save(tmp_path / "feed.parquet", **more)


def typed(path: Path) -> dict[str, str]:
    return {field.name: str(field.type) for field in pq.read_schema(path)}


ALL = [
    message({"price": 1.5}, 0),
    message(b"\x00\xff", 1, "out"),
    Message("ping", b"a", "out", 2, 1e9),
    Message("pong", b"a", "in", 3, 1e9),
    Message("open", b"", "out", 4, 1e9, Control(b"", reason="again after 1s")),
    Message("breach", b"\xff", "in", 5, 1e9, Control(b"\xff", breach="it is not UTF-8")),
    Message("close", b"", "in", 6, 1e9, Control(b"", code=4001, reason="bye é")),
    Message("close", b"", "out", 7, 1e9, Control(b"", code=1005)),
    message("", 8),
]


def test_the_columns_that_every_file_has(tmp_path: Path) -> None:
    assert list(typed(saved(tmp_path, ALL)).items()) == list(FIXED.items())


def test_what_was_saved_is_loaded_as_it_was(tmp_path: Path) -> None:
    loaded = ipyws.load(saved(tmp_path, ALL))
    assert len(loaded) == len(ALL)
    for one, other in zip(loaded, ALL, strict=True):
        for name in ("seq", "time", "direction", "type", "data", "code", "reason", "breach"):
            assert getattr(one, name) == getattr(other, name), name
    assert loaded[-1].data == ""
    assert [each.seq for each in loaded[2:5]] == [2, 3, 4]
    with pytest.raises(IndexError):
        loaded[len(ALL)]


def test_a_close_frame_is_there_as_its_payload(tmp_path: Path) -> None:
    table = pq.read_table(saved(tmp_path, ALL)).to_pylist()
    assert table[6]["binary"] == (4001).to_bytes(2) + "bye é".encode()
    assert table[7]["binary"] == b""


def test_columns_are_taken_from_values_and_typed_by_them(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"p": 1, "q": 1, "s": "a", "ok": True, "mix": 1, "deep": {"list": [{"x": 1}]}, "big": 1 << 70},
        {"p": 2.5, "q": 2, "s": "b", "ok": False, "mix": "x", "deep": {"list": []}},
        {"other": None},
    ]
    columns = ["p", "q", "s", "ok", "mix", "deep.list[0].x", "deep", "big", "never"]
    path = saved(tmp_path, [message(row, seq) for seq, row in enumerate(rows)], columns=columns)
    kinds = dict(list(typed(path).items())[len(FIXED) :])
    expected = ["double", "int64", "string", "bool", "string", "int64", "string", "string", "string"]
    assert kinds == dict(zip(columns, expected, strict=True))
    first, second, third = pq.read_table(path, columns=columns).to_pylist()
    assert (first["p"], first["q"], first["ok"], first["deep.list[0].x"]) == (1.0, 1, True, 1)
    assert (first["mix"], second["mix"]) == ("1", '"x"')
    assert json.loads(first["deep"]) == {"list": [{"x": 1}]}
    assert json.loads(first["big"]) == 1 << 70
    assert set(third.values()) == {None}


def test_columns_are_those_of_what_the_codec_reads(tmp_path: Path) -> None:
    packed = message(MSGPACK.encode({"price": 7}), 0, codec=MSGPACK)
    path = saved(tmp_path, [packed], columns=["price"])
    assert duckdb.sql(f"select price, type from '{path}'").fetchall() == [(7, "binary")]


def test_another_program_filters_by_time_and_value(tmp_path: Path) -> None:
    path = saved(tmp_path, [message({"price": seq}, seq) for seq in range(1000)], columns=["price"])
    query = f"select max(price), count(*) from '{path}' where time < to_timestamp(1000000050) and price > 10"
    assert duckdb.sql(query).fetchall() == [(399, 389)]


def test_no_secret_gets_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember("s3cret-of-the-environment", "env.TOKEN")
    remember_payload({"token": "an0ther-secret"})
    messages = [
        message({"auth": "s3cret-of-the-environment"}, 0, "out"),
        message({"auth": "an0ther-secret"}, 1, "out"),
        message({"auth": "open"}, 2, "out"),
    ]
    path = saved(tmp_path, messages, columns=["auth"])
    held = path.read_bytes() + repr(pq.read_table(path).to_pylist()).encode()
    assert b"s3cret" not in held
    assert b"an0ther" not in held
    loaded = ipyws.load(path)
    assert [(each.refs, each.masked) for each in loaded] == [(("env.TOKEN",), False), ((), True), ((), False)]


def test_redacted_keys_are_redacted_in_columns_too(tmp_path: Path) -> None:
    path = saved(tmp_path, [message({"price": 5, "who": "me"}, 0)], redact=["who"], columns=["who", "price"])
    (row,) = pq.read_table(path).to_pylist()
    assert "me" not in json.loads(row["text"])["who"]
    assert row["who"] == json.loads(row["text"])["who"]
    assert row["price"] == 5


@pytest.mark.parametrize(
    ("name", "columns", "words"),
    [
        ("x.jsonl", ["price"], "x.jsonl has no columns"),
        ("x.parquet", ["seq"], "column seq is there anyway"),
        ("x.parquet", ["a..b"], "is not a path"),
        ("x.parquet", "price", "columns is 'price'"),
        ("x.csv", [], "has no suffix of a capture"),
    ],
)
def test_what_can_not_be_saved_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, columns: Any, words: str
) -> None:
    with pytest.raises(InvalidError, match=words):
        Found(ALL, None).save(tmp_path / name, columns=columns)
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "feed.parquet"
    duckdb.sql(f"copy (select 1 as a) to '{path}' (format parquet)")
    with pytest.raises(InvalidError, match="holds something else"):
        saved(tmp_path, ALL)
    saved(tmp_path, ALL, overwrite=True)
    saved(tmp_path, ALL[:1])
    assert len(ipyws.load(path)) == 1


def test_a_log_is_saved_while_messages_come(tmp_path: Path) -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url, name="echo") as client:
        client.send_all([{"n": number} for number in range(100)])
        client.expect({"n": 99})
        path = client.log.save(tmp_path / "log.parquet", columns=["n"])
        loaded = ipyws.load(path)
    assert (loaded.name, loaded.url) == ("echo", client.url)
    assert duckdb.sql(f"select direction, sum(n) from '{path}' group by all order by all").fetchall() == [
        ("in", 4950),
        ("out", 4950),
    ]
