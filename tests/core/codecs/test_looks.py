"""What a payload that is no JSON looks like is said wherever JSON was wanted."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import zlib
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.codecs.looks import looks_like
from ipyws.core.messages.message import Message
from ipyws.script.matching import make_predicate
from tests.support.servers import echo, server

VALUE = json.dumps({"price": 101.5, "symbols": ["BTC-USD"] * 40}).encode()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


BINARY = [
    (gzip.compress(VALUE, mtime=0), "it looks like gzip: it begins with 1f 8b"),
    (zlib.compress(VALUE, 9), "it looks like zlib: it begins with 78 da"),
    (zlib.compress(VALUE, 1), "it looks like zlib: it begins with 78 01"),
    (raw_deflate(VALUE), "it looks like deflate without a header"),
    (bytes.fromhex("28b52ffd 20 05 290000 68656c6c6f"), "it looks like zstd: it begins with 28 b5 2f fd"),
    (bz2.compress(VALUE), "it looks like bzip2"),
    (lzma.compress(VALUE), "it looks like xz"),
    (
        bytes.fromhex("82a7636f6d70616374c3a6736368656d6100"),
        "it looks like a map of msgpack: it begins with 82",
    ),
    (bytes.fromhex("de0010a7636f6d70616374c3"), "it looks like a map of msgpack"),
    (bytes.fromhex("930102c3"), "it looks like a list of msgpack"),
    (bytes.fromhex("a26161016162820203"), "it looks like a map of CBOR"),
    (bytes.fromhex("089601 1204 74657374"), "may be protobuf"),
    (b"\x00\x00\x00\x09" + b'{"a": 10}', "it looks like JSON behind a length of 4 bytes"),
    (b"\x00\x00\x00\x00\x09" + b'{"a": 10}', "it looks like JSON behind the 5 bytes of a gRPC message"),
    ("{}".encode("utf-16"), "it looks like UTF-16"),
    (b"\x89PNG\r\n\x1a\n\x00", "a PNG picture"),
    (b"\xee\x00\xff\x01", "it begins with ee 00 ff 01"),
]
TEXT = [
    ("", "it is empty"),
    (" \n\t", "it holds only white space"),
    ('{"protocol":"json","version":1}\x1e', "it ends in 0x1E"),
    ('{"type":6}\x1e{"type":6}\x1e', "it ends in 0x1E"),
    ('\x1e{"a":1}\n', "it begins with 0x1E"),
    ('\ufeff{"a":1}', "it begins with a byte order mark"),
    ("<!DOCTYPE html><html></html>", "it looks like HTML"),
    ('<?xml version="1.0"?><a/>', "it looks like XML"),
    ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "it looks like XML"),
    ('{"a":1}\n{"a":2}\n', "it looks like several JSON values, one on each line"),
    ('{"a":1}{"a":2}', "it looks like several JSON values in a row"),
    ('{"a":1} ok', "something stands behind its JSON"),
    ('{"a": [1, 2', "it begins like JSON and breaks off"),
    ('{"a": oops}', "it begins like JSON"),
    ("{'a': 1}", "it looks like a value of Python"),
    ("[None, 1]", "it looks like a value of Python"),
    ('42["news",{"a":1}]', "it looks like a packet of Socket.IO"),
    ('0{"sid":"x"}', "it looks like a packet of Socket.IO"),
    ('42/chat,12["a"]', "it looks like a packet of Socket.IO"),
    ("CONNECTED\nversion:1.2\n\n\x00", "it looks like a frame of STOMP"),
    ('a["x"]', "it looks like a frame of SockJS"),
    (base64.b64encode(VALUE).decode(), "it looks like JSON in base64"),
    (base64.b64encode(gzip.compress(VALUE, mtime=0)).decode(), "it looks like gzip in base64"),
    ("pong", "it is plain text"),
    ("[" * 100_000, "it begins like JSON"),
]


@pytest.mark.parametrize(("data", "said"), [*BINARY, *TEXT])
def test_a_payload_is_recognised_by_its_beginning_or_its_end(data: str | bytes, said: str) -> None:
    assert said in looks_like(data)


@pytest.mark.parametrize(("data", "said"), [pair for pair in TEXT if "STOMP" not in pair[1]])
def test_text_in_a_binary_message_is_recognised_too(data: str, said: str) -> None:
    assert said in looks_like(data.encode())


@pytest.mark.parametrize("size", [4096, 4097, 20_000, 5_000_000])
@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_a_character_at_the_place_where_looking_ends_is_no_binary(size: int, character: str) -> None:
    for shift in range(4):
        assert looks_like(("x" * shift + character * size).encode()) == "it is plain text"


@pytest.mark.parametrize("second", [0, 0x78, 0xFF])
def test_whatever_comes_something_is_said_in_one_line(second: int) -> None:
    for first in range(256):
        data = bytes([first, second])
        for payload in (data, data * 3000, data.decode("latin-1")):
            said = looks_like(payload)
            assert said, payload
            assert "\n" not in said, payload


def received(data: str | bytes) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 3, 0.0)


BROKEN = [(data[:-1], said) for data, said in BINARY[:3]]
"""What breaks off: all else of it is inflated before it is read."""


@pytest.mark.parametrize(("data", "said"), BROKEN + TEXT[:3])
def test_json_of_a_message_says_what_it_is_instead(data: Any, said: str) -> None:
    with pytest.raises(errors.InvalidError, match="message 3 is not JSON") as caught:
        received(data).json()
    assert said in caught.value.message


@pytest.mark.parametrize("expression", ['json["type"] == "tick"', "json.get('a')", "'a' in json"])
def test_an_expression_that_meets_no_json_says_what_came(expression: str) -> None:
    predicate = make_predicate(expression, {})
    assert not predicate(received(gzip.compress(b"{}")[:-1]))
    assert predicate.cause() == "the message has no JSON: it looks like gzip: it begins with 1f 8b"
    assert "failed" not in predicate.cause()
    assert not predicate(received("pong"))
    assert predicate.cause() == "the 2 messages have no JSON: of the last, it is plain text"
    assert not predicate(received('{"b": 1}'))
    assert "2 of 3 messages have no JSON: " in predicate.cause()


def test_what_can_be_read_in_the_error_anyway_is_not_told_unless_it_raised() -> None:
    predicate = make_predicate("json and json['a']", {})
    assert not predicate(received("pong"))
    assert "JSON" not in predicate.cause() + predicate.describe()
    assert not predicate(received(gzip.compress(b"{}")[:-1]))
    assert "it looks like gzip" in predicate.cause()


def test_an_expression_that_reads_no_json_says_nothing_of_it() -> None:
    predicate = make_predicate("msg.size > 1000", {})
    assert not predicate(received("pong"))
    assert "JSON" not in predicate.cause() + predicate.describe()


def test_an_error_of_the_expression_itself_is_still_told() -> None:
    predicate = make_predicate("json['absent'] == 1", {})
    assert not predicate(received("pong"))
    assert not predicate(received("{}"))
    failed = "the expression failed on 1 of 2 messages: KeyError: 'absent'"
    assert predicate.cause() == f"{failed}; 1 of 2 messages has no JSON: it is plain text"


@pytest.mark.parametrize(
    "wait",
    [
        lambda client: client.expect({"type": "tick"}, "500ms"),
        lambda client: client.expect(lambda message: message.json()["type"] == "tick", "500ms"),
        lambda client: client.request({"id": 1}, {"id": 1}, "500ms"),
        lambda client: client.request(b'\x1f\x8b{"id"', {"id": 1}, "500ms"),
    ],
)
def test_whoever_waits_for_json_is_told(wait: Any) -> None:
    async def compressing(peer: Any) -> None:
        async for _ in peer:
            await peer.send(gzip.compress(b"{}")[:-1])

    with server(compressing) as site, ipyws.connect(site.url) as client:
        client.send("go")
        with pytest.raises(errors.WaitTimeoutError, match="it looks like gzip: it begins with 1f 8b"):
            wait(client)


def test_a_mapping_finds_what_it_wants_in_a_list() -> None:
    with server(echo) as site, ipyws.connect(site.url) as client:
        client.send([{"T": "error"}])
        client.send([{"T": "success", "msg": "connected"}])
        assert client.expect({"T": "success"}, "10s").json()[0]["msg"] == "connected"
        asked = {"data": [{"id": 1}, {"id": 2}]}
        assert client.request(asked, {"data": {"id": 2}}, "10s").json() == asked


def test_an_id_in_a_list_is_no_reply_to_a_request_by_itself() -> None:
    async def pushing(peer: Any) -> None:
        async for text in peer:
            await peer.send('[{"id": 7, "price": 1}]')
            await peer.send(json.dumps({"id": json.loads(text)["id"], "ok": True}))

    with server(pushing) as site, ipyws.connect(site.url) as client:
        assert client.request({"id": 7}).json() == {"id": 7, "ok": True}
