"""A recording in a folder: file after file of whole records, whatever becomes of disk and process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipyws
from ipyws.capture.journal.journal import Journal
from ipyws.capture.journal.rotation import RotatedFiles, Rotation
from ipyws.errors import InvalidError
from tests.capture.journal.test_journal import ABOUT, data_of, ended, new_log, receive
from tests.support.servers import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")

HEADER = b'{"ipyws": 1}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recorded"


@pytest.fixture
def echo() -> Iterator[str]:
    with ipyws.serve("echo") as site:
        yield site.url


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def recorded(folder: Path, *payloads: str, size: int = 1000, **more: Any) -> Journal:
    log = new_log()
    made = Journal(Rotation(folder, size, None, **more), log, lambda: ABOUT)
    made.start()
    receive(log, *payloads)
    return ended(made)


# -- where a file ends -----------------------------------------------------------------------------

LINES = st.lists(st.integers(1, 120).map(lambda length: b"x" * (length - 1) + b"\n"), max_size=20)


@settings(deadline=None)
@given(blocks=st.lists(LINES, max_size=5), size=st.integers(20, 300))
def test_no_record_is_lost_or_split_and_no_file_is_too_large(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[bytes]], size: int
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    with RotatedFiles(Rotation(folder, size, None), "feed") as made:
        made.begin(HEADER)
        for block in blocks:
            made.add(b"".join(block))
    written = [path.read_bytes() for path in files(folder)]
    assert all(content.startswith(HEADER) for content in written)
    records = [content.removeprefix(HEADER) for content in written]
    assert b"".join(records) == b"".join(line for block in blocks for line in block)
    assert made.lines == sum(map(len, blocks))
    for content, lines in zip(written, records, strict=True):
        assert not lines or lines.endswith(b"\n")
        assert len(content) <= size or lines.count(b"\n") == 1  # one that is larger is alone


def test_files_are_named_by_connection_and_time_and_are_one_capture_in_order(folder: Path, echo: str) -> None:
    with ipyws.connect(echo, name="feed:1", record=f"{folder}/", record_size=20_000) as client:
        client.send_all([{"n": number} for number in range(500)])
        client.expect({"n": 499})
    names = [path.name for path in files(folder)]
    assert len(names) > 2
    assert all(name.startswith("feed_1-") and name.endswith("Z.jsonl") for name in names)
    assert all(path.stat().st_size <= 20_000 for path in files(folder))
    with ipyws.load(folder) as capture:
        assert capture.url == f"{echo}/"
        assert [message.seq for message in capture] == list(range(len(client.log)))
        assert list(capture) == list(client.log)
        assert capture[250] == client.log[250]
        assert capture[-3:] == list(client.log)[-3:]
        assert capture.note == ""


def test_a_quiet_file_is_finished_when_its_time_is_over(folder: Path) -> None:
    log = new_log()
    made = Journal(Rotation(folder, 1000, 0.05), log, lambda: ABOUT)
    made.start()
    receive(log, "a")
    until(lambda: made.written == 1 and made.file is not None and made.file.current is None)
    receive(log, "b")
    ended(made)
    assert [data_of(path) for path in files(folder)] == [["header", "a"], ["header", "b"]]


def test_each_recording_has_files_of_its_own_and_all_of_them_are_one_capture(folder: Path) -> None:
    recorded(folder, "a", "b")
    before = {path: path.read_bytes() for path in files(folder)}
    recorded(folder, "c")
    assert {path: path.read_bytes() for path in files(folder) if path in before} == before
    with ipyws.load(folder) as capture:
        assert [message.data for message in capture] == ["a", "b", "c"]


def test_a_gap_is_told_in_the_file_that_it_belongs_to(folder: Path) -> None:
    log = new_log(messages=2)
    receive(log, "a", "b", "c")
    made = Journal(Rotation(folder, 1, None), log, lambda: ABOUT)
    made.start()
    ended(made)
    with ipyws.load(folder) as capture:
        assert [message.data for message in capture] == ["b", "c"]
        assert capture.evicted == 1
        assert "1 messages of it are not in the file" in capture.note


# -- what may go wrong -----------------------------------------------------------------------------

RECORD = """
import sys, ipyws
with ipyws.serve("echo") as site:
    client = ipyws.connect(site.url, name="feed", record=sys.argv[1], record_size=20_000)
    for number in range(10**9):
        client.send(str(number))
        if number % 50 == 0:
            client.request(f"here {number}")
            client.journal.flush()
            print(number, flush=True)
"""


def test_what_a_killed_process_leaves_is_read_and_recorded_on(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", RECORD, f"{folder}/"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while len(list(folder.iterdir()) if folder.exists() else ()) < 3:
            written = process.stdout.readline()
        process.kill()
    newest = files(folder)[-1]
    newest.write_bytes(newest.read_bytes() + b'{"seq": 99999, "time"')  # as a machine that lost its power
    sure = int(written)
    with ipyws.load(folder) as capture:
        sent = [message.data for message in capture if message.direction == "out" and message.data.isdigit()]
        assert sent[: sure + 1] == [str(number) for number in range(sure + 1)]
        assert f"{newest.name}: 1 records at its end were cut off" in capture.note
        before = len(capture)
    recorded(folder, "again", size=20_000)
    with ipyws.load(folder, connection=1) as capture:
        assert len(capture) == before


def test_a_disk_that_takes_no_more_ends_the_recording_in_words(folder: Path) -> None:
    code = f"""
import resource, signal
from pathlib import Path
from ipyws.capture.journal.journal import Journal
from ipyws.capture.journal.rotation import Rotation
from tests.capture.journal.test_journal import ABOUT, ended, new_log, receive
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
failures = []
log = new_log()
made = Journal(Rotation(Path({str(folder)!r}), 5000, None), log, lambda: ABOUT, failures.append)
made.start()
receive(log, *map(str, range(1000)))
ended(made)
assert made.written + made.lost == 1000 and made.written > 10, made
assert [str(made.error)] == [str(failure) for failure in failures]
print(made.error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"recording in {folder} stopped: file too large\n"
    with ipyws.load(folder) as capture:
        assert [message.data for message in capture] == [str(number) for number in range(len(capture))]
        assert "cut off" in capture.note


def test_secrets_are_masked_in_every_file(folder: Path, echo: str) -> None:
    token = ipyws.secret("s3cr3t-of-rotation")
    with ipyws.connect(f"{echo}/?token={token}", record=f"{folder}/", record_size=2000) as client:
        client.send_all([f"{number} {token}" for number in range(50)])
        client.request("last")
    written = [path.read_text() for path in files(folder)]
    assert len(written) > 3
    assert not any("s3cr3t" in content for content in written)
    assert all('"masked": true' in content for content in written)


def test_a_file_that_is_recorded_into_is_not_saved_over(folder: Path, echo: str) -> None:
    with ipyws.connect(echo, record=f"{folder}/") as client:
        client.request("x")
        assert client.journal is not None
        client.journal.flush()
        assert client.journal.file is not None
        current = client.journal.file.current
        assert current is not None
        with pytest.raises(InvalidError, match="is recorded in"):
            client.log.save(current)
        with ipyws.load(current) as capture:  # also what was not written yet
            assert [message.data for message in capture] == ["x", "x"]


@pytest.mark.parametrize("place", ["file", "missing/folder", "link"])
def test_a_folder_that_can_not_be_one_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / "file").write_text("x")
    (home / "link").symlink_to(elsewhere)
    monkeypatch.chdir(home)
    with pytest.raises(InvalidError) as caught:
        ipyws.connect("ws://127.0.0.1:1/", record=f"{place}/")
    assert place.partition("/")[0] in str(caught.value)
    assert sorted(path.name for path in home.iterdir()) == ["file", "link"]
    assert not any(elsewhere.iterdir())


def test_a_name_of_a_connection_is_no_path(folder: Path) -> None:
    with RotatedFiles(Rotation(folder, 1000, None), "../[::1]:80/\0" + "x" * 300) as made:
        made.begin(HEADER)
    (path,) = files(folder)
    assert path.parent == folder
    assert len(path.name) < 100
    assert json.loads(path.read_text()) == {"ipyws": 1}
    assert os.path.realpath(path) == str(path)


def test_limits_without_a_folder_are_refused() -> None:
    for limit in ({"record_size": 5}, {"record_time": "5m"}, {"record_format": "parquet"}):
        for record in (None, "x.jsonl"):
            with pytest.raises(InvalidError, match="of no use unless a folder is recorded into"):
                ipyws.connect("ws://127.0.0.1:1/", record=record, **limit)
