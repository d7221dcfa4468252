from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipyws
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import find_codec
from ipyws.errors import InvalidError

SCHEMA = Path(__file__).resolve().parents[3] / "data" / "codecs" / "price.avsc"
PRICE = find_codec("codec", f"avro:{SCHEMA}")
VALUE = {
    "symbol": "BTC",
    "price": 1.5,
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "side": "SELL",
    "raw": b"\x00\xff",
    "sizes": [0.5],
}
LINKED = {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}


def inline(schema: Any) -> Codec:
    return find_codec("codec", f"avro:{json.dumps(schema)}")


def test_values_follow_the_schema() -> None:
    payload = PRICE.encode(VALUE)
    decoded = PRICE.read(payload)
    assert (decoded.value, decoded.format, decoded.problem) == (VALUE, "avro", None)
    codec = find_codec("codec", f"gzip+avro:{SCHEMA.read_text()}")
    assert codec.read(codec.encode(VALUE)).value == VALUE
    assert '"at": 2026-01-01T00:00:00+00:00' in PRICE.preview(VALUE)
    assert PRICE.read('{"op": "pong"}').value == {"op": "pong"}


def test_the_examples_of_the_standard_are_read() -> None:
    """Of the specification of Avro 1.11, "Binary encoding"."""
    for schema, digits, value in (
        ("long", "8001", 64),
        ("long", "7f", -64),
        ("string", "06666f6f", "foo"),
        (
            {
                "type": "record",
                "name": "test",
                "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}],
            },
            "3606666f6f",
            {"a": 27, "b": "foo"},
        ),
        ({"type": "array", "items": "long"}, "04063600", [3, 27]),
        (["null", "string"], "020261", "a"),
    ):
        assert inline(schema).read(bytes.fromhex(digits)).value == value


def test_what_names_the_schema_before_the_value_is_passed_over() -> None:
    payload = PRICE.encode(VALUE)
    assert isinstance(payload, bytes)
    assert PRICE.read(b"\x00\x00\x00\x00\x07" + payload).value == VALUE
    # Single-object encoding; the fingerprint is that of Apache's own tests (schema-tests.txt).
    fingerprint = (0x7275D51A3F395C8F).to_bytes(8, "little")
    assert inline("int").read(b"\xc3\x01" + fingerprint + b"\x0e").value == 7
    assert inline("long").read(b"\xc3\x01" + fingerprint + b"\x0e").problem is not None


@pytest.mark.parametrize(
    "value", [{"symbol": 1}, [], {"symbol": "x"}, {**VALUE, "side": "x"}, {**VALUE, "raw": object()}]
)
def test_what_does_not_follow_the_schema_is_not_written(value: Any) -> None:
    with pytest.raises(InvalidError, match="the payload can't be written by the schema of avro"):
        PRICE.encode(value)


def whole() -> bytes:
    payload = PRICE.encode(VALUE)
    assert isinstance(payload, bytes)
    return payload


@pytest.mark.parametrize(
    "payload", [b"", whole()[:-1], whole() + b"x", b"\xff" * 100_000, b"\xfe" * 9 + b"\x7f", b"Obj\x01"]
)
def test_what_does_not_follow_the_schema_is_a_problem(payload: bytes) -> None:
    begun = time.thread_time()
    assert "not avro: it does not follow the schema" in str(PRICE.read(payload).problem)
    assert time.thread_time() - begun < 0.5


def test_a_value_that_holds_itself_ends() -> None:
    assert inline(LINKED).read(b"\x02\x02\x00").value == {"n": {"n": {"n": None}}}
    for depth in (250, 10_000, 1_000_000):
        assert "nested too deeply" in str(inline(LINKED).read(b"\x02" * depth + b"\x00").problem)
    both = {
        "type": "record",
        "name": "a.A",
        "fields": [
            {
                "name": "b",
                "type": {
                    "type": "map",
                    "values": {
                        "type": "record",
                        "name": "B",
                        "fields": [{"name": "a", "type": {"type": "array", "items": "a.A"}}],
                    },
                },
            }
        ],
    }
    assert "nested too deeply" in str(inline(both).read(b"\x02\x00\x02" * 100_000).problem)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "null"},
        {"type": "record", "name": "E", "fields": []},
        {"type": "record", "name": "E", "fields": [{"name": "a", "type": "null"}]},
        {"type": "fixed", "name": "F", "size": 0},
    ],
)
def test_items_that_take_no_bytes_are_refused(items: Any) -> None:
    with pytest.raises(InvalidError, match="an array whose items take no bytes"):
        inline(
            {
                "type": "record",
                "name": "R",
                "fields": [{"name": "a", "type": {"type": "array", "items": items}}],
            }
        )
    assert inline({"type": "array", "items": ["null", "int"]}).read(b"\x04\x00\x02\x0e\x00").value == [
        None,
        7,
    ]


def test_decimals_are_exact_and_bounded() -> None:
    codec = inline({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})
    assert str(codec.read(b"\x04\x01\x00").value) == "2.56"
    assert "it is larger than 256 kB, and has decimals" in str(codec.read(b"\x00" * 300_000).problem)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("none.avsc", "the schema 'none.avsc' of the codec avro can't be read: no such file"),
        ('{"type": "nope"}', "is not an Avro schema: UnknownType"),
        ('{"type": ', "is no JSON: expecting value at line 1 column 10"),
        ("[" * 300 + "]" * 300, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        (f"{SCHEMA.parent}/market.proto", "market.proto' is no JSON: expecting value at line 1 column 1"),
    ],
)
def test_what_is_no_schema_is_said_before_anything_is_dialled(argument: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        ipyws.connect("ws://127.0.0.1:9/", codec=f"avro:{argument}")


def test_avro_needs_a_schema() -> None:
    with pytest.raises(InvalidError, match="the codec avro needs a schema; avro:FILE"):
        ipyws.connect("ws://127.0.0.1:9/", codec="zstd+avro")


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_are_a_problem(payload: bytes) -> None:
    for codec in (PRICE, inline(LINKED), inline({"type": "map", "values": ["null", "double", "bytes"]})):
        decoded = codec.read(payload)
        codec.preview(decoded.value)


def test_without_its_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(InvalidError, match=r"the codec avro needs fastavro.*pip install ipyws\[codecs\]"):
        find_codec("codec", f"avro:{SCHEMA}")
