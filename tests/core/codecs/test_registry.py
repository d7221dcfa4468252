from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import ipyws
import ipyws.dialects
from ipyws.core.codecs import registry
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.registry import codec_names, find_codec, offer_codec, offer_wrapper, recorded_codec
from ipyws.errors import InvalidError

FOLDER = Path(__file__).resolve().parents[2] / "data" / "codecs"


class Shifted(Codec):
    """Each character of the codec within, moved by so many."""

    name = "shifted"

    def __init__(self, inner: Codec = AUTO, by: int = 1) -> None:
        self.inner = inner
        self.by = by

    def with_argument(self, argument: str, folder: Path) -> Codec:
        return Shifted(self.inner, int(argument))

    def around(self, inner: Codec) -> Codec:
        return Shifted(inner, self.by)

    def decode(self, payload: Data) -> Any:
        text = payload if isinstance(payload, str) else payload.decode()  # within another it is bytes
        return self.inner.decode("".join(chr(ord(each) - self.by) for each in text))

    def encode(self, value: Any) -> Data:
        text = self.inner.encode(value)
        assert isinstance(text, str)
        return "".join(chr(ord(each) + self.by) for each in text)


class Plain:
    """A codec of somebody who has not subclassed ours."""

    def __init__(self, inner: Any = None) -> None:
        self.inner = inner

    def around(self, inner: Any) -> Plain:
        return Plain(inner)

    def decode(self, payload: Data) -> Any:
        return [self.inner and self.inner.decode(payload)]

    def encode(self, value: Any) -> Data:
        data: Data = self.inner.encode(value)
        return data


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CODECS", "OFFERS", "WRAPS"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


# -- names -------------------------------------------------------------------------------------------


def test_each_codec_of_the_contract_is_there() -> None:
    wanted = {"auto", "json", "text", "raw", "msgpack", "cbor", "protobuf", "ndjson", "records"}
    wanted |= {"gzip+json", "deflate+json", "zstd+msgpack", "base64+json", "gzip+base64+zstd+deflate+cbor"}
    for name in wanted:
        assert find_codec("codec", name).name == name
    assert {"avro", "protobuf", "gzip"} <= set(codec_names())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gzp+json", "codec is 'gzp\\+json', and there is no codec 'gzp'; did you mean gzip"),
        ("gzip+jsno", "there is no codec 'jsno'; did you mean json"),
        ("gzip+", "codec is 'gzip\\+', which lacks a name"),
        ("+json", "which lacks a name"),
        ("json+gzip", "the codec json holds no other codec; it has to stand last"),
        ("gzip+gzip+gzip+gzip+gzip+json", "codec has 6 parts; at most 5 are allowed"),
        ("json:x", "the codec json takes nothing behind a colon"),
        ("gzip:9+json", "the codec gzip takes nothing behind a colon"),
        ("", "codec is '', which lacks a name"),
    ],
)
def test_what_is_wrong_with_a_name_is_said_before_anything_is_dialled(name: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        ipyws.connect("ws://127.0.0.1:9/", codec=name)


def test_what_stands_behind_a_colon_may_hold_anything(tmp_path: Path) -> None:
    file = tmp_path / "a+b:c.proto"
    file.write_text('syntax = "proto3"; message A { int32 n = 1; }')
    codec = find_codec("codec", f"gzip+protobuf:{file}:A")
    assert codec.read(codec.encode({"n": 3})).value == {"n": 3}


# -- codecs of others --------------------------------------------------------------------------------


def test_a_registered_codec_holds_others_is_held_and_takes_an_argument() -> None:
    ipyws.register_codec("shifted", Shifted())
    assert find_codec("codec", "shifted+ndjson").encode([1]) == "2\x0b"
    assert find_codec("codec", "base64+shifted").encode([1]) == "XDJe"
    assert find_codec("codec", "shifted:2").encode("a") == "$c$"
    codec = find_codec("codec", "gzip+shifted:3")
    assert codec.read(codec.encode({"a": 1})).value == {"a": 1}


def test_an_object_with_the_methods_holds_others_too() -> None:
    ipyws.register_codec("plain", Plain())  # type: ignore[arg-type]
    assert find_codec("codec", "plain+msgpack").read(b"\x01").value == [1]
    with pytest.raises(InvalidError, match="takes nothing behind a colon"):
        find_codec("codec", "plain:x")


def test_a_codec_is_loaded_once_it_is_used() -> None:
    loaded: list[str] = []

    def load() -> Codec:
        loaded.append("shifted")
        return Shifted()

    offer_codec("lazy", load)
    offer_wrapper("wrapped", Shifted)
    assert "lazy" in codec_names()
    assert loaded == []
    assert find_codec("codec", "lazy") is find_codec("codec", "lazy")
    assert loaded == ["shifted"]
    assert find_codec("codec", "wrapped+ndjson").encode([1]) == "2\x0b"
    assert find_codec("codec", "wrapped").encode([1]) == "\\2^"


@pytest.mark.parametrize("name", ["socketio", "signalr"])
def test_packets_of_dialects_have_codecs(name: str) -> None:
    assert recorded_codec(name).problem is None
    assert recorded_codec(f"{name}+msgpack").codec.read(b"\xff\xff").problem is not None


# -- captures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["auto", "gzip+json", "zstd+msgpack", "cbor", "records", "protobuf", "base64"]
)
def test_a_capture_has_the_codec_that_it_names(name: str) -> None:
    codec, problem = recorded_codec(name)
    assert (codec.name, problem) == (name, None)


def test_a_capture_opens_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(os, "open", lambda path, *_, **__: opened.append(path))
    monkeypatch.setattr("builtins.open", lambda path, *_, **__: opened.append(path))
    schema = f"{FOLDER}/market.proto"
    names = [
        f"protobuf:{schema}:market.Price",
        f"avro:{FOLDER}/price.avsc",
        f"gzip+protobuf:{schema}:market.Price",
    ]
    found = [
        recorded_codec(name) for name in [*names, f"gzip+avro:{FOLDER}/price.avsc", 'avro:{"type": "int"}']
    ]
    assert opened == []
    assert [each.codec.name for each in found] == ["protobuf", "auto", "gzip+protobuf", "auto", "auto"]
    assert all(each.problem is not None for each in found)
    assert found[0].codec.read(b"\x08\x05").value == {"1": 5}
    assert "is not read, for a capture may be anybody's" in str(found[0].problem)


@pytest.mark.parametrize("name", ["nope", "gzip+nope", "", "+" * 1000, "json+gzip", "a" * 100_000, "\0"])
def test_a_capture_that_names_no_codec_is_read_by_auto(name: str) -> None:
    codec, problem = recorded_codec(name)
    assert codec is AUTO
    assert problem is not None
    assert len(str(problem)) < 500


# -- connections -------------------------------------------------------------------------------------


def test_the_limit_of_a_connection_is_that_of_its_codec() -> None:
    from ipyws.core.options.table import check_options

    for name in ("auto", "gzip+json", "base64+gzip+json"):
        payload = find_codec(
            "codec", "base64+gzip+json" if name.startswith("base64") else "gzip+json"
        ).encode("x" * 5000)
        codec = check_options({"codec": name, "read_limit": 1000}).codec
        assert "it inflates to more than 1000 B" in str(codec.read(payload).problem)
        assert check_options({"codec": name}).codec.read(payload).value == "x" * 5000
    assert check_options({}).codec is AUTO
