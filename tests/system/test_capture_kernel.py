"""Saving, recording, replaying and serving captures in a real kernel, against a server in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import ipyws
from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

TOKEN = "tok-1c9e77-capture"
OTHER = "other-secret-42b0"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(env={"WS_TOKEN": TOKEN, "OTHER_TOKEN": OTHER}) as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws, json")
        yield kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture
def seen(kernel: Kernel, server: Witness) -> Witness:
    """The server, with one connection, called main, and nothing else remembered."""
    ok(kernel, f"%ws close --all\n%ws {server.url} --as main")
    assert server.wait(lambda server: server.open == 1)
    server.forget()
    return server


def talk(kernel: Kernel, *payloads: str) -> None:
    ok(kernel, "%%ws -c main\n" + "\n=== wait-for-server\n".join(payloads) + "\n=== wait-for-server")


# -- save --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
def test_what_is_saved_loads_again(kernel: Kernel, seen: Witness, suffix: str) -> None:
    talk(kernel, '{"id": 1}', "ä text")
    path = kernel.home / f"saved.{suffix}"
    said = ok(kernel, f"path = %ws save {path.name}").stdout
    assert path.name in said
    assert value(kernel, "str(path)") == repr(path.name)
    with ipyws.load(path) as capture:
        texts = [(m.direction, m.data) for m in capture if m.type == "text"]
        assert texts == [(way, data) for data in ('{"id": 1}', "ä text") for way in ("out", "in")]
        assert (capture.url, capture.name) == (f"{seen.url}/", "main")


def test_save_hides_the_values_of_keys(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"password": "hunter2", "deep": [{"PIN": 1234}]}')
    ok(kernel, "%ws save redacted.jsonl --redact Password --redact pin")
    text = (kernel.home / "redacted.jsonl").read_text("utf-8")
    assert "hunter2" not in text
    assert "1234" not in text
    with ipyws.load(kernel.home / "redacted.jsonl") as capture:
        assert capture[0].json() == {"password": "***", "deep": [{"PIN": "***"}]}


@pytest.mark.parametrize("line", ["save", "save x.txt", "save missing/x.jsonl", "save a.har b.har"])
def test_what_can_not_be_saved_says_why_and_makes_no_file(kernel: Kernel, seen: Witness, line: str) -> None:
    before = set(kernel.home.iterdir())
    assert fails(kernel, f"%ws {line}").ename == "InvalidError"
    assert set(kernel.home.iterdir()) == before


# -- record ------------------------------------------------------------------------------------------


def test_a_journal_has_what_passed_without_its_secrets(kernel: Kernel, server: Witness) -> None:
    path = kernel.home / "journal.jsonl"
    ok(
        kernel,
        f"%ws {server.url} --as main --record {path.name} -H 'Authorization: Bearer {{{{env.WS_TOKEN}}}}'",
    )
    talk(kernel, '{"token": "{{env.WS_TOKEN}}"}')
    ok(kernel, "%ws close main")
    text = path.read_text("utf-8")
    assert TOKEN not in text
    header, *records = [json.loads(line) for line in text.splitlines()]
    assert ["Authorization", "Bearer {{env.WS_TOKEN}}"] in header["request_headers"]
    assert [r["data"] for r in records if r["type"] == "text"] == ['{"token": "{{env.WS_TOKEN}}"}'] * 2
    assert [r["code"] for r in records if r["type"] == "close"] == [1000, 1000]


def test_a_cell_that_records_can_be_run_again_and_loses_nothing(kernel: Kernel, server: Witness) -> None:
    for text in ("first", "second"):
        ok(kernel, f"%ws {server.url} --as main --record twice.jsonl")
        talk(kernel, text)
    ok(kernel, "%ws close main")
    for number, text in enumerate(("first", "second"), 1):
        with ipyws.load(kernel.home / "twice.jsonl", connection=number) as capture:
            assert [m.data for m in capture.filter(types=["text"])] == [text, text]
    with ipyws.load(kernel.home / "twice.jsonl") as newest:
        assert newest[0].data == "second"
        assert "2" in newest.note


def test_what_is_loaded_while_it_is_recorded_is_all_that_has_passed(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main --record growing.jsonl")
    talk(kernel, *(str(number) for number in range(20)))
    assert value(kernel, "len(ipyws.load('growing.jsonl'))") == "40"


def test_a_file_that_is_no_capture_is_not_recorded_into(kernel: Kernel, server: Witness) -> None:
    note = kernel.home / "notes.txt"
    note.write_text("mine\n")
    server.forget()
    assert "notes.txt" in fails(kernel, f"%ws {server.url} --as main --record notes.txt").evalue
    assert note.read_text() == "mine\n"
    assert server.requests == []


def test_a_full_disk_is_said_in_the_view_and_the_connection_goes_on(kernel: Kernel, server: Witness) -> None:
    link = kernel.home / "full.jsonl"
    link.symlink_to("/dev/full")
    ok(kernel, f"%ws {server.url} --as main --record full.jsonl")
    talk(kernel, "still here")
    ok(kernel, "ipyws.current().journal.ended.wait(60)")
    shown = ok(kernel, "%ws send and here").displays[-1]["data"]["text/plain"]
    assert "recording in full.jsonl stopped" in shown
    assert "not in full.jsonl" in shown
    assert value(kernel, "ipyws.current().journal.lost > 0, ipyws.current().state") == "(True, 'open')"


# -- replay ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["", "--timed", "--fast", "--lockstep"])
def test_replay_sends_what_was_sent(kernel: Kernel, seen: Witness, mode: str) -> None:
    talk(kernel, '{"id": 1}', "two")
    ok(kernel, "%ws save talk.jsonl")
    seen.forget()
    result = ok(kernel, f"report = %ws replay talk.jsonl {mode}")
    assert seen.wait(lambda server: server.messages == ['{"id": 1}', "two"])
    assert "sent 2 of 2" in result.stdout
    assert value(kernel, "report.ok") == "True"


def test_lockstep_shows_what_differs(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"price": 3}')
    ok(kernel, "%ws save talk.jsonl")
    path = kernel.home / "talk.jsonl"
    head, out, back = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, out, back.replace('\\"price\\": 3', '\\"price\\": 4'), ""]), "utf-8")
    result = ok(kernel, "report = %ws replay talk.jsonl --lockstep")
    assert "$.price: 4 → 3" in result.stdout
    assert value(kernel, "report.ok, report.different") == "(False, 1)"


def test_lockstep_compares_what_comes_and_not_what_was_there(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, "one")
    ok(kernel, "%ws save talk.jsonl\n%ws send never received\n%ws replay talk.jsonl --fast")
    assert seen.wait(lambda server: server.messages[-1] == "one")
    ok(
        kernel,
        "import asyncio\nwhile ipyws.current().connection.cursor.unread < 2: await asyncio.sleep(0.001)",
    )
    ok(kernel, "report = %ws replay talk.jsonl --lockstep")
    assert value(kernel, "report.ok") == "True"


def test_another_url_is_refused_and_nothing_is_sent(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, "one")
    ok(kernel, "%ws save talk.jsonl")
    ok(kernel, f"%ws {seen.url}/elsewhere --as main")
    seen.forget()
    error = fails(kernel, "%ws replay talk.jsonl")
    assert f"{seen.url}/elsewhere" in error.evalue
    assert "--anywhere" in error.evalue
    assert seen.messages == []
    ok(kernel, "%ws replay talk.jsonl --fast --anywhere")
    assert seen.wait(lambda server: server.messages == ["one"])


def test_a_reference_is_filled_in_again_where_the_notebook_has_used_it(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"token": "{{env.WS_TOKEN}}"}')
    ok(kernel, "%ws save secret.har")
    seen.forget()
    ok(kernel, "%ws replay secret.har --lockstep")
    assert seen.wait(lambda server: server.messages == [f'{{"token": "{TOKEN}"}}'])


def test_a_reference_is_not_filled_in_for_another_server(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"token": "{{env.WS_TOKEN}}"}')
    ok(kernel, "%ws save secret.jsonl\nelsewhere = ipyws.serve('echo')\n%ws {{elsewhere.url}} --as other")
    error = fails(kernel, "%ws replay secret.jsonl --anywhere --fast")
    assert "--env WS_TOKEN" in error.evalue
    assert value(kernel, "ipyws.current().stats.sent") == "0"
    ok(kernel, f"%ws {seen.url} --as main\n%ws replay secret.jsonl --fast")


def test_a_capture_can_not_have_a_variable_sent_that_nobody_allowed(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, "one")
    ok(kernel, "%ws save talk.jsonl")
    path = kernel.home / "talk.jsonl"
    lines = path.read_text("utf-8").splitlines()
    record = json.loads(lines[1]) | {"data": "{{env.OTHER_TOKEN}}", "refs": ["env.OTHER_TOKEN"]}
    path.write_text("\n".join([lines[0], json.dumps(record), ""]), "utf-8")
    seen.forget()
    error = fails(kernel, "%ws replay talk.jsonl --fast")
    assert "--env OTHER_TOKEN" in error.evalue
    assert OTHER not in error.evalue
    assert seen.messages == []
    ok(kernel, "%ws replay talk.jsonl --fast --env OTHER_TOKEN")
    assert seen.wait(lambda server: server.messages == [OTHER])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("replay", "FILE"),
        ("replay absent.jsonl", "absent.jsonl can't be read"),
        ("replay talk.jsonl --fast --timed", "--timed and --fast"),
        ("replay talk.jsonl --recording 3", "3"),
        ("replay broken.jsonl", "record 1 (line 2)"),
        ("serve --replay broken.jsonl", "record 1 (line 2)"),
        ("serve echo --replay talk.jsonl", "--replay"),
        ("serve --speed 2", "--speed"),
        ("serve --replay talk.jsonl --speed 0", "speed"),
        ("serve --replay talk.jsonl --speed fast", "not a number"),
    ],
)
def test_bad_input_is_told_in_one_line_and_sends_nothing(
    kernel: Kernel, seen: Witness, line: str, says: str
) -> None:
    talk(kernel, "one")
    ok(kernel, "%ws save talk.jsonl")
    (kernel.home / "broken.jsonl").write_text('{"ipyws": 1, "url": "ws://a/"}\n{"seq": "x"}\n{}\n', "utf-8")
    seen.forget()
    error = fails(kernel, f"%ws {line}")
    assert says in error.evalue
    assert error.ename == "InvalidError"
    assert seen.messages == []


# -- the recorded server -----------------------------------------------------------------------------


def test_a_recorded_server_answers_like_the_real_one(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"id": 1}', "two")
    ok(kernel, "%ws save talk.har")
    said = ok(kernel, "recorded = %ws serve --replay talk.har --speed inf").stdout
    assert said.startswith("replay server at ws://127.0.0.1:")
    seen.forget()
    ok(kernel, "%ws {{recorded.url}} --as lesson")
    ok(kernel, '%%ws\n{"id": 1}\n=== expect json["id"] == 1\n===\ntwo\n=== expect msg.data == "two"')
    assert value(kernel, "recorded.differing, ipyws.current().log.received") == "(0, 2)"
    assert seen.messages == []
    assert "replay" in ok(kernel, "%ws serve --stop replay").stdout


def test_a_cell_that_plays_a_capture_on_one_port_can_be_run_again(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"id": 1}')
    ok(kernel, "%ws save talk.har")
    ok(kernel, "recorded = %ws serve --replay talk.har")
    for _ in range(2):
        ok(kernel, "recorded = %ws serve --replay talk.har --port {{recorded.port}}")
    ok(kernel, "%ws {{recorded.url}} --as lesson\n%ws serve --stop replay")


def test_the_same_is_there_in_python(kernel: Kernel, seen: Witness) -> None:
    talk(kernel, '{"id": 1}')
    ok(kernel, "%ws save talk.jsonl")
    ok(
        kernel,
        "with ipyws.serve(replay='talk.jsonl', speed=100) as s, ipyws.connect(s.url, name='p') as p:\n"
        "    report = ipyws.replay(p, ipyws.load('talk.jsonl'), 'lockstep', anywhere=True)",
    )
    assert value(kernel, "report.ok, report.sent") == "(True, 1)"
