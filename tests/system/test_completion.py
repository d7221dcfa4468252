"""Completion and inspection as a front end asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Message
from ipyws.notebook.expression_completion import expression_names
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


_FILES = """import os, pathlib, tempfile
os.chdir(tempfile.mkdtemp())
for name in ("old.har", "notes.txt", ".hidden.har", "sub/new.jsonl"):
    path = pathlib.Path("captures", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Witness) -> Iterator[Kernel]:
    with Kernel() as kernel:
        for cell in (
            _FILES,
            "%load_ext ipyws",
            f"%ws {server.url} --as names-alpha",
            f"%ws {server.url} --as rpc --dialect jsonrpc",
            f"%ws {server.url} --as other",
        ):
            assert kernel.run(cell).status == "ok"
        yield kernel


def complete(kernel: Kernel, code: str, place: int | None = None) -> set[str]:
    """Return what the code would be after each completion."""
    place = len(code) if place is None else place
    reply = kernel.reply(kernel.request("complete_request", {"code": code, "cursor_pos": place}))
    assert reply is not None
    content = reply["content"]
    start, end = content["cursor_start"], content["cursor_end"]
    return {code[:start] + match + code[end:] for match in content["matches"]}


COMPLETED = {
    "codec": ("%ws connect ws://x --codec msg", {"%ws connect ws://x --codec msgpack"}),
    "codec behind another": (
        "%ws connect ws://x --codec zstd+msg",
        {"%ws connect ws://x --codec zstd+msgpack"},
    ),
    "schema of a codec": (
        "%ws connect ws://x --codec avro:captures/no",
        {"%ws connect ws://x --codec avro:captures/notes.txt"},
    ),
    "dialect": ("%ws connect ws://x --dialect act", {"%ws connect ws://x --dialect actioncable"}),
    "flag of a dialect": ("%ws call -c rpc add --par", {"%ws call -c rpc add --params"}),
    "flag of no dialect": ("%ws call -c other add --par", set()),
    "verb": ("%ws con", {"%ws connect"}),
    "verb of an assignment": ("x = %ws con", {"x = %ws connect"}),
    "verb in a block": ("for i in x:\n    %ws pi", {"for i in x:\n    %ws ping"}),
    "verb after a semicolon": ("a = 1; %ws us", {"a = 1; %ws use"}),
    "verb behind another magic": ("%time %ws us", {"%time %ws use"}),
    "word of a policy": ("%ws policy ch", {"%ws policy check"}),
    "topic of the help": ("%ws help se", {"%ws help send", "%ws help serve"}),
    "help of the cell magic": ("%ws help ce", {"%ws help cell"}),
    "option of a pasted command": ("%ws curl https://x --compr", {"%ws curl https://x --compressed"}),
    "option of one in a cell": ("%%ws websocat ws://x --ping-i", {"%%ws websocat ws://x --ping-interval"}),
    "form to copy": ("%ws copy websoca", {"%ws copy websocat"}),
    "option": ("%ws connect --dial-", {"%ws connect --dial-timeout"}),
    "option of a bare URL": ("%ws ws://x --dial-", {"%ws ws://x --dial-timeout"}),
    "option of a cell magic": ("%%ws ws://x --dial-", {"%%ws ws://x --dial-timeout"}),
    "value of an option": (
        "%ws connect ws://x --compression con",
        {"%ws connect ws://x --compression context_takeover"},
    ),
    "connection of an option": ("%ws send -c nam", {"%ws send -c names-alpha"}),
    "connection to use": ("%ws use ", {"%ws use names-alpha", "%ws use other", "%ws use rpc"}),
    "connection to close": ("%ws close ot", {"%ws close other"}),
    "kind of server": ("%ws serve pr", {"%ws serve prices"}),
    "way to reconnect": ("%ws ws://x --reconnect ", {"%ws ws://x --reconnect on"}),
    "directive": ("%%ws\n{}\n=== exp", {"%%ws\n{}\n=== expect"}),
    "directives": ("%%ws -c x\n=== wait", {"%%ws -c x\n=== wait", "%%ws -c x\n=== wait-for-server"}),
    "capture to replay": (
        "%ws replay captures/",
        {"%ws replay captures/old.har", "%ws replay captures/sub/"},
    ),
    "capture to serve": ("%ws serve --replay captures/o", {"%ws serve --replay captures/old.har"}),
    "file to send": ("%ws send --file captures/n", {"%ws send --file captures/notes.txt"}),
    "certificate": ("%ws ws://x --ca captures/no", {"%ws ws://x --ca captures/notes.txt"}),
    "journal": ("%ws ws://x --record capt", {"%ws ws://x --record captures/"}),
    "last line of several": ("a = 1\nb = 2\n%ws rec", {"a = 1\nb = 2\n%ws recv"}),
}


@pytest.mark.parametrize(("code", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_what_may_stand_there_is_offered_and_nothing_else(
    kernel: Kernel, code: str, expected: set[str]
) -> None:
    assert complete(kernel, code) == expected


def test_both_magics_are_offered(kernel: Kernel) -> None:
    assert {"%ws", "%%ws"} <= complete(kernel, "%w")
    assert "%%ws" in complete(kernel, "%%w")


def test_options_are_offered_before_a_url(kernel: Kernel) -> None:
    assert complete(kernel, "%ws --dial-") == {"%ws --dial-timeout"}


def test_the_url_of_a_connection_is_offered(kernel: Kernel, server: Witness) -> None:
    # A connection's URL ends in its path.
    assert complete(kernel, "%ws connect ws://127") == {f"%ws connect {server.url}/"}


def test_each_verb_and_option_is_offered(kernel: Kernel) -> None:
    verbs = ["connect", "send", "recv", "ping", "close", "ls", "use", "log", "serve", "help"]
    assert {f"%ws {verb}" for verb in verbs} <= complete(kernel, "%ws ")
    options = [
        "--header",
        "--headers",
        "-H",
        "-s",
        "-k",
        "-L",
        "--as",
        "--name",
        "--proxy",
        "--read-limit",
        "-o",
    ]
    assert {f"%ws connect {option}" for option in options} <= complete(kernel, "%ws connect -")


def test_a_cell_magic_is_offered_options_and_connections(kernel: Kernel) -> None:
    assert {f"%%ws {option}" for option in ("-c", "-o", "--raw", "--text")} <= complete(kernel, "%%ws -")
    assert complete(kernel, "%%ws -c oth") == {"%%ws -c other"}
    assert not any("recv" in text for text in complete(kernel, "%%ws re"))  # a verb is no cell magic


def test_ordinary_code_is_left_alone(kernel: Kernel) -> None:
    assert kernel.run("connection_count = 3").status == "ok"
    assert "connection_count" in complete(kernel, "connection_c")
    for code in ("con", "ws con", "x % ws con", "# ws con", "con\n%ws ping"):
        place = 3 if code.startswith("con\n") else None
        assert not any(text.split()[-1:] == ["connect"] for text in complete(kernel, code, place)), code
    assert not complete(kernel, "%who con") & {"%who connect"}


def test_inspection_shows_the_help(kernel: Kernel) -> None:
    request = kernel.request("inspect_request", {"code": "%ws", "cursor_pos": 3, "detail_level": 0})
    reply = kernel.reply(request)
    assert reply is not None
    assert reply["content"]["found"]
    assert "%ws help VERB" in reply["content"]["data"]["text/plain"]


def test_completion_offers_nothing_that_holds_a_secret(kernel: Kernel, server: Witness) -> None:
    for cell in (
        "import os\nos.environ['TOK'] = 'tok(en)-of-mine\\u00fc'; os.environ['PART'] = 'secret-part'",
        f"%ws {server.url}/?x={{{{env.TOK}}}} --as shown-name",
        f"%ws {server.url}/?listenKey=short --as other-name",
        f"%ws {server.url}/in/the/open --as {{{{env.PART}}}}",
        "pathlib.Path('captures', 'secret-part.jsonl').touch()",
        f"%ws {server.url}/in/the/open --as plain-name",
    ):
        assert kernel.run(cell).status == "ok", cell
    offered = complete(kernel, "%ws connect w")
    assert f"%ws connect {server.url}/in/the/open" in offered
    assert not [line for line in offered if "listenKey" in line or "?x=" in line]
    assert complete(kernel, "%ws ws") >= {f"%ws {server.url}/in/the/open"}
    for code in (
        "%ws use s",
        "%ws close s",
        "%ws send -c s",
        "%ws log s",
        "%ws panel s",
        "%ws connect --as s",
    ):
        assert complete(kernel, code) == {f"{code}hown-name"}, code
    assert not [line for line in complete(kernel, "%ws replay captures/s") if "secret-part" in line]
    for name in ("shown-name", "other-name", "plain-name"):
        kernel.run(f"%ws close {name}")


IN_EXPRESSIONS = {
    "a judged message": ("%ws recv --where 'js", {"%ws recv --where 'json"}),
    "without quotes": ("%ws recv --where js", {"%ws recv --where json"}),
    "later in it": ("%ws recv --where 'msg.size > 3 and js", {"%ws recv --where 'msg.size > 3 and json"}),
    "an attribute": ('%ws recv --where "msg.dir', {'%ws recv --where "msg.direction'}),
    "a name of the notebook": ("%ws recv --where 'json == thresh", {"%ws recv --where 'json == threshold"}),
    "a template": ("%ws send {{thresh", {"%ws send {{threshold"}),
    "a template in JSON": ('%ws send {"a": {{thresh', {'%ws send {"a": {{threshold'}),
    "a template in a body": ('%%ws\n{"a": {{thresh', {'%%ws\n{"a": {{threshold'}),
    "a template in a URL": ("%ws connect ws://x/{{thresh", {"%ws connect ws://x/{{threshold"}),
    "an attribute of the notebook's": ("%ws send {{feed.pri", {"%ws send {{feed.prices"}),
    "a variable of the environment": ("%ws send {{env.IPYWS_TE", {"%ws send {{env.IPYWS_TESTED"}),
    "a value": ("%ws send --json thresh", {"%ws send --json threshold"}),
    "an expectation": ("%%ws\n{}\n=== expect js", {"%%ws\n{}\n=== expect json"}),
    "a condition": ("%%ws\n{}\n=== wait 2 5s where msg.dat", {"%%ws\n{}\n=== wait 2 5s where msg.data"}),
}


@pytest.mark.parametrize(("code", "expected"), IN_EXPRESSIONS.values(), ids=IN_EXPRESSIONS)
def test_names_are_offered_in_expressions(kernel: Kernel, code: str, expected: set[str]) -> None:
    made = "import os, types\nthreshold = 3\nfeed = types.SimpleNamespace(prices=[])"
    made += "\nos.environ['IPYWS_TESTED'] = 'x'"
    assert kernel.run(made).status == "ok"
    assert complete(kernel, code) == expected


def test_no_code_of_a_value_runs_for_completion() -> None:
    class Feed:
        @property
        def computed(self) -> object:
            raise AssertionError

        def __getattr__(self, name: str) -> object:
            raise AssertionError

    names = {"feed": Feed()}
    assert expression_names("%ws send {{feed.comp", names) is not None
    for path in ("feed.computed.", "feed.other.", "nothing."):
        assert expression_names(f"%ws send {{{{{path}", names) == (path, [])


def test_nothing_is_offered_inside_a_string() -> None:
    assert expression_names("%ws recv --where 'json[\"na", {}) is None


def test_keys_of_what_came_are_offered_where_one_is_written() -> None:
    def came() -> list[Message]:
        packed = MSGPACK.encode({"name": "x", "user": {"id": 1, "node": 2}, "bad\nkey": 1, 5: 6})
        text = '{"nature": 1, "list": [{"deep": 1}]}'
        return [
            Message("binary", packed, "in", 1, 1e9, codec=MSGPACK),
            Message("text", text, "in", 0, 1e9),
            Message("text", "no JSON", "in", 0, 1e9),
        ]

    def offered(expression: str) -> Any:
        return expression_names(f"%ws recv --where '{expression}", {}, came)

    assert offered('json["na') == ("na", ["name", "user", "nature", "list"])
    assert offered('json["a"] == 1 and msg.value["user"]["') == ("", ["id", "node"])
    assert offered('json["list"][0]["d') == ("d", ["deep"])
    assert offered('json["nothing"]["') is None
    assert expression_names('=== expect json["user"]["n', {}, came) == ("n", ["id", "node"])
