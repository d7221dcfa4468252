"""GraphQL's two protocols against servers that keep to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors, graphql
from ipyws.core.connection.client import AsyncClient
from ipyws.core.messages.batch import Batch
from ipyws.dialects.graphql.greeting import check_init
from ipyws.dialects.graphql.protocol import (
    CURRENT,
    LEGACY,
    Dialect,
    ViolationError,
    choose,
    data_of,
    reply_error,
    speaks_older,
)
from ipyws.graphql import AsyncGraphQL
from ipyws.runtime.registry import REGISTRY
from tests.support.servers import PATIENCE, Site, idle, server, until

BOTH = [pytest.param(CURRENT, id="current"), pytest.param(LEGACY, id="legacy")]
HUGE = "i" * 1_000_000
DEEP = "[" * 100_000
QUERY = "{ anything }"


# -- the messages --------------------------------------------------------------------------------------


def test_greeting_of_the_older_protocol_always_has_a_payload() -> None:
    assert LEGACY.init(None) == {"type": "connection_init", "payload": {}}
    assert CURRENT.init(None) == {"type": "connection_init"}
    for dialect in (LEGACY, CURRENT):
        assert dialect.init({"a": 1}) == {"type": "connection_init", "payload": {"a": 1}}


@pytest.mark.parametrize(
    ("offered", "chosen", "codes", "older"),
    [
        (("graphql-transport-ws", "graphql-ws"), "graphql-transport-ws", [1002], True),
        (("graphql-transport-ws", "graphql-ws"), "graphql-transport-ws", [4406], True),
        (("graphql-ws", "graphql-transport-ws"), "graphql-transport-ws", [None, 1002], True),
        (("graphql-transport-ws", "graphql-ws"), "graphql-transport-ws", [4403], False),
        (("graphql-transport-ws", "graphql-ws"), "graphql-transport-ws", [1011], False),
        (("graphql-transport-ws", "graphql-ws"), "graphql-transport-ws", [], False),
        (("graphql-transport-ws", "graphql-ws"), "graphql-ws", [1002], False),
        (("graphql-transport-ws",), "graphql-transport-ws", [1002], False),
        (("graphql-transport-ws", "graphql-ws"), None, [1002], False),
    ],
)
def test_only_a_server_that_refuses_the_protocol_of_today_shows_that_its_own_is_older(
    offered: tuple[str, ...], chosen: str | None, codes: list[int | None], older: bool
) -> None:
    assert speaks_older(offered, chosen, codes) is older


@pytest.mark.parametrize(
    ("dialect", "text", "said"),
    [
        (CURRENT, '{"type":"connection_ack"}', ("ack", "", None)),
        (CURRENT, '{"type":"connection_ack","payload":{"a":1}}', ("ack", "", {"a": 1})),
        (CURRENT, '{"type":"ping"}', ("ping", "", None)),
        (CURRENT, '{"type":"ping","payload":{"a":1}}', ("ping", "", {"a": 1})),
        (CURRENT, '{"type":"pong"}', ("other", "", None)),
        (CURRENT, '{"type":"next","id":"1","payload":{"data":2}}', ("result", "1", {"data": 2})),
        (CURRENT, '{"type":"error","id":"1","payload":[]}', ("error", "1", [])),
        (CURRENT, '{"type":"complete","id":"1"}', ("complete", "1", None)),
        (CURRENT, b'{"type":"complete","id":"1"}', ("complete", "1", None)),
        (LEGACY, '{"type":"connection_ack"}', ("ack", "", None)),
        (LEGACY, '{"type":"connection_error","payload":{"a":1}}', ("refusal", "", {"a": 1})),
        (LEGACY, '{"type":"data","id":"1","payload":{"data":2}}', ("result", "1", {"data": 2})),
        (LEGACY, '{"type":"error","id":"1","payload":{"message":"no"}}', ("error", "1", {"message": "no"})),
        (LEGACY, '{"type":"complete","id":"1","payload":null}', ("complete", "1", None)),
        (LEGACY, '{"type":"ka"}', ("other", "", None)),
        (LEGACY, '{"type":"start_ack","id":"1"}', ("other", "", None)),
        (LEGACY, '{"type":"next","id":"1","payload":{}}', ("other", "", None)),
    ],
)
def test_messages_of_the_server_are_understood(dialect: Dialect, text: str, said: tuple[Any, ...]) -> None:
    assert dialect.read(text) == said


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not JSON"),
        ("nonsense", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (DEEP, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("null", "not an object"),
        ('"text"', "not an object"),
        ("[]", "not an object"),
        ("{}", "no type"),
        ('{"type":null}', "no type"),
        ('{"type":["next"]}', "no type"),
        ('{"type":"complete"}', "names no operation"),
        ('{"type":"complete","id":1}', "names no operation"),
        ('{"type":"error","id":null}', "names no operation"),
        ('{"type":"RESULT","payload":{}}', "names no operation"),
        ('{"type":"RESULT","id":"1"}', "not an object"),
        ('{"type":"RESULT","id":"1","payload":[]}', "not an object"),
        ('{"type":"RESULT","id":"1","payload":"x"}', "not an object"),
    ],
)
def test_messages_out_of_the_protocol_are_violations(dialect: Dialect, text: str | bytes, what: str) -> None:
    if isinstance(text, str):
        text = text.replace("RESULT", "next" if dialect is CURRENT else "data")
    with pytest.raises(ViolationError, match=what):
        dialect.read(text)


@pytest.mark.parametrize("name", ["data", "ka", "connection_error", "subscribe", HUGE])
def test_unknown_types_are_violations_of_todays_protocol_only(name: str) -> None:
    text = json.dumps({"type": name, "id": "1", "payload": {}})
    with pytest.raises(ViolationError, match="type is unknown"):
        CURRENT.read(text)
    LEGACY.read(text)


@pytest.mark.parametrize("dialect", BOTH)
def test_what_a_violation_says_fits_a_close_frame_whatever_the_server_sent(dialect: Dialect) -> None:
    for text in (HUGE, json.dumps({HUGE: HUGE}), json.dumps({"type": "complete", HUGE: 1})):
        with pytest.raises(ViolationError) as caught:
            dialect.read(text)
        assert len(str(caught.value)) < 60


@pytest.mark.parametrize(
    ("offered", "chosen", "spoken"),
    [
        (["graphql-ws", "graphql-transport-ws"], "graphql-transport-ws", CURRENT),
        (["graphql-ws", "graphql-transport-ws"], "graphql-ws", LEGACY),
        (["graphql-transport-ws"], None, CURRENT),
        (["other", "graphql-ws"], None, LEGACY),
        (["graphql-ws", "graphql-transport-ws"], None, None),
        (["graphql-ws", "other"], "other", None),
    ],
)
def test_the_dialect_is_what_the_server_chose(
    offered: list[str], chosen: str | None, spoken: Dialect | None
) -> None:
    if spoken is None:
        with pytest.raises(errors.ConnectError) as caught:
            choose(offered, chosen)
        assert not caught.value.retryable
    else:
        assert choose(offered, chosen) is spoken


@pytest.mark.parametrize(
    ("given", "first", "count"),
    [
        ([{"message": "one"}], "one", 1),
        ([{"message": "one"}, {"message": "two"}], "one, and 1 more", 2),
        ({"message": "alone"}, "alone", 1),
        ("text", "text", 1),
        (None, "None", 1),
        ([], "does not say", 0),
        ([{}], "{}", 1),
        ([{"message": 5}], "{'message': 5}", 1),
        ([{"message": "\x1b[2J\u202e"}], "\\x1b[2J\\u202e", 1),
        ([{"message": "m" * 1000}], "m" * 200 + "…", 1),
    ],
)
def test_whatever_the_server_calls_errors_makes_an_error(given: Any, first: str, count: int) -> None:
    error = reply_error(given)
    assert error.message.startswith("the server answered with an error: ")
    assert first in error.message
    assert len(error.message) < 300
    assert len(error.details["errors"]) == count


def test_errors_nested_beyond_measure_are_an_error_all_the_same() -> None:
    nested: Any = []
    for _ in range(50_000):
        nested = [nested]
    error = reply_error([{"message": "m", "deep": nested}])
    assert error.message.endswith("m")
    assert error.details["errors"] == "***"


def test_secret_cut_by_the_length_of_a_message_is_masked() -> None:
    ipyws.secret("canary-1234567890")
    for room in (4, 8, 12):
        error = reply_error([{"message": "x" * (200 - room) + "canary-1234567890"}])
        assert "cana" not in str(error)


@pytest.mark.parametrize("errors_given", [None, [], False])
def test_result_without_errors_gives_its_data(errors_given: Any) -> None:
    assert data_of({"data": {"a": 1}, "errors": errors_given}) == {"a": 1}
    assert data_of({}) is None


@pytest.mark.parametrize(
    ("init", "masked", "shown"),
    [
        ({"Authorization": "Bearer topsecret1"}, ["topsecret1"], ["Bearer"]),
        ({"authToken": "topsecret2"}, ["topsecret2"], []),
        ({"jwt": "topsecret3", "room": "lobby-1"}, ["topsecret3"], ["lobby-1"]),
        ({"headers": {"x-api-key": "topsecret4"}}, ["topsecret4"], []),
        ({"credentials": [{"value": "topsecret5"}, 1234567890]}, ["topsecret5", "1234567890"], []),
        ({"password": "s3cr"}, ["s3cr"], []),
    ],
)
def test_credentials_of_the_greeting_are_masked(init: Any, masked: list[str], shown: list[str]) -> None:
    assert check_init(init) == init
    for value in masked:
        assert value not in str(errors.ClosedError(f"it said {value}"))
    for value in shown:
        assert value in str(errors.ClosedError(f"it said {value}"))


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"init": ["a"]}, "init is of type list"),
        ({"init": {"a": {1, 2}}}, "can't be written as JSON"),
        ({"ack_timeout": 0}, "ack_timeout is 0"),
        ({"ack_timeout": "5"}, "ack_timeout 5 has no unit"),
        ({"protocols": ["chat"]}, "protocols is"),
        ({"protocols": "graphql-ws"}, "protocols is"),
        ({"nonsense": 1}, "there is no option"),
    ],
)
@pytest.mark.parametrize("connect", [graphql.connect, graphql.connect_async])
def test_bad_argument_is_invalid_before_anything_is_dialled(
    connect: Any, arguments: dict[str, Any], what: str
) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        connect("ws://127.0.0.1:1", **arguments)


# -- the conversation --------------------------------------------------------------------------------


class Peer:
    """The server's side of one conversation, after the greeting."""

    def __init__(self, connection: ServerConnection, dialect: Dialect) -> None:
        self.connection = connection
        self.dialect = dialect

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> Any:
        return json.loads(await self.connection.recv())

    async def started(self) -> str:
        """Return the id of the operation that the client starts next."""
        message = await self.hear()
        assert message["type"] == self.dialect.start
        id: str = message["id"]
        return id

    async def result(self, id: str, data: Any) -> None:
        await self.say(id=id, type="next" if self.dialect is CURRENT else "data", payload={"data": data})


Story = Callable[[Peer], Coroutine[Any, Any, None]]


@contextlib.contextmanager
def telling(story: Story, dialect: Dialect = CURRENT, *, greet: bool = True) -> Iterator[Site]:
    """Serve connections that are greeted, unless not, and then follow the story."""

    async def serve(connection: ServerConnection) -> None:
        peer = Peer(connection, dialect)
        assert (await peer.hear())["type"] == "connection_init"
        if greet:
            await peer.say(type="connection_ack")
        await story(peer)
        await connection.wait_closed()

    with server(serve, subprotocols=[dialect.name]) as site:
        yield site


def when_sent(client: AsyncClient, text: str) -> asyncio.Event:
    """Return what is set once a message that has ``text`` in it goes out, or has gone out."""
    event = asyncio.Event()

    def look(batch: Batch) -> None:
        if (
            batch.direction == "out"
            and batch.type is None
            and any(text in str(payload) for payload in batch.payloads)
        ):
            event.set()

    client.log.listen(look)
    for batch, _ in client.log.batches():
        look(batch)
    return event


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario; whatever its loop complains of is a failure, and so is a task that is left."""
    complaints: list[dict[str, Any]] = []

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(20):
            result = await scenario
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(main())
    assert complaints == []
    return result


def converse(
    story: Story, scenario: Callable[[AsyncGraphQL], Awaitable[Any]], dialect: Dialect = CURRENT
) -> Any:
    """Run a scenario in a conversation with a server that follows the story."""

    async def talk(url: str) -> Any:
        async with graphql.connect_async(url) as gql:
            return await scenario(gql)

    with telling(story, dialect) as site:
        return run(talk(site.url))


async def failure(work: Awaitable[Any]) -> errors.WebSocketError:
    """Return the error of ours that the work ends with."""
    with pytest.raises(errors.WebSocketError) as caught:
        await work
    return caught.value


async def wait_for_message(peer: Peer) -> None:
    await peer.hear()


@pytest.mark.parametrize("dialect", BOTH)
def test_acknowledgement_that_never_comes_is_a_timeout_and_closes(dialect: Dialect) -> None:
    async def silence(peer: Peer) -> None:
        await peer.connection.wait_closed()
        site.seen.put(peer.connection.close_code)

    with telling(silence, dialect, greet=False) as site:
        error = run(failure(graphql.connect_async(site.url, ack_timeout="50ms")._open()))
        assert isinstance(error, errors.WaitTimeoutError)
        assert str(error) == "the server did not acknowledge the connection: 50ms passed"
        assert site.next() == 4504


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4408, 4409, 4429, 4500, 1011])
def test_close_instead_of_an_acknowledgement_repeats_code_and_reason(code: int) -> None:
    async def close(peer: Peer) -> None:
        await peer.connection.close(code, "because")

    with telling(close, greet=False) as site:
        error = run(failure(graphql.connect_async(site.url)._open()))
    assert isinstance(error, errors.ClosedError)
    assert f"{code} " in str(error)
    assert "“because”" in str(error)
    assert error.details == {"code": code, "reason": "because", "initiator": "peer"}


def test_close_before_we_can_greet_repeats_code_and_reason() -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(1002, "because")

    with server(close, subprotocols=["graphql-ws"]) as site:
        error = run(failure(graphql.connect_async(site.url)._open()))
    assert isinstance(error, errors.ClosedError)
    assert error.details["code"] == 1002


def test_server_without_a_subprotocol_is_an_error_unless_the_user_knows_it() -> None:
    async def scenario(url: str) -> str:
        error = await failure(graphql.connect_async(url)._open())
        assert "no subprotocol" in str(error)
        async with graphql.connect_async(url, protocols=["graphql-ws"]) as gql:
            return gql.protocol

    async def greet(connection: ServerConnection) -> None:
        async for _ in connection:
            await connection.send('{"type":"connection_ack"}')

    with server(greet) as site:
        assert run(scenario(site.url)) == "graphql-ws"


def test_cancelled_greeting_leaves_no_connection() -> None:
    async def note(peer: Peer) -> None:
        site.seen.put("greeted")
        await peer.connection.wait_closed()
        site.seen.put("gone")

    async def scenario() -> None:
        opening = asyncio.ensure_future(graphql.connect_async(site.url)._open())
        assert await asyncio.to_thread(site.next) == "greeted"
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await asyncio.to_thread(site.next) == "gone"

    with telling(note, greet=False) as site:
        run(scenario())


@pytest.mark.parametrize("dialect", BOTH)
def test_strange_messages_of_other_operations_are_counted_and_change_nothing(dialect: Dialect) -> None:
    async def story(peer: Peer) -> None:
        await peer.result("unknown", 1)
        await peer.result(HUGE, 1)
        await peer.say(id="unknown", type="error", payload=[])
        await peer.say(id="unknown", type="complete")
        await peer.say(type="connection_ack")
        await peer.result(await peer.started(), {"it": 1})
        await peer.say(id="1", type="complete")
        await peer.result("1", {"it": 2})
        await peer.say(id="1", type="error", payload=[{"message": "late"}])
        await peer.say(id="1", type="error", payload=[{"message": "later"}])
        await peer.result(await peer.started(), {"it": 3})
        await peer.say(id="2", type="complete")

    async def scenario(gql: AsyncGraphQL) -> list[Any]:
        return [await gql.query(QUERY), await gql.query(QUERY), gql.ignored]

    assert converse(story, scenario, dialect) == [{"it": 1}, {"it": 3}, 7]


@pytest.mark.parametrize("dialect", BOTH)
def test_first_of_two_errors_ends_a_subscription(dialect: Dialect) -> None:
    async def story(peer: Peer) -> None:
        id = await peer.started()
        await peer.result(id, 1)
        await peer.say(id=id, type="error", payload=[{"message": "first"}])
        await peer.say(id=id, type="error", payload=[{"message": "second"}])
        await peer.result(id, 2)
        await peer.hear()

    async def scenario(gql: AsyncGraphQL) -> list[Any]:
        subscription = await gql.subscribe(QUERY)
        got: list[Any] = [(await subscription.receive_async("5s")).value]
        got += [str(await failure(subscription.receive_async("5s"))) for _ in range(2)]
        return got

    first = "the server answered with an error: first"
    assert converse(story, scenario, dialect) == [1, first, first]


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        ("not json", "it is not JSON"),
        (DEEP, "it is not JSON"),
        ("[]", "it is not an object"),
        ('{"type":"ka"}', "its type is unknown"),
        ('{"type":"next","id":"1"}', "its result is not an object"),
        ('{"type":"complete","id":{}}', "it names no operation"),
    ],
)
def test_violation_closes_with_4400_and_ends_who_waits(sent: str, what: str) -> None:
    codes: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    async def story(peer: Peer) -> None:
        await peer.started()
        await peer.started()
        await peer.connection.send(sent)
        await peer.connection.wait_closed()
        codes.put(peer.connection.close_code)

    async def scenario(gql: AsyncGraphQL) -> list[errors.WebSocketError]:
        subscription = await gql.subscribe(QUERY)
        waiting = [failure(gql.query(QUERY)), failure(subscription.receive_async("5s"))]
        failed = list(await asyncio.gather(*waiting))
        assert await asyncio.to_thread(codes.get, timeout=PATIENCE) == 4400
        return failed

    for error in converse(story, scenario):
        assert isinstance(error, errors.ClosedError)
        why = f"the server's message 4 broke the protocol: {what}"
        assert f"4400 application-defined ({why})" in str(error)


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4409, 4429])
def test_close_ends_all_waits_with_code_and_reason(code: int) -> None:
    async def story(peer: Peer) -> None:
        await peer.started()
        await peer.result(await peer.started(), 1)
        await peer.connection.close(code, "enough")

    async def scenario(gql: AsyncGraphQL) -> list[Any]:
        subscription = await gql.subscribe(QUERY)
        asking = failure(gql.query(QUERY))
        return [*await asyncio.gather(asking, failure(subscription.receive_async("5s")))]

    for error in converse(story, scenario):
        assert isinstance(error, errors.ClosedError)
        assert error.details == {"code": code, "reason": "enough", "initiator": "peer"}
        assert f"{code} " in str(error)


def test_what_came_before_a_close_is_read_before_it() -> None:
    async def story(peer: Peer) -> None:
        id = await peer.started()
        for number in range(100):
            await peer.result(id, number)
        await peer.connection.close(4403, "enough")

    async def scenario(gql: AsyncGraphQL) -> list[Any]:
        subscription = await gql.subscribe(QUERY)
        got = [await subscription.receive_async("5s") for _ in range(100)]
        return [*got, str(await failure(subscription.receive_async("5s")))]

    *got, error = converse(story, scenario)
    assert got == [(number, True) for number in range(100)]
    assert "4403" in error


def test_large_results_keep_their_place_and_come_before_a_close() -> None:
    sizes = [1, 300_000, 2, 500_000, 3]

    async def story(peer: Peer) -> None:
        id = await peer.started()
        for size in sizes:
            await peer.result(id, ["x" * size])
        await peer.connection.close(4001, "enough")

    async def scenario(gql: AsyncGraphQL) -> None:
        subscription = await gql.subscribe(QUERY)
        assert [len((await subscription.receive_async()).value[0]) for _ in sizes] == sizes
        with pytest.raises(errors.ClosedError):
            await subscription.receive_async()

    converse(story, scenario)


def test_our_close_cancels_a_query_and_ends_a_subscription() -> None:
    async def story(peer: Peer) -> None:
        await peer.started()
        await peer.started()
        await peer.result("1", 1)

    async def scenario(gql: AsyncGraphQL) -> list[Any]:
        subscription = await gql.subscribe(QUERY)
        asking = asyncio.create_task(failure(gql.query(QUERY)))
        assert await subscription.receive_async("5s") == (1, True)
        await gql.close(4000, "done")
        return [type(await asking), await subscription.receive_async("5s")]

    assert converse(story, scenario) == [errors.CanceledError, (None, False)]


def test_cancelled_query_tells_the_server() -> None:
    heard: list[Any] = []

    async def story(peer: Peer) -> None:
        await peer.started()
        await peer.result("unknown", 1)
        heard.append(await peer.hear())

    async def scenario(gql: AsyncGraphQL) -> None:
        asking = asyncio.create_task(gql.query(QUERY))
        while not gql.ignored:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    converse(story, scenario)
    assert heard == [{"id": "1", "type": "complete"}]


def test_completion_without_a_result_is_an_error_of_a_query() -> None:
    async def story(peer: Peer) -> None:
        await peer.say(id=await peer.started(), type="complete")

    async def scenario(gql: AsyncGraphQL) -> errors.WebSocketError:
        return await failure(gql.query(QUERY))

    error = converse(story, scenario)
    assert isinstance(error, errors.ReplyError)
    assert "without a result" in str(error)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((1,), "query is of type int"),
        ((QUERY, ["a"]), "variables is of type list"),
        ((QUERY, {"a": {1}}), "can't be written as JSON"),
        ((QUERY, None, 5), "operation is 5"),
        ((QUERY, None, None, "5"), "has no unit"),
    ],
)
def test_bad_request_is_invalid_and_nothing_is_sent(arguments: tuple[Any, ...], what: str) -> None:
    async def scenario(gql: AsyncGraphQL) -> None:
        with pytest.raises(errors.InvalidError, match=what):
            await gql.query(*arguments)
        assert gql.client.stats.sent == 1
        assert "0 running" in repr(gql)

    converse(lambda peer: idle(peer.connection), scenario)


def test_server_that_does_not_read_gets_the_newest_pong_and_every_end_once_it_does() -> None:
    pings = 300
    let_read = threading.Event()

    async def story(peer: Peer) -> None:
        await peer.started()
        peer.connection.transport.pause_reading()
        for number in range(pings):
            await peer.say(type="ping", payload={"n": number})
        await asyncio.to_thread(let_read.wait, 60)
        peer.connection.transport.resume_reading()
        heard = [await peer.hear()]
        while heard[-1].get("type") != "subscribe":
            heard.append(await peer.hear())
        id = heard[-1]["id"]
        pongs = [message["payload"]["n"] for message in heard if message.get("type") == "pong"]
        await peer.result(id, [pongs, heard.count({"id": "1", "type": "complete"})])
        await peer.say(id=id, type="complete")

    async def fill(gql: AsyncGraphQL) -> None:
        while True:
            await gql.client.send({"fill": "x" * 100_000})

    async def scenario(url: str) -> Any:
        async with graphql.connect_async(url, write_timeout="5ms") as gql:
            subscription = await gql.subscribe(QUERY)
            assert isinstance(await failure(fill(gql)), errors.WaitTimeoutError)
            while gql.client.log.received < 1 + pings:
                await asyncio.sleep(0)
            subscription.close()
            for _ in range(3):  # long enough for the messages of the session's own to time out as well
                assert isinstance(await failure(fill(gql)), errors.WaitTimeoutError)
            due = [
                when_sent(gql.client, text)
                for text in ('"complete"', f'"pong","payload":{{"n":{pings - 1}}}')
            ]
            let_read.set()
            for event in due:
                await event.wait()
            return await gql.query(QUERY)

    with telling(story) as site:
        pongs, ends = run(scenario(site.url))
    assert ends == 1
    assert pongs[-1] == pings - 1
    assert pongs == sorted(set(pongs))
    assert len(pongs) < pings


def test_events_that_a_tiny_log_evicts_are_missed_but_ends_and_answers_are_not() -> None:
    async def story(peer: Peer) -> None:
        first = await peer.started()
        second = await peer.started()
        for number in range(1000):
            await peer.result(first, number)
        await peer.result(second, "answer")
        await peer.say(id=second, type="complete")
        for number in range(1000):
            await peer.result(first, number)
        await peer.say(id=first, type="complete")

    async def scenario(url: str) -> None:
        async with graphql.connect_async(url, log_messages=1) as gql:
            subscription = await gql.subscribe(QUERY)
            assert await gql.query(QUERY) == "answer"
            while not subscription.closed:
                await asyncio.sleep(0)
            rest = [event async for event in subscription]
            assert len(rest) + subscription.missed == 2000

    with telling(story) as site:
        run(scenario(site.url))


def test_lost_connection_ends_operations_and_is_greeted_again() -> None:
    lives = iter([1, 2])

    async def story(peer: Peer) -> None:
        life = next(lives)
        await peer.result(await peer.started(), life)
        if life == 1:
            await peer.started()
            peer.connection.transport.abort()
        else:
            await peer.say(id="3", type="complete")

    async def scenario(url: str) -> list[Any]:
        async with graphql.connect_async(url, init={"a": 1}, reconnect={"first": "1ms"}) as gql:
            subscription = await gql.subscribe(QUERY)
            assert await subscription.receive_async("5s") == (1, True)
            failures = [await failure(gql.query(QUERY)), await failure(subscription.receive_async("5s"))]
            assert gql.client.state == "reconnecting"
            answer = await gql.query(QUERY)
            greetings = gql.client.log.filter(direction="out", grep="connection_init")
            return [*map(str, failures), answer, len(greetings)]

    ended = "the connection was lost and is being opened again; start the operation again"
    with telling(story) as site:
        assert run(scenario(site.url)) == [ended, ended, 2, 2]


def test_connection_lost_while_it_is_greeted_again_is_greeted_once_more_and_lasts() -> None:
    lives = 0

    async def story(peer: Peer) -> None:
        nonlocal lives
        lives += 1
        if lives == 2:
            await peer.connection.close(1012)
            return
        await peer.say(type="connection_ack")
        id = await peer.started()
        if lives == 1:
            peer.connection.transport.abort()
        else:
            await peer.result(id, lives)
            await peer.say(id=id, type="complete")

    async def scenario(url: str) -> Any:
        async with graphql.connect_async(url, reconnect={"first": "1ms"}) as gql:
            await failure(gql.query(QUERY))
            while lives < 3 or gql.client.state != "open":
                await asyncio.sleep(0)
            return await gql.query(QUERY)

    with telling(story, greet=False) as site:
        assert run(scenario(site.url)) == 3


def test_nothing_but_a_loss_makes_us_greet_again() -> None:
    async def story(peer: Peer) -> None:
        id = await peer.started()
        for number in range(5):
            await peer.result(id, number)
        await peer.say(id=id, type="complete")
        await peer.hear()

    async def scenario(url: str) -> None:
        async with graphql.connect_async(url, channel_capacity=1) as gql:
            channel = gql.client.channel()
            subscription = await gql.subscribe(QUERY)
            while not subscription.closed:  # held by the full channel, and let go, again and again
                await channel.receive_async("5s")
            assert len(gql.client.log.filter(direction="out")) == 2

    with telling(story) as site:
        run(scenario(site.url))


def test_conversation_is_closed_after_the_shutdown_of_the_core() -> None:
    with telling(lambda peer: idle(peer.connection)) as site:
        gql = graphql.connect(site.url)
        subscription = gql.subscribe(QUERY)
        REGISTRY.shut_down()
        for work in (gql.query, gql.subscribe):
            with pytest.raises(errors.ClosedError, match="1001"):
                work(QUERY)
        assert subscription.receive("5s") == (None, False)


def test_synchronous_face_waits_and_closes() -> None:
    async def story(peer: Peer) -> None:
        id = await peer.started()
        await peer.result(id, {"it": 1})
        await peer.hear()

    with telling(story) as site, graphql.connect(site.url, name="mine") as gql:
        assert ipyws.connections()["mine"] is gql.client
        with gql.subscribe(QUERY) as subscription:
            assert subscription.receive("5s") == ({"it": 1}, True)
            with pytest.raises(errors.WaitTimeoutError):
                subscription.receive("5ms")
        until(lambda: "0 running" in repr(gql))
        assert repr(gql).startswith("<GraphQL graphql-transport-ws, 0 running, <Client 'mine'")


def test_subscription_can_not_be_sent_to() -> None:
    async def scenario(gql: AsyncGraphQL) -> None:
        async with await gql.subscribe(QUERY) as subscription:
            with pytest.raises(errors.InvalidError):
                await subscription.send_async(1)

    converse(wait_for_message, scenario)
