"""What the panel exports: it is harmless, and no secret is in it."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import ipyws
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control, Message
from ipyws.errors import InvalidError
from ipyws.widget import lines
from ipyws.widget.exporting import LARGEST, export

URL = "wss://api.example.com/v1?q=it's"


def connection(*payloads: Any, url: str = URL, **elsewhere: str) -> Any:
    log = RecordedLog(budget=Budget(1 << 20))
    for payload in payloads:
        log.append("out", [payload], len(payload))
    return SimpleNamespace(url=url, log=log, elsewhere=elsewhere)


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


def test_a_table_has_what_a_codec_reads() -> None:
    log = RecordedLog(budget=Budget(1 << 20), codec=MSGPACK)
    log.append("in", [MSGPACK.encode({"id": 1}), b"\xc1", "=text"], 9)
    rows = list(csv.reader(io.StringIO(export("csv", {"a": log}), newline="")))
    assert rows[0][-3:] == ["data", "label", "value"]
    assert [row[-3:] for row in rows[1:]] == [
        ["81 a2 69 64 01", "", '{"id": 1}'],
        ["c1", "", ""],
        ["'=text", "", ""],
    ]


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


def test_text_is_read_as_it_is_and_nothing_of_it_is_cut() -> None:
    log = RecordedLog(budget=Budget(1 << 20))
    log.append("out", ["short"], 5)
    log.append("in", ["x" * 5000 + "\nend"], 5004)
    log.append("in", [bytes(range(40))], 40)
    log.append("in", [Control(b"\x1b")], 1, "ping")
    text = export("text", {"a": log})
    assert "x" * 5000 + "\n    end\n" in text
    first, second = text.splitlines()[:2]
    assert first.split("  ")[1:] == ["↑", "text", "5 B"]
    assert second == "    short"
    assert "000020  20 21" in text.replace("00000020", "000020")
    assert "\x1b" not in text
    assert "Message(" not in text
    assert "  a  " in export("text", {"a": log, "b": log})
