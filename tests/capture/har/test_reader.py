"""HAR: what other programs wrote is read exactly; what we write is HAR, and comes back as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ipyws.capture.capture import Capture
from ipyws.capture.har import reader
from ipyws.capture.load import load
from ipyws.capture.recording import RecordedLog
from ipyws.core.connection.info import About
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control, Message
from ipyws.errors import InvalidError

HARS = Path(__file__).parents[2] / "data" / "har"
JSON = '{"id": 7, "nested": {"list": [1, 2.5, null]}}'
ECHOED: list[Any] = ["plain ✓ text", JSON, b"\x00\x01\x02\xfe\xff", ""]
ORDERED = [
    ("out", "text", '{"do": "fragment", "parts": 3, "text": "one message in three frames"}'),
    ("in", "text", "one message in three frames"),
    ("out", "text", '{"do": "ping", "data": "are you there"}'),
    ("out", "text", '{"do": "close", "code": 4001, "reason": "bye"}'),
]


def told(messages: Iterable[Message]) -> list[tuple[str, str, Any]]:
    return [(message.direction, message.type, message.data) for message in messages]


def both_ways(payloads: list[Any]) -> list[tuple[str, str, Any]]:
    kinds = {str: "text", bytes: "binary"}
    return [(way, kinds[type(data)], data) for data in payloads for way in ("out", "in")]


@pytest.mark.parametrize(
    ("name", "echoed"),
    [
        ("chrome-devtools.har", ECHOED),
        ("playwright.har", ECHOED[:-1]),  # it leaves empty messages out
        ("mitmproxy.har", ECHOED),
    ],
)
def test_a_har_of_another_program_is_read_exactly(name: str, echoed: list[Any]) -> None:
    with load(HARS / name, connection=1) as capture:
        assert told(capture) == both_ways(echoed)
        assert capture.url == "ws://127.0.0.1:9335/"
        assert capture.about is not None
        assert capture.about.status == 101
        assert ("Upgrade", "websocket") in capture.about.headers
        assert "Sec-WebSocket-Key" in dict(capture.about.request_headers)
        assert [message.seq for message in capture] == list(range(len(capture)))
    with load(HARS / name, connection=2) as capture:
        assert told(capture) == ORDERED


@pytest.mark.parametrize("name", ["chrome-devtools.har", "playwright.har", "mitmproxy.har"])
def test_times_are_seconds_whatever_the_program_counts_in(name: str) -> None:
    with load(HARS / name, connection=1) as capture:
        assert capture.about is not None
        opened = capture.about.opened_at
        entry = json.loads((HARS / name).read_text())["log"]["entries"][0]
        assert opened == datetime.fromisoformat(entry["startedDateTime"]).timestamp()
        assert all(opened - 1 < message.time < opened + 10 for message in capture)


def test_a_connection_that_failed_holds_no_message_and_says_so() -> None:
    with load(HARS / "chrome-devtools.har", connection=3) as capture:
        assert list(capture) == []
        assert "1 entries that are no messages are left out" in capture.note


def test_several_connections_to_different_urls_must_be_chosen_from() -> None:
    with pytest.raises(InvalidError) as caught:
        load(HARS / "chrome-devtools.har")
    assert "connection=1 ('ws://127.0.0.1:9335/', 8 messages)" in caught.value.hint
    assert "connection=3 ('ws://127.0.0.1:9337/', 0 messages)" in caught.value.hint


# -- ours ------------------------------------------------------------------------------------------

ABOUT = About(
    url="wss://example.com/stream?room=7&empty=",
    name="prices",
    opened_at=1790000000.123456,
    subprotocol="chat",
    status=101,
    reason="Switching Protocols",
    headers=(("Server", "x"), ("Sec-WebSocket-Protocol", "chat")),
    request_headers=(("Host", "example.com"), ("X-Twice", "a"), ("X-Twice", "b")),
    extensions="permessage-deflate",
    proxy="http://proxy:3128",
)


def log_of_everything() -> RecordedLog:
    log = RecordedLog(1000, 1 << 20, Budget())
    log.describe = lambda: ABOUT
    log.append("out", ['{"a": "ü\u2028\x00\\"}', "", "𝄞"], 20, moment=1790000000.2)
    log.append("in", [b"\xff\x00", b"", "text"], 6, moment=1790000000.1234567)
    log.append("in", [Control(b"ping\xff")], 5, type="ping", moment=1790000001.0)
    log.append("out", [Control(b"ping\xff")], 5, type="pong", moment=1790000001.0)
    log.append("in", [Control(b"", rtt=0.0123)], 0, type="pong", moment=1790000001.5)
    log.append("in", [Control(b"\x0f\xa1bye", code=4001, reason="bye")], 5, type="close", moment=1790000002.0)
    log.append("out", [Control(b"", code=1005)], 0, type="close", moment=1790000002.0)
    log.append("in", [Control(b"", code=1006, reason="")], 0, type="close", moment=1790000002.0)
    log.append("in", [Control(b"", reason="again after 2 s")], 0, type="open", moment=1790000003.0)
    return log


@pytest.mark.parametrize("suffix", [".har", ".jsonl"])
def test_what_we_save_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    log = log_of_everything()
    with load(log.save(tmp_path / f"x{suffix}")) as capture:
        assert list(capture) == list(log)
        assert capture.about == ABOUT
        assert (capture.name, capture.note, capture.evicted) == ("prices", "", 0)
        again = capture.save(tmp_path / f"y{suffix}")
    assert again.read_bytes() == (tmp_path / f"x{suffix}").read_bytes()


def test_from_har_to_lines_and_back_nothing_changes(tmp_path: Path) -> None:
    log = log_of_everything()
    with load(log.save(tmp_path / "a.har")) as capture:
        capture.save(tmp_path / "b.jsonl")
    with load(tmp_path / "b.jsonl") as capture:
        assert list(capture) == list(log)
        assert capture.about == ABOUT
        capture.save(tmp_path / "c.har")
    assert (tmp_path / "a.har").read_bytes() == (tmp_path / "c.har").read_bytes()


# The objects of HAR 1.2 with the keys that it does not call optional, and what they hold.
NUMBER = (int, float)
NAMED: dict[str, Any] = {"name": str, "value": str}
SCHEMA: dict[str, Any] = {
    "log": {
        "version": str,
        "creator": {"name": str, "version": str},
        "entries": [
            {
                "startedDateTime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
                "time": NUMBER,
                "request": {
                    "method": str,
                    "url": str,
                    "httpVersion": str,
                    "cookies": [NAMED],
                    "headers": [NAMED],
                    "queryString": [NAMED],
                    "headersSize": int,
                    "bodySize": int,
                },
                "response": {
                    "status": int,
                    "statusText": str,
                    "httpVersion": str,
                    "cookies": [NAMED],
                    "headers": [NAMED],
                    "content": {"size": int, "mimeType": str},
                    "redirectURL": str,
                    "headersSize": int,
                    "bodySize": int,
                },
                "cache": {},
                "timings": {"send": NUMBER, "wait": NUMBER, "receive": NUMBER},
                "_webSocketMessages": [{"type": str, "time": NUMBER, "opcode": int, "data": str}],
            }
        ],
    }
}


def lacks(value: Any, schema: Any, where: str = "") -> list[str]:
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [where]
        return [
            wrong
            for key, inner in schema.items()
            for wrong in (lacks(value[key], inner, f"{where}.{key}") if key in value else [f"{where}.{key}"])
        ]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [where]
        return [wrong for item in value for wrong in lacks(item, schema[0], f"{where}[]")]
    if isinstance(schema, re.Pattern):
        return [] if isinstance(value, str) and schema.fullmatch(value) else [where]
    return [] if isinstance(value, schema) and not isinstance(value, bool) else [where]


def saved(tmp_path: Path, log: RecordedLog) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(log.save(tmp_path / "x.har").read_text(encoding="utf-8"))
    return document


def test_every_key_that_har_requires_is_there(tmp_path: Path) -> None:
    assert lacks(saved(tmp_path, log_of_everything()), SCHEMA) == []
    assert lacks(saved(tmp_path, RecordedLog(10, 10, Budget())), SCHEMA) == []


def test_the_schema_check_sees_what_is_missing(tmp_path: Path) -> None:
    document = saved(tmp_path, log_of_everything())
    del document["log"]["entries"][0]["response"]["content"]["mimeType"]
    document["log"]["entries"][0]["request"]["headers"][0]["value"] = 1
    document["log"]["entries"][0]["startedDateTime"] = "yesterday"
    assert lacks(document, SCHEMA) == [
        ".log.entries[].startedDateTime",
        ".log.entries[].request.headers[].value",
        ".log.entries[].response.content.mimeType",
    ]


def test_other_programs_see_the_connection_and_every_message_but_our_notes(tmp_path: Path) -> None:
    entry = saved(tmp_path, log_of_everything())["log"]["entries"][0]
    assert entry["_resourceType"] == "websocket"
    assert entry["startedDateTime"] == "2026-09-21T14:13:20.123Z"
    assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo == UTC
    assert entry["request"]["queryString"] == [{"name": "room", "value": "7"}, {"name": "empty", "value": ""}]
    messages = entry["_webSocketMessages"]
    assert messages[0]["data"] == '{"a": "ü\u2028\x00\\"}'
    assert [(message["type"], message["opcode"], message["data"]) for message in messages[3:]] == [
        ("receive", 2, "/wA="),
        ("receive", 2, ""),
        ("receive", 1, "text"),
        ("receive", 9, "cGluZ/8="),
        ("send", 10, "cGluZ/8="),
        ("receive", 10, ""),
        ("receive", 8, "D6FieWU="),
        ("send", 8, ""),
        ("receive", 8, ""),
        ("receive", -1, ""),
    ]


# -- any other -------------------------------------------------------------------------------------


def har(tmp_path: Path, *entries: Any) -> Path:
    path = tmp_path / "other.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
    return path


def entry(*messages: Any, url: str = "wss://h/") -> dict[str, Any]:
    return {"request": {"url": url}, "_webSocketMessages": messages}


def message(**changes: Any) -> dict[str, Any]:
    return {"type": "receive", "time": 5.0, "opcode": 1, "data": "x", **changes}


def test_a_close_frame_is_read_by_its_payload(tmp_path: Path) -> None:
    frames = ["D6FieWU=", "", "Aw==", "A+j/"]
    path = har(tmp_path, entry(*(message(opcode=8, data=data) for data in frames)))
    with load(path) as capture:
        assert [(m.code, m.reason) for m in capture] == [
            (4001, "bye"),
            (1005, ""),
            (1005, ""),
            (1000, "\ufffd"),
        ]


def test_messages_may_come_before_what_is_said_of_the_connection(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_text('{"log": {"entries": [{"_webSocketMessages": [], "request": {"url": "ws://late/"}}]}}')
    with load(path) as capture:
        assert capture.url == "ws://late/"
        assert capture.note == "it holds no messages"


def test_other_requests_of_a_page_are_passed_over_however_large(tmp_path: Path) -> None:
    picture = {
        "request": {"url": "data:," + "x" * 3_000_000, "headers": 5},
        "response": {"content": ["{" * 99]},
    }
    with load(har(tmp_path, picture, entry(message()), picture, {}, {"request": None})) as capture:
        assert told(capture) == [("in", "text", "x")]


def test_what_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidError, match='entry 1: there is no "url"'):
        load(har(tmp_path, entry(url="ws://h/" + "x" * 3_000_000)))
    monkeypatch.setattr(reader, "LONGEST_LINE", 1 << 20)
    with pytest.raises(InvalidError, match="entry 1: message 2: it is longer than 1 MB"):
        load(har(tmp_path, entry(message(), message(data="x" * 2_000_000))))


def test_of_several_connections_to_one_url_the_last_is_meant(tmp_path: Path) -> None:
    path = har(tmp_path, entry(message(data="old")), entry(message(data="new")))
    with load(path) as capture:
        assert told(capture) == [("in", "text", "new")]
        assert capture.note == "the last of 2 connections to this URL"
    with load(path, 1) as capture:
        assert told(capture) == [("in", "text", "old")]
        assert capture.note == ""


@pytest.mark.parametrize("connection", [0, -1, 3, True, "1", 1.0])
def test_only_a_connection_that_is_there_can_be_chosen(tmp_path: Path, connection: Any) -> None:
    path = har(tmp_path, entry(message()), entry(message()))
    with pytest.raises(InvalidError, match="connection is"):
        load(path, connection)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": None}, 'there is no "time"|"time" is None'),
        ({"time": -1}, '"time" is -1'),
        ({"time": True}, '"time" is True'),
        ({"time": "now"}, "\"time\" is 'now'"),
        ({"opcode": "1"}, "\"opcode\" is '1'"),
        ({"opcode": 1.5}, '"opcode" is 1.5'),
        ({"type": 7}, '"type" is 7'),
        ({"data": 7}, '"data" is 7'),
        ({"opcode": 2, "data": "no base64!"}, '"base64" is'),
        ({"opcode": 8, "data": "no base64!"}, '"data" is'),
        ({"_refs": ["env.X", "os.system"]}, '"refs" is'),
        ({"_code": 1 << 70, "opcode": 8, "data": ""}, '"code" is'),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = har(tmp_path, {}, entry(message(), message(**changes)))
    with pytest.raises(InvalidError, match=rf"other\.har: entry 2: message 2: ({words})"):
        load(path)


def test_a_capture_of_a_har_needs_it_no_more(tmp_path: Path) -> None:
    path = har(tmp_path, entry(message()))
    capture: Capture = load(path)
    path.unlink()
    assert told(capture) == [("in", "text", "x")]
    capture.close()
