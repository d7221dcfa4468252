from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipyws
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import find_codec
from ipyws.errors import InvalidError
from tests.support.debian import find_program
from tests.support.servers import PATIENCE

FOLDER = Path(__file__).resolve().parents[3] / "data" / "codecs"
SOURCE = f"{FOLDER}/market.proto"
GUESSED = find_codec("codec", "protobuf")


@pytest.fixture(scope="module")
def price() -> Codec:
    return find_codec("codec", f"protobuf:{SOURCE}:market.Price")


def value_of(codec: Codec, payload: bytes) -> Any:
    decoded = codec.read(payload)
    assert decoded.problem is None
    assert decoded.format == "protobuf"
    return decoded.value


# -- schemas -----------------------------------------------------------------------------------------


def test_a_schema_is_compiled_without_protoc(price: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    codec = find_codec("codec", f"gzip+protobuf:{SOURCE}:market.Price")
    payload = codec.encode({"symbol": "BTC", "bids": [{"price": 1.5}]})
    assert codec.read(payload).value["bids"] == [{"price": 1.5, "size": 0.0}]
    assert codec.read(payload).format == "gzip+protobuf"
    assert codec.name == f"gzip+protobuf:{SOURCE}:market.Price"


@pytest.mark.debian("protoc")
@pytest.mark.parametrize("options", [["--include_imports"], []])
def test_a_descriptor_set_of_protoc_is_read(options: list[str], price: Codec, tmp_path: Path) -> None:
    protoc = find_program("protoc")
    assert protoc is not None
    target = tmp_path / "market.desc"
    command = [protoc, f"-I{FOLDER}", *options, f"--descriptor_set_out={target}", SOURCE]
    subprocess.run(command, check=True, timeout=PATIENCE)
    name = f"protobuf:{target}:market.Price"
    if not options:
        with pytest.raises(
            InvalidError, match=r"lacks 'common/side.proto', which 'market.proto' imports; protoc --inc"
        ):
            find_codec("codec", name)
        return
    payload = price.encode({"symbol": "BTC", "side": "SELL", "at": "2026-01-01T00:00:00Z"})
    assert isinstance(payload, bytes)
    assert value_of(find_codec("codec", name), payload) == value_of(price, payload)
    text = 'symbol: "BTC" id: 7 side: SELL bids { price: 2 }'
    command = [protoc, f"-I{FOLDER}", "--encode=market.Price", SOURCE]
    theirs = subprocess.run(
        command, input=text.encode(), capture_output=True, check=True, timeout=PATIENCE
    ).stdout
    assert price.encode({"symbol": "BTC", "id": 7, "side": "SELL", "bids": [{"price": 2}]}) == theirs


def test_an_import_of_the_library_needs_not_stand_in_a_set(tmp_path: Path) -> None:
    descriptors = pytest.importorskip("google.protobuf.descriptor_pb2")
    file = descriptors.FileDescriptorProto(
        name="a.proto", package="a", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    field = file.message_type.add(name="A").field.add(name="at", number=1, label=1, type=11)
    field.type_name = ".google.protobuf.Timestamp"
    (tmp_path / "a.desc").write_bytes(descriptors.FileDescriptorSet(file=[file]).SerializeToString())
    codec = find_codec("codec", f"protobuf:{tmp_path}/a.desc:a.A")
    assert codec.read(codec.encode({"at": "2026-01-01T00:00:00Z"})).value == {"at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'syntax = "proto3";\nmessage A { int32 a = ; }\n',
            r"a\.proto:2:23 can't be compiled: Expected field number",
        ),
        (
            'syntax = "proto3";\nmessage A { nope a = 1; }\n',
            r"a\.proto:2:13 can't be compiled: \"nope\" is not defined",
        ),
        ('import "none.proto";\n', "none.proto"),
        ("", "has no message type 'A'"),
        ("\0\1\2", "can't be compiled"),
    ],
)
def test_what_is_wrong_with_a_schema_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text(text)
    with pytest.raises(InvalidError, match=said) as caught:
        find_codec("codec", f"protobuf:{tmp_path}/a.proto:A")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        (f"{SOURCE}:market.Pric", "has no message type 'market.Pric'; did you mean market.Price"),
        (f"{SOURCE}:Nothing", "there are market.Level, market.Price"),
        (SOURCE, "names no type"),
        ("no.desc:A", "the schema 'no.desc' of the codec protobuf can't be read: no such file"),
        (f"{FOLDER}:A", "can't be read"),
        (f"{FOLDER}/price.avsc:A", "is not a descriptor set; protoc --include_imports"),
        ("\0:A", "can't be read"),
    ],
)
def test_what_names_no_type_is_refused_before_anything_is_dialled(argument: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        ipyws.connect("ws://127.0.0.1:9/", codec=f"protobuf:{argument}")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
def test_a_pipe_is_no_schema(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.desc")
    with pytest.raises(InvalidError, match="it is not a regular file"):
        find_codec("codec", f"protobuf:{tmp_path}/pipe.desc:A")


def test_a_schema_is_read_again_at_the_next_connect(tmp_path: Path) -> None:
    schema = tmp_path / "a.proto"
    name = f"protobuf:{schema}:A"
    schema.write_text('syntax = "proto3"; message A { int32 old = 1; }')
    first = find_codec("codec", name)
    schema.write_text('syntax = "proto3"; message A { int32 new = 1; }')
    assert first.read(b"\x08\x05").value == {"old": 5}
    assert find_codec("codec", name).read(b"\x08\x05").value == {"new": 5}


# -- values ------------------------------------------------------------------------------------------


def test_values_have_the_names_and_the_types_of_the_schema(price: Codec) -> None:
    payload = price.from_json('{"id": 1152921504606846976, "raw": "AP8=", "levels": {"5": {}}, "maybe": 0}')
    assert isinstance(payload, bytes)
    assert value_of(price, payload) == {
        "symbol": "",
        "id": 2**60,
        "side": "BUY",
        "raw": b"\x00\xff",
        "bids": [],
        "levels": {5: {"price": 0.0, "size": 0.0}},
        "maybe": 0,
    }
    assert value_of(price, b"\x18\x07")["side"] == 7  # of an enum whose values have grown
    assert value_of(price, b"")["symbol"] == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"symbl": "x"}, "has no field named"),
        ({"id": "x"}, "Failed to parse id field"),
        ({"side": "NEITHER"}, "Invalid enum value NEITHER"),
        ([1], "can't be made of list; a dict of its fields is allowed"),
        ({"bids": {"price": 1}}, "bids"),
        ({"symbol": object()}, "type object"),
    ],
)
def test_what_is_no_such_message_is_not_written(value: Any, said: str, price: Codec) -> None:
    with pytest.raises(InvalidError, match=said) as caught:
        price.encode(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"\xff", "it is no market.Price: wire format was corrupt"),
        (b"\x0a\x01\xff", "bad utf-8"),
        (b"\x98\x06\x01", "it has no field that market.Price has"),
        (b"\x0a\xff\xff\xff\xff\x0f", "it is no market.Price"),
        (b"\x5a\x00" * 5, None),
    ],
)
def test_what_is_no_such_message_is_a_problem(payload: bytes, said: str | None, price: Codec) -> None:
    problem = price.read(payload).problem
    assert (problem is None) if said is None else (said in str(problem))


def nested(depth: int, tag: bytes, core: bytes = b"") -> bytes:
    payload = core
    for _ in range(depth):
        size, length = len(payload), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        payload = tag + length + bytes([size]) + payload
    return payload


def test_messages_within_each_other_end(price: Codec) -> None:
    assert price.read(nested(20, b"\x5a")).problem is None
    assert price.read(nested(5000, b"\x5a")).problem is not None
    assert GUESSED.read(nested(100, b"\x0a", b"\x08\x01")).problem is None
    assert "nested too deeply" in str(GUESSED.read(nested(250, b"\x0a", b"\x08\x01")).problem)
    assert GUESSED.read(nested(20_000, b"\x0a", b"\x08\x01")).problem is not None


def test_messages_of_any_type_within_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text(
        'syntax = "proto3"; import "google/protobuf/any.proto";'
        "message A { google.protobuf.Any any = 1; int32 n = 2; }"
    )
    codec = find_codec("codec", f"protobuf:{tmp_path}/a.proto:A")
    value: dict[str, Any] = {"n": 1}
    for _ in range(4):
        value = {"any": {"@type": "type.googleapis.com/A", **value}, "n": 0}
    assert codec.read(codec.encode(value)).value == value
    payload = b""
    for _ in range(2000):
        within = b"\x0a\x05xyz/A" + nested(1, b"\x12", payload)
        payload = nested(1, b"\x0a", within)
    begun = time.thread_time()
    decoded = codec.read(payload)
    assert decoded.problem is None
    assert isinstance(str(decoded.value), str)
    assert time.thread_time() - begun < 0.5


# -- without a type ----------------------------------------------------------------------------------


def test_without_a_type_fields_have_numbers() -> None:
    # of the documentation of protobuf: 150 in field 1, "testing" in field 2, and a message in field 3
    payload = bytes.fromhex("089601 120774657374696e67 1a03089601")
    assert value_of(GUESSED, payload) == {"1": 150, "2": "testing", "3": {"1": 150}}


def test_without_a_type_nothing_is_written() -> None:
    with pytest.raises(
        InvalidError, match="protobuf can't be written without a type; protobuf:FILE:TYPE has one"
    ):
        GUESSED.encode({"1": 1})


@pytest.mark.parametrize(
    "payload",
    [b"\x08" + b"\xff" * 900_000, b"\x0a\xff\xff\x7f" + b"\xff" * 100_000, b"\x08\x01" * (1 << 20), b"\x0b"],
)
def test_guesses_are_bounded(payload: bytes) -> None:
    begun = time.thread_time()
    assert GUESSED.read(payload).problem is not None
    assert time.thread_time() - begun < 0.5


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_are_a_problem(payload: bytes) -> None:
    for codec in (GUESSED, _PRICE):
        decoded = codec.read(payload)
        codec.preview(decoded.value)
        assert decoded.problem is None or str(decoded.problem)


_PRICE = find_codec("codec", f"protobuf:{SOURCE}:market.Price")


# -- libraries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("blackboxprotobuf", "protobuf", "needs bbpb"),
        ("google.protobuf.message_factory", f"protobuf:{SOURCE}:market.Price", "needs protobuf"),
    ],
)
def test_without_its_library_it_says_how_to_get_it(
    module: str, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidError, match=rf"{said}, which is not installed; pip install ipyws\[codecs\]"):
        find_codec("codec", name)


def test_without_a_compiler_a_descriptor_set_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipyws.core.codecs.formats import protobuf_schema

    monkeypatch.setattr(protobuf_schema, "find_spec", lambda _: None)
    with pytest.raises(
        InvalidError, match=r"needs grpcio-tools.*pip install ipyws\[codecs\], or name a descriptor set"
    ):
        find_codec("codec", f"protobuf:{SOURCE}:market.Price")
