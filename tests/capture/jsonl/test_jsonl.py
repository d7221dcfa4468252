"""Captures as JSON lines: what is in the file, and what can be done with it once it is loaded."""

from __future__ import annotations

import errno
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyws.capture.capture import Capture
from ipyws.capture.load import load
from ipyws.capture.recording import Found, RecordedLog, Recording, Selection
from ipyws.core.connection.info import About
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError

ABOUT = About("wss://h/x", "n", 5.0)


def log_of(*texts: str, messages: int = 100_000) -> RecordedLog:
    log = RecordedLog(messages, 1 << 26, Budget())
    log.describe = lambda: ABOUT
    for number, text in enumerate(texts):
        log.append("in" if number % 2 else "out", [text], len(text), moment=10.0 + number)
    return log


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, *records: Any, end: str = "") -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + end, encoding="utf-8")
    return path


def record(data: str = "x") -> dict[str, Any]:
    return {"time": 5.0, "direction": "in", "type": "text", "data": data}


def header(url: str = "wss://h/", **more: Any) -> dict[str, Any]:
    return {"ipyws": 1, "url": url, **more}


def data(records: Any) -> list[Any]:
    return [message.data for message in records]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.jsonl"


# -- saving ----------------------------------------------------------------------------------------


def test_a_header_and_then_a_line_for_each_message(file: Path) -> None:
    assert log_of("a", "b").save(file) == file
    written = lines(file)
    assert written[0]["url"] == "wss://h/x"
    assert [(line["seq"], line["direction"], line["data"]) for line in written[1:]] == [
        (0, "out", "a"),
        (1, "in", "b"),
    ]


def test_what_a_log_had_evicted_is_said(file: Path) -> None:
    log = log_of(*"abcdefgh", messages=3)
    with load(log.save(file)) as capture:
        assert data(capture) == ["f", "g", "h"]
        assert capture.evicted == 5
        assert "5 messages of it are not in the file" in capture.note
        with load(capture.save(file.with_suffix(".har"))) as again:
            assert (again.evicted, data(again)) == (5, ["f", "g", "h"])


def test_a_log_that_goes_on_while_it_is_saved_loses_nothing_unsaid(file: Path) -> None:
    log = log_of(*map(str, range(2000)), messages=2000)
    ended = threading.Event()

    def go_on() -> None:
        number = 2000
        while not ended.is_set():
            log.append("in", [str(number)], 1)
            number += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        for _ in range(5):
            with load(log.save(file)) as capture:
                seqs = [message.seq for message in capture]
                assert seqs == list(range(capture.evicted, capture.evicted + 2000))
    finally:
        ended.set()
        thread.join()


def test_what_was_found_in_a_log_is_a_list_that_can_be_saved(file: Path) -> None:
    found = log_of("a", "b", "c").filter(direction="out")
    assert isinstance(found, list)
    assert isinstance(found, Recording)
    assert found[-1:] == [found[1]]
    with load(found.save(file)) as capture:
        assert list(capture) == found
        assert capture.about == ABOUT


OLDER = '{"ipyws": 1, "url": "ws://older/"}\n'


def test_an_older_file_is_replaced_and_its_mode_kept(file: Path) -> None:
    file.write_text(OLDER)
    file.chmod(0o640)
    log_of("a").save(file)
    assert len(lines(file)) == 2
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(file.parent) == ["x.jsonl"]


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text(OLDER)
    file.symlink_to("real.jsonl")
    log_of("a").save(file)
    assert file.is_symlink()
    assert len(lines(tmp_path / "real.jsonl")) == 2


@pytest.mark.parametrize("name", ["x.jsonl", "x.har"])
@pytest.mark.parametrize(
    "content", ["alias ls=rm\n", '{"log": {"version": "1.2", "creator": {"name": "b"}}}', "\n"]
)
def test_what_is_no_capture_of_ours_is_replaced_only_on_demand(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidError, match=r"holds something else .+; overwrite=True"):
        log_of("a").save(path)
    assert path.read_text() == content
    log_of("a").save(path, overwrite=True)
    log_of("b").save(path)
    with load(path) as capture:
        assert data(capture) == ["b"]


@pytest.mark.parametrize("made", [("x.jsonl", "x.har"), ("x.har", "x.jsonl")])
def test_a_capture_of_ours_in_the_other_form_is_replaced(tmp_path: Path, made: tuple[str, str]) -> None:
    log_of("a").save(tmp_path / made[0]).rename(tmp_path / made[1])
    log_of("b").save(tmp_path / made[1])
    with load(tmp_path / made[1]) as capture:
        assert data(capture) == ["b"]


def test_an_empty_file_may_be_filled(file: Path) -> None:
    file.touch()
    assert len(lines(log_of("a").save(file))) == 2


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("there", [None, "", OLDER, "mine\n"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, there: str | None, overwrite: bool) -> None:
    target, link = tmp_path / "home/.bashrc", tmp_path / "cloned/x.jsonl"
    for folder in (target.parent, link.parent):
        folder.mkdir()
    if there is not None:
        target.write_text(there)
    for way in (target, Path("../home/.bashrc"), tmp_path / "home" / "hop"):
        link.unlink(missing_ok=True)
        (tmp_path / "home" / "hop").unlink(missing_ok=True)
        (tmp_path / "home" / "hop").symlink_to(target)
        link.symlink_to(way)
        with pytest.raises(InvalidError, match=r"it is a link out of its folder, to .+; nothing was saved"):
            log_of("a").save(link, overwrite=overwrite)
        assert link.is_symlink()
    assert (target.read_text() if target.exists() else None) == there
    assert os.listdir(link.parent) == ["x.jsonl"]


def test_a_folder_that_is_reached_by_a_link_is_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to("disk")
    log_of("a").save(tmp_path / "data" / "x.jsonl")
    assert os.listdir(tmp_path / "disk") == ["x.jsonl"]


def test_other_names_of_a_file_keep_what_it_held(file: Path, tmp_path: Path) -> None:
    file.write_text(OLDER)
    os.link(file, tmp_path / "other")
    log_of("a").save(file)
    assert (tmp_path / "other").read_text() == OLDER
    assert len(lines(file)) == 2


def test_overwrite_is_true_or_false(file: Path) -> None:
    with pytest.raises(InvalidError, match="overwrite is 'yes'"):
        log_of("a").save(file, overwrite="yes")  # type: ignore[arg-type]


def test_a_capture_may_be_saved_over_itself(file: Path) -> None:
    with load(log_of("a", "b").save(file)) as capture:
        before = file.read_bytes()
        capture.save(file)
        assert file.read_bytes() == before
        assert data(capture) == ["a", "b"]


class Failing(Recording):
    about = None  # type: ignore[assignment]

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __iter__(self) -> Iterator[Message]:
        yield Message("text", "a", "in", 0, 1.0)
        raise self._error


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_when_saving_fails_midway_the_older_file_is_as_it_was(file: Path, error: BaseException) -> None:
    file.write_text(OLDER)
    with pytest.raises((InvalidError, KeyboardInterrupt)) as caught:
        Failing(error).save(file)
    if isinstance(error, OSError):
        assert "can't be written: no space left on device; nothing was saved" in str(caught.value)
    assert file.read_text() == OLDER
    assert os.listdir(file.parent) == ["x.jsonl"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no such device")
def test_a_full_disk_is_said_in_words(file: Path) -> None:
    # A limit on the size of files is the nearest thing to a full disk that needs no privileges.
    code = (
        "import resource, signal, sys\n"
        "from ipyws.capture.recording import RecordedLog\n"
        "from ipyws.core.messages.budget import Budget\n"
        "from ipyws.errors import InvalidError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "log = RecordedLog(10, 1 << 20, Budget())\n"
        "log.append('in', ['x' * 500_000], 500_000)\n"
        "try:\n    log.save(sys.argv[1])\n"
        "except InvalidError as error:\n    print(error)\n"
    )
    file.write_text(OLDER)
    run = [sys.executable, "-W", "error", "-c", code, str(file)]
    said = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "can't be written: file too large; nothing was saved" in said
    assert file.read_text() == OLDER
    assert os.listdir(file.parent) == ["x.jsonl"]


@pytest.mark.parametrize("name", ["x", "x.json", "x.jsonl.gz", ".har", "x.har ", "no/such/folder.har"])
def test_a_name_that_can_not_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidError):
        log_of("a").save(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", [None, 5, b"x.har", "nul\0.har"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidError, match="path is"):
        log_of("a").save(path)


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.har").mkdir()
    with pytest.raises(InvalidError, match="not a regular file"):
        log_of("a").save(tmp_path / "x.har")


def test_the_suffix_decides_in_whatever_case(tmp_path: Path) -> None:
    text = log_of("a").save(str(tmp_path / "X.HAR")).read_text()
    assert text.startswith('{"log"')


def test_values_of_keys_are_redacted(file: Path) -> None:
    log = log_of('{"password": "s3cret", "a": 1}', '{"PASSWORD": ["s3cret"]}', "password")
    with load(log.save(file, redact=["password"])) as capture:
        assert data(capture) == ['{"password": "***", "a": 1}', '{"PASSWORD": "***"}', "password"]
        assert [message.masked for message in capture] == [True, True, False]  # type: ignore[attr-defined]
    log.save(file.with_suffix(".har"), redact="password")
    assert "s3cret" not in file.with_suffix(".har").read_text()


# -- a capture as a sequence -----------------------------------------------------------------------


@pytest.fixture
def capture(file: Path) -> Iterator[Capture]:
    with load(log_of(*(f"{number}" * (number % 50) for number in range(1000))).save(file)) as loaded:
        yield loaded


def test_it_is_indexed_like_any_sequence(capture: Capture) -> None:
    plain = list(capture)
    assert len(capture) == len(plain) == 1000
    for index in (0, 1, 63, 64, 65, 500, 999, -1, -1000):
        assert capture[index] == plain[index]
    for part in (
        slice(None),
        slice(-10, None),
        slice(60, 70),
        slice(5, 2),
        slice(990, 5000),
        slice(8, 2, -3),
    ):
        assert capture[part] == plain[part]
    assert capture[7] in capture
    for index in (1000, -1001):
        with pytest.raises(IndexError, match="has 1000 messages"):
            capture[index]


def test_a_selection_is_lazy_and_can_be_gone_through_again(capture: Capture, file: Path) -> None:
    found = capture.filter(direction="out", grep="^42")
    assert isinstance(found, Selection)
    assert data(found) == ["42" * 42, "420" * 20, "422" * 22, "424" * 24, "426" * 26, "428" * 28]
    assert list(found) == list(found)
    assert found.about == capture.about
    assert len(list(found.filter(grep="^422"))) == 1
    with load(found.save(file.with_name("found.har"))) as again:
        assert list(again) == list(found)


def test_a_wrong_filter_is_refused_at_once(capture: Capture) -> None:
    with pytest.raises(InvalidError, match="regular expression"):
        capture.filter(grep="(")


def test_readers_do_not_disturb_each_other(capture: Capture) -> None:
    assert all(one == other for one, other in zip(capture, capture, strict=True))
    failed: list[BaseException] = []

    def read() -> None:
        try:
            assert [message.seq for message in capture] == list(range(1000))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_what_is_closed_says_so(capture: Capture) -> None:
    reading = iter(capture)
    next(reading)
    capture.close()
    capture.close()
    with pytest.raises(InvalidError, match=r"capture x\.jsonl is closed; ipyws\.load opens it again"):
        next(reading)
    assert len(capture) == 1000


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="can't count open files")
@pytest.mark.parametrize("suffix", [".jsonl", ".har"])
def test_a_capture_that_nobody_has_any_more_holds_no_file(file: Path, suffix: str) -> None:
    path = log_of("a").save(file.with_suffix(suffix))
    gc.collect()  # what other tests left open
    before = len(os.listdir("/proc/self/fd"))
    loaded = load(path)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del loaded
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_it_says_what_it_is(capture: Capture) -> None:
    assert repr(capture) == "<Capture x.jsonl of wss://h/x: 1,000 messages>"
    assert (capture.url, capture.name) == ("wss://h/x", "n")


def test_a_log_knows_no_connection_unless_told() -> None:
    assert RecordedLog(1, 1, Budget()).about is None
    assert Found([], None).about is None


# -- files with several connections, gaps and ends that were cut off ---------------------------------


def test_a_file_without_a_header_is_read_too(file: Path) -> None:
    with load(write(file, record("a"), record("b"))) as capture:
        assert data(capture) == ["a", "b"]
        assert [message.seq for message in capture] == [0, 1]
        assert (capture.about, capture.url, capture.name) == (None, "", "")


def test_each_header_begins_a_connection(file: Path) -> None:
    write(
        file, header("ws://a/"), record("1"), record("2"), header("ws://b/"), header("ws://c/"), record("3")
    )
    for number, texts in ((1, ["1", "2"]), (2, []), (3, ["3"])):
        with load(file, number) as capture:
            assert data(capture) == texts
    with pytest.raises(InvalidError, match="there are 3 connections in it") as caught:
        load(file)
    assert caught.value.hint == (
        "connection=1 ('ws://a/', 2 messages), connection=2 ('ws://b/', 0 messages), "
        "connection=3 ('ws://c/', 1 messages) are allowed"
    )


def test_of_many_connections_only_some_are_listed(file: Path) -> None:
    write(file, *(header(f"ws://h/{number}") for number in range(1000)))
    with pytest.raises(InvalidError) as caught:
        load(file)
    assert "and 990 more" in caught.value.hint


def test_gaps_are_counted_and_passed_over(file: Path) -> None:
    write(file, header(evicted=2), record("a"), {"gap": 3}, record("b"), {"gap": 4})
    with load(file) as capture:
        assert data(capture) == ["a", "b"]
        assert capture[1].data == "b"
        assert capture.evicted == 9
        assert capture.note == "9 messages of it are not in the file"


@pytest.mark.parametrize("tail", ['{"time": 5.0, "dir', "{", '{"data": "\x00', "\x00\x00\x00"])
def test_an_end_that_a_killed_process_left_is_counted(file: Path, tail: str) -> None:
    with load(write(file, header(), record("a"), end=tail)) as capture:
        assert data(capture) == ["a"]
        assert "1 records at its end were cut off and are left out" in capture.note


def test_a_broken_last_line_that_has_its_end_is_refused(file: Path) -> None:
    write(file, header(), record("a"), end='{"time": 5.0, "dir\n')
    with pytest.raises(InvalidError, match=r"record 2 \(line 3\): it is not JSON"):
        load(file)


def test_a_journal_that_goes_on_after_a_killed_process_is_read(file: Path) -> None:
    half = '{"time": 5.0, "dir'
    write(file, header(), record("a"), end=f"{half}\n{json.dumps(header())}\n{json.dumps(record('b'))}\n")
    with load(file, 1) as capture:
        assert data(capture) == ["a"]
        assert "1 records at its end were cut off" in capture.note
    with load(file) as capture:
        assert data(capture) == ["b"]
        assert capture.note == "the last of 2 connections to this URL"


def test_a_header_that_was_cut_off_after_a_record_was_is_no_harm(file: Path) -> None:
    write(file, header(), record("a"), end='{"time": 5.0, "dir\n{"ipyws": 1, "ur')
    with load(file) as capture:
        assert data(capture) == ["a"]
        assert "2 records at its end were cut off" in capture.note
