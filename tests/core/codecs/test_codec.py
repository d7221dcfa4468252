from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

import ipyws
from ipyws.core.codecs import registry
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.codecs.formats.raw import RAW
from ipyws.core.codecs.formats.text import TEXT
from ipyws.core.codecs.registry import find_codec
from ipyws.core.codecs.spelled import spelled
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
    with pytest.raises(InvalidError, match=r"there are .*auto, .*json, .*msgpack"):
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
        metadata.EntryPoint("mirrored", "tests.core.codecs.test_codec:Reversed", "ipyws.codecs"),
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


# -- msgpack -----------------------------------------------------------------------------------------

HOSTILE = {
    "empty": b"",
    "a list of which nothing is there": b"\xdd\xff\xff\xff\xff",
    "a mapping of which nothing is there": b"\xdf\xff\xff\xff\xff",
    "a text of which nothing is there": b"\xdb\xff\xff\xff\xff",
    "lists without end": b"\x91" * 100_000,
    "lists deeper than is looked": b"\x91" * 201 + b"\xc0",
    "mappings without end": b"\x81\xa1a" * 100_000,
    "something behind it": b"\xc0\xc0",
    "no UTF-8": b"\xa1\xff",
    "a mapping as a key": b"\x81\x80\x02",
    "no such type": b"\xc1",
    "no such time": b"\xd7\xff" + b"\xff" * 8,
    "JSON": b'{"a": 1}',
    "too much": b"\xc4\x01" * (9 << 20),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_msgpack_is_a_problem_and_never_an_exception(payload: bytes) -> None:
    bad = message(payload, find_codec("codec", "msgpack"))
    assert bad.value is None
    assert isinstance(bad.problem, InvalidError)
    assert bad.problem.message.startswith("not msgpack: ")
    assert len(bad.problem.message) < 300
    with pytest.raises(InvalidError, match="binary message 3 is not msgpack"):
        bad.json()


@pytest.mark.parametrize(
    "value",
    [{"id": 1, "b": b"\x00\xff"}, [1, [2.5, None, True]], {1: {"a": "ü"}}, [2**64 - 1, -(2**63)]],
)
def test_msgpack_reads_what_it_writes(value: Any) -> None:
    codec = find_codec("codec", "msgpack")
    logged, wire = encode(value, codec=codec)
    assert logged is wire
    assert message(logged, codec).value == value == message(logged, codec).json()


def test_msgpack_writes_what_json_can_and_says_what_has_no_form() -> None:
    numpy = pytest.importorskip("numpy")
    codec = find_codec("codec", "msgpack")
    assert codec.decode(codec.encode({"a": numpy.arange(3), "b": numpy.float64(0.5)})) == {
        "a": [0, 1, 2],
        "b": 0.5,
    }
    with pytest.raises(InvalidError, match="object"):
        encode({"a": object()}, codec=codec)


def test_text_beside_msgpack_is_text_or_json() -> None:
    codec = find_codec("codec", "msgpack")
    assert message("hello", codec).value == "hello"
    assert message("[1]", codec).json() == [1]


def test_a_codec_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    with pytest.raises(InvalidError, match=r"needs msgspec.*pip install ipyws\[codecs\]"):
        ipyws.connect("ws://127.0.0.1:9/", codec="msgpack")


@pytest.fixture(scope="module")
def packed() -> Iterator[str]:
    """A server that answers MessagePack in MessagePack, and puts what nobody can read before it."""
    codec = find_codec("codec", "msgpack")

    def answer(connection: ServerConnection) -> None:
        for received in connection:
            if isinstance(received, bytes):
                asked = codec.decode(received)
                connection.send(b"\xc1")
                connection.send(codec.encode({**asked, "ok": True, "raw": b"\x01"}))

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join()


def test_an_exchange_in_msgpack(packed: str) -> None:
    with ipyws.connect(packed, codec="msgpack") as client:
        reply = client.request({"id": 1, "op": "x"})
        assert (reply.type, reply.value) == ("binary", {"id": 1, "op": "x", "ok": True, "raw": b"\x01"})
        client.send_all([{"id": 2}])
        assert client.expect({"id": 2}).json()["ok"] is True
        client.send({"id": 3})
        assert client.expect(lambda found: found.value["id"] == 3).value["id"] == 3
        assert [found.value for found in client.log if found.direction == "out"] == [
            {"id": 1, "op": "x"},
            {"id": 2},
            {"id": 3},
        ]
        client.send({"id": 4})
        with pytest.raises(ipyws.errors.WaitTimeoutError, match=r"no msgpack: .*invalid opcode"):
            client.expect({"id": 5}, "300ms")
