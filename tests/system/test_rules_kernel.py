"""Rules, fresh credentials and scripts of the magics, in a kernel that computes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from websockets.asyncio.server import ServerConnection

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.servers import Site, request_of, server

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server that tells of each handshake and message; it asks for pongs, and drops connections."""
    sites: list[Site] = []

    async def ask(connection: ServerConnection) -> None:
        """Ping in JSON until stopped; tell how long each answer took."""
        for number in range(1000):
            begun = time.monotonic()
            await connection.send(json.dumps({"op": "ping", "id": number}))
            while json.loads(await connection.recv()) != {"pong": number}:
                pass
            sites[0].seen.put(("took", time.monotonic() - begun))
            await asyncio.sleep(0.02)

    async def handler(connection: ServerConnection) -> None:
        request = request_of(connection)
        sites[0].seen.put(("open", request.path, request.headers.get("Authorization")))
        async for text in connection:
            sites[0].seen.put(("got", text))
            if text == "ask":
                await ask(connection)
            elif text == "drop":
                connection.transport.abort()
            elif text == "login":
                await connection.send('{"ok": true, "session": 7}')

    with server(handler) as made:
        sites.append(made)
        yield made


@pytest.fixture(scope="module")
def kernel(site: Site) -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(kernel, f"import time\n%load_ext ipyws\nurl = {site.url!r}")
        yield kernel


@pytest.fixture(autouse=True)
def nothing_seen(kernel: Kernel, site: Site) -> Iterator[None]:
    yield
    ok(kernel, "%ws close --all")
    while not site.seen.empty():
        site.seen.get()


def next_of(site: Site, kind: str) -> tuple[str, ...]:
    while (seen := site.next())[0] != kind:
        pass
    found: tuple[str, ...] = seen
    return found


COMPUTING = """
%ws {{url}} --every 50ms '{"at": {{time.time()}}}' --reply 'json["op"] == "ping"' '{"pong": {{json["id"]}}}'
%ws send ask
end = time.monotonic() + 1.5
while time.monotonic() < end:
    sum(range(10_000))
sent = [rule.sent for rule in ipyws.current().rules]
"""


def test_rules_go_on_while_the_kernel_computes(kernel: Kernel, site: Site) -> None:
    ok(kernel, "import ipyws" + COMPUTING)
    beats, answers = eval(value(kernel, "sent"))
    assert beats >= 5
    assert answers >= 5
    took = [float(next_of(site, "took")[1]) for _ in range(5)]
    assert max(took) < 1  # what an exchange allows
    marks = value(kernel, "sorted({message.mark for message in ipyws.current().log if message.mark})")
    assert marks == "['every 50ms', 'reply']"


def test_rules_are_made_listed_and_stopped_by_verbs(kernel: Kernel, site: Site) -> None:
    ok(kernel, "%ws {{url}} --as ruled")
    ok(kernel, 'beat = %ws every 30ms {"op": "beat"}')
    assert next_of(site, "got")[1] == '{"op": "beat"}'
    said = ok(kernel, "%ws reply 'json[\"ok\"]' {{1/0}}").stdout
    assert "rule 2: reply to" in said
    ok(kernel, "%ws send login")
    ok(kernel, "import ipyws\nwhile not ipyws.current().rules[1].stopped: time.sleep(0.01)")
    listed = ok(kernel, "%ws rules").stdout
    assert "every 30ms" in listed
    assert "stopped: template {{1/0}} raised ZeroDivisionError" in listed
    assert "stopped rule 1: every 30ms" in ok(kernel, "%ws rules --stop").stdout
    assert "has no rules" in ok(kernel, "%ws rules").stdout
    assert value(kernel, "beat.stopped") == "True"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("%ws every 20s {a: 1}", "the payload is not JSON"),
        ("%ws every 20s", "something is missing"),
        ("%ws every often ping", "the interval"),
        ("%ws reply json[ pong", "is not a Python expression"),
        ("%ws reply 'nope == 1' pong", "name 'nope' is not defined"),
        ("%ws every 20s {{nope}}", "name 'nope' is not defined"),
        ("%ws rules --stop 99", "there is no rule 99"),
        ("%ws {{url}} --every 20s", "--every lacks a part of its value"),
        ("%ws {{url}} --sign url", "sign is of type str"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_in_one_line(kernel: Kernel, line: str, what: str) -> None:
    ok(kernel, "%ws {{url}} --as ruled")
    assert what in fails(kernel, line).evalue


def test_templates_are_expanded_again_at_each_dial(kernel: Kernel, site: Site) -> None:
    ok(kernel, "import itertools\ntokens, tickets, logins = (itertools.count() for _ in range(3))")
    ok(
        kernel,
        "%ws {{url}}/?ticket={{next(tickets)}} -H 'Authorization: Bearer {{next(tokens)}}' "
        """--reconnect '{"first": "1ms", "max": "1ms", "on_open": ["hello {{next(logins)}}"]}'""",
    )
    for number in range(2):
        assert next_of(site, "open")[1:] == (f"/?ticket={number}", f"Bearer {number}")
        assert next_of(site, "got")[1] == f"hello {number}"
        ok(kernel, "%ws send drop")


REQUEST = """%%ws --reconnect '{"first": "1ms", "max": "1ms"}'
WEBSOCKET {{url}}/?ticket={{next(tickets)}}
Authorization: Bearer {{next(tokens)}}

hello"""


def test_the_templates_of_a_pasted_request_are_expanded_again_too(kernel: Kernel, site: Site) -> None:
    ok(kernel, "import itertools\ntokens, tickets = itertools.count(), itertools.count()")
    ok(kernel, REQUEST)
    assert next_of(site, "open")[1:] == ("/?ticket=0", "Bearer 0")
    ok(kernel, "%ws send drop")
    assert next_of(site, "open")[1:] == ("/?ticket=1", "Bearer 1")


ON_OPEN = """%%ws {{url}} --on-open --reconnect '{"first": "1ms", "max": "1ms"}'
login
=== expect json["ok"] as reply within 5s
{"op": "subscribe", "session": {{reply["session"]}}}"""


def test_a_cell_is_done_again_at_each_reconnect(kernel: Kernel, site: Site) -> None:
    ok(kernel, ON_OPEN)
    assert value(kernel, "reply") == "{'ok': True, 'session': 7}"
    for _ in range(2):
        next_of(site, "open")
        assert [next_of(site, "got")[1] for _ in range(2)] == ["login", '{"op": "subscribe", "session": 7}']
        ok(kernel, "%ws send drop")


def test_a_cell_that_fails_on_opening_leaves_no_connection(kernel: Kernel, site: Site) -> None:
    wrong = ON_OPEN.replace('json["ok"]', 'json["ok"] == 3').replace("5s", "500ms")
    assert "no match within" in fails(kernel, wrong).evalue
    assert value(kernel, "ipyws.current().state") == "'closed'"
    assert "--on-open is given without a URL" in fails(kernel, "%%ws --on-open\nlogin").evalue
