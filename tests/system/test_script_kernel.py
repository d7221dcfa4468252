"""Bodies of ``%%ws`` that wait and expect, in a real kernel, against a server that does what it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.scripts import Obeying, obeying, order, steps

pytestmark = pytest.mark.kernel

TOKEN = "tok-7d31e0b8"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(env={"WS_TOKEN": TOKEN}) as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws")
        yield kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Obeying]:
    with obeying() as running:
        yield running


@pytest.fixture
def seen(kernel: Kernel, server: Obeying) -> Obeying:
    """The server, with one connection, called main, and nothing else remembered."""
    ok(kernel, f"%ws close --all\n%ws {server.url} --as main")
    assert server.wait(lambda server: server.open == 1)
    server.forget()
    return server


def got(kernel: Kernel) -> list[tuple[str, str | bytes]]:
    """Return direction and payload of the messages in the notebook's ``got``."""
    pairs: list[tuple[str, str | bytes]] = json.loads(
        ok(kernel, "import json\nprint(json.dumps([(m.direction, m.data) for m in got]))").stdout
    )
    return [(direction, data) for direction, data in pairs]


# -- what the steps do -------------------------------------------------------------------------------


def test_every_directive_does_what_it_says_in_its_order(kernel: Kernel, seen: Obeying) -> None:
    path = kernel.home / "payload.bin"
    path.write_bytes(b"file")
    body = f"""%%ws -o got
one
=== wait-for-server
=== hex
00 ff
=== wait
=== base64
AAE=
=== wait 1 5s
=== file {path}
=== expect msg.data == b"file"
=== sleep 10ms
=== ping
===
{order("a", "b")}
=== wait 2 5s where msg.size == 1
=== close 4001 done
"""
    ok(kernel, body)
    assert seen.wait(lambda server: bool(server.closes))
    assert seen.messages == ["one", b"\x00\xff", b"\x00\x01", b"file", order("a", "b")]
    assert seen.closes == [(4001, "done")]
    assert value(kernel, "[(m.direction, m.data) for m in got]") == repr(
        [
            *(("out", "one"), ("in", "one"), ("out", b"\x00\xff"), ("in", b"\x00\xff")),
            *(("out", b"\x00\x01"), ("in", b"\x00\x01"), ("out", b"file"), ("in", b"file")),
            *(("out", order("a", "b")), ("in", "a"), ("in", "b")),
        ]
    )


def test_a_sleep_takes_its_time_and_a_ping_makes_a_round_trip(kernel: Kernel, seen: Obeying) -> None:
    code = "get_ipython().run_cell_magic('ws', '', '=== ping\\n=== sleep 120ms')"
    took = value(kernel, f"__import__('timeit').timeit(lambda: {code}, number=1)")
    assert 0.12 <= float(took) < 5
    assert value(kernel, "ipyws.current().stats.rtt is not None") == "True"


def test_a_value_that_came_is_in_the_next_message(kernel: Kernel, seen: Obeying) -> None:
    body = f"""%%ws
{order('{"id": 7, "tags": ["x"]}')}
=== expect json["id"] == 7 as first
{{"unsubscribe": {{{{first["id"]}}}}, "note": "was {{{{first["tags"][0]}}}}"}}
=== expect json["note"] as first
{{{{first["unsubscribe"] + 1}}}}
"""
    ok(kernel, body)
    assert seen.wait(lambda server: len(server.messages) == 3)
    assert json.loads(seen.messages[1]) == {"unsubscribe": 7, "note": "was x"}
    assert seen.messages[2] == "8"


def test_each_template_is_read_once_and_none_where_they_are_switched_off(
    kernel: Kernel, seen: Obeying
) -> None:
    ok(kernel, "import itertools\ncounter = itertools.count()")
    ok(kernel, "%%ws\n{{next(counter)}}\n===\n{{next(counter)}}\n=== wait\n{{next(counter)}}")
    ok(kernel, "%%ws --raw\nto {{nobody}}\n=== wait\nfrom {{nobody}}")
    assert seen.wait(lambda server: len(server.messages) == 5)
    assert seen.messages == ["0", "1", "2", "to {{nobody}}", "from {{nobody}}"]
    assert value(kernel, "next(counter)") == "3"


KEPT = {
    "an object": ('{"a": [1, null]}', "{'a': [1, None]}"),
    "null": ("null", "None"),
    "a number": ("12.5", "12.5"),
    "text": ("no json", "'no json'"),
}


@pytest.mark.parametrize(("text", "expected"), KEPT.values(), ids=KEPT)
def test_a_name_keeps_the_parsed_json_or_the_payload(
    kernel: Kernel, seen: Obeying, text: str, expected: str
) -> None:
    ok(kernel, f"%%ws\n{order(text)}\n=== expect True as reply")
    assert value(kernel, "reply") == expected


def test_a_name_keeps_bytes_too(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, "%%ws\n=== hex\n00 ff\n=== expect msg.type == 'binary' as reply")
    assert value(kernel, "reply") == repr(b"\x00\xff")


def test_an_expression_reads_the_notebook(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, "limit = 3\ndef big(value): return value > limit")
    body = order('{"n": 2}', '{"n": 4}', '{"n": 5}')
    ok(kernel, f"%%ws -o got\n{body}\n=== wait 2 where big(json['n'])")
    assert [data for _, data in got(kernel)[1:]] == ['{"n": 4}', '{"n": 5}']


# -- one cursor --------------------------------------------------------------------------------------

EARLY = {"waiting already": "", "before the wait": "=== ping\n"}
"""A pong comes behind what was sent before it: after the ping, all of it is there."""


@pytest.mark.parametrize("sync", EARLY.values(), ids=EARLY)
def test_nothing_that_arrives_together_or_early_is_lost(kernel: Kernel, seen: Obeying, sync: str) -> None:
    body = f"%%ws -o got\n{order('a', 'b', 'c', 'd', 'e')}\n{sync}=== wait 2\n=== wait-for-server\n=== wait"
    ok(kernel, f'{body}\n=== expect msg.data == "e" within 5s')
    assert [data for _, data in got(kernel)[1:]] == ["a", "b", "c", "d", "e"]


def test_an_expectation_passes_over_what_does_not_match(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, f'%%ws -o got\n{order("a", "b", "c", "d")}\n=== expect msg.data == "c"\n=== wait')
    assert [data for _, data in got(kernel)[1:]] == ["c", "d"]


def test_replies_in_another_order_are_met_in_the_order_they_come(kernel: Kernel, seen: Obeying) -> None:
    replies = order('{"id": 2}', '{"id": 1}')
    ok(kernel, f'%%ws\n{replies}\n=== expect json["id"] == 2\n=== expect json["id"] == 1')
    failed = fails(
        kernel,
        f'%%ws\n{replies}\n=== expect json["id"] == 1\n=== ping\n=== expect json["id"] == 2 within 50ms',
    )
    assert failed.evalue.startswith('line 5: expect json["id"] == 2 within 50ms: no')


def test_a_wait_counts_for_itself_alone(kernel: Kernel, seen: Obeying) -> None:
    silence = order()
    ok(kernel, f"%%ws\n{order('x')}\n=== wait-for-server\n{silence}\n===\n{silence}\n=== sleep 1ms\nlast")
    assert seen.wait(lambda server: len(server.messages) == 4)


def test_recv_and_the_steps_of_cells_share_their_place(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, f"%%ws\n{order('a', 'b', 'c', 'd')}\n=== wait")
    assert value(kernel, "get_ipython().run_line_magic('ws', 'recv').data") == "'b'"
    ok(kernel, "%%ws -o got\n=== wait\n=== wait")
    assert [data for _, data in got(kernel)] == ["c", "d"]


def test_a_send_moves_nothing(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, f"%%ws\n{order('early')}\n=== ping")
    ok(kernel, "%%ws -o got\nlater\n=== wait 2")
    assert [data for _, data in got(kernel)] == ["later", "early", "later"]


def test_new_skips_what_has_come_until_now(kernel: Kernel, seen: Obeying) -> None:
    ok(kernel, f"%%ws\n{order('old', 'older')}\n=== ping")
    ok(kernel, "%%ws --new -o got\nnew\n=== wait")
    assert got(kernel) == [("out", "new"), ("in", "new")]


def test_a_cell_that_is_run_again_does_the_same_again(kernel: Kernel, seen: Obeying) -> None:
    cell = f'%%ws -o got\n{order("a", "b")}\n=== expect msg.data == "b" as reply\n{{{{reply * 2}}}}\n=== wait'
    for _ in range(3):
        ok(kernel, cell)
        assert [data for _, data in got(kernel)[1:]] == ["b", "bb", "bb"]


# -- bad input ---------------------------------------------------------------------------------------

WRONG = {
    "an unknown directive": ("a\n=== exepct json", "line 3: unknown directive 'exepct'.*did you mean 'exp"),
    "a payload after a file": ("=== file x\nmore", "line 3: payload after file"),
    "an encoding without a payload": ("a\n=== hex\n===\nb", "line 3: hex has no payload"),
    "a count of zero": ("=== wait 0", "line 2: count of wait is 0"),
    "a time without a unit": ("=== sleep 5", "line 2: time of sleep"),
    "no expression": ("=== expect", "line 2: expect has no expression"),
    "no Python": ("a\n=== expect json[", "line 3: .*not a Python expression"),
    "no name": ("=== expect json as 1x", "line 2: '1x' after as is not a name"),
    "an unknown name": ("a\n=== wait where typo", "line 3: .*'typo' is not defined"),
    "an unknown name in a late message": ("a\n=== wait\n{{typo}}", "message on line 4: .*'typo' is not"),
    "JSON in a late message": ('a\n=== wait\n{"a": {{1}},}', "message on line 4: .*not JSON"),
    "a close code": ("a\n=== close 1005", "line 3: .*1005"),
}


@pytest.mark.parametrize(("body", "said"), WRONG.values(), ids=WRONG)
def test_a_body_that_is_wrong_says_where_and_nothing_is_sent_or_dialled(
    kernel: Kernel, seen: Obeying, body: str, said: str
) -> None:
    for line in ("", f" {seen.url} --as other"):
        result = fails(kernel, f"%%ws{line}\n{body}")
        assert result.ename == "InvalidError"
        assert re.match(said, result.evalue), result.evalue
    ok(kernel, "%ws ping")
    assert (seen.messages, seen.requests) == ([], [])


# -- what is seen ------------------------------------------------------------------------------------


def test_the_view_shows_the_steps_while_they_are_done(kernel: Kernel, seen: Obeying) -> None:
    request = kernel.send(f"%%ws\n{order()}\n=== wait 2 20s\n=== expect json['ok'] as reply\n{{{{reply}}}}")
    assert kernel.wait(
        lambda: any("… line 3   wait 2 20s: 0 of 2" in line for line in steps(kernel, request))
    )
    assert [line[0] for line in steps(kernel, request)] == ["✓", "…", "·", "·"]
    seen.say("first")
    assert kernel.wait(lambda: any("1 of 2" in line for line in steps(kernel, request)))
    seen.say("second", "third", '{"ok": true}')
    assert kernel.result(request).status == "ok"
    done = steps(kernel, request)
    assert [line.split()[0:3] for line in done] == [["✓", "line", number] for number in "2345"]
    assert re.fullmatch(r"✓ line 3   wait 2 20s: 2 messages, [\d.]+ m?s", done[1])
    assert ': {"ok": true}, 1 passed over, ' in done[2]


def test_a_cell_that_only_sends_shows_no_steps(kernel: Kernel, seen: Obeying) -> None:
    request = kernel.send("%%ws\na\n===\nb")
    kernel.result(request)
    assert steps(kernel, request) == []


def test_many_steps_leave_the_view_bounded(kernel: Kernel, seen: Obeying) -> None:
    body = "\n=== wait\n".join(map(str, range(250)))
    request = kernel.send(f"%%ws\n{body}\n=== expect msg.data == 'never' within 50ms\n===\nnot sent")
    result = kernel.result(request)
    assert result.evalue.startswith("line 501: expect msg.data == 'never' within 50ms: no match within 50ms")
    shown = steps(kernel, request)  # of 501: 250 messages, 249 waits, an expectation and a message
    assert 20 < len(shown) <= 30
    assert (shown[0].split(), shown[-2][0], shown[-1][0]) == (["✓", "473", "steps", "before"], "✗", "·")
    assert all(len(display["data"]["text/html"].encode()) <= 64 * 1024 for display in result.displays)
    assert "not sent" not in seen.messages
