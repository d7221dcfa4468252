from __future__ import annotations

import pytest

from ipyws.core.codecs.registry import find_codec

RFC_7464 = '\x1e{"a": 1}\n\x1e[2]\n'  # as section 2.1 writes it
SIGNALR = '{"type":6}\x1e{"type":1}\x1e'


@pytest.mark.parametrize(
    ("name", "payload", "values"),
    [
        ("ndjson", '{"a": 1}\n[2]\n', [{"a": 1}, [2]]),
        ("ndjson", '{"a": 1}\r\n\r\n[2]', [{"a": 1}, [2]]),
        ("ndjson", '"\u2028"\n1', ["\u2028", 1]),
        ("ndjson", "", []),
        ("records", RFC_7464, [{"a": 1}, [2]]),
        ("records", SIGNALR, [{"type": 6}, {"type": 1}]),
        ("records", '{\n"a": 1}', [{"a": 1}]),
        ("records", "\x1e\x1e", []),
    ],
)
def test_each_value_is_read(name: str, payload: str, values: list[object]) -> None:
    codec = find_codec("codec", name)
    assert codec.read(payload).value == values
    assert codec.read(payload.encode()).value == values


def test_one_value_and_several_are_written() -> None:
    lines, records = find_codec("codec", "ndjson"), find_codec("codec", "records")
    assert lines.encode([{"a": "x\ny"}, 2]) == '{"a":"x\\ny"}\n2\n'
    assert records.encode({"protocol": "json", "version": 1}) == '{"protocol":"json","version":1}\x1e'
    assert records.from_json("[1, 2]") == "1\x1e2\x1e"


def test_which_one_is_wrong_is_said() -> None:
    problem = find_codec("codec", "ndjson").read("1\n{\n").problem
    assert "not ndjson: line 2 is no JSON: expecting property name" in str(problem)
    problem = find_codec("codec", "records").read("1\x1ehello\x1e").problem
    assert "not records: record 2 is no JSON: expecting value at line 1 column 1" in str(problem)
    assert "nested too deeply" in str(
        find_codec("codec", "ndjson").read("1\n" + "[" * 300 + "]" * 300).problem
    )
