from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

import ipyws
from ipyws.core.codecs import registry
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.json import JSON
from ipyws.core.codecs.raw import RAW
from ipyws.core.codecs.registry import find_codec
from ipyws.core.codecs.spelled import spelled
from ipyws.core.codecs.text import TEXT
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import encode
from ipyws.errors import InvalidError
from ipyws.text import masking


class Reversed(Codec):
    """Text backwards."""

    name = "reversed"

    def decode(self, payload: Data) -> Any:
        assert isinstance(payload, str), "only texts"
        return payload[::-1]

    def encode(self, value: Any) -> Data:
        return str(value[0])[::-1]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Codec]:
    names = dict(registry.CODECS)
    monkeypatch.setattr(registry, "CODECS", names)
    return names


def message(data: Data, codec: Codec = AUTO) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 3, 0.0, codec=codec)


# -- auto --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "value", "form"),
    [
        ('{"a": [1]}', {"a": [1]}, "json"),
        (b'{"a": [1]}', {"a": [1]}, "json"),
        ('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}, "json"),
        ("null", None, "json"),
        ("hello", "hello", "text"),
        ("grüß\n".encode(), "grüß\n", "text"),
        (b"\x00\x01", b"\x00\x01", "raw"),
        (b"\xff", b"\xff", "raw"),
        (b"", b"", "raw"),
        ("{" * 100_000, "{" * 100_000, "text"),
    ],
)
def test_auto_says_what_a_payload_is(data: Data, value: object, form: str) -> None:
    decoded = message(data).read()
    assert (decoded.value, decoded.format, decoded.problem) == (value, form, None)
    assert message(data).value == value


def test_value_is_for_any_frame_json_only_for_what_is_json() -> None:
    assert message(b"[1]").json() == [1]
    with pytest.raises(InvalidError, match="text message 3 is not JSON: expecting value at line 1 column 1"):
        message("hello").json()
    with pytest.raises(InvalidError, match="binary message 3 is not JSON"):
        message(b"\x00").json()


@pytest.mark.parametrize("codec", [AUTO, JSON, TEXT, RAW])
def test_no_codec_of_ours_changes_what_is_sent(codec: Codec) -> None:
    assert encode("x", codec=codec) == ("x", b"x")
    assert encode(b"\x00", codec=codec) == (b"\x00", b"\x00")
    assert encode({"a": 1}, codec=codec) == ('{"a":1}', b'{"a":1}')


# -- json, text, raw ---------------------------------------------------------------------------------


def test_json_says_what_is_wrong() -> None:
    bad = message("{", JSON)
    assert bad.value is None
    assert isinstance(bad.problem, InvalidError)
    assert "not JSON: expecting property name" in bad.problem.message
    with pytest.raises(InvalidError, match="text message 3 is not JSON: expecting property name"):
        bad.json()


def test_text_and_raw_read_nothing_into_a_payload() -> None:
    assert message("[1]", TEXT).value == "[1]"
    assert message(b"[1]", TEXT).value == "[1]"
    assert message(b"[1]", RAW).value == b"[1]"
    assert message("[1]", RAW).json() == [1]  # who asks for JSON gets it
    assert "not text" in str(message(b"\xff", TEXT).problem)


# -- the registry ------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [AUTO, JSON, TEXT, RAW])
def test_a_codec_is_found_by_its_name(codec: Codec) -> None:
    assert find_codec("codec", codec.name) is codec
    assert find_codec("codec", codec) is codec


def test_what_was_meant_is_said(known: dict[str, Codec]) -> None:
    with pytest.raises(InvalidError, match="codec is 'jsno'; did you mean json"):
        find_codec("codec", "jsno")
    with pytest.raises(InvalidError, match="there are auto, json"):
        find_codec("codec", "nothing like it")


@pytest.mark.parametrize("value", [1, None, object(), Reversed, ["json"]])
def test_what_is_no_codec_is_refused(value: object) -> None:
    with pytest.raises(InvalidError, match="codec is of type"):
        find_codec("codec", value)


def test_a_registered_codec_reads_and_writes(known: dict[str, Codec]) -> None:
    ipyws.register_codec("reversed", Reversed())
    codec = find_codec("codec", "reversed")
    assert message("abc", codec).value == "cba"
    assert encode(["abc"], codec=codec) == ("cba", b"cba")
    assert "only texts" in str(message(b"abc", codec).problem)


@pytest.mark.parametrize("name", ["", "two words", "x" * 41, 1, "auto"])
def test_a_name_that_can_not_be_one_is_refused(name: Any, known: dict[str, Codec]) -> None:
    with pytest.raises(InvalidError):
        ipyws.register_codec(name, Reversed())


def test_an_object_with_the_methods_is_a_codec() -> None:
    class Upper:
        def decode(self, payload: Data) -> Any:
            return [payload]

        def encode(self, value: Any) -> Data:
            raise KeyError("no form")

    codec = find_codec("codec", Upper())
    assert message("a", codec).json() == ["a"]
    with pytest.raises(InvalidError, match="can't be written as Upper"):
        encode({}, codec=codec)


def test_a_codec_of_another_package_is_loaded_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, Codec]
) -> None:
    entries = [
        metadata.EntryPoint("mirrored", "tests.test_codecs:Reversed", "ipyws.codecs"),
        metadata.EntryPoint("broken", "tests.no_such_module:X", "ipyws.codecs"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    assert message("abc", find_codec("codec", "mirrored")).value == "cba"
    with pytest.raises(InvalidError, match="codec 'broken' can't be loaded"):
        find_codec("codec", "broken")
    with pytest.raises(InvalidError, match="did you mean mirrored"):
        find_codec("codec", "mirored")


def test_a_codec_that_is_not_there_is_said_before_anything_is_dialled() -> None:
    with pytest.raises(InvalidError, match="codec is 'yaml'"):
        ipyws.connect("ws://127.0.0.1:9/", codec="yaml")


# -- what is shown -----------------------------------------------------------------------------------


def test_values_are_spelled_as_json_and_bytes_in_hexadecimal() -> None:
    value = {"a": [1, 2.5, None, True], 7: b"\x00\xff", "e": {}, "l": []}
    assert spelled(value, 1000) == '{"a": [1, 2.5, null, true], 7: h\'00 ff\', "e": {}, "l": []}'
    assert spelled({"a": [1, 2]}, 1000, indented=True) == '{\n  "a": [\n    1,\n    2\n  ]\n}'


def test_spelling_is_bounded_and_masked() -> None:
    masking.remember("geheimnis-42", "env.X")
    assert "geheimnis" not in spelled(["geheimnis-42", b"geheimnis-42", {"geheimnis-42": 1}], 1000)
    assert len(spelled(list(range(10**6)), 100)) < 120
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert spelled(deep, 10**6)
