from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.auto import AUTO
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import encode


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
@pytest.mark.parametrize(
    ("content", "value", "form"),
    [
        (b'{"a": [1]}', {"a": [1]}, "json"),
        ("grüß".encode(), "grüß", "text"),
        (b"\x00\x01", b"\x00\x01", "raw"),
    ],
)
def test_what_is_compressed_says_what_it_was(pack: Any, content: bytes, value: object, form: str) -> None:
    name = {gzip.compress: "gzip", zlib.compress: "zlib", zstandard.compress: "zstd"}[pack]
    decoded = AUTO.read(pack(content))
    assert (decoded.value, decoded.format) == (value, f"{name}+{form}")
    assert decoded.structured is (form == "json")


def test_layers_are_taken_off_and_counted() -> None:
    payload = b"[1]"
    for _ in range(3):
        payload = gzip.compress(payload)
    assert AUTO.read(payload).format == "gzip+gzip+gzip+json"
    assert AUTO.read(gzip.compress(payload)).format == "gzip+gzip+gzip+raw"


def test_json_of_a_compressed_message_is_its_value() -> None:
    message = Message("binary", gzip.compress(b'{"id": 7}'), "in", 3, 0.0)
    assert message.json() == {"id": 7} == message.value
    assert message.data.startswith(b"\x1f\x8b")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "payload",
    [
        gzip.compress(b"{}", mtime=0)[:-1],
        zlib.compress(b"{}")[:-1],
        zstandard.compress(b"{}")[:-1],
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd",
    ],
)
def test_what_only_begins_like_compression_is_bytes(payload: bytes) -> None:
    assert AUTO.read(payload) == (payload, "raw", False, None, "", False)


@pytest.mark.parametrize("text", ["x^2 + y^2", "(a)", "x"])
def test_text_that_begins_like_compression_is_text(text: str) -> None:
    assert AUTO.read(text.encode()).format == "text"


def test_json_may_be_200_levels_deep() -> None:
    for form, deepest in (("[{}]", "[" * 199 + "{}" + "]" * 199), ("text", "[" * 200 + "{}" + "]" * 200)):
        decoded = AUTO.read(deepest)
        assert decoded.format == ("text" if form == "text" else "json")
        assert AUTO.read(deepest.encode()).format == decoded.format


def test_many_containers_beside_each_other_are_not_deep() -> None:
    assert AUTO.read("[" + ",".join(["[]"] * 500) + "]").format == "json"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
def test_a_value_is_written_as_the_payload_was(pack: Any) -> None:
    payload = pack(b'{"token": "x"}')
    written = AUTO.rewrite(payload, {"token": "-"})
    assert AUTO.read(written).value == {"token": "-"}
    assert AUTO.read(written).format == AUTO.read(payload).format
    assert AUTO.rewrite('{"a": 1}', [1]) == "[1]"


def test_auto_changes_nothing_that_is_sent() -> None:
    payload = gzip.compress(b"{}")
    assert encode(payload) == (payload, payload)


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"x\x9c", b"x^"])
)
def test_hostile_bytes_are_always_something(payload: bytes, mark: bytes) -> None:
    decoded = AUTO.read(mark + payload)
    assert decoded.problem is None or "it inflates to more than" in decoded.problem.message
    assert decoded.format
    AUTO.preview(decoded.value)
    AUTO.detail(decoded.value)
