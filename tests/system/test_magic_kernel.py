"""The verbs of ``%ws`` and the bodies of ``%%ws`` in a real kernel, against a server in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from ipyws.script.grammar import DIRECTIVES
from tests.support import servers
from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

TOKEN = "tok-5f2a9c"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(env={"WS_TOKEN": TOKEN}) as kernel:
        loaded = ok(kernel, "%load_ext ipyws\nimport asyncio, ipyws, json, time")
        assert (loaded.stdout, loaded.stderr, loaded.displays) == ("", "", [])
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


# -- connecting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["", "connect "])
def test_connect_and_a_bare_url_open_a_connection_and_show_its_card(
    kernel: Kernel, seen: Witness, verb: str
) -> None:
    result = ok(kernel, f"%ws {verb}{seen.url} --as first")
    assert seen.wait(lambda server: server.open == 2)
    [shown] = result.displays
    assert {"text/html", "text/plain"} <= set(shown["data"])
    assert "first" in shown["data"]["text/plain"]
    assert "open" in shown["data"]["text/plain"]
    assert seen.url in shown["data"]["text/plain"]


def test_the_short_flags_set_headers_subprotocols_and_name(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws -H 'X-One: 1' -H \"X-Two: two words\" {seen.url} --as flags --origin https://a.example")
    assert seen.wait(lambda seen: bool(seen.requests))
    headers = seen.requests[-1].headers
    assert (headers["X-One"], headers["X-Two"], headers["Origin"]) == ("1", "two words", "https://a.example")
    assert value(kernel, "ipyws.current().name") == "'flags'"
    ok(kernel, f"%ws {seen.url} -s a.b -s c")
    assert seen.requests[-1].headers["Sec-WebSocket-Protocol"].replace(" ", "") == "a.b,c"
    assert "insecure" in fails(kernel, f"%ws -k {seen.url}").evalue
    ok(kernel, f"%ws -L {seen.url}")


@pytest.mark.parametrize("name", ["", " --as again"])
def test_running_a_connect_cell_again_replaces_the_connection(
    kernel: Kernel, seen: Witness, name: str
) -> None:
    ok(kernel, "%ws close --all")
    assert seen.wait(lambda server: server.open == 0)
    seen.forget()
    for _ in range(3):
        ok(kernel, f"%ws {seen.url}{name}")
    assert seen.wait(lambda server: len(server.closes) == 2 and server.open == 1)
    assert (len(seen.requests), seen.most) == (3, 1)
    assert seen.closes == [(1000, "replaced")] * 2


def test_a_cell_with_a_url_and_a_body_replaces_its_connection_too(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws close --all")
    assert seen.wait(lambda server: server.open == 0)
    seen.forget()
    for _ in range(2):
        ok(kernel, f"%%ws {seen.url} --as body\nhello")
    assert seen.wait(lambda server: len(server.closes) == 1)
    assert (seen.most, seen.messages) == (1, ["hello", "hello"])


# -- sending -----------------------------------------------------------------------------------------

SENT = {
    "text": ("hello  'quoted' \"world\" -n 5", "hello  'quoted' \"world\" -n 5"),
    "json": ('{"a": [1, "two"]}', '{"a": [1, "two"]}'),
    "not json as text": ("--text {not json}", "{not json}"),
    "text as binary": ("--binary häuser", "häuser".encode()),
    "hex": ("--hex 00 ff 0x1e", b"\x00\xff\x1e"),
    "base64": ("--base64 AAH/", b"\x00\x01\xff"),
    "python as json": ("--json {'a': None, 'b': [1.5, True]}", '{"a": null, "b": [1.5, true]}'),
    "after --": ("-- --not-an-option", "--not-an-option"),
    "braces as they stand": ("--raw --text {{nothing}}", "{{nothing}}"),
    "doubled braces": ("--text a {{{{ b", "a {{ b"),
    "expression": ("sum is {{1 + 2}}", "sum is 3"),
    "expression as a JSON value": ('{"a": {{[1, None, "x"]}}}', '{"a": [1, null, "x"]}'),
    "expression inside a JSON string": ('{"a": "say {{\'\\x22hi\\x22\'}}"}', '{"a": "say \\"hi\\""}'),
    "records that end in U+001E": ("[6]\x1e[7]\x1e", "[6]\x1e[7]\x1e"),
    "a terminator alone": ("\x1e", "\x1e"),
    "a JSON text sequence": ("\x1e[1]", "\x1e[1]"),
    "ends of lines of Unicode": ("a\u2028b\x85c\x0cd\x0be\x1cf\u2029g\x1d",) * 2,
    "U+0000": ("a{{chr(0)}}b{{'\\0'}}", "a\x00b\x00"),
    "environment": ("key {{env.WS_TOKEN}}", f"key {TOKEN}"),
}


@pytest.mark.parametrize(("line", "expected"), SENT.values(), ids=SENT)
def test_send_sends_the_rest_of_the_line(
    kernel: Kernel, seen: Witness, line: str, expected: str | bytes
) -> None:
    ok(kernel, f"%ws send {line}")
    assert seen.wait(lambda server: bool(server.messages))
    if isinstance(expected, str) and expected.startswith('{"'):
        [message] = seen.messages
        assert json.loads(message) == json.loads(expected)
    else:
        assert seen.messages == [expected]


def test_lines_around_a_cut_one_stay_as_they_are(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, 'before = 1\nm = %ws send [1]\x1e\n%ws send two\nafter = """a\u2028b"""')
    assert seen.wait(lambda server: server.messages == ["[1]\x1e", "two"])
    assert value(kernel, "before, m.data, after") == repr((1, "[1]\x1e", "a\u2028b"))


def test_a_cell_of_windows_sends_no_carriage_returns(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%%ws -c main\r\nPING\r\n\r\nx\r\n===\r\n{{'a\\r\\n'}}\r\n=== hex\r\n00\r\n0d 0a\r\n")
    assert seen.wait(lambda server: server.messages == ["PING\n\nx", "a\r\n", b"\x00\r\n"])


def test_send_file_sends_its_bytes(kernel: Kernel, seen: Witness) -> None:
    path = kernel.home / "a file.bin"
    path.write_bytes(b"\x00\x01binary")
    ok(kernel, f"%ws send --file '{path}'")
    assert seen.wait(lambda server: server.messages == [b"\x00\x01binary"])


def test_send_c_sends_on_that_connection_and_shows_the_answer_in_its_view(
    kernel: Kernel, seen: Witness
) -> None:
    ok(kernel, f"%ws {seen.url} --as other")
    result = ok(kernel, "m = %ws send -c main on main")
    assert (
        value(kernel, "m.data, m.direction, ipyws.connections()['main'].log.sent") == "('on main', 'out', 1)"
    )
    assert result.displays[-1]["data"]["text/plain"].count("on main") == 2


# -- bodies ------------------------------------------------------------------------------------------


def test_a_body_sends_its_messages_in_order_whatever_their_encoding(kernel: Kernel, seen: Witness) -> None:
    path = kernel.home / "payload.bin"
    path.write_bytes(b"file")
    body = f"""%%ws -o sent
{{
  "two": "lines"
}}
===
plain {{{{1 + 1}}}}
=== hex
00 ff
=== base64
AAE=
=== file {path}
=== ping
=== sleep 10ms
===
last
=== close 4001 "done"
"""
    ok(kernel, body)
    assert seen.wait(lambda server: bool(server.closes))
    assert json.loads(seen.messages[0]) == {"two": "lines"}
    assert seen.messages[1:] == ["plain 2", b"\x00\xff", b"\x00\x01", b"file", "last"]
    assert seen.closes[0][0] == 4001
    assert value(kernel, "len(sent), ipyws.current().stats.rtt is not None") == "(6, True)"


def test_a_pasted_jetbrains_request_connects_with_its_headers(kernel: Kernel, seen: Witness) -> None:
    ok(
        kernel,
        "%%ws --as pasted\n### Subscribe\nWEBSOCKET "
        + seen.url
        + "/feed\nX-Key: {{env.WS_TOKEN}}\n// a comment\n\nhello\n=== // and then\nsecond\n",
    )
    assert seen.wait(lambda server: len(server.messages) == 2)
    assert (seen.requests[-1].path, seen.requests[-1].headers["X-Key"]) == ("/feed", TOKEN)
    assert seen.messages == ["hello", "second"]


WRONG_BODIES = {
    "a directive": "first\n===\nsecond\n=== slep 1s\n",
    "JSON": 'first\n===\n{"a": 1,\n  "b": }\n',
    "a name": "first\n===\n{{no_such_name}}\n",
    "hex": "first\n=== hex\n0g\n",
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_body_with_an_error_anywhere_sends_nothing(kernel: Kernel, seen: Witness, body: str) -> None:
    assert fails(kernel, f"%%ws\n{body}").ename == "InvalidError"
    ok(kernel, "%ws send marker")
    assert seen.wait(lambda server: bool(server.messages))
    assert seen.messages == ["marker"]


# -- templates ---------------------------------------------------------------------------------------


def test_templates_expand_in_url_and_header(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"base, room = {seen.url!r}, 'a b'\nimport urllib.parse")
    line = "%ws {{base}}/{{urllib.parse.quote(room)}} -H 'Authorization: Bearer {{env.WS_TOKEN}}' --as t"
    result = ok(kernel, line)
    assert seen.requests[-1].path == "/a%20b"
    assert seen.requests[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in json.dumps(result.displays)


UNDEFINED = {
    "payload": "%ws send {{no_such_name}}",
    "JSON": '%ws send {"a": {{no_such_name}}}',
    "url": "%ws {{no_such_name}}",
    "header": "%ws URL -H 'X: {{no_such_name}}'",
    "body": "%%ws\n{{no_such_name}}",
    "environment": "%ws send {{env.NO_SUCH_VARIABLE}}",
}


@pytest.mark.parametrize("cell", UNDEFINED.values(), ids=UNDEFINED)
def test_an_undefined_name_is_an_error_and_nothing_is_sent_or_dialled(
    kernel: Kernel, seen: Witness, cell: str
) -> None:
    result = fails(kernel, cell.replace("URL", seen.url))
    assert result.ename == "InvalidError"
    assert re.search("no_such_name|NO_SUCH_VARIABLE", result.evalue)
    ok(kernel, "%ws send marker")
    assert seen.wait(lambda server: bool(server.messages))
    assert (seen.messages, seen.requests) == (["marker"], [])


# -- receiving ---------------------------------------------------------------------------------------


def test_recv_returns_the_oldest_unread_message_and_n_a_list(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%%ws\na\n===\nb\n===\nc\n===\nd")
    ok(kernel, "one = %ws recv\n%ws recv -n 2 -o two\nlast = %ws recv -n 1")
    assert value(kernel, "one.data, [m.data for m in two], [m.data for m in last]") == (
        "('a', ['b', 'c'], ['d'])"
    )


def test_recv_where_takes_the_first_that_fulfils_it(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, 'least = 2\nfor i in range(4):\n    %ws send {"i": {{i}}}')
    ok(kernel, """m = %ws recv --where 'json["i"] >= least'""")
    assert value(kernel, "m.json()") == "{'i': 2}"
    ok(kernel, "n = %ws recv --where \"msg.type == 'text'\"")
    assert value(kernel, "n.json()") == "{'i': 3}"


def test_recv_new_skips_what_is_there(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws send old\nwhile ipyws.current().stats.received < 1: await asyncio.sleep(0.01)")
    code = (
        "import threading\n"
        "threading.Timer(0.2, lambda: client.send('new')).start()\n"
        "client = ipyws.current()\nm = %ws recv --new\nprint(m.data)"
    )
    assert ok(kernel, code).stdout == "new\n"


def test_recv_times_out_with_an_error_that_repeats_the_time(kernel: Kernel, seen: Witness) -> None:
    result = fails(kernel, "%ws recv --timeout 50ms")
    assert result.ename == "WaitTimeoutError"
    assert "within 50ms" in result.evalue
    ok(kernel, "%ws send still usable")


def test_what_recv_n_got_before_it_timed_out_is_shown(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws send only one")
    result = fails(kernel, "%ws recv -n 2 --timeout 50ms")
    assert result.ename == "WaitTimeoutError"
    assert "only one" in result.displays[-1]["data"]["text/plain"]


# -- the other verbs ---------------------------------------------------------------------------------


def test_ping_returns_the_round_trip_in_seconds(kernel: Kernel, seen: Witness) -> None:
    result = ok(kernel, "rtt = %ws ping hello\n%ws ping --timeout 5s -o again")
    assert re.match(r"pong from main after [\d.]+ ms\n", result.stdout)
    assert value(kernel, "0 < rtt < 5, 0 < again < 5") == "(True, True)"


CLOSES = {
    "by name": ("%ws close main", (1000, "")),
    "the current one": ("%ws close", (1000, "")),
    "code and reason": ("%ws close main --code 4000 --reason 'two words'", (4000, "two words")),
    "all": ("%ws close --all --code 1001", (1001, "")),
}


@pytest.mark.parametrize(("line", "expected"), CLOSES.values(), ids=CLOSES)
def test_close_closes_with_its_code_and_reason(
    kernel: Kernel, seen: Witness, line: str, expected: tuple[int, str]
) -> None:
    ok(kernel, line)
    assert seen.wait(lambda server: server.closes == [expected])
    assert fails(kernel, "%ws send late").ename == "ClosedError"


def test_close_all_closes_every_connection(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as second\n%ws {seen.url} --as third")
    ok(kernel, "hows = %ws close --all")
    assert seen.wait(lambda server: len(server.closes) == 3 and server.open == 0)
    assert value(kernel, "sorted((name, how.code) for name, how in hows.items())") == (
        "[('main', 1000), ('second', 1000), ('third', 1000)]"
    )
    assert ok(kernel, "%ws close --all").stdout == "no connection is open\n"


def test_use_makes_a_connection_the_current_one_and_ls_marks_it(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as second")
    result = ok(kernel, "%ws use main\nd = %ws ls")
    lines = result.displays[-1]["data"]["text/plain"].splitlines()
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["main"]
    assert any("second" in line for line in lines)
    assert value(kernel, "ipyws.current() is d['main']") == "True"


def test_log_shows_and_returns_what_passed_filtered(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%%ws\nalpha\n=== ping\n===\nbeta")
    ok(kernel, "%ws recv -n 2")
    calls = {
        "--in --grep a$": "['alpha', 'beta']",
        "--out --grep BET": "['beta']",
        "--tail 1 --in": "['beta']",
        "-c main --in --grep ^a": "['alpha']",
    }
    for options, expected in calls.items():
        result = ok(kernel, f"found = %ws log {options}\nprint([m.data for m in found])")
        assert result.stdout == expected + "\n", options
        assert "text/html" in result.displays[0]["data"]
    control = ok(kernel, "%ws log main --control -o found\nprint([m.type for m in found])")
    assert control.stdout == "['ping', 'pong']\n"


def test_log_shows_the_messages_for_which_an_expression_holds(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, '%%ws\n{"type": "error", "code": 7}\n===\n{"type": "tick"}\n===\ntext\nleast = 3')
    ok(kernel, "%ws recv -n 3\nleast = 3")
    calls = {
        """'json["type"] == "error"'""": "['in', 'out']",
        """'json["code"] > least' --in""": "['in']",
        """'msg.data == "nothing"'""": "[]",
    }
    for expression, expected in calls.items():
        result = ok(kernel, f"found = %ws log --where {expression}\nprint([m.direction for m in found])")
        assert result.stdout.splitlines()[-1].replace("'out', 'in'", "'in', 'out'") == expected, expression
    failed = ok(kernel, "%ws log --where 'json[\"none\"]'")
    assert "the expression failed on 6 messages, at last with KeyError: 'none'" in failed.stdout


def test_serve_starts_a_server_once_prints_its_url_and_stops(kernel: Kernel) -> None:
    result = ok(kernel, "s = %ws serve echo\nt = %ws serve echo\nprint(s is t)")
    url = re.search(r"ws://127\.0\.0\.1:\d+", result.stdout)
    assert url is not None
    assert result.stdout.endswith("True\n")
    ok(kernel, f"%ws {url[0]} --as demo\n%ws send hi")
    assert ok(kernel, "m = %ws recv\nprint(m.data)").stdout == "hi\n"
    ok(kernel, "t.close()\nu = %ws serve echo\n%ws {{u.url}} --as again")
    assert "echo" in ok(kernel, "%ws serve --stop").stdout
    assert ok(kernel, "%ws serve --stop").stdout == "no server was running\n"
    assert fails(kernel, f"%ws {url[0]}").ename == "ConnectError"


@pytest.mark.parametrize("kind", ["chat", "prices", "chaos"])
def test_serve_knows_each_kind_and_a_port_can_be_chosen(kernel: Kernel, kind: str) -> None:
    with servers.dead_port() as port:
        pass
    assert f":{port}" in ok(kernel, f"%ws serve {kind} --port {port}\n%ws serve --stop {kind}").stdout


@pytest.mark.parametrize("cell", ["%ws help", "%ws", "%ws -h", "%ws --help"])
def test_help_names_every_verb(kernel: Kernel, cell: str) -> None:
    text = ok(kernel, cell).stdout
    for verb in ("connect", "send", "recv", "ping", "close", "ls", "use", "log", "serve", "help"):
        assert re.search(rf"\b{verb}\b", text), verb


@pytest.mark.parametrize("cell", ["%ws help send", "%ws send -h", "%ws send --help"])
def test_help_of_a_verb_names_its_options(kernel: Kernel, cell: str) -> None:
    text = ok(kernel, cell).stdout
    for name in ("--hex", "--base64", "--file", "--json", "-c", "-o"):
        assert name in text


@pytest.mark.parametrize("cell", ["%ws help cell", "%ws help %%ws", "%%ws -h\nx", "%%ws --help\nx"])
def test_help_of_the_cell_magic_names_every_directive(kernel: Kernel, cell: str) -> None:
    text = ok(kernel, cell).stdout
    for name in (*DIRECTIVES, "--new", "within TIMEOUT"):
        assert name in text, name


def test_the_columns_of_the_help_are_straight(kernel: Kernel) -> None:
    verbs = ok(kernel, "%ws help").stdout.partition("\nConnections\n")[2]
    lines = [line for line in verbs.splitlines() if line.startswith("  ")]
    column = lines[0].index("open a connection")
    assert {line[column - 1] for line in lines} == {" "}
    assert all(line[column] != " " for line in lines)


def test_a_question_mark_shows_the_help(kernel: Kernel) -> None:
    [page] = ok(kernel, "%ws?").reply["payload"]
    assert "%ws help VERB" in page["data"]["text/plain"]
    assert "%ws help VERB" in ok(kernel, "%ws help?").stdout


# -- results -----------------------------------------------------------------------------------------


def test_a_bare_magic_adds_nothing_to_out(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "before = len(Out)")
    for cell in ("%ws ping", "%ws ls", "%%ws\nhello", "%ws recv", f"%ws {seen.url} --as quiet", "1\n%ws log"):
        result = ok(kernel, cell)
        assert "execution_count" not in json.dumps(result.displays), cell
    assert value(kernel, "len(Out) - before") == "0"


def test_a_value_that_is_no_magic_still_is_shown(kernel: Kernel, seen: Witness) -> None:
    shown = ok(kernel, "rtt = %ws ping\n40 + 2").displays
    assert [display["data"]["text/plain"] for display in shown if "execution_count" in display] == ["42"]


PLACES = {
    "function": "def f():\n    return_value = %ws ping\n    return return_value\nprint(f() > 0)",
    "loop": "for i in range(3):\n    m = %ws send {{i}}\nprint(m.data == '2')",
    "%%time": "%%time\nr = %ws ping\nprint(r > 0)",
    "%%capture": "%%capture out\n%ws ping",
    "async": "async def g():\n    r = %ws ping\n    return r\nprint(await g() > 0)",
}


@pytest.mark.parametrize("cell", PLACES.values(), ids=PLACES)
def test_the_magic_works_inside_other_code(kernel: Kernel, seen: Witness, cell: str) -> None:
    result = ok(kernel, cell)
    assert "True" in result.stdout or "pong" in value(kernel, "out.stdout")


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("%ws send how are you?", "how are you?"),
        ("%ws send what??", "what??"),
        ("%ws send ?", "?"),
        ("%ws send it's what?", "it's what?"),
        ("%ws send a = b?  ", "a = b?"),
        ("if True:\n    answer = %ws send why?\n    assert answer.data == 'why?'", "why?"),
        ("_ = 1\n%ws send 'who'?\n_ = 2", "'who'?"),
    ],
)
def test_a_question_mark_at_the_end_is_sent(kernel: Kernel, seen: Witness, cell: str, sent: str) -> None:
    ok(kernel, cell)
    assert seen.wait(lambda server: server.messages == [sent])


@pytest.mark.parametrize("line", ["%ws send?", "%ws help send?", "%ws  send?"])
def test_a_verb_and_a_question_mark_are_help(kernel: Kernel, seen: Witness, line: str) -> None:
    assert "--base64" in ok(kernel, line).stdout
    assert seen.messages == []


def test_other_questions_are_left_to_ipython(kernel: Kernel, seen: Witness) -> None:
    for question in ("asyncio.sleep?", "'%ws send what' and asyncio.sleep?", "%ws?", "%time?"):
        assert ok(kernel, question).reply["payload"], question
    assert seen.messages == []


def test_names_given_to_o_must_be_python_names(kernel: Kernel, seen: Witness) -> None:
    for name in ("1x", "class", "a.b"):
        assert name in fails(kernel, f"%ws recv -o {name}").evalue


# -- errors ------------------------------------------------------------------------------------------

ERRORS = {
    "unknown verb": ("%ws sned hello", "InvalidError", "send"),
    "unknown verb before a payload with a URL": ('%ws sned {"a": "ws://b"}', "InvalidError", "send"),
    "unknown option": ("%ws recv --timout 5s", "InvalidError", "--timeout"),
    "unknown connect option": ("%ws connect ws://x --dial-timeot 5s", "InvalidError", "--dial-timeout"),
    "abbreviated option": ("%ws recv --time 5s", "InvalidError", "--time"),
    "no value": ("%ws recv -n", "InvalidError", "COUNT"),
    "not a number": ("%ws recv -n two", "InvalidError", "whole number"),
    "zero": ("%ws recv -n 0", "InvalidError", "from 1"),
    "duration without unit": ("%ws recv --timeout 5", "InvalidError", "timeout"),
    "duration of zero": ("%ws connect ws://x --dial-timeout 0s", "InvalidError", "dial"),
    "bad expression": ("%ws recv --where 'json['", "InvalidError", "expression"),
    "unclosed quote": ("%ws log --grep 'a", "InvalidError", "quot"),
    "bad regular expression": ("%ws log --grep (", "InvalidError", "regular expression"),
    "bad URL": ("%ws connect http://x", "InvalidError", "ws://"),
    "bad close code": ("%ws close --code 1005", "InvalidError", "1000-1003"),
    "long reason": ("%ws close --reason " + "x" * 124, "InvalidError", "123"),
    "two payload forms": ("%ws send --hex --base64 00", "InvalidError", "one of them"),
    "nothing to send": ("%ws send", "InvalidError", "nothing to send"),
    "bad hex": ("%ws send --hex 0g", "InvalidError", "'g'"),
    "bad base64": ("%ws send --base64 ???", "InvalidError", "base64"),
    "no file": ("%ws send --file /no/such/file", "InvalidError", "/no/such/file"),
    "not JSON": ('%ws send {"a": 1,}', "InvalidError", "line 1 column"),
    "unknown connection": ("%ws send -c nosuch hello", "UnknownConnectionError", "main"),
    "unknown connection to use": ("%ws use nosuch", "UnknownConnectionError", "main"),
    "too many words": ("%ws use a b", "InvalidError", "%ws use NAME"),
    "too few words": ("%ws use", "InvalidError", "%ws use NAME"),
    "both directions": ("%ws log --in --out", "InvalidError", "one of them"),
    "two names": ("%ws log main -c main", "InvalidError", "one of them"),
    "a name and all": ("%ws close main --all", "InvalidError", "one of them"),
    "two URLs": ("%%ws ws://a ws://b\nhi", "InvalidError", "one URL"),
    "a URL above a pasted request": ("%%ws ws://a\nWEBSOCKET ws://b\n\nhi", "InvalidError", "one URL"),
    "a URL and a connection": ("%%ws ws://a -c main\nhi", "InvalidError", "--as"),
    "an option without a URL": ("%%ws --origin https://a\nhi", "InvalidError", "URL"),
    "stop at a port": ("%ws serve --stop --port 5", "InvalidError", "--port"),
    "unknown server": ("%ws serve ehco", "InvalidError", "echo"),
    "port out of range": ("%ws serve echo --port 99999", "InvalidError", "port"),
    "unknown help": ("%ws help conect", "InvalidError", "connect"),
    "header without colon": ("%ws connect ws://x -H nocolon", "InvalidError", "colon"),
    "refused header": ("%ws connect ws://x -H 'Host: y'", "InvalidError", "Host"),
}


@pytest.mark.parametrize(("cell", "ename", "said"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_that_says_what_is_wrong(
    kernel: Kernel, seen: Witness, cell: str, ename: str, said: str
) -> None:
    result = fails(kernel, cell)
    assert (result.ename, said.lower() in result.evalue.lower()) == (ename, True), result.evalue
    assert seen.requests == []


def test_a_json_error_in_a_body_points_at_line_and_column(kernel: Kernel, seen: Witness) -> None:
    result = fails(kernel, '%%ws\n{\n  "a": 1,\n  "b": oops\n}')
    assert re.search(r"line 3 column 8|line 4 column 8", result.evalue), result.evalue


def test_an_error_can_be_caught_by_its_class(kernel: Kernel, seen: Witness) -> None:
    code = (
        "try:\n    %ws recv --timeout 20ms\n"
        "except ipyws.errors.WaitTimeoutError as error:\n"
        "    print(error.kind, isinstance(error, TimeoutError))"
    )
    assert ok(kernel, code).stdout == "TIMEOUT True\n"


def test_tb_still_has_the_traceback(kernel: Kernel, seen: Witness) -> None:
    fails(kernel, "%ws recv --timeout 20ms")
    request = kernel.send("%tb")
    kernel.result(request)
    [error] = [message for message in kernel.published(request) if message["msg_type"] == "error"]
    text = "\n".join(error["content"]["traceback"])
    assert "Traceback" in text
    assert "run_line_magic" in text


@pytest.mark.parametrize("mode", ["Context", "Plain", "Verbose"])
def test_an_error_of_plain_python_shows_the_users_frames_and_tb_all(
    kernel: Kernel, seen: Witness, mode: str
) -> None:
    ok(kernel, f"%xmode {mode}")
    result = kernel.run("def mine():\n    ipyws.current().recv(timeout='20ms')\nmine()")
    assert result.ename == "WaitTimeoutError"
    shown = COLOUR.sub("", "\n".join(result.traceback))
    assert shown.count("Cell In") == 2
    assert "frames of ipyws: %tb shows them" in shown
    assert "receiving.py" not in shown
    assert "within 20ms" in shown.rstrip().splitlines()[-1]
    request = kernel.send("%tb")
    kernel.result(request)
    [whole] = [m["content"] for m in kernel.published(request) if m["msg_type"] == "error"] or [None]
    text = "\n".join(whole["traceback"]) if whole else kernel.text(request)
    assert "receiving.py" in text
    ok(kernel, "%xmode Context")


def test_a_magic_before_any_connection_says_how_to_open_one(server: Witness) -> None:
    with Kernel() as kernel:
        ok(kernel, "%load_ext ipyws")
        for cell in ("%ws send hi", "%%ws\nhi", "%ws recv", "%ws ping", "%ws close", "%ws log"):
            result = fails(kernel, cell)
            assert (result.ename, "%ws connect" in result.evalue) == ("UnknownConnectionError", True), cell
        assert "no connections" in ok(kernel, "%ws ls").displays[0]["data"]["text/plain"]
