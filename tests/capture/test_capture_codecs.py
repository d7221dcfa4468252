from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.codecs.registry import CODECS
from ipyws.core.connection.info import About
from ipyws.errors import InvalidError


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


@pytest.mark.parametrize("suffix", [".jsonl", ".har", ".parquet"])
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


def capture(folder: Path, codec: str) -> Path:
    log = RecordedLog()
    log.describe = lambda: About("wss://h/", codec=codec)
    log.append("in", ['{"a": 1}'], 8)
    return log.save(folder / "session.jsonl", overwrite=True)


def test_a_schema_that_a_capture_names_is_not_read(tmp_path: Path, reader: Reader) -> None:
    loaded = ipyws.load(capture(tmp_path, "reader:/etc/passwd:Type"))
    assert loaded[0].codec is reader
    assert "schema" in loaded.note
    assert "passwd" in str(loaded.about and loaded.about.codec)


@pytest.mark.parametrize("name", ["", "unknown", "../etc", "raw\n", "x" * 1000, "reader:\x00", "+", "a+b"])
def test_what_can_not_be_had_is_read_as_without_a_codec(tmp_path: Path, name: str) -> None:
    loaded = ipyws.load(capture(tmp_path, name))
    assert loaded[0].value == {"a": 1}
    assert loaded.note


def test_a_codec_whose_library_is_missing_is_read_as_without(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> None:
        raise InvalidError("the codec reader needs what is not installed")

    monkeypatch.setattr(reader, "check", check)
    loaded = ipyws.load(capture(tmp_path, "reader"))
    assert loaded[0].value == {"a": 1}
    assert "not installed" in loaded.note


def test_whoever_loads_a_capture_may_name_the_codec(tmp_path: Path, reader: Reader) -> None:
    path = capture(tmp_path, "unknown")
    assert ipyws.load(path, codec="reader")[0].value == [8]
    assert ipyws.load(path, codec=reader).note == ""
    with pytest.raises(InvalidError, match="codec"):
        ipyws.load(path, codec="unknown")
