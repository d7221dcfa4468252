"""What was done by hand is done again by the real k6 and the real Locust; no secret is in the files."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws.capture.recording import Found
from ipyws.errors import InvalidError
from ipyws.handover.writing import write
from ipyws.notebook.runner import Run, late_reader
from ipyws.runtime.client import Client
from ipyws.script import grammar
from ipyws.script.expression import make_evaluator
from ipyws.script.preflight import read_payloads
from ipyws.text.masking import remember
from ipyws.view.progress import Progress
from tests.support.node import NODE
from tests.support.servers import Raw, Site, raw_server, request_of, server

BIN = Path(sys.executable).parent
TOKEN = "cnry-hand-over-4711"
PROGRAMS = ["k6", "locust"]
SUFFIX = {"k6": ".js", "locust": ".py"}


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve what tells the test what comes, and sends it back."""

    async def telling(connection: ServerConnection) -> None:
        headers = dict(request_of(connection).headers.raw_items())
        running.seen.put({"headers": headers, "protocol": connection.subprotocol})
        try:
            async for message in connection:
                running.seen.put(message)
                await connection.send(message)
        finally:
            await connection.wait_closed()
            running.seen.put((connection.close_code, connection.close_reason))

    with server(telling, select_subprotocol=lambda _, offered: "chat" if offered else None) as running:
        yield running


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAND_TOKEN", TOKEN)
    remember(TOKEN, "env.HAND_TOKEN")


def do(client: Client, body: str, names: dict[str, Any] | None = None) -> None:
    """Do what a cell does."""
    names = {} if names is None else names
    session = SimpleNamespace(
        names=names,
        evaluate=make_evaluator(names),
        say=print,
        store=lambda name, value: names.update({name: value}),
    )
    script = grammar.parse(body)
    payloads = read_payloads(script, names, session.evaluate, raw=False, plain=False)
    late: Any = late_reader(session, plain=False)  # type: ignore[arg-type]
    run = Run(session, client, payloads, late, Progress(script), lambda: None, raw=False, plain=False)  # type: ignore[arg-type]
    run.run(script)


def heard(site: Site) -> list[Any]:
    """Return what the server was told by one connection, until it was closed."""
    told = [site.next()]
    while not isinstance(told[-1], tuple):
        told.append(site.next())
    return told


ONCE = """

def once(user, conversation=Explorer.tasks[0]):
    try:
        conversation(user)
    finally:
        user.environment.runner.quit()


Explorer.tasks = [once]
"""
"""Has Locust end after one conversation."""


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    if program == "k6":
        # The newest k6 that there is as a package knows the module by its former name.
        text = path.read_text("utf-8").replace("k6/websockets", "k6/experimental/websockets")
        path.write_text(text, "utf-8")
        command = [str(BIN / "k6"), "run", "--quiet", "--no-usage-report", str(path)]
    else:
        path.write_text(path.read_text("utf-8") + ONCE, "utf-8")
        command = [str(BIN / "locust"), "-f", str(path), "--headless", "-u", "1", "-t", "40s"]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=60, check=False)


BODY = """{"op": "login", "token": "{{env.HAND_TOKEN}}", "say": "it's \\"ü\\""}
=== expect json["op"] == "login" and len(json["say"]) > 1 as reply within 2s
{"op": "next", "who": {{reply["op"]}}, "text": "<{{reply["say"]}}>"}
=== wait 1 3s where any(key == "who" for key in json)
=== ping
=== hex
00 ff
=== wait
=== sleep 100ms
bare {{reply["op"]}} text
=== expect msg.data.startswith("bare")
=== close 4001 it's done
"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_cell_did_is_done_again(program: str, site: Site, tmp_path: Path) -> None:
    with ipyws.connect(
        site.url, headers={"X-Token": TOKEN}, protocols=["chat"], auth=("ann", "a-pass-word"), origin="https://a.example"
    ) as client:  # fmt: skip
        do(client, BODY)
        path = client.log.save(tmp_path / f"talk{SUFFIX[program]}")
    first = heard(site)
    text = path.read_text("utf-8")
    assert TOKEN not in text
    assert "a-pass-word" not in text
    # The password stands in a variable that the script names, in its first lines.
    needed = re.search(r"set in the environment first: (\w+)", text)
    assert needed
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(needed[1], "a-pass-word")
        ended = run(program, path)
    again = heard(site)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert again[1:] == first[1:]
    assert again[0]["protocol"] == "chat"
    for name in ("X-Token", "Authorization", "Origin"):
        assert again[0]["headers"][name] == first[0]["headers"][name]
    for step in (
        "step 2: expect",
        "step 4: wait 1 where any",
        "step 5: ping",
        "step 7: wait 1",
        "step 10: expect",
    ):
        assert step in ended.stdout + ended.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_expectation_that_does_not_hold_is_counted_as_failed(
    program: str, site: Site, tmp_path: Path
) -> None:
    with ipyws.connect(site.url) as client:
        do(client, '{"price": 3}\n=== expect json["price"] == 3 within 1s\n')
        path = client.log.save(tmp_path / f"talk{SUFFIX[program]}")
    text = path.read_text("utf-8")
    path.write_text(text.replace('"price": 3}', '"price": 4}'), "utf-8")
    ended = run(program, path)
    told = ended.stdout + ended.stderr
    assert ended.returncode != 0, told
    assert 'step 2: expect json["price"] == 3' in told


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_cannot_be_carried_over_is_told_and_stands_as_a_comment(
    program: str, site: Site, tmp_path: Path
) -> None:
    names: dict[str, Any] = {"wanted": lambda json: True, "stamp": 17}
    with ipyws.connect(site.url) as client:
        do(client, '{"at": {{stamp}}}\n=== expect wanted(json) within 1s\n', names)
        script = write(client.log, client.log.about, f"x{SUFFIX[program]}")
    assert script.notes == [
        "message #0 is what it was when it was sent: stamp is a name of the notebook",
        "step 2: wanted(json) is not carried over, any message will do: wanted is a name of the notebook",
    ]
    for note in script.notes:
        assert script.text.count(note) == 2  # above all, and where it belongs
    assert '{"at": 17}' in script.text


@pytest.mark.parametrize(("program", "way"), [("k6", "log"), ("locust", "capture")])
def test_what_python_sent_is_sent_again_with_its_pauses(
    program: str, way: str, site: Site, tmp_path: Path
) -> None:
    with ipyws.connect(site.url, headers={"X-Token": TOKEN}) as client:
        for number in range(3):
            client.send({"n": number, "token": TOKEN})
            client.recv("5s")
        client.send(b"\x00\x01")
        client.recv("5s")
        recording: Any = client.log
        if way == "capture":
            recording = ipyws.load(client.log.save(tmp_path / "talk.jsonl"))
        path = recording.save(tmp_path / f"talk{SUFFIX[program]}")
    first = heard(site)
    assert TOKEN not in path.read_text("utf-8")
    ended = run(program, path)
    again = heard(site)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert again[1:-1] == first[1:-1]
    assert again[0]["headers"]["X-Token"] == TOKEN
    assert "the message after #6" in ended.stdout + ended.stderr


def test_locust_ends_a_user_that_waits_for_a_close_frame(site: Site, tmp_path: Path) -> None:
    async def unmoved(raw: Raw) -> None:
        await raw.upgrade()
        await raw.read_frame()
        raw.site.seen.put((await raw.read_frame()).close_code)
        await raw.rest()

    with ipyws.connect(site.url) as client:
        client.send("hello")
        client.recv("5s")
        path = client.log.save(tmp_path / "talk.py")
    with raw_server(unmoved) as silent:
        program = path.read_text("utf-8").replace(site.url, silent.url)
        path.write_text(re.sub(r"talk\.wait\(.*\)", "pass", program), "utf-8")
        command = [str(BIN / "locust"), "-f", str(path), "--headless", "-u", "3", "-r", "3"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as locust:
            try:
                assert silent.next() == 1000
                locust.terminate()  # which stops its users, while they wait
                said, _ = locust.communicate(timeout=60)
            finally:
                locust.kill()
    assert locust.returncode == 0, said


def test_pauses_are_those_that_were_made(tmp_path: Path) -> None:
    lines = [{"ipyws": 1, "url": "ws://127.0.0.1:1/"}]
    moments = [(0, "out", 100.0), (1, "in", 100.01), (2, "out", 103.26), (3, "in", 103.27), (4, "out", 203.0)]
    stream = [(5 + number, "in", 203.0 + number / 10) for number in range(60)]
    lines += [
        {"seq": seq, "time": time, "direction": way, "type": "text", "size": 1, "data": "x"}
        for seq, way, time in moments + stream
    ]
    path = tmp_path / "old.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    script = write(ipyws.load(path), ipyws.load(path).about, "x.py")
    found = re.findall(r"time\.sleep\((.*)\)|talk\.(send)|talk\.(wait)|# (it was .*)", script.text)
    said = [next(filter(None, each)) for each in found]
    # 3.25 s of thinking; 99.7 s are cut; 60 messages are a stream that is listened to.
    assert [each for each in said if each != "socket"][-9:] == [
        *("send", "wait", "3.2", "send", "wait", "it was 100 s", "10", "send", "5.9"),
    ]


def test_a_hostile_capture_puts_nothing_into_a_script(tmp_path: Path) -> None:
    evil = (
        "'+process.exit(7)+'\n*/ // \u2028 \"\"\" {{env.HOME}} {{__import__('os').system('true')}} ${1+1} \\"
    )
    lines = [
        {"ipyws": 1, "url": "ws://127.0.0.1:1/", "name": evil, "request_headers": [["X-\nA", evil]]},
        {"seq": 0, "time": 1.0, "direction": "out", "type": "text", "size": 1, "data": evil},
    ]
    capture = tmp_path / "evil.jsonl"
    capture.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    for name in ("x.js", "x.py"):
        text = write(ipyws.load(capture), ipyws.load(capture).about, name).text
        path = tmp_path / name
        path.write_text(text, "utf-8")
        check = (
            [str(NODE), "--check", str(path)]
            if name == "x.js"
            else [sys.executable, "-m", "py_compile", str(path)]
        )
        assert subprocess.run([*check, str(path)], check=False).returncode == 0
    found = text.split("talk.send(")[1].split(")\n")[0]
    assert eval(found) == evil  # nothing in it was taken for more than text


@pytest.mark.parametrize("suffix", [".js", ".py"])
def test_no_file_of_somebody_else_is_replaced(suffix: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_text("// mine", "utf-8")
    with ipyws.connect(site.url) as client:
        with pytest.raises(InvalidError, match="something else than a capture"):
            client.log.save(path)
        assert path.read_text("utf-8") == "// mine"
        client.log.save(path, overwrite=True)
        client.log.save(path)  # it is ours now
    heard(site)


def test_a_recording_without_a_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="doesn't say where it was connected to"):
        write(Found([], None), None, "x.js")


def test_a_unix_socket_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    lines = [{"ipyws": 1, "url": "ws+unix:/run/x.sock:/"}]
    capture = tmp_path / "unix.jsonl"
    capture.write_text(json.dumps(lines[0]) + "\n", "utf-8")
    with pytest.raises(InvalidError, match="k6 can't connect to a Unix socket"):
        ipyws.load(capture).save(tmp_path / "x.js")
    assert not (tmp_path / "x.js").exists()


def test_values_that_are_redacted_are_in_no_script(site: Site, tmp_path: Path) -> None:
    with ipyws.connect(site.url) as client:
        do(client, '{"pin": "{{1 + 1}}", "who": "ann"}\n=== wait\n')
        path = client.log.save(tmp_path / "x.py", redact=["who"])
    heard(site)
    text = path.read_text("utf-8")
    assert "ann" not in text
    assert '"pin": "2"' in text


IN_EACH_PLACE = f"""{{"token": "{TOKEN}", "n": 1}}
=== expect json["token"] == "{TOKEN}" within 1s
plain {TOKEN}
=== wait
=== base64
{base64.b64encode(b"bytes " + TOKEN.encode()).decode()}
=== wait
=== close 4001 {TOKEN}
"""


@pytest.mark.parametrize("suffix", [".js", ".py"])
@pytest.mark.parametrize("way", ["log", "found", "capture"])
def test_a_secret_gets_into_no_script_from_any_place(
    way: str, suffix: str, site: Site, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "headers": {"X-Key": TOKEN, "Cookie": f"sid={TOKEN}"},
        "protocols": [f"bearer.{TOKEN}", "chat"],
        "params": {"token": TOKEN},
    }
    with ipyws.connect(f"{site.url}/?key={TOKEN}", **options) as client:
        do(client, IN_EACH_PLACE)
        recording: Any = client.log
        if way == "found":
            recording = client.log.filter(direction="out")
        elif way == "capture":
            recording = ipyws.load(client.log.save(tmp_path / "talk.jsonl"))
        script = write(recording, recording.about, f"x{suffix}")
    heard(site)
    assert "talk.send(" in script.text
    assert TOKEN not in script.text
    assert TOKEN.encode().hex() not in script.text
    assert not any(TOKEN in note for note in script.notes)
