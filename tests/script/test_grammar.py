from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.script.grammar import parse
from ipyws.script.request import parse_request
from ipyws.script.steps import DEFAULT_TIMEOUT, Close, Expect, Ping, Send, Sleep, Step, Wait


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ("", []),
        (" \n\t\n", []),
        ("hello", [Send(1, "hello")]),
        ("hello\n", [Send(1, "hello")]),
        ("hello\n\n", [Send(1, "hello\n")]),
        ("  hello ", [Send(1, "  hello ")]),
        ('{\n  "a": 1\n}\n', [Send(1, '{\n  "a": 1\n}')]),
        ("a\n===\nb\n", [Send(1, "a"), Send(3, "b")]),
        ("a\n\n===\n\nb\n", [Send(1, "a\n"), Send(4, "\nb")]),
        ("===\na", [Send(2, "a")]),
        ("a\n===\n \n===\nb", [Send(1, "a"), Send(5, "b")]),
        ("a\n=== // next\nb", [Send(1, "a"), Send(3, "b")]),
        ("a\n===   \r\nb", [Send(1, "a"), Send(3, "b")]),
        ("a ===\nb\n ===\n====\n===x\n==", [Send(1, "a ===\nb\n ===\n====\n===x\n==")]),
        ("=== hex\n00 ff\n", [Send(2, "00 ff", "hex")]),
        ("=== base64 // bytes\nAAE=\n===\ntext", [Send(2, "AAE=", "base64"), Send(4, "text")]),
        ("a\n=== file a b.bin // c\n===\nb", [Send(1, "a"), Send(2, "a b.bin", "file"), Send(4, "b")]),
        ("=== ping\nafter", [Ping(1), Send(2, "after")]),
    ],
)
def test_payloads_between_separators_are_messages_as_they_stand(body: str, steps: list[Step]) -> None:
    assert parse(body) == steps


@pytest.mark.parametrize(
    ("directive", "step"),
    [
        ("wait-for-server", Wait(1)),
        ("wait-for-server // one", Wait(1)),
        ("wait", Wait(1, 1, DEFAULT_TIMEOUT, None)),
        ("wait 3", Wait(1, 3)),
        ("wait 500ms", Wait(1, 1, 0.5)),
        ("wait 3 1m30s", Wait(1, 3, 90.0)),
        ("wait 3 5s // where a comment is", Wait(1, 3, 5.0)),
        ('wait where json["a"] // 2 == 1', Wait(1, where='json["a"] // 2 == 1')),
        ("wait 2 5s where msg.size > 3", Wait(1, 2, 5.0, "msg.size > 3")),
        ('wait where " where " in msg.data', Wait(1, where='" where " in msg.data')),
        ("expect json", Expect(1, "json")),
        ('expect json["n"] // 2 == 1 # half', Expect(1, 'json["n"] // 2 == 1 # half')),
        ("expect json as reply", Expect(1, "json", "reply")),
        ("expect json within 2s", Expect(1, "json", None, 2.0)),
        ("expect json as reply within 250ms", Expect(1, "json", "reply", 0.25)),
        ("expect json within 250ms as reply", Expect(1, "json", "reply", 0.25)),
        ('expect msg.data == "x as y"', Expect(1, 'msg.data == "x as y"')),
        ('expect msg.data == "x within 5s"', Expect(1, 'msg.data == "x within 5s"')),
        ("sleep 500ms", Sleep(1, 0.5)),
        ("sleep 1s // a while", Sleep(1, 1.0)),
        ("ping", Ping(1)),
        ("ping // pong", Ping(1)),
        ("close", Close(1, 1000, "")),
        ("close // done", Close(1, 1000, "")),
        ("close 4001", Close(1, 4001, "")),
        ("close 1000 see http://x // done", Close(1, 1000, "see http://x")),
        ("file a.bin", Send(1, "a.bin", "file")),
    ],
)
def test_a_directive_says_what_to_do(directive: str, step: Step) -> None:
    assert parse(f"=== {directive}") == [step]


@pytest.mark.parametrize(
    ("directive", "reason", "hint"),
    [
        ("wiat", "unknown directive 'wiat'", "'wait'"),
        ("wait-for-sever", "unknown directive", "'wait-for-server'"),
        ("WAIT", "unknown directive", "wait-for-server"),
        ("{}", "unknown directive", "known are"),
        ("wait 0", "count of wait", "at least 1"),
        ("wait -1", "timeout of wait", "unit"),
        ("wait 1234567890", "count of wait", "whole number"),
        ("wait ²", "count of wait", "whole number"),
        ("wait 5s 3", "'3'", "wait 3 5s"),
        ("wait 3 4", "timeout of wait", "unit"),
        ("wait 3 0s", "timeout of wait", "300ms"),
        ("wait where", "where has no expression", "json"),
        ("wait where a b", "not a Python expression", ""),
        ("wait-for-server 3", "does not take '3'", ""),
        ("expect", "no expression", "json"),
        ("expect as reply", "no expression", "json"),
        ('expect {"op": "login"}', "no condition", "compare"),
        ('wait 2 where "ready"', "no condition", "compare"),
        ("expect json ==", "not a Python expression", ""),
        ("expect x = 1", "not a Python expression", "=="),
        ("expect json as a as b", "not a Python expression", ""),
        ("expect json as 1st", "'1st' after as", "variable"),
        ("expect json as class", "'class' after as", "variable"),
        ("expect json within 5", "5 has no unit", ""),
        ("sleep", "time of sleep", "unit"),
        ("sleep 5", "5 has no unit", ""),
        ("sleep 1s 2s", "time of sleep", ""),
        ("ping now", "does not take 'now'", "alone"),
        ("close bye", "close code is 'bye'", "whole number"),
        ("close 1005", "1005", "1000-1003"),
        ("close 1000 " + "x" * 124, "124 bytes", "123"),
        ("hex 00", "does not take '00'", "below"),
        ("file", "no path", "PATH"),
        ("file // nothing", "no path", "PATH"),
        ("expect json 5s", "not a Python expression", "behind within"),
        ("wait where json 5s", "not a Python expression", "before where"),
    ],
)
def test_a_bad_directive_is_refused_with_its_line(directive: str, reason: str, hint: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(f"a\n===\nb\n=== {directive}\nc")
    assert caught.value.message.startswith("line 4: ")
    assert reason in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("directive", ["expect json", "wait", "wait-for-server", "close 1000"])
def test_a_directive_that_lacks_its_space_is_not_sent_as_text(directive: str) -> None:
    with pytest.raises(InvalidError, match=r"^line 2: a space is missing") as caught:
        parse(f"a\n==={directive}\nb")
    assert f"=== {directive.split()[0]}" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("=== hex\n", 1),
        ("a\n=== hex\n=== ping\n", 2),
        ("a\n=== base64\n=== hex\n00", 2),
        ("a\n=== file x.bin\nb", 3),
    ],
)
def test_an_encoding_belongs_to_the_payload_below_it(body: str, line: int) -> None:
    with pytest.raises(InvalidError, match=f"^line {line}: .*payload"):
        parse(body)


def test_lines_count_from_where_the_body_begins() -> None:
    assert parse("a\n=== ping", first_line=5) == [Send(5, "a"), Ping(6)]
    with pytest.raises(InvalidError, match="line 6"):
        parse("a\n=== pong", first_line=5)


PASTED = """
### price stream
// made by hand
WEBSOCKET wss://example.com/{{path}}
Authorization: Bearer {{env.TOKEN}}
# off: yes
X-Empty:

{"op": "subscribe"}
=== wait-for-server
=== wait-for-server
bye

###
"""


def test_a_pasted_request_gives_url_headers_and_body() -> None:
    request, body = parse_request(PASTED)
    assert request is not None
    assert request.name == "price stream"
    assert request.url == "wss://example.com/{{path}}"
    assert request.headers == (("Authorization", "Bearer {{env.TOKEN}}"), ("X-Empty", ""))
    assert parse(body, first_line=request.body_line) == [
        Send(9, '{"op": "subscribe"}'),
        Wait(10),
        Wait(11),
        Send(12, "bye"),
    ]


@pytest.mark.parametrize(
    ("text", "url", "body"),
    [
        ("WEBSOCKET ws://x", "ws://x", ""),
        ("WEBSOCKET ws://x\n\n===\na", "ws://x", "===\na"),
        ("###\nWEBSOCKET\tws://x\r\nA: b\r\n\r\nhello", "ws://x", "hello"),
    ],
)
def test_a_request_may_be_short(text: str, url: str, body: str) -> None:
    request, rest = parse_request(text)
    assert request is not None
    assert (request.url, rest) == (url, body)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A: b // c", "b"),
        ("A: // c", ""),
        ("A: http://b//c", "http://b//c"),
        ("A: {{7 // 2}}", "{{7 // 2}}"),
        ("A: b ", "b"),
    ],
)
def test_a_comment_may_follow_a_header(line: str, value: str) -> None:
    request, _ = parse_request(f"WEBSOCKET ws://x\n{line}")
    assert request is not None
    assert request.headers == (("A", value),)


@pytest.mark.parametrize(
    "body", ["", "hello", "### heading\ntext", "# note", "a\nWEBSOCKET ws://x", "WEBSOCKETS x"]
)
def test_a_body_that_is_no_request_stays_as_it_is(body: str) -> None:
    assert parse_request(body) == (None, body)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nWEBSOCKET", "line 2: WEBSOCKET has no URL"),
        ("WEBSOCKET ws://x\nnot a header\n\nbody", "line 2: not a header"),
        ('WEBSOCKET ws://x\n{"a": 1}', "line 2: not a header"),
        ("WEBSOCKET ws://x\n\na\n### two\nWEBSOCKET ws://y", "line 4: a second request"),
    ],
)
def test_a_broken_request_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        parse_request(text)


def test_a_request_shows_no_header_in_its_repr() -> None:
    request, _ = parse_request("WEBSOCKET ws://x\nAuthorization: hunter2\n")
    assert "hunter2" not in repr(request)


@given(st.lists(st.text(alphabet='{}": a1=\n', min_size=1), min_size=1, max_size=4))
def test_messages_come_back_as_they_were_written(payloads: list[str]) -> None:
    written = [text for text in payloads if text.strip() and not any(map(is_separator, text.split("\n")))]
    steps = parse("\n===\n".join([*written, ""]))
    assert [step.payload for step in steps if isinstance(step, Send)] == written


def is_separator(line: str) -> bool:
    return line.rstrip() == "===" or line.startswith("=== ")


def test_line_ends_of_windows_are_those_of_the_file_and_not_sent() -> None:
    assert parse("a\r\nb\r\n===\r\n\r\nc\rd\r\n") == parse("a\nb\n===\n\nc\rd\n")
