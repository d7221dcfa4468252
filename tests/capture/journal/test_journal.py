"""Writing every message to a file as it comes, whatever becomes of disk, connection and process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws.capture.journal import appending, journal
from ipyws.capture.journal.journal import Journal
from ipyws.capture.jsonl.lines import to_lines
from ipyws.capture.jsonl.schema import to_line
from ipyws.capture.recording import RecordedLog
from ipyws.core.connection.info import About
from ipyws.core.constants import MB
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control
from ipyws.errors import InvalidError, Kind, WebSocketError
from ipyws.runtime.waiting import wait_async
from ipyws.text import masking
from tests.support.servers import PATIENCE, server, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, limits and signals of POSIX")

ABOUT = About("ws://127.0.0.1/", name="test", status=101)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def echo() -> Iterator[str]:
    with ipyws.serve("echo") as site:
        yield site.url


def new_log(messages: int = 1_000_000) -> RecordedLog:
    return RecordedLog(messages, 1 << 40, Budget(1 << 40))


def receive(log: RecordedLog, *payloads: str | bytes) -> None:
    log.append("in", list(payloads), sum(map(len, payloads)), moment=1.5)


def started(path: Path, log: RecordedLog, **options: Any) -> Journal:
    made = Journal(path, log, lambda: ABOUT, **options)
    made.start()
    return made


def ended(made: Journal) -> Journal:
    made.stop()
    assert made.ended.wait(PATIENCE)
    return made


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def data_of(path: Path) -> list[Any]:
    """Return the payloads in a file; "header" and the size of gaps between them."""
    return [each.get("data", each.get("gap", "header")) for each in objects(path)]


# -- what is written -------------------------------------------------------------------------------


def test_everything_that_passes_a_connection_is_written_in_order(path: Path, echo: str) -> None:
    async def talk() -> tuple[Journal, list[Any]]:
        client = await ipyws.connect_async(echo)
        made = Journal(path, client.log, lambda: About(str(client.url), name=client.name))
        made.start()
        for payload in ("grüße", b"\0\xff", {"n": 1}):
            await client.send(payload)
            await client.recv("5s")
        await client.ping(b"p")
        await client.close(4000, "bye")
        made.stop()
        assert await wait_async(made.ended, PATIENCE)
        return made, list(client.log)

    made, log = asyncio.run(talk())
    header, *records = objects(path)
    assert (header["ipyws"], header["url"]) == (1, f"{echo}/")
    assert [(each["seq"], each["direction"], each["type"]) for each in records] == [
        *((0, "out", "text"), (1, "in", "text"), (2, "out", "binary"), (3, "in", "binary")),
        *((4, "out", "text"), (5, "in", "text"), (6, "out", "ping"), (7, "in", "pong")),
        *((8, "out", "close"), (9, "in", "close")),
    ]
    assert [each["time"] for each in records] == [message.time for message in log]
    assert [each["size"] for each in records] == [message.size for message in log]
    assert (records[1]["data"], records[3]["base64"], records[5]["data"]) == ("grüße", "AP8=", '{"n":1}')
    assert records[7]["rtt"] > 0
    assert (records[9]["code"], records[9]["reason"]) == (4000, "bye")
    assert (made.written, made.lost, made.error) == (10, 0, None)


def test_messages_are_in_the_file_while_the_connection_is_open(path: Path, echo: str) -> None:
    async def talk() -> None:
        async with ipyws.connect_async(echo) as client:
            made = started(path, client.log)
            for count in (2, 4, 6):
                await client.send("x")
                await client.recv("5s")
                await asyncio.to_thread(until, lambda count=count: made.written == count)  # type: ignore[misc]
                assert data_of(path) == ["header"] + ["x"] * count
            ended(made)

    asyncio.run(talk())


def test_what_passed_before_the_journal_started_comes_first(path: Path) -> None:
    log = new_log(messages=3)
    receive(log, "a", "b", "c", "d", "e")
    made = started(path, log)
    receive(log, "f")
    ended(made)
    assert data_of(path) == ["header", 2, "c", "d", "e", "f"]
    assert [each.get("seq") for each in objects(path)] == [None, None, 2, 3, 4, 5]
    assert (made.written, made.lost) == (4, 2)


def test_more_than_the_log_keeps_is_written(path: Path) -> None:
    log = new_log(messages=10)
    made = started(path, log)
    for number in range(0, 5000, 50):
        receive(log, *map(str, range(number, number + 50)))
    ended(made)
    assert data_of(path)[1:] == list(map(str, range(5000)))
    assert (made.written, len(log)) == (5000, 10)


def test_a_journal_that_was_stopped_records_no_more_and_leaves_no_thread(path: Path) -> None:
    before = threading.active_count()
    log = new_log()
    made = started(path, log)
    receive(log, "a")
    ended(made)
    made.stop()
    receive(log, "b")
    assert data_of(path) == ["header", "a"]
    assert made.flush()
    until(lambda: threading.active_count() == before)


def test_a_journal_that_never_started_is_not_waited_for_and_has_no_file(path: Path) -> None:
    made = Journal(path, new_log(), lambda: ABOUT)
    made.stop()
    assert made.ended.is_set()
    assert made.flush()
    assert not path.exists()


def test_a_connection_that_ended_before_its_journal_started_is_recorded(path: Path) -> None:
    log = new_log()
    receive(log, "a")
    made = Journal(path, log, lambda: ABOUT)
    made.stop()
    made.start()
    ended(made)
    assert data_of(path) == ["header", "a"]


def test_flush_waits_for_all_that_passed(path: Path) -> None:
    log = new_log()
    made = started(path, log)
    for _ in range(3):
        receive(log, *["x" * 300] * 1000)
        assert made.flush()
        assert made.written == log.total
    ended(made)


def test_a_flush_while_the_journal_ends_is_not_kept_waiting(path: Path) -> None:
    for _ in range(20):
        log = new_log()
        made = started(path, log)
        receive(log, "one")
        made.stop()
        while not made.ended.is_set():
            assert made.flush()


def test_no_secret_is_written(path: Path) -> None:
    masking.remember("hunter2-of-the-journal", "env.JOURNAL_TOKEN")
    masking.remember("another-of-the-journal")
    log = new_log()
    made = Journal(path, log, lambda: About("ws://127.0.0.1/?token=hunter2-of-the-journal"))
    made.start()
    receive(log, "plain", "say hunter2-of-the-journal", "and another-of-the-journal", "plain")
    ended(made)
    assert data_of(path)[1:] == ["plain", "say {{env.JOURNAL_TOKEN}}", "and ***", "plain"]
    text = path.read_text()
    assert "hunter2" not in text
    assert "another" not in text


PAYLOADS = st.lists(st.text() | st.binary() | st.just("my-secret-word") | st.just(b"?token=abcdefgh&"))


@given(PAYLOADS, st.floats(0, 4e9), st.integers(0, 1 << 40))
def test_a_batch_has_the_lines_that_each_of_its_messages_has(
    payloads: list[Any], time: float, seq: int
) -> None:
    masking.remember("my-secret-word")
    batch = Batch(seq, time, "in", None, payloads, 0)
    expected = "".join(to_line(batch.message(number)) for number in range(len(payloads)))
    assert "".join(to_lines(batch)).encode("utf-8", "backslashreplace") == expected.encode()


def test_control_frames_have_the_lines_that_each_has() -> None:
    batch = Batch(5, 1.5, "in", "pong", [Control(b"a", rtt=0.25), Control(b"")], 1)
    assert "".join(to_lines(batch)) == to_line(batch.message(0)) + to_line(batch.message(1))


# -- several sessions in one file ------------------------------------------------------------------


def test_nothing_is_saved_in_the_place_of_a_journal_while_it_is_written(path: Path, echo: str) -> None:
    with ipyws.connect(echo, record=path) as client:
        client.request("one")
        assert client.journal is not None
        client.journal.flush()
        with pytest.raises(InvalidError, match="recorded"):
            client.log.save(path)
        client.request("two")
    with ipyws.load(path) as capture:
        assert [m.data for m in capture if m.type == "text"] == ["one", "one", "two", "two"]
    client.log.save(path)


def test_a_second_session_is_added_to_the_file(path: Path, echo: str) -> None:
    async def talk(word: str) -> None:
        async with ipyws.connect_async(echo) as client:
            made = started(path, client.log)
            await client.send(word)
            await client.recv("5s")
            ended(made)

    asyncio.run(talk("first"))
    before = path.read_bytes()
    asyncio.run(talk("second"))
    assert path.read_bytes().startswith(before)
    assert data_of(path) == ["header", "first", "first", "header", "second", "second"]


def test_half_a_line_of_a_killed_writer_is_ended_first(path: Path) -> None:
    path.write_bytes(b'{"ipyws": 1}\n{"seq": 0, "time": 1')
    ended(started(path, new_log()))
    lines = path.read_bytes().split(b"\n")
    assert lines[:2] == [b'{"ipyws": 1}', b'{"seq": 0, "time": 1']
    assert json.loads(lines[2])["name"] == "test"
    assert lines[3:] == [b""]


def test_what_was_written_can_be_loaded(path: Path) -> None:
    log = new_log(messages=2)
    receive(log, "evicted", "a", "b")
    ended(started(path, log))
    with path.open("ab") as stream:
        stream.write(b'{"seq": 3, "ti')
    ended(started(path, log))
    for number in (1, 2):
        with ipyws.load(path, number) as capture:
            assert [message.data for message in capture] == ["a", "b"]
            assert capture.about is not None
            assert capture.about.name == "test"


def test_a_session_waits_for_the_one_before_it_to_end(path: Path) -> None:
    old, new = new_log(), new_log()
    first = started(path, old)
    receive(old, "a")
    assert first.flush()
    second = started(path, new)
    receive(new, "b")
    assert not second.flush(0.2)
    receive(old, "c")
    ended(first)
    ended(second)
    assert data_of(path) == ["header", "a", "c", "header", "b"]


def test_two_connections_do_not_record_into_one_file_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "_PATIENCE", 0.1)
    old, new = new_log(), new_log()
    first, second = started(path, old), started(path, new)
    failed, working = (second, first) if second.ended.wait(1) else (first, second)
    assert failed.ended.wait(PATIENCE)
    assert failed.error is not None
    assert failed.error.kind is Kind.CONFLICT
    assert "another connection" in str(failed.error)
    receive(old, "a")
    receive(new, "b")
    ended(working)
    assert data_of(path) == ["header", "a" if working is first else "b"]
    assert (failed.written, failed.lost) == (0, 1)


# -- where it can't be written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("", None, "is a folder"),
        ("missing/x.jsonl", None, "there is no folder"),
        ("x\0y", None, "is not a path"),
        ("notes.txt", b"buy milk\n", "holds something else"),
        ("table.jsonl", b'{"a": 1}\n', "holds something else"),
        ("file/x.jsonl", b"", "there is no folder"),
    ],
)
def test_a_path_that_can_not_be_a_journal_is_refused_before_anything_is_dialled(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    target = tmp_path / name
    if content is not None:
        (target.parent if name.startswith("file") else target).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidError, match=words) as caught:
        Journal.check(target)
    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before
    if content:
        assert target.read_bytes() == content


@pytest.mark.parametrize("there", [None, "", '{"ipyws": 1}\n'])
def test_a_link_out_of_the_folder_is_not_recorded_through(tmp_path: Path, there: str | None) -> None:
    target, link = tmp_path / "home" / "x", tmp_path / "cloned" / "x.jsonl"
    for folder in (target.parent, link.parent):
        folder.mkdir()
    if there is not None:
        target.write_text(there)
    link.symlink_to(target)
    with pytest.raises(InvalidError, match="can't be written: it is a link out of its folder"):
        Journal.check(link)
    with pytest.raises(InvalidError, match="it is a link out of its folder"):
        ipyws.connect("ws://127.0.0.1:1", record=link)  # before it is dialled
    assert (target.read_text() if target.exists() else None) == there


@pytest.mark.parametrize("absolute", [False, True])
def test_a_folder_that_leads_out_of_the_working_folder_is_not_written_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    home, cloned = tmp_path / "home", tmp_path / "cloned"
    for folder in (home, cloned, cloned / "real"):
        folder.mkdir()
    (cloned / "out").symlink_to(home)
    (cloned / "inside").symlink_to("real")
    monkeypatch.chdir(cloned)
    named = cloned / "out/x.jsonl" if absolute else Path("out/x.jsonl")
    words = "its folder is a link out of the working folder, to .*home"
    with pytest.raises(InvalidError, match=words):
        Journal.check(named)
    for overwrite in (False, True):
        with pytest.raises(InvalidError, match=words):
            new_log().save(named, overwrite=overwrite)
    assert list(home.iterdir()) == []
    Journal.check(Path("inside/x.jsonl"))
    Journal.check(home / "x.jsonl")  # it is named itself
    assert new_log().save("inside/x.jsonl").exists()


def test_what_has_become_a_link_since_it_was_checked_is_not_followed(tmp_path: Path, path: Path) -> None:
    made = Journal(path, new_log(), lambda: ABOUT)
    path.symlink_to(tmp_path.parent / "elsewhere")
    made.start()
    assert made.ended.wait(PATIENCE)
    assert made.error is not None
    assert "it is a link out of its folder" in made.error.message
    assert not (tmp_path.parent / "elsewhere").exists()


def test_a_link_within_the_folder_is_followed(tmp_path: Path, path: Path) -> None:
    path.symlink_to("real")
    log = new_log()
    made = started(path, log)
    receive(log, "one")
    ended(made)
    assert made.error is None
    assert (tmp_path / "real").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("path", [5, None, b"x.jsonl"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidError, match="path is"):
        Journal.check(path)


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write anywhere")
def test_a_file_without_permission_is_refused(path: Path) -> None:
    path.touch(mode=0o400)
    with pytest.raises(InvalidError, match="permission denied"):
        Journal.check(path)


def test_a_good_path_is_returned_and_nothing_is_created(path: Path) -> None:
    assert Journal.check(str(path)) == path
    assert not path.exists()
    path.write_bytes(b'{"ipyws": 1}\n')
    assert Journal.check(path) == path


def test_a_full_disk_ends_the_recording_and_not_the_connection(echo: str) -> None:
    failures: list[WebSocketError] = []

    async def talk() -> Journal:
        async with ipyws.connect_async(echo) as client:
            made = Journal("/dev/full", client.log, lambda: ABOUT, failures.append)
            made.start()
            await client.send("a")
            await client.recv("5s")
            assert await wait_async(made.ended, PATIENCE)
            await client.send("b")
            assert (await client.recv("5s")).data == "b"
            assert made.lost == client.log.total == 4
            assert made.flush()
            made.stop()
            return made

    made = asyncio.run(talk())
    until(lambda: failures == [made.error])
    assert str(made.error) == (
        "recording in /dev/full stopped: no space left on device; "
        "the connection goes on; what the file holds stays in it"
    )
    assert made.written == 0


def test_whatever_goes_wrong_is_said(path: Path) -> None:
    def about() -> About:
        raise ZeroDivisionError("of the test")

    log = new_log()
    made = Journal(path, log, about)
    made.start()
    assert made.ended.wait(PATIENCE)
    receive(log, "a")
    assert made.error is not None
    assert made.error.message.endswith("stopped: of the test")
    assert (made.written, made.lost) == (0, 1)


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_gone_ends_the_recording(path: Path, how: str, later: bool) -> None:
    log = new_log()
    made = started(path, log)
    receive(log, "one")
    assert made.flush()
    if how == "replaced":
        path.with_name("other").write_text("other")
        path.with_name("other").replace(path)
    else:
        path.unlink()
    if later:
        receive(log, "two", "three")
    ended(made)
    assert made.error is not None
    assert "the file was deleted meanwhile" in made.error.message
    assert (made.written, made.lost) == (1, 2 * later)


def test_a_pipe_that_nobody_reads_fails_rather_than_wait(path: Path) -> None:
    os.mkfifo(path)
    made = started(path, new_log())
    assert made.ended.wait(PATIENCE)
    assert made.error is not None


# -- a file that is slower than the network --------------------------------------------------------


@pytest.fixture
def pipe(path: Path) -> Iterator[int]:
    """A named pipe that is open for reading, and not read."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield reader
    os.close(reader)


def drained(reader: int, made: Journal, seen: bytes = b"") -> list[dict[str, Any]]:
    os.set_blocking(reader, True)
    pieces = [seen]
    made.stop()
    while piece := os.read(reader, 1 << 20):
        pieces.append(piece)
    assert made.ended.wait(PATIENCE)
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


def test_a_file_that_takes_nothing_does_not_hold_the_connection_up(path: Path, pipe: int, echo: str) -> None:
    async def talk() -> None:
        async with ipyws.connect_async(echo) as client:
            made = started(path, client.log)
            for _ in range(20):
                await client.send("x" * MB)
                assert (await client.recv("5s")).size == MB
            assert 0 < await client.ping() < 5
            assert not made.flush(0.01)
            made.stop()
            assert not made.ended.is_set()
            assert (await client.send("y")).data == "y"
            records = await asyncio.to_thread(drained, pipe, made)
            assert [each["size"] for each in records[1:] if each["type"] == "text"] == [MB] * 40

    asyncio.run(talk())


@pytest.mark.parametrize("payload", ["x" * 1000, ""], ids=["long", "empty"])
def test_what_exceeds_the_queue_is_dropped_counted_and_marked(
    path: Path, pipe: int, payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST_QUEUED", MB)
    log = new_log()
    made = started(path, log)
    receive(log, *["first" * 20_000] * 2)  # more than a pipe holds
    until(lambda: log.total > 0 and made._queued == 0)
    for _ in range(2000):
        receive(log, *[payload] * 10)
    assert made.lost > 0
    lost = made.lost
    _, *records = drained(pipe, made)
    assert [each["gap"] for each in records if "gap" in each] == [lost]
    seqs = [each["seq"] for each in records if "seq" in each]
    assert seqs == list(range(made.written))
    assert records[-1] == {"gap": lost}
    assert made.written + made.lost == log.total


def test_recording_goes_on_after_a_gap(path: Path, pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST_QUEUED", 100_000)
    log = new_log()
    made = started(path, log)
    receive(log, "x" * 200_000)
    until(lambda: made._queued == 0)
    for number in range(20):
        receive(log, f"{number:020000}")
    lost = made.lost
    os.set_blocking(pipe, True)
    seen = b""
    while made._queued or b'"seq": 1,' not in seen:
        seen += os.read(pipe, 1 << 20)
    receive(log, "after")
    _, *records, gap, last = drained(pipe, made, seen)
    assert 0 < lost < 20
    assert [each["seq"] for each in records] == list(range(21 - lost))
    assert gap == {"gap": lost}
    assert (last["data"], last["seq"]) == ("after", 21)
    assert made.written + made.lost == log.total


# -- the end of the process ------------------------------------------------------------------------

PREPARE = """
import asyncio, os, resource, sys
import ipyws
from ipyws.capture.journal.journal import Journal
from ipyws.core.connection.info import About
url, path = sys.argv[1:]

async def recording():
    client = await ipyws.connect_async(url)
    journal = Journal(path, client.log, lambda: About(url))
    journal.start()
    return client, journal
"""


def child(code: str, url: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + code, url, str(path)], stdout=subprocess.PIPE, text=True
    )


def output_of(code: str, url: str, path: Path) -> str:
    with child(code, url, path) as process:
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return output


async def flood(connection: ServerConnection) -> None:
    number = 0
    while True:
        await connection.send(f'{{"number": {number}, "filling": "{"x" * 200}"}}')
        number += 1
        await asyncio.sleep(0)


def test_what_was_written_survives_the_kill_of_the_process(path: Path) -> None:
    code = """
async def main():
    client, journal = await recording()
    while True:
        print(journal.written, flush=True)
        await asyncio.sleep(0)
asyncio.run(main())
"""
    with server(flood) as site, child(code, site.url, path) as process:
        assert process.stdout is not None
        said = 0
        while said < 5000:
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        said = max([said, *map(int, process.stdout.read().split("\n")[:-1])])
    *lines, last = path.read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines][1:]
    assert [each["seq"] for each in records] == list(range(len(records)))
    assert len(records) >= said
    if last:
        with pytest.raises(ValueError):
            json.loads(last)


def test_a_file_that_may_grow_no_more_holds_what_is_said_to_be_written(path: Path) -> None:
    code = """
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    client, journal = await recording()
    while not journal.ended.is_set():
        await client.recv("5s")
    await client.ping()
    await client.close()
    print(journal.written, journal.lost, client.log.total, journal.error, sep="\\n")
asyncio.run(main())
"""
    with server(flood) as site:
        written, lost, total, error = output_of(code, site.url, path).splitlines()
    *lines, _ = path.read_bytes().split(b"\n")
    assert [json.loads(line)["seq"] for line in lines[1:]] == list(range(int(written)))
    assert int(written) > 0
    assert int(written) + int(lost) == int(total)
    assert "file too large" in error
    assert path.stat().st_size <= 200_000


def test_the_end_of_the_interpreter_waits_for_what_is_queued(path: Path, echo: str) -> None:
    code = """
async def main():
    client, journal = await recording()
    for number in range(2000):
        await client.send(str(number))
    return client
loop = asyncio.new_event_loop()
client = loop.run_until_complete(main())
print(client.log.total)
"""
    total = int(output_of(code, echo, path))
    assert total >= 2000
    assert len(objects(path)) == total + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_writes_nothing_and_keeps_nothing_from_its_parent(path: Path, echo: str) -> None:
    code = """
import atexit, warnings
warnings.simplefilter("ignore", DeprecationWarning)
async def main():
    client, journal = await recording()
    await client.send("a")
    await client.recv("5s")
    journal.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        client.log.append("out", ["child"], 5)
        flushed = journal.flush()
        journal.stop()
        ended = journal.ended.is_set()
        atexit._run_exitfuncs()
        os.read(reader, 1)
        os._exit(10 + flushed + ended)
    await client.send("b")
    await client.recv("5s")
    journal.stop()
    journal.ended.wait(60)
    second = Journal(path, client.log, lambda: About(url))
    second.start()
    second.stop()
    second.ended.wait(60)
    os.write(writer, b"x")
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), journal, second.error, sep="\\n")
    await client.close()
asyncio.run(main())
"""
    exit_code, journal, error = output_of(code, echo, path).splitlines()
    assert exit_code == "12"
    assert "ended, 4 written, 0 lost" in journal
    assert error == "None"
    assert data_of(path) == ["header", "a", "a", "b", "b"] * 2
