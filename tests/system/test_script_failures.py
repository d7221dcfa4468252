"""Bodies of ``%%ws`` that fail, in a real kernel: what is said, what is left, what no server can do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

import pytest

from ipyws.demo.hostile import PAYLOADS
from tests.support.cells import fails, value
from tests.support.kernel import Kernel, Result
from tests.support.scripts import Obeying, obeying, order, steps

pytestmark = pytest.mark.kernel

TOKEN = "tok-93c1f5aa"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(env={"WS_TOKEN": TOKEN}) as kernel:
        assert kernel.run("%load_ext ipyws\nimport ipyws").status == "ok"
        yield kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Obeying]:
    with obeying() as running:
        yield running


@pytest.fixture
def seen(kernel: Kernel, server: Obeying) -> Obeying:
    """The server, with one connection, called main, and nothing else remembered."""
    assert kernel.run(f"%ws close --all\n%ws {server.url} --as main").status == "ok"
    assert server.wait(lambda server: server.open == 1)
    server.forget()
    return server


# -- what the error says -----------------------------------------------------------------------------

SAID = {
    "nothing came": (
        f"{order()}\n=== wait 60ms",
        "WaitTimeoutError",
        ["line 3: wait 1 60ms: no", "within 60ms"],
    ),
    "too little came": (
        f"{order('a', 'b')}\n=== wait 5 500ms",
        "WaitTimeoutError",
        ["line 3: wait 5 500ms: ", "2 of 5 had come"],
    ),
    "something else came": (
        f'{order("a", "b")}\n=== expect msg.data == "c" within 500ms',
        "WaitTimeoutError",
        [
            'line 3: expect msg.data == "c" within 500ms: no match within 500ms',
            "the 2 messages that came: 'a', 'b'",
        ],
    ),
    "much else came": (
        f'{order(*"abcdefg")}\n=== wait 2 500ms where msg.data == "a"',
        "WaitTimeoutError",
        ["1 of 2 had come", "the 6 messages that came, the last: 'e', 'f', 'g'"],
    ),
    "the expression raised": (
        f"{order('[]')}\n=== expect json['id'] within 500ms",
        "WaitTimeoutError",
        ["line 3: ", "failed on 1 of 1 message: TypeError: list indices must be integers", "came: '[]'"],
    ),
    "a name is missing deep inside": (
        f"{order('a')}\n=== expect (lambda: helper())() within 5s",
        "InvalidError",
        ["line 3: expect (lambda: helper())() within 5s: ", "name 'nowhere' is not defined"],
    ),
    "a late template raised": (
        f"{order('[]')}\n=== expect True as reply\n{{{{reply[0]}}}}",
        "InvalidError",
        ["message on line 4: template {{reply[0]}} raised IndexError: list index out of range"],
    ),
    "a late value does not fit": (
        f"{order('[]')}\n=== wait\n=== hex\n{{{{'0g'}}}}",
        "InvalidError",
        ["message on line 5: 'g' is not a hex digit"],
    ),
    "the server closed with a reason": (
        '{"end": [4002, "out of stock"]}\n=== expect json["price"]',
        "ClosedError",
        ['line 3: expect json["price"] within 10s: ', "4002", "out of stock", "server"],
    ),
    "the connection is closed already": (
        f"=== close 4001 done\n{order()}",
        "ClosedError",
        ["message on line 3: ", "4001", "by us"],
    ),
}


@pytest.mark.parametrize(("body", "ename", "said"), SAID.values(), ids=SAID)
def test_a_failure_says_which_step_what_was_expected_and_what_came_instead(
    kernel: Kernel, seen: Obeying, body: str, ename: str, said: list[str]
) -> None:
    kernel.run("def helper(): return nowhere")
    result = fails(kernel, f"%%ws\n{body}\n===\nnever sent")
    assert result.ename == ename, result.evalue
    assert [words for words in said if words not in result.evalue] == [], result.evalue
    assert result.evalue.startswith(said[0]) or not said[0].startswith(("line", "message")), result.evalue
    kernel.run("%ws ping")
    assert "never sent" not in seen.messages


def test_a_failed_step_is_marked_and_those_behind_it_are_not(kernel: Kernel, seen: Obeying) -> None:
    request = kernel.send(f"%%ws\n{order('a')}\n=== wait\n=== expect json within 50ms\n===\nb\n=== ping")
    kernel.result(request)
    lines = steps(kernel, request)
    assert [line[0] for line in lines] == ["✓", "✓", "✗", "·", "·"]
    assert "within 50ms" in lines[2]


def test_what_was_sent_and_received_is_kept_when_a_step_fails(kernel: Kernel, seen: Obeying) -> None:
    fails(kernel, f"%%ws -o got\n{order('a', 'b')}\n=== wait\n=== expect json within 50ms")
    assert value(kernel, "[m.data for m in got]") == repr([order("a", "b"), "a"])


def test_tb_has_the_traceback_of_the_step(kernel: Kernel, seen: Obeying) -> None:
    fails(kernel, "%%ws\n=== wait 20ms")
    request = kernel.send("%tb")
    kernel.result(request)
    [error] = [message for message in kernel.published(request) if message["msg_type"] == "error"]
    text = "\n".join(error["content"]["traceback"])
    assert "run_cell_magic" in text
    assert "line 2: wait 1 20ms" in text


# -- interruptions -----------------------------------------------------------------------------------

ENDLESS = {"wait": "wait 60s", "expect": "expect json within 60s", "sleep": "sleep 60s"}


@pytest.mark.parametrize("directive", ENDLESS.values(), ids=ENDLESS)
def test_an_interrupt_ends_a_step_and_spares_the_connection(
    kernel: Kernel, seen: Obeying, directive: str
) -> None:
    request = kernel.send(f"%%ws -o got\n{order()}\n=== {directive}\n===\nnever sent")
    assert kernel.wait(lambda: any(line.startswith("… line 3") for line in steps(kernel, request)))
    kernel.interrupt()
    assert kernel.result(request).ename == "KeyboardInterrupt"
    assert [line[0] for line in steps(kernel, request)] == ["✓", "✗", "·"]
    assert ": interrupted, " in steps(kernel, request)[1]
    assert value(kernel, "ipyws.current().state, len(got)") == "('open', 1)"
    assert kernel.run("%%ws --new\nstill here\n=== expect msg.data == 'still here'").status == "ok"
    assert seen.messages == [order(), "still here"]


def test_a_lost_connection_that_comes_back_is_waited_for(kernel: Kernel, seen: Obeying) -> None:
    options = """--as again --reconnect '{"first": "10ms"}'"""
    assert kernel.run(f"%ws {seen.url}/numbered {options}").status == "ok"
    body = """%%ws
=== expect "connection" in msg.data as before
{"drop": true}
=== expect "connection" in msg.data as after
{{after}}
=== expect msg.data == after"""
    request = kernel.send(body)
    result = kernel.result(request)
    assert result.status == "ok", result.traceback
    assert value(kernel, "before, after") == "('connection 1', 'connection 2')"
    assert [line[0] for line in steps(kernel, request)] == ["✓"] * 5


def test_what_the_log_gave_up_before_it_was_waited_for_is_counted_and_said(
    kernel: Kernel, seen: Obeying
) -> None:
    assert kernel.run(f"%ws {seen.url} --as small --log-messages 10").status == "ok"
    many = order(*map(str, range(300)))
    result = kernel.run(f"%%ws -o got\n{many}\n=== ping\n=== wait\n=== expect msg.data == '299'")
    assert result.status == "ok", result.traceback
    said = re.fullmatch(
        r"(\d+) messages were evicted from the log before they were received\n", result.stdout
    )
    assert said is not None, result.stdout
    assert value(kernel, "got[1].data") == repr(said[1])


# -- what no server can do ---------------------------------------------------------------------------


def test_no_secret_is_shown_in_an_expectation_or_in_what_came(kernel: Kernel, seen: Obeying) -> None:
    body = f'%%ws\n{{"token": "{{{{env.WS_TOKEN}}}}"}}\n=== expect json["token"] == "no {TOKEN}" within 500ms'
    request = kernel.send(body)
    result = kernel.result(request)
    assert result.ename == "WaitTimeoutError"
    assert "the message that came" in result.evalue
    published = json.dumps([message["content"] for message in kernel.published(request)][2:])
    published += json.dumps(kernel.run("%tb").traceback)
    assert TOKEN not in published
    assert published.count("***") >= 3


def test_hostile_messages_stay_harmless_and_small_in_the_steps(kernel: Kernel, seen: Obeying) -> None:
    texts = [text for text in PAYLOADS if text] + ["x" * (1 << 20)]
    for index, text in enumerate(texts):
        seen.say(text)
        request = kernel.send(f"%%ws\n=== expect True as reply{index}\n=== expect json is msg within 1ms")
        result = kernel.result(request)
        assert result.ename == "WaitTimeoutError"
        _check_harmless(result)
    assert value(kernel, f"len(reply{len(texts) - 1})") == str(1 << 20)


def test_many_hostile_messages_leave_the_view_bounded(kernel: Kernel, seen: Obeying) -> None:
    texts = [*PAYLOADS, *PAYLOADS, *['"' * 200] * 60]
    request = kernel.send("%%ws\n" + "=== expect msg.size < 1e9\n" * len(texts))
    assert kernel.wait(lambda: any(line.startswith("… line 2") for line in steps(kernel, request)))
    seen.say(*texts)
    result = kernel.result(request)
    assert result.status == "ok", result.traceback
    _check_harmless(result)
    assert "messages not drawn" in result.displays[-1]["data"]["text/plain"]
    assert (
        result.displays[-1]["data"]["text/html"].count('<td style="text-align:left">') > 5
    )  # the steps leave room for messages


def _check_harmless(result: Result) -> None:
    for display in result.displays:
        page, text = display["data"]["text/html"], display["data"]["text/plain"]
        assert len(page.encode()) <= 64 * 1024
        assert all(len(line) <= 160 for line in text.splitlines())
        body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        tags = set(re.findall(r"<(/?[a-zA-Z!][^\s>]*)", body))
        assert {tag.strip("/") for tag in tags} <= {
            *("div", "span", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"),
            *("abbr", "details", "summary"),
        }
        for shown in (html.unescape(body), text, *result.traceback):
            assert (
                re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown)
                is None
            )
