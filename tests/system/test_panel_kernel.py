"""The panel's other end in a real kernel: what it answers to a front end, and what a notebook keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cells import ok
from tests.support.comms import VIEW, Content, Front, opened
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

SECRET = "canary-panel-41c7e2"
TOKEN = "{{env.PANEL_TOKEN}}"


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def shared(server: Witness) -> Iterator[Kernel]:
    with Kernel(env={"PANEL_TOKEN": SECRET}) as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, server: Witness) -> Iterator[Kernel]:
    """The kernel, with ipyws just loaded, and without a variable or a connection of earlier tests."""
    ok(shared, "%reset -f")
    ok(shared, "%load_ext ipyws\nimport ipyws, time")
    server.forget()
    yield shared
    ok(shared, "%unload_ext ipyws")
    assert server.wait(lambda server: server.open == 0)
    shared.forget()


def drawn(front: Front) -> list[str]:
    return [row["preview"] for batch in front.got("rows") for row in batch["rows"]]


# -- rows ------------------------------------------------------------------------------------------


def test_hello_brings_the_state_and_what_there_is_and_then_what_comes(
    kernel: Kernel, server: Witness
) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send before\n%ws recv")
    front = opened(kernel)
    front.ask("hello", have=0, rows=0)
    card = front.wait("card")
    assert [(one["name"], one["state"]) for one in card["cards"]] == [("main", "open")]
    assert {"headers", "dial_timeout"} <= {option["name"] for option in card["options"]}
    first = front.wait("rows")
    assert first["reset"]
    ok(kernel, "%ws send after")
    front.wait("rows", lambda _: drawn(front).count("after") == 2)
    assert drawn(front) == ["before", "before", "after", "after"]


def test_rows_and_signs_of_life_go_on_while_the_kernel_is_busy(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    front = opened(kernel)
    front.ask("hello")
    front.wait("rows")
    # What the front end says waits behind the cell; the rows must come all the same.
    busy = kernel.send("while time.monotonic(): ipyws.current().send('on'); time.sleep(0.05)")
    seen = front.got("rows")[-1]["batch"]
    front.wait("rows", lambda batch: batch["batch"] >= seen + 4)
    before = len(front.got("card"))
    assert kernel.wait(lambda: len(front.got("card")) >= before + 2)
    assert kernel.reply(busy, 0.01) is None
    kernel.interrupt()
    assert kernel.result(busy).ename == "KeyboardInterrupt"


def test_a_filter_is_answered_with_what_fits_and_a_bad_one_with_an_error(
    kernel: Kernel, server: Witness
) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send apple\n%ws send pear\n%ws recv -n 2")
    front = opened(kernel)
    front.ask("hello")
    front.wait("rows")
    front.ask("filter", text="pea", regex=False)
    batch = front.wait("rows", lambda batch: batch["reset"] and batch["batch"] > 1)
    assert [row["preview"] for row in batch["rows"]] == ["pear", "pear"]
    failed = front.answer("filter", text="(", regex=True)
    assert (failed["ok"], failed["kind"]) == (False, "INVALID")


def test_a_payload_is_sent_when_it_is_asked_for(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send " + '{"a": 12345678901234567890}')
    front = opened(kernel)
    front.ask("hello")
    row = front.wait("rows")["rows"][0]
    front.ask("fetch", row=row["id"])
    shown = front.wait("payload")["shown"]
    assert shown["text"] == '{"a": 12345678901234567890}'
    assert [leaf["text"] for leaf in shown["tree"]["items"]] == ["12345678901234567890"]
    front.ask("fetch", row=999)
    assert front.wait("payload", lambda payload: payload["row"] == 999)["gone"]


def test_a_chart_ticks_while_the_kernel_is_busy_until_none_is_wanted(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\nfactor = 2\n%ws send 3")
    front = opened(kernel)
    front.view = "tab"
    front.ask("hello")
    front.wait("rows")
    refused = front.answer("draw", expression="json * factro")
    assert (refused["ok"], refused["kind"]) == (False, "INVALID")
    assert "factro" in refused["message"]
    assert front.got("curves") == []
    assert front.answer("draw", expression="json * factor --last 1m")["ok"]
    whole = front.wait("curves", lambda message: message["curves"])
    assert whole["title"] == "main: json * factor, last 1m"
    assert whole["curves"][0]["steps"][-1][1:] == [6.0, 6.0, 6.0]
    ok(kernel, "ipyws.current().send('21')\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass")
    front.wait(
        "curves", lambda message: any(42.0 in step for curve in message["curves"] for step in curve["steps"])
    )
    assert front.answer("draw", expression="")["ok"]
    before = len(front.got("curves"))
    ok(kernel, "%ws send 5\ntime.sleep(0.6)")
    assert len(front.got("curves")) == before


# -- what a user does ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "text", "sent"),
    [
        ("auto", "plain", "plain"),
        ("auto", '{"x": {{x}}}', '{"x": [1, 2]}'),
        ("text", "{not json", "{not json"),
        ("hex", "00 ff", b"\x00\xff"),
        ("base64", "AP8=", b"\x00\xff"),
    ],
)
def test_it_sends_in_every_way(
    kernel: Kernel, server: Witness, mode: str, text: str, sent: str | bytes
) -> None:
    ok(kernel, f"x = [1, 2]\n%ws {server.url} --as main")
    front = opened(kernel)
    assert front.answer("send", text=text, mode=mode)["ok"]
    assert server.wait(lambda server: server.messages == [sent])


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({"text": "{bad", "mode": "auto"}, "JSON"),
        ({"text": "{{undefined_name}}", "mode": "auto"}, "undefined_name"),
        ({"text": "zz", "mode": "hex"}, "hex"),
        ({"text": "x", "mode": "smoke"}, "smoke"),
        ({"mode": "file"}, "no file"),
    ],
)
def test_what_cannot_be_sent_is_an_error_and_nothing_is(
    kernel: Kernel, server: Witness, request_: Content, part: str
) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    front = opened(kernel)
    failed = front.answer("send", **request_)
    assert (failed["ok"], failed["kind"]) == (False, "INVALID")
    assert part in failed["message"]
    assert front.answer("send", text="fence", mode="auto")["ok"]
    assert server.wait(lambda server: server.messages == ["fence"])


def test_it_connects_by_url_and_options_and_closes_with_code_and_reason(
    kernel: Kernel, server: Witness
) -> None:
    front = opened(kernel)
    front.ask("hello")
    options = {
        "headers": f"X-One: 1\nAuthorization: Bearer {TOKEN}",
        "name": "made",
        "ping_interval": "5s",
    }
    done = front.answer("connect", url=server.url, options=options)
    assert done["ok"], done
    headers = server.requests[0].headers
    assert (headers["X-One"], headers["Authorization"]) == ("1", f"Bearer {SECRET}")
    front.wait("card", lambda card: card["shown"] == "made")
    assert front.answer("close", code=4001, reason="enough")["ok"]
    assert server.wait(lambda server: server.closes == [(4001, "enough")])


def test_it_connects_again_as_it_was_and_with_changes(kernel: Kernel, server: Witness) -> None:
    url = f"{server.url}/p?token={{{{env.PANEL_TOKEN}}}}"
    ok(kernel, f"%ws {url} --as main -s a -H 'Authorization: Bearer {TOKEN}'\n%ws close")
    front = opened(kernel)
    front.ask("hello")
    done = front.answer("reconnect", connection="main")
    assert (done["ok"], done["text"]) == (True, "connected to main again")
    first, second = server.requests
    assert (second.path, second.headers["Authorization"]) == (first.path, first.headers["Authorization"])
    ok(kernel, "assert ipyws.current().name == 'main' and ipyws.current().state == 'open'")
    front.answer("form", connection="main")
    form = front.wait("form")
    assert SECRET not in str(form)
    assert (form["fields"], form["kept"]) == ({"protocols": "a", "name": "main"}, ["headers"])
    changed = {"url": form["url"], "options": {"name": "other", "protocols": "b"}, "like": "main"}
    assert front.answer("connect", **changed, keep=["headers"])["ok"]
    third = server.requests[2]
    assert (third.path, third.headers["Authorization"]) == (first.path, first.headers["Authorization"])
    assert third.headers["Sec-WebSocket-Protocol"] == "b"
    assert front.answer("connect", **changed, keep=[])["ok"]
    assert "Authorization" not in server.requests[3].headers
    elsewhere = {**changed, "url": server.url.replace("127.0.0.1", "localhost")}
    done = front.answer("connect", **elsewhere, keep=["headers"])
    assert done["text"] == "connected to other; not kept for another server: Headers"
    assert "Authorization" not in server.requests[4].headers


def test_rows_stay_above_a_line_when_the_connection_is_opened_again_and_counters_are_of_the_new_one(
    kernel: Kernel, server: Witness
) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send first\n%ws close")
    front = opened(kernel)
    front.ask("hello")
    front.wait("rows", lambda batch: "first" in [row["preview"] for row in batch["rows"]])
    assert front.answer("reconnect", connection="main")["ok"]
    assert front.answer("send", text="second", mode="text")["ok"]
    front.wait("rows", lambda batch: "second" in [row["preview"] for row in batch["rows"]])
    since = [index for index, batch in enumerate(front.got("rows")) if batch["reset"]][-1]
    batches = front.got("rows")[since:]
    rows = [row for batch in batches for row in batch["rows"]]
    [line] = [place for place, row in enumerate(rows) if row["css"] == "gap divider"]
    assert {row["connection"] for row in rows[:line]} == set(batches[-1]["earlier"])
    assert {row["connection"] for row in rows[line + 1 :]} == {"main"}
    assert [row["preview"] for row in rows[:line] if row["kind"] == "text"] == ["first", "first"]
    assert front.wait("rows", lambda batch: batch["counts"]["received"] == 1)["counts"]["sent"] == 1
    front.ask("fetch", row=rows[0]["id"])
    assert front.wait("payload")["shown"]["text"] == "first"
    front.ask("filter", text="first", regex=False, only=True, **{"in": True, "out": True, "control": True})
    front.wait("rows", lambda batch: batch["matched"] == 2 and batch["rows"])


def test_an_expression_filters_and_what_was_cut_comes_with_its_surroundings(
    kernel: Kernel, server: Witness
) -> None:
    ok(kernel, f"%ws {server.url} --as main\nleast = 6")
    for code in (5, 7):
        ok(kernel, f'%ws send {{"type": "error", "code": {code}}}\n%ws recv')
    front = opened(kernel)
    front.ask("hello")
    front.wait("rows")
    front.ask("filter", text='json["code"] > least', where=True, **{"in": True, "out": False})
    found = front.wait("rows", lambda batch: batch["reset"] and batch["matched"] == 1)
    assert [row["preview"] for row in found["rows"]] == ['{"type": "error", "code": 7}']
    failed = front.answer("filter", text="json[", where=True)
    assert (failed["kind"], "not a Python expression" in failed["message"]) == ("INVALID", True)


def test_the_rows_of_a_gap_come_when_they_are_asked_for(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\nfor n in range(1100): ipyws.current().send(f'number {{n}}')")
    front = opened(kernel)
    front.ask("hello")
    gap, first, *_ = front.wait("rows")["rows"]
    assert (gap["kind"], gap["more"]) == ("gap", True)
    front.ask("load", row=gap["id"])
    loaded = front.wait("loaded")
    assert loaded["row"] == gap["id"]
    assert loaded["rows"][-1]["seq"] == first["seq"] - 1
    front.ask("load", row=gap["id"])
    assert front.wait("loaded", lambda answer: answer["rows"] is None)


def test_a_pasted_command_connects_as_it_would(kernel: Kernel, server: Witness) -> None:
    command = f"curl '{server.url.replace('ws://', 'http://')}/x' -H 'X-One: $1' --compressed"
    done = opened(kernel).answer("connect", url=command, options={"name": "pasted"})
    assert done["ok"], done
    assert done["text"] == "connected to pasted; of no use here: --compressed"
    assert (server.requests[0].path, server.requests[0].headers["X-One"]) == ("/x", "$1")


def test_it_copies_the_rows_that_are_named(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url}/ --as main\n%ws send first\n%ws send second\n%ws recv -n 2")
    front = opened(kernel)
    front.ask("hello")
    batch = front.wait("rows", lambda batch: len(batch["rows"]) == 4)
    second = [row["id"] for row in batch["rows"] if (row["arrow"], row["preview"]) == ("↑", "second")]
    code = front.answer("copy", what="python", rows=second)["text"]
    assert "second" in code
    assert "first" not in code
    assert front.answer("copy", what="python", rows=[10**6, True, "x", -1])["text"].count("send(") == 0


def test_what_the_policy_refuses_is_told_as_such(server: Witness, tmp_path: Path) -> None:
    (tmp_path / "ipyws.toml").write_text('[policy]\nconnect = "deny"\n')
    server.forget()
    with Kernel(cwd=tmp_path) as kernel:
        ok(kernel, "%load_ext ipyws")
        refused = opened(kernel).answer("connect", url=server.url, options={})
    assert (refused["ok"], refused["kind"]) == (False, "PERMISSION_DENIED")
    assert server.requests == []


def test_several_connections_are_shown_one_by_one_or_merged(kernel: Kernel, server: Witness) -> None:
    ok(
        kernel,
        f"%ws {server.url} --as a\n%ws send to-a\n%ws recv\n%ws {server.url} --as b\n%ws send to-b\n%ws recv",
    )
    front = opened(kernel, "%ws panel a")
    front.ask("hello")
    assert {row["preview"] for row in front.wait("rows")["rows"]} == {"to-a"}
    front.ask("show", name="*")
    merged = front.wait("rows", lambda batch: len(batch["rows"]) == 4)
    assert [row["connection"] for row in merged["rows"]] == ["a", "a", "b", "b"]
    assert front.got("card")[-1]["shown"] == "*"


@pytest.mark.parametrize("what", ["ws", "python", "wscat", "websocat"])
def test_it_copies_as_code_without_secrets(kernel: Kernel, server: Witness, what: str) -> None:
    ok(
        kernel,
        f"%ws {server.url}/?token={{{{env.PANEL_TOKEN}}}} --as main\n%ws send it's {{{{env.PANEL_TOKEN}}}}",
    )
    front = opened(kernel)
    code = front.answer("copy", what=what)["text"]
    assert server.url in code
    assert "it" in code
    assert SECRET not in code


def test_a_copied_cell_sends_the_same_again(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url}/ --as main\n%ws send first\n%ws send --hex 00 ff\n%ws send last")
    front = opened(kernel)
    for what in ("ws", "python"):
        server.forget()
        ok(kernel, front.answer("copy", what=what)["text"])
        assert server.wait(lambda server: server.messages == ["first", b"\x00\xff", "last"]), what


def test_it_exports_what_passed(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send ä\n%ws send --hex ff\n%ws recv -n 2")
    text = opened(kernel).answer("export", what="jsonl")["text"]
    records = [json.loads(line) for line in text.splitlines()[1:]]
    data = [
        (r["direction"], r.get("data"), r.get("base64")) for r in records if r["type"] in ("text", "binary")
    ]
    assert data[0] == ("out", "ä", None)
    assert ("in", None, "/w==") in data


@pytest.mark.parametrize(
    "request_",
    [{"type": "fetch"}, {"type": "close", "code": "x"}, {"type": "ack", "batch": None}, {"type": 1}, {}],
)
def test_a_broken_request_breaks_nothing(kernel: Kernel, server: Witness, request_: Content) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    front = opened(kernel)
    data = {"comm_id": front.model, "data": {"method": "custom", "content": request_}}
    kernel.request("comm_msg", data)
    assert front.answer("send", text="still", mode="auto")["ok"]


def test_what_nobody_foresaw_is_answered_too_without_a_secret(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url}/?token={TOKEN} --as main")
    broken = "import os\ndef broken(*_): raise OSError(os.environ['PANEL_TOKEN'])\n"
    ok(kernel, f"{broken}ipyws.current().connection.sending.prepare = broken")
    failed = opened(kernel).answer("send", text="x", mode="auto")
    assert (failed["ok"], failed["kind"], failed["message"]) == (False, "INTERNAL", "OSError: ***")


# -- what a notebook keeps ---------------------------------------------------------------------------


def test_it_is_words_too_and_only_those_once_it_is_closed(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send hello")
    result = ok(kernel, "p = %ws panel")
    (display,) = (content for content in result.displays if VIEW in content["data"])
    assert "hello" in display["data"]["text/html"]
    assert "hello" in display["data"]["text/plain"]
    identity = display["transient"]["display_id"]
    ok(kernel, "%ws send goodbye\np.close()")
    updates = [
        message["content"]
        for message in kernel.iopub
        if message["msg_type"] == "update_display_data"
        and message["content"]["transient"]["display_id"] == identity
    ]
    assert set(updates[-1]["data"]) == {"text/html", "text/plain"}
    assert "goodbye" in updates[-1]["data"]["text/html"]


def updates(kernel: Kernel, identity: str) -> list[set[str]]:
    """What each update of a display shows it as."""
    return [
        set(message["content"]["data"])
        for message in list(kernel.iopub)
        if message["msg_type"] == "update_display_data"
        and message["content"]["transient"]["display_id"] == identity
    ]


def test_it_is_a_picture_until_a_front_end_says_hello(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    front = opened(kernel, "%ws panel")
    (identity,) = {
        message["content"]["transient"]["display_id"]
        for message in kernel.iopub
        if message["msg_type"] == "display_data" and VIEW in message["content"]["data"]
    }
    assert updates(kernel, identity) == [{"text/html", "text/plain"}]
    front.ask("hello", have=0)
    front.wait("rows")
    assert kernel.wait(lambda: [VIEW in shown for shown in updates(kernel, identity)] == [False, True])
    front.ask("hello", have=0)
    ok(kernel, "%ws send on")
    front.wait("rows", lambda batch: "on" in [row["preview"] for row in batch["rows"]])
    assert len(updates(kernel, identity)) == 2


def test_at_a_prompt_it_says_that_there_are_no_widgets(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as main\n%ws send hello")
    content = {"code": "p = %ws panel", "silent": False, "store_history": True, "allow_stdin": True}
    request = kernel.request("execute_request", content)
    (display,) = kernel.result(request).displays
    assert set(display["data"]) == {"text/plain"}
    first, *rest = display["data"]["text/plain"].splitlines()
    assert "there are none here" in first
    assert any("hello" in line for line in rest)


@pytest.mark.parametrize("end", ["%ws panel", "%unload_ext ipyws"])
def test_running_the_cell_again_or_unloading_leaves_no_widget_behind(
    kernel: Kernel, server: Witness, end: str
) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    (display,) = (d for d in ok(kernel, "%ws panel").displays if VIEW in d["data"])
    identity = display["transient"]["display_id"]
    ok(kernel, end)
    assert kernel.wait(
        lambda: any(
            message["msg_type"] == "update_display_data"
            and message["content"]["transient"]["display_id"] == identity
            and VIEW not in message["content"]["data"]
            for message in list(kernel.iopub)
        )
    )


def test_neither_its_state_nor_its_repr_holds_traffic_or_secrets(kernel: Kernel, server: Witness) -> None:
    ok(
        kernel,
        f"%ws {server.url}/?token={{{{env.PANEL_TOKEN}}}} --as main\n%ws send {{{{env.PANEL_TOKEN}}}}-body",
    )
    front = opened(kernel, "p = %ws panel")
    front.ask("hello")
    front.wait("rows")
    state = ok(kernel, "print(sorted(p.get_state()), repr(p))").stdout
    assert "body" not in state
    assert SECRET not in json.dumps([message["content"] for message in kernel.iopub])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ipyws.panel('nobody')", "UnknownConnectionError"),
        ("ipyws.panel(height=5)", "InvalidError"),
        ("%ws panel nobody", "UnknownConnectionError"),
    ],
)
def test_what_it_cannot_show_is_an_error(kernel: Kernel, code: str, error: str) -> None:
    assert kernel.run(code).ename == error


def test_the_function_returns_a_panel_that_is_shown_as_the_value_of_a_cell(
    kernel: Kernel, server: Witness
) -> None:
    ok(kernel, f"%ws {server.url} --as main")
    front = opened(kernel, "ipyws.panel()")
    front.ask("hello")
    assert front.wait("card")["shown"] == "main"
