"""A folder of captures is one capture, in the order of its messages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ipyws.capture.journal.folder import FolderCapture
from ipyws.capture.load import load
from ipyws.capture.recording import RecordedLog
from ipyws.core.connection.info import About
from ipyws.core.messages.budget import Budget
from ipyws.errors import InvalidError


def log_of(*texts: str, start: float = 0.0, url: str = "wss://h/x", codec: str = "auto") -> RecordedLog:
    log = RecordedLog(1000, 1 << 20, Budget())
    log.describe = lambda: About(url, "n", 5.0, codec=codec)
    for number, text in enumerate(texts):
        log.append("in", [text], len(text), moment=start + number)
    return log


def data(capture: object) -> list[object]:
    return [message.data for message in capture]  # type: ignore[attr-defined]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "captures"
    made.mkdir()
    return made


def test_lines_and_tables_are_read_in_the_order_of_their_messages(folder: Path) -> None:
    log_of("c", "d", start=20).save(folder / "a.jsonl")
    log_of("e", start=30).save(folder / "b.parquet")
    log_of("a", "b", start=10).save(folder / "z.parquet")
    log_of().save(folder / "empty.jsonl")
    (folder / "notes.txt").write_text("no capture")
    with load(folder) as capture:
        assert isinstance(capture, FolderCapture)
        assert data(capture) == list("abcde")
        assert [data([capture[place]]) for place in range(-5, 5)] == [[each] for each in "abcde" * 2]
        assert data(capture[1:4]) == list("bcd")
        assert data(capture[::-2]) == list("eca")
        assert data(capture.filter(grep="[bd]")) == ["b", "d"]
        assert (capture.url, capture.name, len(capture)) == ("wss://h/x", "n", 5)
        again = capture.save(folder.parent / "all.jsonl")
    with load(again) as one:
        assert data(one) == list("abcde")


def test_connections_of_different_urls_are_chosen_from(folder: Path) -> None:
    log_of("a").save(folder / "1.jsonl")
    log_of("b", "c", url="wss://other/").save(folder / "2.jsonl")
    log_of("d", start=9).save(folder / "3.jsonl")
    with pytest.raises(InvalidError) as caught:
        load(folder)
    assert "there are 2 connections in it" in str(caught.value)
    assert "connection=2 ('wss://other/', 2 messages)" in caught.value.hint
    for number, expected in ((1, ["a", "d"]), (2, ["b", "c"])):
        with load(folder, connection=number) as capture:
            assert data(capture) == expected
    for wrong in (0, 3, True, "1"):
        with pytest.raises(InvalidError, match="connection is"):
            load(folder, connection=wrong)  # type: ignore[arg-type]


def test_what_is_no_folder_of_captures_is_told(folder: Path) -> None:
    with pytest.raises(InvalidError, match="there is no capture in it"):
        load(folder)
    (folder / "x.jsonl").write_text("hello\n")
    with pytest.raises(InvalidError, match=r"x\.jsonl: it is not a capture"):
        load(folder)


def test_a_file_that_became_a_table_meanwhile_is_read_there_and_once(folder: Path) -> None:
    log = log_of("a", "b")
    lines = log.save(folder / "n-1.part.jsonl")
    with load(folder) as capture:
        log.save(folder / "n-1.parquet")
        with load(folder) as both:
            assert data(both) == ["a", "b"]
        lines.unlink()
        assert data(capture) == ["a", "b"]


def test_a_file_that_was_taken_away_or_changed_is_told(folder: Path) -> None:
    path = log_of("a").save(folder / "1.jsonl")
    with load(folder) as capture:
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(InvalidError, match=r"1\.jsonl was changed since it was loaded"):
            list(capture)
        path.unlink()
        with pytest.raises(InvalidError, match="can't be read"):
            list(capture)


def test_what_is_closed_says_so(folder: Path) -> None:
    log_of("a", "b").save(folder / "1.jsonl")
    capture = load(folder)
    reading = iter(capture)
    next(reading)
    capture.close()
    for read in (lambda: next(reading), lambda: list(capture)):
        with pytest.raises(InvalidError, match="capture captures is closed"):
            read()


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files by /proc")
def test_one_file_is_open_at_a_time(folder: Path) -> None:
    for number in range(50):
        log_of(str(number), start=number).save(folder / f"{number}.jsonl")
    with load(folder) as capture:
        before = len(os.listdir("/proc/self/fd"))
        for number, message in enumerate(capture):
            assert message.data == str(number)
            assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_notes_name_their_files_and_codecs_are_kept(folder: Path) -> None:
    path = log_of('{"a": 1}', codec="json").save(folder / "1.jsonl")
    path.write_bytes(path.read_bytes() + b'{"gap": 3}\n')
    with load(folder) as capture:
        assert capture.note == "1.jsonl: 3 messages of it are not in the file"
        assert capture.evicted == 3
        assert capture[0].codec.name == "json"
    with load(folder, codec="text") as capture:
        assert capture[0].codec.name == "text"
