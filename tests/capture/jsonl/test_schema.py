"""A message as a line of JSON, and back."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from ipyws.capture.jsonl.schema import (
    Recorded,
    as_line,
    from_header,
    from_record,
    to_header,
    to_line,
    to_record,
)
from ipyws.capture.jsonl.values import parse_object
from ipyws.capture.redact import make_redact
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.registry import find_codec
from ipyws.core.connection.info import About
from ipyws.core.messages.message import Control, Message
from ipyws.errors import InvalidError


def back(message: Message) -> Recorded:
    return from_record(parse_object(to_line(message).encode()), 0)


MESSAGES: list[tuple[Message, dict[str, Any]]] = [
    (
        Message("text", "hi", "out", 0, 5.5),
        {"seq": 0, "time": 5.5, "direction": "out", "type": "text", "size": 2, "data": "hi"},
    ),
    (
        Message("binary", b"\xff\x00", "in", 7, 5.5),
        {"seq": 7, "time": 5.5, "direction": "in", "type": "binary", "size": 2, "base64": "/wA="},
    ),
    (
        Message("binary", b"", "in", 7, 5.5),
        {"seq": 7, "time": 5.5, "direction": "in", "type": "binary", "size": 0, "base64": ""},
    ),
    (
        Message("pong", b"", "in", 7, 5.5, Control(b"", rtt=0.25)),
        {"seq": 7, "time": 5.5, "direction": "in", "type": "pong", "size": 0, "rtt": 0.25},
    ),
    (
        Message("close", b"\x03\xe8bye", "in", 7, 5.5, Control(b"\x03\xe8bye", code=1000, reason="bye")),
        {
            "seq": 7,
            "time": 5.5,
            "direction": "in",
            "type": "close",
            "size": 5,
            "base64": "A+hieWU=",
            "code": 1000,
            "reason": "bye",
        },
    ),
    (
        Message("open", b"", "in", 7, 5.5, Control(b"", reason="again")),
        {"seq": 7, "time": 5.5, "direction": "in", "type": "open", "size": 0, "reason": "again"},
    ),
]


@pytest.mark.parametrize(("message", "record"), MESSAGES, ids=lambda value: getattr(value, "type", ""))
def test_a_record_has_the_keys_of_its_type(message: Message, record: dict[str, Any]) -> None:
    assert to_record(message) == record
    assert json.loads(to_line(message)) == record
    assert back(message) == message


@given(
    data=st.text() | st.binary() | st.text("a\ud800\udbff"),
    seq=st.integers(0, 1 << 53),
    time=st.floats(0, 250_000_000_000),
)
def test_every_payload_comes_back(data: str | bytes, seq: int, time: float) -> None:
    message = Message("text" if isinstance(data, str) else "binary", data, "in", seq, time)
    line = to_line(message)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert from_record(parse_object(line.encode()), 0) == message


def test_a_seq_that_is_not_said_is_the_place() -> None:
    assert from_record({"time": 1, "direction": "in", "type": "text", "data": ""}, 41).seq == 41


def test_a_header_says_what_is_known() -> None:
    about = About(
        "wss://h/", "n", 5.0, "chat", 101, "OK", (("A", "b"), ("A", "c")), (("X", "y"),), "pmd", "http://p"
    )
    header = json.loads(as_line(to_header(about, 3)))
    assert header["ipyws"] == 1
    assert header["headers"] == [["A", "b"], ["A", "c"]]
    assert from_header(header) == (about, 3)
    packed = from_header(json.loads(as_line(to_header(replace(about, codec="gzip+json")))))[0]
    assert packed is not None
    assert packed.codec == "gzip+json"
    assert to_header(None) == {"ipyws": 1}
    assert from_header({"ipyws": 1}) == (None, 0)


# -- redaction -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"password": "x"}', '{"password": "***"}'),
        ('{"PassWord" :  5, "a": 1.50}', '{"PassWord" :  "***", "a": 1.50}'),
        ('{"a": [{"password": {"b": ["}"]}}, 2]}', '{"a": [{"password": "***"}, 2]}'),
        ('{"password":null,"token":[1,[2]],"a":true}', '{"password":"***","token":"***","a":true}'),
        (r'{"p\u0061ssword": "x\"y"}', r'{"p\u0061ssword": "***"}'),
        ('{"a": "password", "b": ["password"]}', '{"a": "password", "b": ["password"]}'),
        ('42["login",{"password":"x"}]', '42["login",{"password":"***"}]'),
        ('{"password":1}\n{"password":2}', '{"password":"***"}\n{"password":"***"}'),
        (r'a["{\"password\":\"x\",\"b\":1}"]', r'a["{\"password\":\"***\",\"b\":1}"]'),
        ('{"password": "cut o', '{"password": "***"'),
        ('{"a": 1e400, "b": 00, "password": tru', '{"a": 1e400, "b": 00, "password": "***"'),
        ("password: x", "password: x"),
        ("", ""),
    ],
)
def test_the_values_of_a_key_become_stars_and_all_else_stays(text: str, redacted: str) -> None:
    redact = make_redact(["password", "Token"])
    assert redact is not None
    assert redact(text) == redacted
    record = to_record(Message("text", text, "out", 0, 0.0), redact)
    assert record["data"] == redacted
    assert record.get("masked", False) is (text != redacted)


@pytest.mark.parametrize("before", ['5" ', '"', 'a "b" "', '" {"a": "b"} ', '\\"', '"' * 7])
def test_no_stray_quotation_mark_hides_a_key(before: str) -> None:
    redact = make_redact("password")
    assert redact is not None
    text = before + '{"x": 1, "password": "hunter2", "y": "z"}'
    assert redact(text) == text.replace("hunter2", "***")


def redacted(data: bytes, codec: Codec = AUTO) -> bytes:
    record = to_record(Message("binary", data, "out", 0, 0.0, codec=codec), make_redact("password"))
    return base64.b64decode(record["base64"])


def test_json_in_binary_messages_is_redacted_and_other_bytes_are_not() -> None:
    assert redacted(b'{"password": "x", "a": 1}') == b'{"password": "***", "a": 1}'
    assert redacted(b'\xff\x00{"password": "x"}\xfe') == b'\xff\x00{"password": "***"}\xfe'
    assert redacted(bytes(range(256))) == bytes(range(256))


def test_what_a_codec_reads_is_redacted() -> None:
    value = {"user": {b"PASSWORD": [1, 2], "password": "hunter2"}, "a": [{"password": None}, "text"]}
    without = {"user": {b"PASSWORD": "***", "password": "***"}, "a": [{"password": "***"}, "text"]}
    assert redacted(msgpack.encode(value), find_codec("codec", "msgpack")) == msgpack.encode(without)
    harmless = msgpack.encode({"user": "password", "n": 2**63})
    assert redacted(harmless, find_codec("codec", "msgpack")) == harmless


def test_what_a_codec_can_not_write_again_is_left_out_whole() -> None:
    class Reader(Codec):
        name = "reader"

        def decode(self, payload: str | bytes) -> object:
            return {"password": payload}

        def encode(self, value: object) -> bytes:
            raise ValueError("only reads")

    assert redacted(b"hunter2", Reader()) == b"***"


class Packed(Codec):
    """JSON in base64, in a text message: nothing of it is there to be read."""

    name = "packed"

    def decode(self, payload: str | bytes) -> object:
        return json.loads(base64.b64decode(payload))

    def encode(self, value: object) -> str:
        return base64.b64encode(json.dumps(value).encode()).decode()


def test_what_is_packed_in_a_text_is_redacted() -> None:
    codec = Packed()
    message = Message("text", codec.encode({"password": "x", "a": 1}), "out", 0, 0.0, codec=codec)
    record = to_record(message, make_redact("password"))
    assert codec.decode(record["data"]) == {"password": "***", "a": 1}
    assert record["masked"]


def test_what_auto_has_inflated_is_redacted() -> None:
    written = redacted(gzip.compress(b'{"password": "x", "a": 1}'))
    assert json.loads(gzip.decompress(written)) == {"password": "***", "a": 1}


@pytest.mark.parametrize(
    "name", ["auto", "gzip+json", "zstd+msgpack", "deflate", "protobuf:{}:A", "gzip+protobuf:{}:A"]
)
def test_what_is_compressed_or_follows_a_schema_is_redacted(name: str, tmp_path: Path) -> None:
    schema = tmp_path / "a.proto"
    schema.write_text('syntax = "proto3"; message A { string password = 1; int32 n = 2; }')
    codec = find_codec("codec", name.format(schema))
    payload = find_codec("codec", "gzip+json").encode({"password": "x"}) if name == "auto" else None
    payload = payload or codec.encode({"password": "x", "n": 3})
    assert isinstance(payload, bytes)
    written = redacted(payload, codec)
    assert codec.read(written).value["password"] == "***"
    assert codec.read(written).format == codec.read(payload).format


def test_a_packet_is_left_out_whole_as_a_value_is_not_all_of_it() -> None:
    class Packets(Packed):
        def read(self, payload: str | bytes) -> Decoded:
            return Decoded(self.decode(payload), self.name, label="PUBLISH t")

    packet = Packed().encode({"password": "x"}).encode()
    assert redacted(packet, Packets()) == b"***"
    harmless = Packed().encode({"a": "x"}).encode()
    assert redacted(harmless, Packets()) == harmless


def test_no_keys_redact_nothing() -> None:
    assert make_redact([]) is None
    assert make_redact(iter(())) is None


@pytest.mark.parametrize("keys", [5, None, [5], [""], [b"x"], ["a", None]])
def test_what_is_no_key_is_refused(keys: Any) -> None:
    with pytest.raises(InvalidError, match="redact"):
        make_redact(keys)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "K", 'q"\\', "é"]), inner),
    )
)
def test_redaction_is_what_a_parser_would_do(value: Any) -> None:
    def starred(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "***" if key.casefold() == "k" else starred(item) for key, item in value.items()}
        return [starred(item) for item in value] if isinstance(value, list) else value

    redact = make_redact(["k"])
    assert redact is not None
    assert json.loads(redact(json.dumps(value))) == starred(value)
