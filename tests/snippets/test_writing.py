"""What is copied, when run or pasted, opens the same handshake and sends the same: by the real programs."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ipyws
from ipyws.errors import InvalidError
from ipyws.notebook.cell import FLAGS
from ipyws.notebook.source.line import parse
from ipyws.notebook.verbs.flags import connect_options
from ipyws.script import grammar
from ipyws.script.expression import make_evaluator
from ipyws.script.payload import read
from ipyws.script.steps import Send
from ipyws.snippets import FORMS, copy_as, read_command
from ipyws.text.masking import remember
from tests.support.asked import asked, comparable, run_shell
from tests.support.servers import Site
from tests.support.tls import Authority

SECRET = "cnry$1`it's\"!%{{x"
TOKENS = {"PASTE_TOKEN": SECRET, "PASTE_KEY": "canary-plain-77"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with asked() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TOKENS.items():
        monkeypatch.setenv(name, value)
        remember(value, f"env.{name}")


def drain(site: Site) -> list[Any]:
    """Return what the server was told since it was asked last."""
    found = []
    with contextlib.suppress(Exception):
        while True:
            found.append(site.seen.get_nowait())
    return found


def opened(site: Site, url: str, options: dict[str, Any], payloads: list[Any] = []) -> tuple[Any, list[Any]]:  # noqa: B006
    """Return a client that was connected, and what the server saw of it."""
    drain(site)
    with ipyws.connect(url, **options) as client:
        for payload in payloads:
            client.send(payload)
        client.recv("10s")
        while client.closed is None:
            with contextlib.suppress(ipyws.errors.WebSocketError):
                client.recv("10s")
    return client, drain(site)


def run_cell(text: str) -> None:
    """Do what a copied cell says, without a notebook around it."""
    lines = [line for line in text.split("\n") if not line.startswith("# ")]
    head, body = lines[0].removeprefix("%%ws ").removeprefix("%ws "), "\n".join(lines[1:])
    evaluate = make_evaluator({})
    parsed = parse(head, FLAGS, evaluate)
    plain = parsed.take("text", False)
    with ipyws.connect(parsed.words[0], **connect_options(parsed.options)) as client:
        for step in grammar.parse(body):
            assert isinstance(step, Send)
            client.send(read(step.payload, step.encoding, evaluate, plain=plain))
        client.recv("10s")
        while client.closed is None:
            with contextlib.suppress(ipyws.errors.WebSocketError):
                client.recv("10s")


def run(form: str, text: str) -> None:
    if form == "ws":
        run_cell(text)
    elif form in ("python", "websockets"):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, "copied", "exec"), {"__name__": "copied"})
    else:
        run_shell(
            text, {name: value for name, value in os.environ.items() if name.isupper() and name != "PATH"}
        )


def needed(text: str, values: dict[str, str]) -> dict[str, str]:
    """Return the variables that a copy wants to be set, which a test knows the secrets of."""
    note = next((line for line in text.splitlines() if "set in the environment first: " in line), "")
    names = [part.split(" (")[0] for part in note.partition("first: ")[2].split("), ")] if note else []
    return {name: values[name] for name in names}


VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=12).map(
    str.strip
)
NAMES = ["X-A", "X-Team", "Accept-Language", "User-Agent", "Referer", "Pragma"]
TOKEN = st.text("abc.-_1", min_size=1, max_size=6)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "headers": st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
        "protocols": st.lists(TOKEN, min_size=1, max_size=3, unique=True),
        "origin": st.just("http://localhost:8000"),
        "auth": st.tuples(st.sampled_from(["user", "it's", "$HOME"]), st.sampled_from(list(TOKENS.values()))),
        "cookies": st.dictionaries(TOKEN, st.sampled_from(["1", "a'b", "$x", "canary-plain-77"]), max_size=2),
        "follow_redirects": st.just(True),
        "dial_timeout": st.sampled_from(["7s", "1500ms"]),
        "read_limit": st.just(100_000),
        "ping_interval": st.just("7s"),
        "strict": st.just(True),
        "text_errors": st.just("replace"),
        "keepalive": st.just("pong"),
        "channel_capacity": st.just(7),
    },
)
QUERIES = st.sampled_from(
    ["", "?a=1&b=%20", "?q=it's!$HOME(x)", "?token=" + "canary-plain-77", "?x={{y}}[1]"]
)


@pytest.mark.debian("curl")
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example runs five programs
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(OPTIONS, QUERIES, st.booleans())
def test_each_form_opens_the_same_handshake(
    site: Site, options: dict[str, Any], query: str, named: bool
) -> None:
    host = "name.invalid:80" if named else f"127.0.0.1:{site.port}"
    options = {**options, "proxy": None, **({"connect_to": f"127.0.0.1:{site.port}"} if named else {})}
    client, [expected] = opened(site, f"ws://{host}/0{query}", options)
    for form in ("ws", "python", "websockets", "curl", "websocat"):
        text = copy_as(form, client)
        for value in TOKENS.values():
            assert value not in text
        drain(site)
        run(form, text)
        assert drain(site) == [expected], (form, text)
        if form in ("curl", "websocat"):
            command = "\n".join(line for line in text.splitlines() if not line.startswith("# "))
            pasted = read_command(command)
            assert opened(site, pasted.url, dict(pasted.options))[1] == [expected], (form, text)


@pytest.mark.node
@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"headers": {"X-A": "it's $HOME `id` !", "User-Agent": 'a"b'}, "auth": ("u", SECRET)}, "?q=it's!"),
        (
            {
                "protocols": ["a", "b"],
                "origin": "http://o",
                "cookies": {"sid": SECRET.replace('"', "").replace(";", "")},
            },
            "?token=canary-plain-77",
        ),
    ],
)
def test_wscat_opens_the_same_handshake_and_sends_the_same(
    site: Site, options: dict[str, Any], query: str
) -> None:
    if "cookies" in options:
        options = {**options, "cookies": {"sid": "canary-plain-77"}}
    payloads = ["one two", '{"key": "canary-plain-77"}', "-dash", "two\nlines", '{{x}} $(id) `id` "!" it\'s']
    url = f"ws://127.0.0.1:{site.port}/{len(payloads)}{query}"
    client, expected = opened(site, url, {**options, "proxy": None}, payloads)
    text = copy_as("wscat", client)
    assert SECRET not in text
    assert "canary-plain" not in text
    run("wscat", text)
    assert drain(site) == expected
    pasted = read_command(text)
    assert opened(site, pasted.url, dict(pasted.options), list(pasted.payloads))[1] == expected


PAYLOADS = [
    *("plain", 'it\'s "quoted" $HOME `id` !', "two\nlines", '{"a": 1}', "{{x}}", "=== ping", "### x", "ünï"),
    *("", " x", "x\n", "WEBSOCKET wss://x/", "a\r\nb", "\x1b[31mred", "{no json", "[1, 2", "{", "[", "}}"),
    *(
        b"\x00\xff",
        b"",
        "canary-plain-77",
        '{"token": "canary-plain-77", "q": "\\u001b"}',
        "{canary-plain-77}",
    ),
    *("a\u2028b\u202e", "// no comment", '{"$x": "%y%"}'),
]


@pytest.mark.parametrize("form", ["ws", "python", "websockets"])
@pytest.mark.parametrize(
    "payloads",
    [PAYLOADS[:19], PAYLOADS[19:], ['{"a": 1}', b"\x01", '{"b":[]}'], *([each] for each in PAYLOADS)],
)
def test_what_was_sent_is_sent_again_to_the_letter(site: Site, form: str, payloads: list[Any]) -> None:
    url = f"ws://127.0.0.1:{site.port}/{len(payloads)}"
    client, expected = opened(site, url, {"proxy": None}, payloads)
    text = copy_as(form, client)
    assert "canary" not in text
    assert all(char.isprintable() or char in "\n\t" for char in text)
    drain(site)
    run(form, text)
    assert drain(site) == expected, text


def test_websocat_sends_lines(site: Site) -> None:
    payloads = ["one", '{"a":\n1}', "it's $HOME `id` \x1b[31m", "{{x}}"]
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/4", {"proxy": None}, payloads)
    text = copy_as("websocat", client)
    run("websocat", text)
    assert drain(site)[1:] == ["one\n", '{"a": 1}\n', "it's $HOME `id` \x1b[31m\n", "{{x}}\n"]
    assert "adds a line feed" in text


@pytest.mark.parametrize("form", ["ws", "python"])
def test_messages_in_the_format_of_a_codec_are_written_as_its_values(site: Site, form: str) -> None:
    options = {"proxy": None, "codec": "msgpack"}
    client, expected = opened(
        site, f"ws://127.0.0.1:{site.port}/3", options, [{"a": [1, "x"]}, '{"t": 1}', b"\x93"]
    )
    text = copy_as(form, client)
    run(form, text)
    assert drain(site) == expected
    client, expected = opened(site, f"ws://127.0.0.1:{site.port}/1", options, [{"a": [1, "x"]}])
    cell = copy_as("ws", client)
    assert '{"a":[1,"x"]}' in cell
    assert "--codec msgpack" in cell


def test_secrets_have_names_that_are_told(site: Site) -> None:
    given = {
        "headers": {"Authorization": "Bearer canary-b-1", "X-Api-Key": "canary-k-2"},
        "cookies": {"sid": "canary-c-3"},
    }
    url = f"ws://127.0.0.1:{site.port}/0?access_token=canary-q-4"
    client, [expected] = opened(site, url, {**given, "proxy": None})
    values = {
        "X_API_KEY": "canary-k-2",
        "SID": "canary-c-3",
        "ACCESS_TOKEN": "canary-q-4",
        "TOKEN": "canary-b-1",
    }
    values["WS_TOKEN"] = "canary-b-1"
    copies = {form: copy_as(form, client) for form in FORMS}
    for form in ("ws", "python", "websockets", "curl", "websocat"):
        text = copies[form]
        assert "canary" not in text
        wanted = needed(text, values)
        assert len(wanted) == 4, text
        with pytest.MonkeyPatch.context() as patch:
            for name, value in wanted.items():
                patch.setenv(name, value)
            run(form, text)
        assert drain(site) == [expected], text


def test_a_variable_that_holds_something_else_is_not_asked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_API_KEY", "another")
    monkeypatch.setenv("MY_OWN", "canary-mine-9")
    client, _ = opened(
        site, f"ws://127.0.0.1:{site.port}/0", {"headers": {"X-Api-Key": "canary-k-2"}, "proxy": None}
    )
    assert "{{env.WS_X_API_KEY}}" in copy_as("ws", client)
    client, _ = opened(
        site, f"ws://127.0.0.1:{site.port}/0", {"headers": {"X-Api-Key": "canary-mine-9"}, "proxy": None}
    )
    text = copy_as("ws", client)
    assert "{{env.MY_OWN}}" in text
    assert "first" not in text


@pytest.mark.parametrize("form", FORMS)
def test_what_a_form_can_not_carry_over_is_a_comment(site: Site, form: str) -> None:
    options = {"read_timeout": "30s", "reconnect": {"on_open": ["hello"]}, "proxy": None}
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/2", options, [b"\x00"])
    text = copy_as(form, client)
    if form in ("ws", "python"):
        assert "not carried" not in text
        assert text.count("hello") == 1
    else:
        note = next(line for line in text.splitlines() if "not carried over" in line)
        assert note.startswith("# ")
        assert "read_timeout='30s'" in note
        assert "reconnect={'on_open': ['hello']}" in note


def test_a_unix_socket_is_copied(tmp_path: Any) -> None:
    url = f"ws+unix:{tmp_path}/a.sock:/x?y=1"
    with ipyws.serve("echo", unix=tmp_path / "a.sock"), ipyws.connect(url) as client:
        copies = {form: copy_as(form, client) for form in FORMS}
        assert f"unix_connect(\n        '{tmp_path}/a.sock'" in copies["websockets"]
        assert f"ws-c:unix:{tmp_path}/a.sock" in copies["websocat"]
        assert f"--unix-socket {tmp_path}/a.sock" in copies["curl"]
        for form in ("curl", "websocat", "wscat"):
            assert read_command(copies[form]).url == str(client.url), form
        for form in ("ws", "python"):
            assert url in copies[form]


def test_more_messages_than_are_copied_are_told(site: Site) -> None:
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/30", {"proxy": None}, [f"m{n}" for n in range(30)])
    text = copy_as("ws", client)
    assert "the last 20 of 30" in text
    assert "m9\n" not in text
    assert "m10\n" in text
    chosen = [message for message in client.log if message.data == "m3"]
    assert copy_as("ws", client, chosen).count("\nm") == 1


def test_there_is_no_other_form(site: Site) -> None:
    with pytest.raises(InvalidError, match=r"there is no form 'curll'; did you mean curl\?"):
        copy_as("curll", None)


def test_the_server_sees_what_differs() -> None:
    head = "GET /0 HTTP/1.1\r\nHost: h\r\nX-A: b\r\nSec-WebSocket-Key: x\r\n\r\n"
    assert comparable(head) == ("GET /0 HTTP/1.1", [("host", "h"), ("x-a", "b")])


def test_a_contract_is_copied_by_its_file_and_told_where_there_is_none(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("price.json").write_text('{"type": "object"}')
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/", {"spec": "price.json"})
    assert 'spec="price.json"' in copy_as("python", client).replace("'", '"')
    assert "--spec price.json" in copy_as("ws", client)
    assert "not carried over: spec=" in copy_as("wscat", client)
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/", {"spec": {"type": "object"}})
    assert "spec is not copied" in copy_as("ws", client)


@pytest.mark.parametrize("form", FORMS)
def test_what_functions_make_is_told_and_what_templates_made_is_known(site: Site, form: str) -> None:
    options = {
        "headers": [("X-A", "b"), ("X-Made", lambda: "canary-made-5")],
        "params": {"p": "q r", "token": "canary-plain-77"},
        "auth": lambda: ("user", "canary-made-6"),
        "every": [("30s", "ping")],
        "sign": lambda request: {},
        "proxy": None,
    }
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/0?x=1", options)
    text = copy_as(form, client)
    assert "canary" not in text
    assert "X-Made is made by a function" in text
    assert "auth is made by a function" in text
    assert "sign is not copied" in text
    line, headers = comparable_without_user(site, form, text)
    assert line == "GET /0?x=1&p=q r&token=canary-plain-77 HTTP/1.1"
    assert ("x-a", "b") in headers
    assert ("--every 30s ping" in text) == (form == "ws")


def comparable_without_user(site: Site, form: str, text: str) -> Any:
    drain(site)
    run(form, text)
    return drain(site)[0]


def test_a_dialect_is_copied_with_its_settings(site: Site) -> None:
    with ipyws.serve("echo") as demo:
        client = ipyws.connect(demo.url, dialect="jsonrpc", proxy=None)
        client.close()
    assert "--dialect jsonrpc" in copy_as("ws", client)
    assert "dialect='jsonrpc'" in copy_as("python", client)
    assert "# not carried over: dialect='jsonrpc'" in copy_as("wscat", client)


def test_what_a_line_can_not_give_is_told_and_python_can(site: Site) -> None:
    options: dict[str, Any] = {
        "every": [("30s", b"\x00")],
        "reply": [({"op": "ping"}, '{"op": "pong"}')],
        "reconnect": {"on_open": [b"\x01"]},
        "proxy": None,
    }
    client, _ = opened(site, f"ws://127.0.0.1:{site.port}/1", options)
    assert "not carried over: reconnect={'on_open': [b'\\x01']}, every=" in copy_as("ws", client)
    text = copy_as("python", client)
    assert "reply=[({'op': 'ping'}, '{\"op\": \"pong\"}')]" in text
    drain(site)
    run("python", text)
    assert drain(site)[1:] == [b"\x01"]


@pytest.mark.node
@pytest.mark.debian("curl")
@pytest.mark.parametrize("checked", [True, False])
def test_tls_is_copied(checked: bool, tmp_path: Any) -> None:
    authority = Authority(tmp_path)
    options: dict[str, Any] = {"ca": str(authority.ca)} if checked else {"insecure": True}
    with asked(authority.server("127.0.0.1")) as site:
        client, [expected] = opened(site, f"wss://127.0.0.1:{site.port}/0", {**options, "proxy": None})
        for form in FORMS:
            text = copy_as(form, client)
            if form == "websocat" and checked:
                assert f"not carried over: ca='{authority.ca}'" in text
                continue
            drain(site)
            run(form, text)
            assert drain(site) == [expected], (form, text)


def test_pem_text_is_a_variable(tmp_path: Any) -> None:
    authority = Authority(tmp_path)
    pem = authority.ca.read_text("utf-8")
    with asked(authority.server("127.0.0.1")) as site:
        client, [expected] = opened(site, f"wss://127.0.0.1:{site.port}/0", {"ca": pem, "proxy": None})
        for form in ("ws", "python", "websockets"):
            text = copy_as(form, client)
            assert "BEGIN" not in text
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CA_PEM", pem)
                run(form, text)
            assert drain(site) == [expected], (form, text)
