"""The recipes of the docs about what happens by itself, against servers that behave as documented."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support import exchanges
from tests.support.servers import Site, until
from tests.support.socketio_site import socketio_site

SOON: dict[str, Any] = {"first": "5ms", "max": "20ms", "attempts": 100}


def compute(site: Site, count: int) -> list[Any]:
    """Keep this thread busy until a server has told so many things; return them."""
    told: list[Any] = []
    end = time.monotonic() + 60
    while len(told) < count:
        assert time.monotonic() < end
        sum(range(2000))
        if not site.seen.empty():
            told.append(site.next())
    return told


# -- heartbeats ----------------------------------------------------------------------------------------


def test_a_gzipped_ping_is_answered_within_a_second_while_the_caller_computes() -> None:
    def pong(message: ipyws.Message) -> str:
        return f'{{"pong": {message.value["ping"]}}}'

    options: dict[str, Any] = {"codec": "gzip+json", "reply": [(is_ping, pong)]}
    with exchanges.gzip_pings() as site, ipyws.connect(site.url, **options) as client:
        took = compute(site, 5)
        assert client.expect({"ch": "market.btcusdt.trade"}).value["tick"]["price"] == 97000.5
        assert client.closed is None
    assert max(took) < exchanges.GRACE


def is_ping(message: ipyws.Message) -> bool:
    return "ping" in message.value


def test_without_an_answer_that_exchange_closes() -> None:
    with exchanges.gzip_pings(grace=0.05) as site, ipyws.connect(site.url, codec="gzip+json") as client:
        until(lambda: client.closed is not None)
        assert client.closed is not None
        assert client.closed.reason == "ping check expired"


TEST = {"jsonrpc": "2.0", "id": 8212, "method": "public/test", "params": {}}
HEARTBEAT = {"jsonrpc": "2.0", "id": 1, "method": "public/set_heartbeat", "params": {"interval": 0.02}}


def test_a_test_request_is_answered() -> None:
    wanted = {"method": "heartbeat", "params": {"type": "test_request"}}
    with exchanges.heartbeat_requests() as site, ipyws.connect(site.url, reply=[(wanted, TEST)]) as client:
        client.send(HEARTBEAT)
        assert compute(site, 5) == [8212] * 5
        assert client.closed is None
        until(lambda: client.rules[0].sent >= 5)  # counted behind the send that the server has seen


# -- credentials -----------------------------------------------------------------------------------------


def test_a_token_that_expires_is_made_at_each_dial() -> None:
    with exchanges.short_tokens(life=0.1) as (site, token):
        headers = {"Authorization": lambda: f"Bearer {token()}"}
        with ipyws.connect(site.url, headers=headers, reconnect={**SOON, "codes": [4401]}) as client:
            orders = [client.recv("5s").json()["order"] for _ in range(3)]
        assert orders == [1, 2, 3]
        assert token.made >= 3
        with pytest.raises(errors.ConnectError, match="401"):
            ipyws.connect(site.url, headers={"Authorization": "Bearer token-of-the-moment-1"})


def test_a_listen_key_in_the_query_is_made_at_each_dial() -> None:
    with exchanges.short_tokens(life=0.1) as (site, token):
        reconnect = {**SOON, "codes": [4401]}
        with ipyws.connect(site.url, params={"token": token}, reconnect=reconnect) as client:
            assert [client.recv("5s").json()["order"] for _ in range(2)] == [1, 2]
            assert "token-of-the-moment" not in repr(client)


# -- sessions --------------------------------------------------------------------------------------------

ONE_SESSION = """
=== expect json[0]["msg"] == "connected" within 1s
{"action": "auth", "key": "k"}
=== expect json[0]["msg"] == "authenticated" within 1s
"""


def test_the_one_session_that_is_allowed_is_had_again_once_the_old_one_is_forgotten() -> None:
    with exchanges.one_session() as site:
        reconnect = {**SOON, "on_open": ONE_SESSION, "codes": [1000]}
        with ipyws.connect(site.url, reconnect=reconnect) as client:
            site.next()
            client.send("drop")
            until(lambda: client.log.filter(grep="authenticated", direction="in")[1:] != [])
            assert client.state == "open"
        told = []
        while not site.seen.empty():
            told.append(site.next())
    assert "refused" in told


def test_who_connects_again_under_a_name_closes_the_session_before() -> None:
    with exchanges.one_session() as site:
        for _ in range(3):
            client = ipyws.connect(site.url, name="mine", reconnect={"on_open": ONE_SESSION})
        client.close()


LOGIN = """
{"op": "login", "args": [{{signed()}}]}
=== expect json["event"] == "login" and json["code"] == "0" within 2s
{"op": "subscribe", "args": [{"channel": "orders"}]}
=== expect json["event"] == "subscribe" within 2s
"""


def signed(secret: str = "the secret of the tests") -> dict[str, str]:
    moment = f"{time.time():.3f}"
    return {
        "timestamp": moment,
        "sign": hmac.new(secret.encode(), moment.encode(), hashlib.sha256).hexdigest(),
    }


def test_a_signed_login_is_awaited_before_the_subscription_each_time() -> None:
    with exchanges.login_first() as site:
        reconnect = {**SOON, "on_open": LOGIN, "names": {"signed": signed}}
        with ipyws.connect(site.url, reconnect=reconnect) as client:
            assert [site.next(), site.next()] == ["login", "subscribe"]
            client.send("drop")
            assert [site.next(), site.next()] == ["login", "subscribe"]
            assert client.log.filter(grep="60011") == []


def test_a_login_that_is_refused_is_the_error_of_connect() -> None:
    reconnect = {"on_open": LOGIN.replace("2s", "100ms"), "names": {"signed": lambda: signed("another")}}
    with exchanges.login_first() as site, pytest.raises(errors.WaitTimeoutError) as caught:
        ipyws.connect(site.url, reconnect=reconnect)
    assert "60007" in caught.value.hint


# -- a server that nobody here wrote ---------------------------------------------------------------------

ENGINE = """
    === expect msg.data.startswith("0{") within 5s
    40
    === expect msg.data.startswith("40{") within 5s
    420["echo","hello"]
    === expect msg.data == '430["hello"]' within 5s
"""
"""What opens a conversation of Socket.IO, written out: there is a dialect for it."""


def test_the_pings_of_a_real_server_are_answered_and_its_handshake_is_a_script() -> None:
    pings: dict[str, Any] = {"ping_interval": 0.1, "ping_timeout": 0.3}
    with socketio_site(**pings) as site:
        url = f"{site.url}/socket.io/?EIO=4&transport=websocket"
        answers: dict[str, Any] = {"reply": [(lambda message: message.data == "2", "3")]}
        with ipyws.connect(url, reconnect={"on_open": ENGINE}, **answers) as client:
            end = time.monotonic() + 60
            while client.rules[0].sent < 6:
                assert time.monotonic() < end
                sum(range(2000))
            assert client.state == "open"
        with ipyws.connect(url) as silent:
            until(lambda: silent.closed is not None)
