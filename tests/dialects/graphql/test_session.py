"""GraphQL against the packages that define its two protocols, in Node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ipyws
from ipyws import errors, graphql
from ipyws.graphql import GraphQL
from tests.support.node import NodeServer, node_server
from tests.support.servers import until

pytestmark = pytest.mark.node

FOLDER = Path(__file__).parents[2] / "data" / "graphql"


class Site(NamedTuple):
    """The server, and where on it one of the dialects is spoken."""

    node: NodeServer
    url: str
    protocol: str


@pytest.fixture(scope="module")
def node() -> Iterator[NodeServer]:
    with node_server(FOLDER, "server.mjs") as running:
        yield running


@pytest.fixture(params=["graphql-transport-ws", "graphql-ws"])
def site(node: NodeServer, request: pytest.FixtureRequest) -> Site:
    node.forget()
    path = {"graphql-transport-ws": "/", "graphql-ws": "/legacy"}[request.param]
    return Site(node, f"ws://127.0.0.1:{node.port}{path}", request.param)


@pytest.fixture
def gql(site: Site) -> Iterator[GraphQL]:
    with graphql.connect(site.url) as conversation:
        yield conversation


# -- opening -----------------------------------------------------------------------------------------


def test_what_the_server_chooses_is_spoken(site: Site) -> None:
    with graphql.connect(site.url) as gql:
        assert gql.protocol == gql.client.subprotocol == site.protocol
        assert gql.query("{ hello }") == {"hello": "hello world"}
    assert gql.client.state == "closed"


def test_only_the_subprotocol_the_user_names_is_offered(node: NodeServer) -> None:
    with graphql.connect(f"ws://127.0.0.1:{node.port}", protocols=["graphql-ws"]) as gql:
        assert gql.protocol == "graphql-ws"
        assert gql.query("{ hello }") == {"hello": "hello world"}


def test_init_reaches_the_server_and_its_credentials_are_shown_nowhere(site: Site) -> None:
    init = {"tenant": "north", "authorization": "Bearer canary_8d1f", "nested": {"api_key": ["canary_77aa"]}}
    with graphql.connect(site.url, init=init) as gql:
        assert site.node.next("init") == init
        shown = [repr(message) for message in gql.client.log]
        with pytest.raises(errors.ReplyError) as caught:
            gql.query('{ canary_8d1f hello(name: "canary_77aa") }')
    said = f"{shown} {caught.value} {caught.value.details} {gql!r}"
    assert "canary" not in said
    assert "north" in said


def test_refused_greeting_says_why(site: Site) -> None:
    with pytest.raises((errors.ClosedError, errors.ReplyError)) as caught:
        graphql.connect(site.url, init={"token": "refused"})
    if site.protocol == "graphql-ws":
        assert isinstance(caught.value, errors.ReplyError)
        assert caught.value.details["errors"] == [{"message": "Prohibited connection!"}]
    else:
        assert caught.value.details["code"] == 4403
        assert "4403" in str(caught.value)
        assert "“Forbidden”" in str(caught.value)
    current = ipyws.current()
    assert current is not None
    assert current.state == "closed"


def test_greeting_that_breaks_the_server_is_an_error(site: Site) -> None:
    with pytest.raises((errors.ClosedError, errors.ReplyError), match="no such user"):
        graphql.connect(site.url, init={"token": "broken"})


# -- queries -----------------------------------------------------------------------------------------


def test_query_takes_variables_and_the_name_of_an_operation(gql: GraphQL) -> None:
    document = "query One($who: String) { hello(name: $who) } query Two { hello }"
    assert gql.query(document, {"who": "grüße 🎈"}, "One") == {"hello": "hello grüße 🎈"}
    assert gql.query(document, operation="Two") == {"hello": "hello world"}


def test_mutation_is_run_like_a_query(gql: GraphQL) -> None:
    assert gql.query('mutation M($v: Int!) { set(key: "a", value: $v) }', {"v": 7}) == {"set": 7}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ nonsense }", 'Cannot query field "nonsense" on type "Query".'),
        ("{ fails }", "it failed"),
        ("query($x: Int!) { hello }", None),
    ],
)
def test_errors_of_the_server_are_raised_in_its_words(gql: GraphQL, query: str, message: str | None) -> None:
    with pytest.raises(errors.ReplyError) as caught:
        gql.query(query)
    error = caught.value
    assert (error.kind, error.retryable) == (errors.UNKNOWN, False)
    listed = error.details["errors"]
    assert listed[0]["message"] in str(error)
    assert message is None or listed[0]["message"] == message
    assert gql.query("{ hello }") == {"hello": "hello world"}, "the conversation goes on"


def test_syntax_error_is_said_in_words_of_the_server_whatever_it_does(gql: GraphQL) -> None:
    with pytest.raises((errors.ReplyError, errors.ClosedError), match="Expected Name, found <EOF>") as caught:
        gql.query("{ hello")
    # The package graphql-ws closes the whole connection for it.
    if gql.protocol == "graphql-transport-ws":
        assert caught.value.details["code"] == 4500
    else:
        assert gql.query("{ hello }") == {"hello": "hello world"}


def test_errors_beside_data_keep_the_data(gql: GraphQL) -> None:
    with pytest.raises(errors.ReplyError, match="only half") as caught:
        gql.query("{ half { good bad } }")
    assert caught.value.details["data"] == {"half": {"good": "yes", "bad": None}}
    assert caught.value.details["errors"][0]["path"] == ["half", "bad"]


def test_query_without_an_answer_times_out_and_the_server_is_told(site: Site) -> None:
    with graphql.connect(site.url) as gql:
        with pytest.raises(errors.WaitTimeoutError, match="the operation was not completed: 50ms passed"):
            gql.query("{ never }", timeout="50ms")
        until(lambda: gql.client.stats.sent == 3)
        assert gql.client.log.filter(direction="out")[-1].json() == {
            "id": site.node.next("subscribe"),
            "type": "stop" if site.protocol == "graphql-ws" else "complete",
        }
        assert gql.query("{ hello }") == {"hello": "hello world"}


def test_subscription_run_as_a_query_is_an_error_and_ended(site: Site) -> None:
    with graphql.connect(site.url) as gql:
        with pytest.raises(errors.InvalidError, match="more than one result"):
            gql.query("subscription { ticks }")
        while site.node.next("ended") != "ticks":  # the end of one of a test before may be told late
            pass


def test_many_queries_at_once_find_their_answers(site: Site) -> None:
    async def scenario() -> list[Any]:
        async with graphql.connect_async(site.url) as gql:
            names = [f"n{number}" for number in range(50)]
            asked = [gql.query("query($n: String) { hello(name: $n) }", {"n": name}) for name in names]
            return await asyncio.gather(*asked)

    assert asyncio.run(scenario()) == [{"hello": f"hello n{number}"} for number in range(50)]


# -- subscriptions -----------------------------------------------------------------------------------


def test_subscription_gives_every_event_in_order_and_ends(gql: GraphQL) -> None:
    subscription = gql.subscribe("subscription($to: Int!) { count(to: $to) }", {"to": 300})
    assert [event["count"] for event in subscription] == list(range(1, 301))
    assert subscription.closed
    assert subscription.receive("1s") == (None, False)
    assert subscription.missed == 0


def test_subscription_is_read_by_coroutines_too(site: Site) -> None:
    async def scenario() -> list[int]:
        async with graphql.connect_async(site.url) as gql:
            subscription = await gql.subscribe("subscription { count(to: 20) }")
            return [event["count"] async for event in subscription]

    assert asyncio.run(scenario()) == list(range(1, 21))


def test_subscriptions_and_queries_share_the_connection(gql: GraphQL) -> None:
    low = gql.subscribe("subscription { count(from: 1, to: 50) }")
    high = gql.subscribe("subscription { count(from: 101, to: 150) }")
    assert gql.query("{ hello }") == {"hello": "hello world"}
    assert [event["count"] for event in high] == list(range(101, 151))
    assert [event["count"] for event in low] == list(range(1, 51))


@pytest.mark.parametrize("how", ["close", "with", "forget"])
def test_subscription_the_user_ends_is_ended_on_the_server(site: Site, how: str) -> None:
    with graphql.connect(site.url) as gql:
        subscription: Any = gql.subscribe("subscription { ticks }")
        assert next(subscription) == {"ticks": 1}
        if how == "close":
            subscription.close()
            subscription.close()
        elif how == "with":
            with subscription:
                pass
        else:
            subscription = None
        while site.node.next("ended") != "ticks":  # the end of one of a test before may be told late
            pass
        assert gql.query("{ hello }") == {"hello": "hello world"}


def test_closing_keeps_what_came_and_then_ends(gql: GraphQL) -> None:
    subscription = gql.subscribe("subscription { ticks }")
    until(lambda: len(subscription) >= 3)
    subscription.close()
    got = [event["ticks"] for event in subscription]
    assert len(got) >= 3
    assert got == list(range(1, len(got) + 1))


def test_event_with_errors_raises_and_the_next_one_can_be_read(gql: GraphQL) -> None:
    subscription = gql.subscribe("subscription { odd(to: 3) }")
    assert next(subscription) == {"odd": 1}
    with pytest.raises(errors.ReplyError, match="2 is even"):
        next(subscription)
    assert next(subscription) == {"odd": 3}
    assert subscription.receive("5s") == (None, False)


def test_subscription_that_fails_ends_with_the_error_of_the_server(gql: GraphQL) -> None:
    subscription = gql.subscribe("subscription { breaks }")
    assert next(subscription) == {"breaks": 1}
    for _ in range(2):
        with pytest.raises(errors.ReplyError, match="the source broke"):
            subscription.receive("5s")


def test_subscription_that_is_not_valid_is_the_error_of_its_reader(gql: GraphQL) -> None:
    with pytest.raises(errors.ReplyError, match="nonsense"):
        next(gql.subscribe("subscription { nonsense }"))


def test_subscription_can_be_selected(gql: GraphQL) -> None:
    subscription = gql.subscribe("subscription { count(to: 1) }")
    chosen = ipyws.select(subscription.case_receive(), ipyws.after("10s").case_receive())
    assert (chosen.channel, chosen.value) == (subscription, {"count": 1})


def test_unread_subscription_holds_nothing_back_and_counts_what_it_missed(site: Site) -> None:
    with graphql.connect(site.url, log_messages=20) as gql:
        unread = gql.subscribe("subscription { count(to: 500) }")
        while site.node.next("ended") != "count":  # the end of one of a test before may be told late
            pass
        until(lambda: unread.closed)
        assert not gql.client.held
        kept = [event["count"] for event in unread]
        assert 0 < len(kept) <= 20
        assert kept == list(range(501 - len(kept), 501))
        assert unread.missed == 500 - len(kept)
        assert f"{500 - len(kept)} missed" in repr(unread)


def test_closing_ends_subscriptions(site: Site) -> None:
    gql = graphql.connect(site.url)
    subscription = gql.subscribe("subscription { ticks }")
    next(subscription)
    assert gql.close().initiator == "us"
    for _ in subscription:
        pass
    with pytest.raises(errors.ClosedError):
        gql.query("{ hello }")


# -- what only today's protocol has --------------------------------------------------------------------


def test_ping_of_the_protocol_is_answered_while_nobody_waits(node: NodeServer) -> None:
    with graphql.connect(f"ws://127.0.0.1:{node.port}", init={"ping": {"n": 17}}):
        assert node.next("pong") == {"n": 17}


def test_second_greeting_closes_with_the_code_of_the_server(node: NodeServer) -> None:
    with graphql.connect(f"ws://127.0.0.1:{node.port}") as gql:
        subscription = gql.subscribe("subscription { ticks }")
        gql.client.send({"type": "connection_init"})
        with pytest.raises(errors.ClosedError, match=r"4429 .*“Too many initialisation requests”") as caught:
            for _ in subscription:
                pass
        assert caught.value.details["code"] == 4429


def test_id_in_use_closes_with_the_code_of_the_server(node: NodeServer) -> None:
    with graphql.connect(f"ws://127.0.0.1:{node.port}") as gql:
        subscription = gql.subscribe("subscription { ticks }")
        next(subscription)
        payload = {"query": "subscription { ticks }"}
        gql.client.send({"id": subscription.id, "type": "subscribe", "payload": payload})
        with pytest.raises(errors.ClosedError, match="4409"):
            for _ in subscription:
                pass


# -- what only the older protocol has --------------------------------------------------------------------


def test_keep_alive_messages_of_the_older_protocol_are_no_news(node: NodeServer) -> None:
    with graphql.connect(f"ws://127.0.0.1:{node.port}/legacy") as gql:
        until(lambda: len(gql.client.log.filter(grep='"ka"')) >= 2)
        assert gql.query("{ hello }") == {"hello": "hello world"}
        assert gql.ignored == 0


def test_server_of_the_older_protocol_is_dialled_once_more(node: NodeServer) -> None:
    node.forget()

    async def scenario() -> None:
        async with graphql.connect_async(f"ws://127.0.0.1:{node.port}/legacy", {"tenant": "north"}) as gql:
            assert gql.protocol == "graphql-ws"
            assert await gql.query("{ hello }") == {"hello": "hello world"}

    asyncio.run(scenario())
    assert node.next("init") == {"tenant": "north"}
