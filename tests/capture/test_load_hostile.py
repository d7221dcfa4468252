"""A capture may come from anywhere: whatever is in it, it is read right or refused in words, at once."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipyws.capture.har import reader
from ipyws.capture.load import load
from ipyws.capture.recording import RecordedLog
from ipyws.capture.redact import make_redact
from ipyws.core.connection.info import About
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control
from ipyws.errors import InvalidError

HEADER = b'{"ipyws": 1, "url": "wss://h/"}\n'
RECORD: dict[str, Any] = {"time": 5.0, "direction": "in", "type": "text", "data": "x"}
LINE = json.dumps(RECORD).encode() + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x"


def refusal(path: Path) -> str:
    with pytest.raises(InvalidError) as caught, load(path):
        pass
    text = str(caught.value)
    assert str(path) in text
    assert len(text) < 1000
    return text


def small_log() -> RecordedLog:
    log = RecordedLog(100, 1 << 20, Budget())
    log.describe = lambda: About("wss://h/x", "näme", 5.5, "chat", 101, "OK", (("A", "b\\"),))
    log.append("out", ['{"a": "ü\\"𝄞"}', b"\xff"], 10, moment=6.0)
    log.append("in", [Control(b"", code=1006, reason="é")], 0, type="close", moment=7.0)
    return log


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"ipyws":1}\n' * 11, "more than 10 connections"),
        (
            b'{"log":{"entries":[' + b'{"request":{"url":"ws:"},"_webSocketMessages":[]},' * 11 + b"]}}",
            "more than 10 connections",
        ),
        (b'{"ipyws":1,"url":"%s"}' % (b"u" * (1 << 20)), "longer than 1 MB"),
        (b'{"ipyws":1,"url":"ws:","headers":[%s["",""]]}' % (b'["",""],' * 1000), "up to 1,000 pairs"),
    ],
)
def test_what_is_said_of_connections_takes_a_bounded_part_of_memory(
    file: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
) -> None:
    monkeypatch.setattr("ipyws.capture.jsonl.jsonl._MOST_CONNECTIONS", 10)
    file.write_bytes(content)
    assert said in refusal(file)


def test_a_record_with_references_without_end_is_refused(file: Path) -> None:
    refs = [f"env.A{number}" for number in range(101)]
    file.write_bytes(HEADER + json.dumps({**RECORD, "refs": refs}).encode())
    assert "up to 100 references" in refusal(file)


def test_a_record_shows_nothing_that_acts_on_a_terminal(file: Path) -> None:
    for kind in ("open", "close", "ping"):
        acting = {**RECORD, "type": kind, "code": 1000, "reason": "\x1b]0;x\x07\u202e", "base64": "G1s="}
        file.write_bytes(HEADER + json.dumps(acting).encode())
        with load(file) as capture:
            assert repr(capture[0]).isprintable()


def test_json_lines_cut_at_any_byte_give_what_is_whole_and_say_so(file: Path) -> None:
    log = small_log()
    whole = log.save(file.with_suffix(".jsonl")).read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        try:
            with load(file) as capture:
                found, note = list(capture), capture.note
        except InvalidError:
            assert size < whole.index(b":") + 1  # nothing tells yet that it is ours
            continue
        assert found == list(log)[: len(found)]
        # A line that lacks its end alone is whole.
        lines = whole[:size].split(b"\n")
        torn = lines[-1] != b"" and lines[-1] != whole.split(b"\n")[len(lines) - 1]
        assert ("cut off" in note) == torn
        assert len(found) == max(0, len(lines) - (2 if torn or not lines[-1] else 1))


def test_a_har_cut_at_any_byte_is_refused(file: Path) -> None:
    whole = small_log().save(file.with_suffix(".har")).read_bytes().rstrip()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        refusal(file)


@pytest.mark.parametrize("suffix", [".jsonl", ".har"])
def test_a_capture_with_any_byte_changed_is_read_or_refused(file: Path, suffix: str) -> None:
    whole = small_log().save(file.with_suffix(suffix)).read_bytes()
    chance = random.Random(7)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] = chance.choice(b'\x00"\\{}[]:,\n9e-.tn\xff\xc3')
        file.write_bytes(changed)
        try:
            with load(file) as capture:
                list(capture)
                repr(capture)
        except InvalidError:
            pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n\t\n",
        b"\x00" * 5000,
        b"hello\n",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"log": ' * 100_000,
        b'{"log"',
        b'{"log": {"entries": [' + b'{"request": ' * 50_000,
        b'{"log": []}',
        b'{"log": {}}',
        b'{"log": {"entries": {}}}',
        b'{"log": {"entries": [1]}}',
        b'{"log": {"entries": [{}, ]}}',
        b'{"log": {"entries": [,]}}',
        b'{"log": {"entries": [{"_webSocketMessages": 5}]}}',
        b'{"log": {"entries": [{"_webSocketMessages": [5]}]}}',
        b'{"log": {"entries": [{"_webSocketMessages": []}]}}',
        b'{"log": {"entries": [{"_webSocketMessages": [], "request": {"url": 5}}]}}',
        b'{"log": {"entries": [{"_webSocketMessages": [], "request": {"url": "\xff"}}]}}',
        b'{"log": {"entries": [{"\xff": []}]}}',
        b'{"log": {"entries": [{5: []}]}}',
        gzip.compress(HEADER + LINE, mtime=0),
        (HEADER + LINE).decode().encode("utf-16"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    ],
)
def test_what_is_no_capture_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    refusal(file)


def test_a_compressed_capture_is_called_so(file: Path) -> None:
    file.write_bytes(gzip.compress(HEADER + LINE, mtime=0))
    assert "gunzip" in refusal(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": float("nan")}, '"time" is nan'),
        ({"time": float("inf")}, '"time" is inf'),
        ({"time": -1}, '"time" is -1'),
        ({"time": 1e18}, '"time" is 1e+18'),
        ({"time": 10**400}, '"time" is 1000'),
        ({"time": "5"}, "\"time\" is '5'"),
        ({"time": None}, '"time"'),
        ({"time": True}, '"time" is True'),
        ({"time": []}, '"time" is []'),
        ({"seq": -1}, '"seq" is -1'),
        ({"seq": 1.0}, '"seq" is 1.0'),
        ({"seq": 1 << 80}, '"seq" is'),
        ({"size": "1"}, '"size" is'),
        ({"direction": "up"}, "\"direction\" is 'up'"),
        ({"direction": ["in"]}, '"direction" is'),
        ({"type": "gossip"}, "\"type\" is 'gossip'"),
        ({"type": None}, '"type"'),
        ({"data": 5}, '"data" is 5'),
        ({"data": None}, '"data"'),
        ({"type": "binary"}, 'there is no "base64"'),
        ({"type": "binary", "base64": "%%%"}, '"base64" is'),
        ({"type": "binary", "base64": "é"}, '"base64" is'),
        ({"type": "binary", "base64": 5}, '"base64" is'),
        ({"type": "close"}, 'there is no "code"'),
        ({"type": "close", "code": 1 << 16}, '"code" is 65536'),
        ({"type": "close", "code": 1000, "reason": 5}, '"reason" is 5'),
        ({"type": "pong", "rtt": -1}, '"rtt" is -1'),
        ({"refs": "env.X"}, '"refs" is'),
        ({"refs": ["env.X}}{{__import__('os')"]}, '"refs" is'),
        ({"masked": 1}, '"masked" is 1'),
        ({"gap": "many"}, '"gap" is'),
        ({"ipyws": 2}, '"ipyws" is 2'),
        ({"ipyws": 1, "url": 5}, '"url" is 5'),
        ({"ipyws": 1, "url": "x", "headers": {"A": "b"}}, '"headers" is'),
        ({"ipyws": 1, "url": "x", "headers": [["A", "b", "c"]]}, '"headers" is'),
        ({"ipyws": 1, "url": "x", "headers": [["A", 1]]}, '"headers" is'),
        ({"ipyws": 1, "evicted": -5}, '"evicted" is -5'),
    ],
)
def test_a_wrong_value_is_refused_with_the_number_of_its_record(
    file: Path, changes: dict[str, Any], words: str
) -> None:
    line = json.dumps({**RECORD, **changes}).encode() + b"\n"
    file.write_bytes(HEADER + LINE + b"\n" + line)
    text = refusal(file)
    assert "record 2 (line 4): " in text
    assert words in text


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b'{"data": "\xc3"}',
        b"\x00" * 100,
        b"null",
        b"[]",
        b'"text"',
        b"{" * 5000,
        b'{"a":' * 200_000 + b"1",
        b"[" * 2_000_000,
        b'{"time": ' + b"9" * 5000 + b"}",
        b'{"time": 1e99999999, "type": "text", "direction": "in", "data": ""}',
    ],
)
def test_a_broken_line_in_the_middle_is_refused(file: Path, line: bytes) -> None:
    file.write_bytes(HEADER + line + b"\n" + LINE)
    assert "record 1 (line 2): " in refusal(file)


@pytest.mark.parametrize(
    "make",  # made where it is needed: each worker would make and keep what stands here
    [
        lambda: b"{" + b",".join(b'"%d": 1' % key for key in range(1_000_000)) + b"}",
        lambda: b'{"data": [' + b"[]," * 1_000_000 + b"[]]}",
    ],
    ids=["keys", "items"],
)
def test_a_line_that_would_take_far_more_memory_than_room_is_refused(
    file: Path, make: Callable[[], bytes]
) -> None:
    file.write_bytes(HEADER + LINE + make() + b"\n" + LINE)
    assert "record 2 (line 3): it holds too many values" in refusal(file)


def test_a_text_of_many_brackets_is_a_text(file: Path) -> None:
    data = '[]{}",\\' * 300_000
    file.write_bytes(HEADER + json.dumps({**RECORD, "data": data}).encode() + b"\n")
    with load(file) as capture:
        assert capture[0].data == data


def test_a_line_beyond_the_limit_is_refused(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write(HEADER)
        stream.truncate(200 << 20)  # a hole of NUL bytes, that takes no room on disk
    assert "longer than 192 MB" in refusal(file)


def test_of_a_key_that_stands_there_twice_the_last_counts(file: Path) -> None:
    file.write_bytes(HEADER + b'{"time": 1, "time": 2, "type": "text", "direction": "in", "data": "x"}\n')
    with load(file) as capture:
        assert capture[0].time == 2


def test_keys_that_nobody_knows_are_passed_over(file: Path) -> None:
    file.write_bytes(HEADER + json.dumps({**RECORD, "future": {"a": [1]}, "": None}).encode() + b"\n")
    with load(file) as capture:
        assert capture[0].data == "x"


@pytest.mark.parametrize("content", [HEADER + LINE, b'{"log": {"entries": [{"_webSocketMessages": [],'])
def test_a_mark_at_the_start_as_windows_writes_it_is_no_harm(file: Path, content: bytes) -> None:
    if b"log" in content:
        content += b'"request": {"url": "wss://h/"}}]}}'
    file.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    with load(file) as capture:
        assert capture.url == "wss://h/"
        assert len(list(capture)) == content.count(b"\n") // 2


def test_a_lone_surrogate_comes_through_and_is_saved_again(file: Path) -> None:
    file.write_bytes(
        HEADER + rb'{"time": 1, "type": "text", "direction": "in", "data": "\ud800 \udc00"}' + b"\n"
    )
    with load(file) as capture:
        again = capture.save(file.with_suffix(".har"))
    with load(again) as capture:
        assert capture[0].data == "\ud800 \udc00"


# -- no files ------------------------------------------------------------------------------------------


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    refusal(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="has no such devices")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_no_capture(device: str) -> None:
    assert "not a regular file" in refusal(Path(device))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_that_nobody_writes_to_is_refused_at_once(file: Path) -> None:
    os.mkfifo(file)
    assert "not a regular file" in refusal(file)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="has no such sockets")
def test_a_socket_is_no_capture(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(file))
        refusal(file)


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    assert "no such file" in refusal(file)


@pytest.mark.parametrize("path", [None, 5, b"bytes", "nul\0", ["x"]])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidError, match="path is"):
        load(path)


@pytest.mark.parametrize("change", [b"", b"x" * 500, (HEADER + LINE)[:-20]])
def test_a_file_that_changes_after_it_was_loaded_is_noticed(file: Path, change: bytes) -> None:
    file.write_bytes(HEADER + LINE)
    with load(file) as capture:
        with file.open("r+b") as stream:
            stream.truncate()
            stream.write(change)
        with pytest.raises(InvalidError, match="was changed since it was loaded"):
            list(capture)


# -- the scanner of HAR, at every place where a read may end -----------------------------------------


class Dribble(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, content: bytes, count: int) -> None:
        super().__init__(content)
        self._count = count

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._count)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 64])
def test_where_a_read_ends_makes_no_difference(tmp_path: Path, count: int) -> None:
    content = small_log().save(tmp_path / "x.har").read_bytes()
    content = content.replace(b'"cache": {}', b'"cache": {"a\\"": [-1.5e3, true, "\\\\", {}], "b": null}')
    at_once, slowly = io.BytesIO(), io.BytesIO()
    spans = reader.read(io.BytesIO(content), at_once)
    assert reader.read(Dribble(content, count), slowly)[0].about == spans[0].about
    assert slowly.getvalue() == at_once.getvalue() != b""


# -- redaction of what is no proper JSON -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"k": ',
        '{"k"',
        '{"k": "',
        '{"k": "a\\',
        '{"k": [',
        '{"k": {"a": "}',
        '"k":',
        '{"k": ]',
        '"',
        '"k" : \\"',
        '"\\',
        '{"a": "b\\',
        '{"a": "\\"\\',
    ],
)
def test_broken_json_is_redacted_without_an_error(text: str) -> None:
    redact = make_redact(["k"])
    assert redact is not None
    assert isinstance(redact(text), str)
