"""Waiting for a certain message, asking and being answered, and calling by JSON-RPC."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.messages.matcher import holds, make_judge
from ipyws.core.messages.message import Message
from tests.core.connection.test_client import run
from tests.support.acting import acts, noting, on_a_word, opening, reached
from tests.support.policy import place
from tests.support.servers import (
    BINARY,
    TEXT,
    Raw,
    Site,
    close_frame,
    echo,
    frame,
    idle,
    raw_server,
    server,
    until,
)


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with place(tmp_path, monkeypatch):
        yield


def texts(*payloads: Any) -> bytes:
    """Return a text frame for each payload; what is no str is written as JSON."""
    written = (payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads)
    return b"".join(frame(TEXT, text.encode()) for text in written)


def received(data: str | bytes) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 0, 0.0)


def with_server(scenario: Callable[[ipyws.AsyncClient], Any], *sends: bytes) -> Any:
    """Run a scenario with a connection to a server that sends this when it opens."""

    async def connected(url: str) -> Any:
        async with ipyws.connect_async(url, ping_interval=None, close_timeout="200ms") as client:
            return await scenario(client)

    with acts(opening(*sends, end=noting)) as site:
        return run(connected(site.url))


# -- which message ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": None}, False),
        ({"b": None}, {"b": None}, True),
        ({"b": 0}, {"b": None}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, False),
        ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": [1]}}}, True),
        ({"a": "b"}, {"a": {"b": 1}}, False),
        ({"a": {"b": 1}}, {"a": "b"}, False),
        ({"a": {}}, {"a": {}}, True),
        ({"a": {"b": 1}}, {"a": {}}, True),
        ({"a": []}, {"a": {}}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 0}, {"a": False}, False),
        ({"a": True}, {"a": True}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": [True]}, {"a": [1]}, False),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": [1, 2]}, {"a": (1, 2)}, True),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": [{"b": True}]}, {"a": [{"b": 1}]}, False),
        ({"a": 1}, {"a": [1]}, False),
        ([{"a": 1}], {"a": 1}, True),
        ([{"b": 1}, {"a": 1, "b": 2}], {"a": 1}, True),
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}, False),
        ([[{"a": 1}]], {"a": 1}, True),
        ([], {}, False),
        ([1, None, {"a": 1}], {}, True),
        ({"data": [{"a": 1}, {"a": 2}]}, {"data": {"a": 2}}, True),
        ({"data": [{"a": 1}, {"b": 2}]}, {"data": {"a": 1, "b": 2}}, False),
        ({"tags": ["a", "b"]}, {"tags": "b"}, True),
        ({"tags": ["a", "b"]}, {"tags": "c"}, False),
        ({"tags": [1]}, {"tags": True}, False),
        ({"bids": [["1", "2"], ["3", "4"]]}, {"bids": ["3", "4"]}, True),
        ({"bids": [["1", "2"], ["3", "4"]]}, {"bids": ["2", "3"]}, False),
        ({"a": [[{"b": 1}], 5]}, {"a": [{"b": 1}, 5]}, True),
        ({"a": [{"b": [{"c": 1}]}]}, {"a": {"b": {"c": 1}}}, True),
        ("a", {"a": 1}, False),
        (None, {}, False),
        (5, {}, False),
    ],
)
def test_mapping_fits_an_object_that_has_all_of_it(value: Any, wanted: dict[str, Any], fits: bool) -> None:
    assert holds(value, wanted) is fits
    judge = make_judge(wanted)
    assert judge is not None
    assert judge(received(json.dumps(value))) is fits
    assert judge(received(json.dumps(value).encode())) is fits


@pytest.mark.parametrize("payload", ["no json", "", "{", b"\xff\x00", "[" * 100_000, "1" * 10_000, "NaN"])
def test_what_is_no_object_fits_no_mapping_and_is_no_failure(payload: str | bytes) -> None:
    judge = make_judge({})
    assert judge is not None
    assert judge(received(payload)) is False
    assert (judge.refused, judge.failure) == (1, "")


@pytest.mark.parametrize("wanted", ["text", b"x", 5, True, [1], ["a"], 1.5])
def test_what_says_nothing_of_a_message_is_refused_at_once(wanted: Any) -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        with pytest.raises(errors.InvalidError) as caught:
            await client.expect(wanted)
        assert caught.value.message == f"predicate is of type {type(wanted).__name__}"
        assert "a function of the message, a mapping" in caught.value.hint
        with pytest.raises(errors.InvalidError, match="reply is of type"):
            await client.request("x", reply=wanted)
        assert client.stats.sent == 0

    with_server(scenario)


def test_coroutine_function_is_refused_for_it_would_fit_everything() -> None:
    async def wanted(message: Message) -> bool:
        return False

    with pytest.raises(errors.InvalidError, match="predicate is a coroutine function"):
        make_judge(wanted)


# -- waiting ---------------------------------------------------------------------------------------


def test_expect_returns_the_first_that_fits_and_recv_goes_on_behind_it() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        assert (await client.expect({"n": 3})).json() == {"n": 3}
        assert (await client.recv("5s")).json() == {"n": 4}
        assert (await client.expect(lambda message: message.json()["n"] > 4)).json() == {"n": 5}
        assert (await client.expect()).json() == {"n": 6}
        assert client.connection.cursor.unread == 0

    with_server(scenario, texts(*({"n": number} for number in range(1, 7))))


def test_expect_begins_where_recv_stopped_and_takes_what_came_early() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        await reached(client, lambda: client.log.received == 3)
        assert (await client.recv("5s")).data == "1"
        assert (await client.expect(lambda message: True, timeout="5s")).data == "2"
        assert (await client.recv("5s")).data == "3"

    with_server(scenario, texts("1", "2", "3"))


def test_expect_is_fulfilled_by_what_comes_later() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            waiting = asyncio.create_task(client.expect({"type": "done"}, "10s"))
            await asyncio.sleep(0)
            for payload in ({"type": "working"}, "nothing", b"\x00", {"type": "done", "n": 1}):
                await client.send(payload)
            assert (await waiting).json() == {"type": "done", "n": 1}

    with server(echo) as site:
        run(scenario(site.url))


def test_binary_message_is_judged_too() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        found = await client.expect(lambda message: message.type == "binary" and message.data[0] == 255)
        assert found.data == b"\xff\x01"

    with_server(scenario, texts("a"), frame(BINARY, b"\x00"), frame(BINARY, b"\xff\x01"))


def test_what_a_function_takes_of_a_large_message_is_its_own() -> None:
    taken: list[Any] = []
    value = {"kept": [[1], {"a": [2]}], "rest": [[]] * LARGE}

    def takes(message: Message) -> bool:
        assert threading.current_thread() is threading.main_thread()
        taken.append(message.value["kept"])
        return True

    async def scenario(client: ipyws.AsyncClient) -> None:
        found = await client.expect(takes)
        for each in threading.enumerate():
            if each.name == "ipyws-aside":  # which frees the rest
                each.join(60)
        assert taken == [value["kept"]]
        assert found.value == value

    with_server(scenario, texts(value))


def test_function_that_raises_says_no_and_the_error_says_what_it_raised() -> None:
    async def scenario(client: ipyws.AsyncClient) -> errors.WaitTimeoutError:
        with pytest.raises(errors.WaitTimeoutError) as caught:
            await client.expect(lambda message: message.json()["absent"] == 1, timeout="200ms")
        return caught.value

    error = with_server(scenario, texts({"a": 1}))
    said = "the predicate failed on 1 of 1 message: KeyError: 'absent'"
    assert error.message == f"no match within 200ms: {said}"
    assert error.args == (error.message,)


@pytest.mark.parametrize("raised", [ZeroDivisionError("by zero"), errors.InvalidError("mine"), OSError("x")])
def test_any_exception_says_no(raised: Exception) -> None:
    def judge_by(message: Message) -> bool:
        if message.data == "1":
            raise raised
        return True

    async def scenario(client: ipyws.AsyncClient) -> Any:
        return (await client.expect(judge_by)).data

    assert with_server(scenario, texts("1", "2")) == "2"


def test_unknown_name_is_an_error_and_what_comes_next_is_not_lost() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        with pytest.raises(errors.InvalidError, match="the predicate: name 'nonsense' is not defined"):
            await client.expect(lambda message: nonsense)  # type: ignore[name-defined]  # noqa: F821
        assert (await client.recv("5s")).data == "2"

    with_server(scenario, texts("1", "2"))


def test_keyboard_interrupt_of_a_function_passes() -> None:
    def interrupt(message: Message) -> bool:
        raise KeyboardInterrupt

    judge = make_judge(interrupt)
    assert judge is not None
    with pytest.raises(KeyboardInterrupt):
        judge(received("x"))


# -- what is said if it does not come ----------------------------------------------------------------


def late(scenario_timeout: str, wanted: Any, *sends: bytes, count: int = 0) -> errors.WaitTimeoutError:
    """Wait in vain among so many messages, which have come."""

    async def scenario(client: ipyws.AsyncClient) -> errors.WaitTimeoutError:
        while client.stats.received < count:
            await asyncio.sleep(0.001)
        with pytest.raises(errors.WaitTimeoutError) as caught:
            await client.expect(wanted, timeout=scenario_timeout)
        return caught.value

    error: errors.WaitTimeoutError = with_server(scenario, *sends)
    return error


def test_timeout_says_how_long_and_that_nothing_came() -> None:
    error = late("5ms", {"a": 1})
    assert (error.message, error.hint, error.retryable) == ("no message within 5ms", "", True)


def test_timeout_says_what_came_instead() -> None:
    error = late("30ms", {"a": 1}, texts({"a": 2}, "other"), count=2)
    assert error.message == "no match within 30ms"
    assert error.hint == "{'a': 1} does not hold for the 2 messages that came: '{\"a\": 2}', 'other'"


def test_what_came_instead_is_bounded() -> None:
    sends = [texts(f"message {number} " + "x" * 10_000) for number in range(1000)]
    error = late("2s", {"key": "y" * 10_000}, *sends, count=1000)
    assert error.hint.startswith("{'key': 'yyyy")
    assert "for the 1,000 messages that came, the last: 'message 997 xxx" in error.hint
    assert len(error.hint) < 500


def test_what_came_instead_is_masked_and_without_controls() -> None:
    ipyws.secret("hunter2-password")

    def leak(message: Message) -> bool:
        raise ValueError(f"{message.data} \x1b[31m")

    sends = (texts("x" * 50 + "hunter2-password"), frame(BINARY, b"\x1b[31m hunter2-password"))
    error = late("30ms", leak, *sends, count=2)
    assert "the 2 messages that came" in error.hint
    assert "hunter2" not in str(error)
    assert "\x1b" not in str(error)
    assert "hunter2" not in str(late("30ms", {"token": "hunter2-password"}, texts("other"), count=1))


def test_end_of_the_connection_says_what_came_instead() -> None:
    async def scenario(client: ipyws.AsyncClient) -> errors.ClosedError:
        with pytest.raises(errors.ClosedError) as caught:
            await client.expect({"a": 1}, timeout="10s")
        return caught.value

    error = with_server(scenario, texts("first", "second"), close_frame(4000, "enough"))
    assert "4000" in error.message
    assert error.hint == "{'a': 1} does not hold for the 2 messages that came: 'first', 'second'"
    assert error.details == {"code": 4000, "reason": "enough", "initiator": "peer"}


def test_expect_is_fulfilled_by_what_came_before_the_end() -> None:
    async def scenario(client: ipyws.AsyncClient) -> Any:
        await reached(client, lambda: client.closed)
        return (await client.expect({"a": 1})).json()

    assert with_server(scenario, texts("first", {"a": 1}), close_frame(4000)) == {"a": 1}


def test_our_close_cancels_who_expects() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        waiting = asyncio.create_task(client.expect({"a": 1}, None))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(errors.CanceledError):
            await waiting

    with_server(scenario)


def test_stream_of_others_does_not_keep_a_deadline_from_passing() -> None:
    async def flood(peer: Raw) -> None:
        await peer.upgrade()
        while True:
            await peer.write(texts("other") * 1000)

    async def scenario(url: str) -> None:
        client = await ipyws.connect_async(url, ping_interval=None)
        with pytest.raises(errors.WaitTimeoutError, match="no match within 100ms"):
            await client.expect({"a": 1}, "100ms")
        client.abort()
        await client.close()

    with raw_server(flood) as site:
        run(scenario(site.url))


def test_deadline_that_passes_among_early_messages_leaves_the_rest_unread() -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        await reached(client, lambda: client.log.received == 1000)
        judged = 0

        def takes_long(message: Message) -> bool:
            nonlocal judged
            judged += 1
            start = time.monotonic()
            until(lambda: time.monotonic() - start > 0.005)
            return False

        with pytest.raises(errors.WaitTimeoutError):
            await client.expect(takes_long, "10ms")
        assert 1 <= judged <= 3
        assert client.connection.cursor.unread == 1000 - judged

    with_server(scenario, texts(*["x"] * 1000))


@pytest.mark.parametrize("timeout", [0, -1, "", "5", "0s", float("inf"), True, b"5s"])
def test_timeout_that_is_none_is_refused_and_nothing_is_sent(timeout: Any) -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        for work in (client.expect, client.request, client.rpc):
            with pytest.raises(errors.InvalidError, match="timeout"):
                await work("x" if work != client.expect else None, timeout=timeout)
        assert client.stats.sent == 0

    with_server(scenario)


# -- asking ------------------------------------------------------------------------------------------


async def answer_backwards(connection: ServerConnection) -> None:
    """Collect as many requests as the first says, then answer the last one first."""
    first = json.loads(await connection.recv())
    requests = [first, *[json.loads(await connection.recv()) for _ in range(first["count"] - 1)]]
    for request in reversed(requests):
        await connection.send(json.dumps({"event": "noise"}))
        await connection.send(json.dumps({"id": request["id"], "double": 2 * request["n"]}))
    await connection.wait_closed()


def test_many_requests_at_once_get_their_own_replies_in_whatever_order() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            payloads = [{"id": f"request {n}", "n": n, "count": 100} for n in range(100)]
            replies = await asyncio.gather(*(client.request(payload) for payload in payloads))
            assert [reply.json()["double"] for reply in replies] == [2 * n for n in range(100)]
            assert client.connection.cursor.unread == 200
            assert (await client.recv("5s")).json() == {"event": "noise"}
            assert (await client.recv("5s")).json() == {"id": "request 99", "double": 198}

    with server(answer_backwards) as site:
        run(scenario(site.url))


def test_request_moves_recv_neither_over_what_came_before_nor_over_the_reply() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            await client.send("before")
            await reached(client, lambda: client.log.received == 1)
            assert (await client.request("question")).data == "question"
            assert [(await client.recv("5s")).data for _ in range(2)] == ["before", "question"]

    with server(echo) as site:
        run(scenario(site.url))


@pytest.mark.parametrize(
    "payload", ["text", b"binary", {"no": "id"}, [1, 2], {"id": None}, "{", bytearray(b"x")]
)
def test_payload_without_an_id_is_answered_by_whatever_comes_next(payload: Any) -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        await reached(client, lambda: client.log.received == 1)
        asking = asyncio.create_task(client.request(payload, timeout="5s"))
        assert (await asking).data == "later"

    async def later(peer: Raw) -> None:
        await on_a_word(peer)
        await peer.write(texts("later"))
        await noting(peer)

    async def connected(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            await scenario(client)

    with acts(opening(texts("earlier"), end=later)) as site:
        run(connected(site.url))


@pytest.mark.parametrize("number", [0, 7, -1, "seven", "", 1.5, True, False])
@pytest.mark.parametrize(
    "write", [lambda payload: payload, json.dumps, lambda payload: json.dumps(payload).encode()]
)
def test_reply_has_the_id_of_the_request(number: Any, write: Callable[[Any], Any]) -> None:
    async def answer(peer: Raw) -> None:
        await on_a_word(peer)
        others = [[], None, "x", {"id": [number]}, {"id": {"id": number}}, {"other": number}]
        others += [{"id": bool(number)}] if type(number) is int else []
        others += [{"id": int(number)}] if isinstance(number, bool) else []
        await peer.write(texts("", *others, {"id": number, "right": True}))
        await noting(peer)

    async def scenario(url: str) -> Any:
        async with ipyws.connect_async(url) as client:
            return (await client.request(write({"id": number}), timeout="5s")).json()

    with acts(opening(end=answer)) as site:
        assert run(scenario(site.url)) == {"id": number, "right": True}


def test_reply_can_be_told_otherwise() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            await client.send("noise")
            for reply in (lambda message: message.data == '{"id":1,"op":"x"}', {"op": "x"}):
                assert (await client.request({"id": 1, "op": "x"}, reply=reply)).json()["op"] == "x"

    with server(echo) as site:
        run(scenario(site.url))


def test_request_that_is_not_answered_says_what_came_instead() -> None:
    async def scenario(url: str) -> errors.WaitTimeoutError:
        async with ipyws.connect_async(url) as client:
            with pytest.raises(errors.WaitTimeoutError) as caught:
                await client.request({"id": 1}, reply={"id": 2}, timeout="500ms")
            return caught.value

    with server(echo) as site:
        error = run(scenario(site.url))
    assert error.message == "no match within 500ms"
    assert error.hint == "{'id': 2} does not hold for the message that came: '{\"id\":1}'"


def test_requests_leave_no_listener_behind_whatever_becomes_of_them() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            before = client.log._listeners
            for _ in range(1000):
                await client.request("x")
            with pytest.raises(errors.WaitTimeoutError):
                await client.request("x", reply=lambda message: False, timeout="5ms")
            with pytest.raises(errors.InvalidError):
                await client.request({"id": {1}})
            asking = asyncio.create_task(client.request("x", reply=lambda message: False))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking})
            assert client.log._listeners == before
        with pytest.raises(errors.ClosedError):
            await client.request("x")
        assert client.log._listeners == before

    with server(echo) as site:
        run(scenario(site.url))


async def older_then_newer(peer: Raw) -> None:
    """Read nothing before a message was sent: that one is older than the request which waits for room."""
    await peer.upgrade()
    await asyncio.to_thread(peer.site.next)
    await peer.write(texts("older"))
    while (await peer.read_frame()).payload != b"question":
        pass
    await peer.write(texts("newer"))
    await noting(peer)


def test_request_that_waits_for_room_is_not_answered_by_what_came_before_it_was_sent() -> None:
    async def scenario(site: Site) -> None:
        async with ipyws.connect_async(site.url, ping_interval=None) as client:
            await client.send(bytes(1 << 24))
            asking = asyncio.create_task(client.request("question"))
            await asyncio.sleep(0)
            site.seen.put("go")
            assert (await asking).data == "newer"

    with raw_server(older_then_newer, limit=1024) as site:
        run(scenario(site))


# -- JSON-RPC ------------------------------------------------------------------------------------------


def responding(*responses: Callable[[dict[str, Any]], list[Any]]) -> Any:
    """Serve calls, each by the next function: it gives what is sent for a request."""

    async def serve(connection: ServerConnection) -> None:
        for respond in responses:
            request = json.loads(await connection.recv())
            for payload in respond(request):
                await connection.send(payload if isinstance(payload, str) else json.dumps(payload))
        await connection.wait_closed()

    return server(serve)


def rpc_error(error: Any) -> errors.ReplyError:
    async def scenario(url: str) -> errors.ReplyError:
        async with ipyws.connect_async(url) as client:
            with pytest.raises(errors.ReplyError) as caught:
                await client.rpc("do", timeout="5s")
            return caught.value

    with responding(lambda request: [{"jsonrpc": "2.0", "id": request["id"], **error}]) as site:
        result: errors.ReplyError = run(scenario(site.url))
        return result


@pytest.mark.parametrize("params", [None, {"a": 1}, [1, "b"], {}, [], (1, 2)])
def test_call_is_a_request_of_json_rpc(params: Any) -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            request = await client.rpc("sum", params)
            assert request.pop("id") == 1
            assert request.pop("params", None) == (list(params) if isinstance(params, tuple) else params)
            assert request == {"jsonrpc": "2.0", "method": "sum"}

    with responding(lambda request: [{"id": request["id"], "result": request}]) as site:
        run(scenario(site.url))


@pytest.mark.parametrize("result", [0, None, False, "", [], {"a": {"b": 1}}, 1.5])
def test_result_is_returned_whatever_it_is(result: Any) -> None:
    async def scenario(url: str) -> Any:
        async with ipyws.connect_async(url) as client:
            return await client.rpc("get")

    with responding(lambda request: [{"jsonrpc": "2.0", "id": request["id"], "result": result}]) as site:
        assert run(scenario(site.url)) == result


def test_result_beside_an_error_of_null_is_a_result() -> None:
    async def scenario(url: str) -> Any:
        async with ipyws.connect_async(url) as client:
            return await client.rpc("get")

    with responding(lambda request: [{"id": request["id"], "result": 5, "error": None}]) as site:
        assert run(scenario(site.url)) == 5


def test_what_is_no_response_to_the_call_is_passed_over() -> None:
    def respond(request: dict[str, Any]) -> list[Any]:
        number = request["id"]
        return [
            {"jsonrpc": "2.0", "method": "progress", "params": {"id": number}},
            {"jsonrpc": "2.0", "method": "ask", "id": number, "params": []},
            {"jsonrpc": "2.0", "id": number + 1, "result": "of another"},
            {"jsonrpc": "2.0", "id": str(number), "result": "of another"},
            {"jsonrpc": "2.0", "id": True, "result": "of another"},
            {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}},
            [number],
            number,
            None,
            "no json",
            [{"id": number, "result": "in a batch"}],
            {"jsonrpc": "2.0", "id": number, "result": "right"},
        ]

    async def scenario(url: str) -> Any:
        async with ipyws.connect_async(url) as client:
            return await client.rpc("get", timeout="5s")

    with responding(respond) as site:
        assert run(scenario(site.url)) == "right"


TOO_MUCH = {
    "code": -32600,
    "message": "Message has property other than 'id', 'method', 'params' " + "x" * 100,
}
EVENT = {"method": "Target.created", "params": {"error": 1}}


@pytest.mark.parametrize(
    "came",
    [[{"error": TOO_MUCH}], [{"id": None, "error": TOO_MUCH}], [EVENT, EVENT, {"error": TOO_MUCH}]],
    ids=["no id", "id of null", "behind events"],
)
def test_error_without_an_id_right_after_the_call_is_its_answer(came: list[Any]) -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            with pytest.raises(errors.ReplyError) as caught:
                await client.rpc("do", timeout="5s")
            assert caught.value.message.endswith(f"-32600 {TOO_MUCH['message']}")
            assert caught.value.kind is errors.INVALID
            assert "without" in caught.value.hint
            reply = await client.request({"id": "x", "do": 1}, timeout="5s")
            assert reply.json()["error"] == TOO_MUCH

    with responding(lambda request: came, lambda request: came) as site:
        run(scenario(site.url))


@pytest.mark.parametrize(
    "came",
    [
        [{"tick": 1}, {"error": TOO_MUCH}],
        ["no json", {"error": TOO_MUCH}],
        [{"method": "failed", "error": TOO_MUCH}],
        [{"error": None}],
        [{"id": 99, "error": TOO_MUCH}],
        [[{"error": TOO_MUCH}]],
    ],
)
def test_error_that_may_be_about_something_else_is_no_answer(came: list[Any]) -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            assert await client.rpc("do", timeout="5s") == "right"

    with responding(lambda request: [*came, {"id": request["id"], "result": "right"}]) as site:
        run(scenario(site.url))


def test_error_without_an_id_is_nobodys_while_two_calls_wait() -> None:
    async def serve(connection: ServerConnection) -> None:
        requests = [json.loads(await connection.recv()) for _ in range(2)]
        await connection.send(json.dumps({"error": TOO_MUCH}))
        for request in requests:
            await connection.send(json.dumps({"id": request["id"], "result": request["method"]}))
        await connection.wait_closed()

    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            assert await asyncio.gather(client.rpc("one"), client.rpc("two")) == ["one", "two"]

    with server(serve) as site:
        run(scenario(site.url))


def test_what_came_last_is_told_at_length() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            with pytest.raises(errors.WaitTimeoutError) as caught:
                await client.rpc("do", timeout="300ms")
            assert "x" * 50 in caught.value.hint

    with responding(lambda request: [{"tick": 1}, {"error": TOO_MUCH}]) as site:
        run(scenario(site.url))


def test_calls_at_once_get_their_own_results() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            results = await asyncio.gather(*(client.rpc("echo", [n]) for n in range(50)))
            assert results == [[n] for n in range(50)]

    async def serve(connection: ServerConnection) -> None:
        requests = [json.loads(await connection.recv()) for _ in range(50)]
        for request in reversed(requests):
            await connection.send(json.dumps({"id": request["id"], "result": request["params"]}))
        await connection.wait_closed()

    with server(serve) as site:
        run(scenario(site.url))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32700, errors.INVALID),
        (-32600, errors.INVALID),
        (-32601, errors.NOT_FOUND),
        (-32602, errors.INVALID),
        (-32603, errors.INTERNAL),
        (-32000, errors.UNKNOWN),
        (1, errors.UNKNOWN),
    ],
)
def test_error_of_the_server_is_raised_by_its_kind(code: int, kind: errors.Kind) -> None:
    error = rpc_error({"error": {"code": code, "message": "it failed", "data": {"line": 3}}})
    assert error.message == f"'do' was answered with an error: {code} it failed"
    assert (error.kind, error.retryable) == (kind, False)
    assert error.details == {"code": code, "message": "it failed", "data": {"line": 3}}


@pytest.mark.parametrize(
    ("response", "says"),
    [
        ({"error": "broken"}, "'do' was answered with an error: broken"),
        ({"error": 5}, "'do' was answered with an error: 5"),
        ({"error": ["a"]}, "'do' was answered with an error: ['a']"),
        ({"error": False}, "'do' was answered with an error: False"),
        ({"error": {"code": "E1", "message": "x"}}, "'do' was answered with an error: 'E1' x"),
        ({"error": {"code": [1], "message": {"a": 1}}}, "'do' was answered with an error: [1] {'a': 1}"),
        ({"error": {"message": "only words"}}, "'do' was answered with an error: only words"),
        ({"error": {"code": 7}}, "'do' was answered with an error: 7 None"),
        (
            {"error": {"code": 1, "message": "\x1b[31mred\n"}},
            "'do' was answered with an error: 1 \\x1b[31mred\\n",
        ),
        ({}, "'do' was answered with neither a result nor an error"),
        ({"error": None}, "'do' was answered with neither a result nor an error"),
    ],
)
def test_malformed_response_is_an_error_in_words(response: dict[str, Any], says: str) -> None:
    assert rpc_error(response).message == says


def test_error_of_the_server_is_bounded_and_masked_before_it_is_cut() -> None:
    ipyws.secret("hunter2-password")
    words = "x" * 190 + "hunter2-password" + "y" * 10_000
    error = rpc_error({"error": {"code": 1, "message": words, "data": ["hunter2-password"]}})
    assert len(error.message) < 300
    assert "hunter2" not in error.message
    assert "hunter2" not in repr(error.details)
    assert error.details["message"].endswith("y")


def test_error_of_the_server_that_is_nested_without_end_is_an_error_all_the_same() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            with pytest.raises((errors.ReplyError, errors.WaitTimeoutError)):
                await client.rpc("do", timeout="200ms")

    for depth in (300, 900, 1100, 1300, 2000, 50_000):
        deep = "[" * depth + "]" * depth

        def respond(request: dict[str, Any], deep: str = deep) -> list[Any]:
            return [
                f'{{"id": {request["id"]}, "error": {{"code": {deep}, "message": {deep}, "data": {deep}}}}}'
            ]

        with responding(respond) as site:
            run(scenario(site.url))


@pytest.mark.parametrize(
    ("method", "params", "says"),
    [
        ("", None, "method is ''"),
        (5, None, "method is 5"),
        (None, None, "method is None"),
        ("m", "text", "params is of type str"),
        ("m", 5, "params is of type int"),
        ("m", {1, 2}, "params is of type set"),
        ("m", [{1}], "the payload can't be written as JSON"),
    ],
)
def test_call_that_can_not_be_made_is_refused_and_nothing_is_sent(
    method: Any, params: Any, says: str
) -> None:
    async def scenario(client: ipyws.AsyncClient) -> None:
        with pytest.raises(errors.InvalidError) as caught:
            await client.rpc(method, params)
        assert caught.value.message.startswith(says)
        assert client.stats.sent == 0

    with_server(scenario)


# -- the synchronous face ------------------------------------------------------------------------------


@pytest.fixture
def echoing() -> Iterator[Site]:
    with server(echo) as site:
        yield site


def test_synchronous_expect_waits_and_shares_the_place_of_recv(echoing: Site) -> None:
    with ipyws.connect(echoing.url) as client:
        for number in range(4):
            client.send({"n": number})
        assert client.expect({"n": 2}, "5s").json() == {"n": 2}
        assert client.recv("5s").json() == {"n": 3}
        with pytest.raises(errors.WaitTimeoutError, match="nothing new within 5ms"):
            client.expect(lambda message: True, "5ms")
        with pytest.raises(errors.InvalidError, match="predicate is of type str"):
            client.expect("x")  # type: ignore[arg-type]


def test_synchronous_requests_of_many_threads_get_their_own_replies(echoing: Site) -> None:
    with ipyws.connect(echoing.url) as client:
        before = client.log._listeners
        replies: dict[int, Any] = {}

        def ask(number: int) -> None:
            replies[number] = client.request({"id": number}, timeout="10s").json()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == {number: {"id": number} for number in range(20)}
        assert client.log._listeners == before
        assert client.recv("5s").json()["id"] in replies


def test_synchronous_call_returns_its_result_and_raises_its_error() -> None:
    responses = (
        lambda request: [{"id": request["id"], "result": request["params"]}],
        lambda request: [{"id": request["id"], "error": {"code": -32601, "message": "no such method"}}],
    )
    with responding(*responses) as site, ipyws.connect(site.url) as client:
        assert client.rpc("echo", [1, 2]) == [1, 2]
        with pytest.raises(errors.ReplyError, match="no such method") as caught:
            client.rpc("nothing")
        assert errors.is_kind(caught.value, errors.NOT_FOUND)


def test_synchronous_request_is_not_answered_by_what_came_before_it_was_sent() -> None:
    with raw_server(older_then_newer, limit=1024) as site:
        client = ipyws.connect(site.url, ping_interval=None)
        client.send(bytes(1 << 24))
        loop = client.async_client.loop
        before = len(asyncio.all_tasks(loop))

        def go_once_it_waits() -> None:
            until(lambda: len(asyncio.all_tasks(loop)) > before)
            site.seen.put("go")

        threading.Thread(target=go_once_it_waits).start()
        assert client.request("question").data == "newer"
        client.close()


def test_synchronous_expect_ends_with_the_connection() -> None:
    with server(idle) as site:
        client = ipyws.connect(site.url)
        threading.Timer(0.01, client.close).start()
        with pytest.raises(errors.CanceledError):
            client.expect({"a": 1}, None)
