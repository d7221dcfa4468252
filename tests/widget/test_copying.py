"""What the panel copies and exports: it can be pasted, it is harmless, and no secret is in it."""

from __future__ import annotations

import ast
import base64
import csv
import io
import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ipyws
from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.widget import lines
from ipyws.widget.copying import copy_as
from ipyws.widget.exporting import LARGEST, export

URL = "wss://api.example.com/v1?q=it's"
QUOTED = shlex.quote(URL)
TEXTS = ["plain", 'it\'s "quoted" $HOME `id`', "two\nlines", '{"a": 1}', "{{x}}", "=== ping", "ünï"]


def connection(*payloads: Any, url: str = URL, **elsewhere: str) -> Any:
    log = RecordedLog(budget=Budget(1 << 20))
    for payload in payloads:
        log.append("out", [payload], len(payload))
    return SimpleNamespace(url=url, log=log, elsewhere=elsewhere)


@pytest.mark.parametrize("text", TEXTS)
def test_the_shell_takes_a_copied_line_as_it_is_meant(text: str) -> None:
    client = connection(text)
    wscat = shlex.split(copy_as("wscat", client))
    assert wscat == ["wscat", "-c", URL, "-x", text]
    assert shlex.split(copy_as("websocat", client))[-3:] == ["websocat", "-n", URL]


def test_a_copied_line_sends_all_messages_in_order() -> None:
    client = connection("first", b"\x00", "second line", "third")
    executed = ["-x", "first", "-x", "second line", "-x", "third"]
    assert shlex.split(copy_as("wscat", client)) == ["wscat", "-c", URL, *executed]
    printed = subprocess.run(
        ["sh", "-c", copy_as("websocat", client).partition(" | ")[0]], capture_output=True, check=True
    )
    assert printed.stdout == b"first\nsecond line\nthird\n"


@pytest.mark.parametrize("payload", [*TEXTS, b"\x00\xff"])
def test_copied_python_sends_the_same(payload: str | bytes) -> None:
    tree = ast.parse(copy_as("python", connection(payload)))
    sends = [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "send"
    ]
    assert sends == [payload]


@pytest.mark.parametrize("text", ["", " x", "x\n", "a\n=== ping", "### x"])
def test_what_no_cell_can_say_is_an_error(text: str) -> None:
    with pytest.raises(InvalidError, match="can't be written"):
        copy_as("ws", connection(text))


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["say {{x}}"], f"%%ws --raw {QUOTED}"),
        (["{no json"], f"%%ws --text {QUOTED}"),
        (['{"a": 1}'], f"%%ws {QUOTED}"),
        (["[", "{{"], f"%%ws --raw --text {QUOTED}"),
        ([], f"%ws {QUOTED}"),
    ],
)
def test_a_copied_cell_says_what_its_messages_are(texts: list[str], line: str) -> None:
    assert copy_as("ws", connection(*texts)).splitlines()[0] == line


@pytest.mark.parametrize("what", ["ws", "python", "wscat", "websocat"])
def test_no_copy_holds_a_secret(what: str) -> None:
    value = ipyws.secret("canary-copy-0b1d44")
    client = connection(f"auth {value}", url=f"wss://example.com/?key={value}")
    assert value not in copy_as(what, client)


def test_a_copy_dials_where_the_connection_does() -> None:
    elsewhere = {"connect_to": "10.1.2.3:8443", "server_hostname": "stage.example.com"}
    client = connection("x", **elsewhere)
    flags = ["--connect-to", "10.1.2.3:8443", "--server-hostname", "stage.example.com"]
    assert shlex.split(copy_as("ws", client).splitlines()[0]) == ["%%ws", URL, *flags]
    [call] = [
        node
        for node in ast.walk(ast.parse(copy_as("python", client)))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "connect"
    ]
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == elsewhere
    for what in ("wscat", "websocat"):
        with pytest.raises(InvalidError, match="only ipyws knows connect_to"):
            copy_as(what, client)


@pytest.mark.parametrize("what", ["ws", "python", "wscat", "websocat"])
def test_a_copy_of_a_real_connection_holds_none_of_its_cookies(what: str, tmp_path: Path) -> None:
    with (
        ipyws.serve("echo", unix=tmp_path / "a.sock") as demo,
        ipyws.connect(demo.url, cookies={"session": "canary-cookie-55"}) as client,
    ):
        client.send("canary-cookie-55 x")
        copied = copy_as(what, client.connection)
    assert demo.url in copied
    assert "canary" not in copied


def test_a_copy_of_a_real_connection_says_where_it_is_dialled() -> None:
    with ipyws.serve("echo") as demo:
        at = f"127.0.0.1:{demo.port}"
        with ipyws.connect("ws://localhost:9/x", connect_to=at, proxy=None) as client:
            assert copy_as("ws", client.connection) == f"%ws ws://localhost:9/x --connect-to {at}"


def test_there_is_no_other_form() -> None:
    with pytest.raises(InvalidError, match="no form"):
        copy_as("curl", connection())
    with pytest.raises(InvalidError, match="no export"):
        export("xls", {})


def test_json_lines_hold_every_byte() -> None:
    lines = export("jsonl", {"a": connection("ä\n", b"\x00\xff", "\ud800").log}).splitlines()
    header, *records = [json.loads(line) for line in lines]
    assert header["ipyws"] == 1
    assert [record.get("data", record.get("base64")) for record in records] == ["ä\n", "AP8=", "\ud800"]


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing_of_an_export(hostile: str) -> None:
    text = export("csv", {"a": connection(hostile, 'a "b", c').log})
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["connection", "seq", "time", "direction", "type", "size", "data"]
    assert rows[1][-1] == f"'{hostile}"
    assert rows[2][-1] == 'a "b", c'


def test_exports_of_several_connections_go_by_time_and_a_har_has_one() -> None:
    logs = {"a": connection().log, "b": connection().log}
    for moment, name in enumerate("abba"):
        logs[name].append("in", [f"{name}{moment}"], 2, moment=float(moment))
    rows = list(csv.reader(io.StringIO(export("csv", logs), newline="")))[1:]
    assert [(row[0], row[-1]) for row in rows] == [("a", "a0"), ("b", "b1"), ("b", "b2"), ("a", "a3")]
    with pytest.raises(InvalidError, match="2 connections"):
        export("har", logs)


class Followed(RecordedLog):
    """A log that counts what is read of it."""

    read_so_far = 0

    def __iter__(self) -> Iterator[Message]:
        for message in super().__iter__():
            self.read_so_far += 1
            yield message


@pytest.mark.parametrize("what", ["jsonl", "har", "csv"])
def test_an_export_that_is_too_long_is_given_up_early(what: str) -> None:
    log = Followed(budget=Budget(1 << 30))
    for _ in range(30):
        log.append("in", ["x" * (LARGEST // 4)], LARGEST // 4)
    with pytest.raises(InvalidError, match="Jupyter carries at once"):
        export(what, {"a": log})
    assert log.read_so_far <= 6


@pytest.mark.parametrize("what", ["jsonl", "har", "csv", "text"])
def test_no_export_holds_a_secret(what: str) -> None:
    value = ipyws.secret("canary-export-93e0")
    text = export(what, {"a": connection(f"x {value} y", value.encode()).log})
    assert value not in text
    assert value.encode().hex(" ") not in text


AWKWARD = "cor(rect)/horse+\u00fc\U0001f600 'q' \\ end"


@pytest.mark.parametrize("what", ["ws", "python", "wscat", "websocat"])
def test_a_secret_is_masked_before_it_is_spelled_for_a_shell_for_python_or_in_hexadecimal(what: str) -> None:
    value = ipyws.secret(AWKWARD)
    client = connection(
        json.dumps({"a": str(value)}),
        f"in 'the' {value} middle",
        f"\x00{value}".encode(),
        url=f"wss://h/?x={value}",
    )
    copied = copy_as(what, client)
    digits = copied.replace(" ", "")
    for part in ("horse", "rect", " end", "%F0%9F", "d83d"):
        assert part not in copied
    assert b"horse".hex() not in digits
    assert "***" in copied


def test_exports_show_no_secret_however_it_is_spelled() -> None:
    value = ipyws.secret(AWKWARD)
    log = RecordedLog(budget=Budget(1 << 20))
    for payload in (json.dumps({"a": str(value)}).replace("/", "\\/"), f"\x00{value}".encode()):
        log.append("in", [payload], len(payload))
    for what in ("jsonl", "har", "csv", "text"):
        exported = export(what, {"name": log})
        assert "horse" not in exported, what
        assert b"horse".hex(" ") not in exported, what
        assert base64.b64encode(b"horse+").decode()[:6] not in exported, what


@pytest.mark.parametrize("before", [0, 280, 295, 4080, 4090, 4095, 256 * 1024 - 12, 256 * 1024 - 5])
def test_the_panel_shows_no_half_of_a_secret_where_it_cuts(before: int) -> None:
    value = str(ipyws.secret(AWKWARD))
    for payload in (f"{'.' * before}{value}{'.' * 300}", f"{'.' * before}{value}{'.' * 300}".encode()):
        message = Message("text" if isinstance(payload, str) else "binary", payload, "in", 0, 0.0)
        shown = lines.line(1, "n", message, None)["preview"] + json.dumps(lines.payload(message))
        for part in ("cor(", "rect", "horse"):
            assert part not in shown
            assert part.encode().hex(" ") not in shown
