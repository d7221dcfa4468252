from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws.capture.named_codec import named_codec
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.msgpack import MSGPACK
from ipyws.core.codecs.registry import CODECS
from ipyws.core.connection.info import About


class Reader(Codec):
    """A codec that takes a file: what it was given is seen in `asked`."""

    name = "reader"

    def decode(self, payload: Data) -> Any:
        return [len(payload)]

    def encode(self, value: Any) -> Data:
        raise NotImplementedError


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    made = Reader()
    monkeypatch.setitem(CODECS, "reader", made)
    return made


@pytest.mark.parametrize("suffix", [".jsonl", ".har"])
def test_a_capture_gives_messages_the_codec_that_read_them(tmp_path: Path, suffix: str) -> None:
    log = RecordedLog(codec=MSGPACK)
    log.describe = lambda: About("wss://h/", codec=log.codec.name)
    log.append("in", [MSGPACK.encode({"id": 1})], 5)
    log.append("out", ["text"], 4)
    loaded = ipyws.load(log.save(tmp_path / f"session{suffix}"))
    assert loaded.about is not None
    assert loaded.about.codec == "msgpack"
    assert [message.value for message in loaded] == [{"id": 1}, "text"]
    assert [message.data for message in loaded] == [message.data for message in log]


def test_what_a_name_says_of_files_is_left_out(reader: Reader) -> None:
    assert named_codec("reader:/etc/passwd:Type") is reader


@pytest.mark.parametrize(
    "name", ["", "auto", "unknown", "../etc", "raw\n", "x" * 1000, "reader:/etc/passwd+\x00", "+", "a+b"]
)
def test_what_can_not_be_had_is_read_as_without_a_codec(name: str) -> None:
    assert named_codec(name) is AUTO


def test_a_codec_whose_library_is_missing_is_read_as_without(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> None:
        raise ipyws.errors.InvalidError("not installed")

    monkeypatch.setattr(reader, "check", check)
    assert named_codec("reader") is AUTO
