"""Credentials that are made at each dial: by functions, coroutine functions, and what becomes of errors."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.core.options.fresh import Again
from tests.core.connection.test_client import run
from tests.support.coilmq import coilmq
from tests.support.policy import dialling
from tests.support.servers import Site, request_of, server, until

AGAIN: dict[str, Any] = {"ping_interval": None, "reconnect": {"first": "1ms", "max": "1ms", "attempts": 3}}


@pytest.fixture
def site() -> Iterator[Site]:
    """A server that tells the test of each handshake, and drops a connection on a word."""
    sites: list[Site] = []

    async def handler(connection: ServerConnection) -> None:
        request = request_of(connection)
        sites[0].seen.put((request.path, dict(request.headers.raw_items())))
        async for _ in connection:
            connection.transport.abort()

    with server(handler) as made:
        sites.append(made)
        yield made


def lose(client: ipyws.Client) -> None:
    """Have the connection lost, and wait until it is back."""
    losses = client.stats.ws_sessions
    client.send("drop")
    until(lambda: client.stats.ws_sessions > losses and client.state == "open")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_header_values_are_made_at_each_dial(site: Site) -> None:
    numbers = iter(range(10))
    headers = {"Authorization": lambda: f"Bearer token-number-{next(numbers)}", "X-Fixed": "same"}
    with ipyws.connect(site.url, headers=headers, **AGAIN) as client:
        lose(client)
    for number in range(2):
        _, sent = site.next()
        assert (sent["Authorization"], sent["X-Fixed"]) == (f"Bearer token-number-{number}", "same")


@pytest.mark.parametrize(
    "auth",
    [
        lambda: ("me", "password-of-today"),
        ("me", lambda: "password-of-today"),
        (lambda: "me", lambda: "password-of-today"),
    ],
)
def test_auth_may_be_a_function_or_have_functions(site: Site, auth: Any) -> None:
    with ipyws.connect(site.url, auth=auth, ping_interval=None):
        assert site.next()[1]["Authorization"] == basic("me", "password-of-today")


def test_coroutine_functions_make_values_too(site: Site) -> None:
    async def token() -> str:
        await asyncio.sleep(0)
        return "from a coroutine"

    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url, headers=[("X-Token", token)], ping_interval=None):
            pass

    run(scenario(site.url))
    assert site.next()[1]["X-Token"] == "from a coroutine"


def test_cookies_headers_and_parameters_may_be_made_as_a_whole_or_one_by_one(site: Site) -> None:
    options: dict[str, Any] = {
        "headers": lambda: {"X-A": "1"},
        "cookies": {"session": lambda: "cookie-of-today", "lang": "en"},
        "params": {"listenKey": lambda: "key of today", "limit": 5, "full": True},
    }
    with ipyws.connect(f"{site.url}/stream?v=1", **options, ping_interval=None):
        path, sent = site.next()
    assert path == "/stream?v=1&listenKey=key%20of%20today&limit=5&full=true"
    assert sent["X-A"] == "1"
    assert sent["Cookie"] == "session=cookie-of-today; lang=en"


def test_what_is_made_is_masked_from_then_on(site: Site) -> None:
    options: dict[str, Any] = {
        "headers": {"Authorization": lambda: "Bearer made-at-the-dial-1"},
        "params": {"token": lambda: "made-at-the-dial-2"},
    }
    with ipyws.connect(site.url, **options, ping_interval=None) as client:
        path, sent = site.next()
        assert "made-at-the-dial-1" in sent["Authorization"]
        assert "made-at-the-dial-2" in path
        client.send("made-at-the-dial-1 made-at-the-dial-2")
        shown = f"{client!r} {client.log[-1]!r} {client.response!r} {client.url!r}"
    assert "made-at-the-dial" not in shown


def test_a_slow_function_keeps_no_other_connection_waiting_and_has_the_time_of_the_dial(site: Site) -> None:
    never = threading.Event()
    with ipyws.connect(site.url, ping_interval=None) as other:
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(
                site.url,
                headers={"Authorization": lambda: (other.ping(), never.wait(10))},
                dial_timeout="100ms",
            )
        assert other.ping() > 0
    never.set()
    assert caught.value.details["phase"] == "credentials"
    assert "the functions of headers took too long: 100ms passed" in caught.value.message


@pytest.mark.parametrize(
    ("raised", "kind", "retryable"),
    [
        (KeyError("access_token"), errors.InvalidError, False),
        (ConnectionRefusedError("no"), errors.ConnectError, True),
        (TimeoutError("no"), errors.ConnectError, True),
        (errors.ReplyError("no"), errors.ReplyError, False),
    ],
)
def test_a_function_that_raises_ends_the_attempt_with_its_error(
    site: Site, raised: Exception, kind: type[errors.WebSocketError], retryable: bool
) -> None:
    def token() -> str:
        raise raised

    with pytest.raises(kind) as caught:
        ipyws.connect(site.url, headers={"Authorization": token})
    assert caught.value.retryable is retryable
    if kind is not errors.ReplyError:
        assert "the function of header Authorization raised " in caught.value.message
    assert site.seen.empty()


def test_an_error_that_may_pass_is_tried_again_and_another_ends_the_connection(site: Site) -> None:
    answers = iter(["first", ConnectionError("down"), "third", ValueError("bad")])

    def token() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with ipyws.connect(site.url, headers={"X-Token": token}, **AGAIN) as client:
        lose(client)
        client.send("drop")
        until(lambda: client.state == "closed")
        assert client.closed is not None
        assert "raised ValueError: bad" in str(client.closed.error)
    assert [site.next()[1]["X-Token"] for _ in range(2)] == ["first", "third"]


def test_what_a_function_makes_is_checked_as_if_it_stood_there(site: Site) -> None:
    with pytest.raises(errors.InvalidError, match="the value of header X-Token holds"):
        ipyws.connect(site.url, headers={"X-Token": lambda: "a\nb"})
    with pytest.raises(errors.InvalidError, match="both auth and an Authorization header"):
        ipyws.connect(site.url, headers=lambda: {"Authorization": "x"}, auth=("a", "b"))
    with pytest.raises(errors.InvalidError, match="headers holds something else than a name and a value"):
        ipyws.connect(site.url, headers={"X-Token": lambda: 3})
    assert site.seen.empty()


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"A B": lambda: "never called"}},
        {"headers": {"Host": lambda: "never called"}},
        {"params": 3},
        {"params": {"a": None}},
        {"sign": "text"},
        {"auth": "me:secret"},
    ],
)
def test_what_can_be_checked_beforehand_is(wrong: dict[str, Any]) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError):
        ipyws.connect("ws://127.0.0.1:9", **wrong)
    assert dialled == []


def test_a_dialect_that_logs_in_by_itself_gets_what_is_made() -> None:
    dialect = {"name": "stomp", "host": socket.getfqdn()}
    with coilmq({"ann": "open-sesame-17"}) as broker:
        with ipyws.connect(broker.url, auth=("ann", lambda: "open-sesame-17"), dialect=dialect) as client:
            assert client.state == "open"
        with pytest.raises(errors.ConnectError, match="Authentication failed for ann"):
            ipyws.connect(broker.url, auth=lambda: ("ann", "open-sesame-18"), dialect=dialect)


def test_a_value_that_is_made_already_is_used_first() -> None:
    value = Again("first", iter(["second", "third"]).__next__)
    assert [value(), value(), value()] == ["first", "second", "third"]
