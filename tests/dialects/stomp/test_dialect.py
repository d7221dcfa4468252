"""STOMP with CoilMQ, which nobody here wrote; RabbitMQ's part is in tests/system/test_rabbitmq.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.coilmq import coilmq
from tests.support.servers import PATIENCE, Site, until

PASSWORD = "open-sesame-41"
WAIT = f"{PATIENCE:.0f}s"
HOST = socket.getfqdn()
"""The only virtual host that this broker has."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Site]:
    with coilmq() as site:
        yield site


def connect(broker: Site, **options: Any) -> ipyws.Client:
    return ipyws.connect(broker.url, **{"dialect": {"name": "stomp", "host": HOST}, **options})


def next_of(subscription: Any) -> Any:
    value, ok = subscription.receive(WAIT)
    assert ok
    return value


@pytest.mark.parametrize("version", ["1.2", "1.1", "1.0"])
@pytest.mark.parametrize("piece", [65_536, 5])
def test_what_is_published_comes_to_whoever_subscribed_in_any_pieces(version: str, piece: int) -> None:
    protocols = [f"v{version.replace('.', '')}.stomp"]
    with coilmq(piece=piece) as broker, connect(broker, protocols=protocols) as client:
        subscription = client.subscribe("/topic/a", details=True)
        client.publish("/topic/a", {"price": "21 €"}, headers={"x-unit": "EUR"})
        item = next_of(subscription)
        assert (item["topic"], item["payload"], item["headers"]["x-unit"]) == (
            "/topic/a",
            {"price": "21 €"},
            "EUR",
        )
        assert client.log[0].label == "CONNECT"


def test_a_queue_keeps_what_nobody_has_read_yet(broker: Site) -> None:
    with connect(broker, protocols=["v11.stomp"]) as client:
        client.publish("/queue/jobs", "first")
        subscription = client.subscribe("/queue/jobs", ack="client-individual")
        assert next_of(subscription) == "first"
        client.publish("/queue/jobs", "second")  # comes once the first was acknowledged
        assert next_of(subscription) == "second"


def test_heartbeats_go_both_ways(broker: Site) -> None:
    settings = {"name": "stomp", "host": HOST, "heartbeat": "100ms"}
    with connect(broker, dialect=settings) as client:

        def beats(direction: str) -> int:
            return sum(m.read().heartbeat for m in client.log if m.direction == direction and m.data)

        until(lambda: min(beats("in"), beats("out")) >= 3)
        assert client.state == "open"


def test_subscriptions_come_back_after_the_connection_was_lost() -> None:
    with coilmq() as broker, connect(broker, reconnect={"first": "10ms"}) as client:
        first, second = client.subscribe("/topic/a"), client.subscribe("/topic/b")
        lost = broker.seen.get(timeout=PATIENCE)
        asyncio.run_coroutine_threadsafe(lost.close(1012), broker.loop).result(PATIENCE)
        broker.seen.get(timeout=PATIENCE)
        # A message may hold several frames: the label of one names only its first.
        until(lambda: sum(b"receipt-id:r2\n" in m.data for m in client.log if m.direction == "in") == 2)
        client.publish("/topic/b", "again")
        client.publish("/topic/a", "and again")
        assert (next_of(second), next_of(first)) == ("again", "and again")


def test_auth_logs_in_and_the_passcode_shows_up_nowhere() -> None:
    with coilmq({"ann": PASSWORD}) as broker:
        with connect(broker, auth=("ann", PASSWORD)) as client:
            assert client.log[0].value["passcode"] == "***"
            assert PASSWORD not in repr(client.log[0])
        with pytest.raises(errors.ConnectError) as caught:
            connect(broker, auth=("ann", "open-sesame-13"))
    assert caught.value.message == "the server refused the connection: Authentication failed for ann"
    assert (caught.value.retryable, caught.value.details["phase"]) == (False, "dialect")


def test_bad_input_is_refused_before_anything_is_sent(broker: Site) -> None:
    with connect(broker) as client:
        sent = len(client.log)
        for wrong in (
            lambda: client.publish("", "x"),
            lambda: client.publish("/topic/a", {1, 2}),
            lambda: client.publish("/topic/a", "x", headers={"receipt": "1"}),
            lambda: client.publish("/topic/a", "x", qos=1),
            lambda: client.subscribe("/topic/a", ack="never"),
            lambda: client.subscribe("/topic/a", "/topic/b"),
            lambda: client.call("a"),
            lambda: client.send({"a": 1}),
        ):
            with pytest.raises(errors.InvalidError):
                wrong()
        assert len(client.log) == sent
