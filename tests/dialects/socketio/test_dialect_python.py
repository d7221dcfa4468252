"""Socket.IO against python-socketio's server, on aiohttp and as the demo server has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.client import Client
from tests.support.servers import PATIENCE, Site
from tests.support.socketio_site import socketio_site

SOON = PATIENCE * 1000


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with socketio_site(ping_interval=0.2, ping_timeout=2) as running:
        yield running


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with ipyws.connect(site.url, dialect="socketio") as opened:
        yield opened


@pytest.mark.parametrize(
    "arguments",
    [[], [1], [None], [[1, 2]], ["a", {"b": [True, 1.5]}], [b"\x00\xff"], ["a", {"b": [b"x", b""]}]],
)
def test_what_is_sent_comes_back_in_the_ack(client: Client, arguments: list[Any]) -> None:
    expected = (None, *arguments)[-1] if len(arguments) < 2 else arguments
    assert client.call("echo", *arguments) == expected


def test_events_and_their_bytes_come_to_a_subscription(client: Client) -> None:
    with client.subscribe("news") as news:
        for arguments in ([], ["rain"], ["rain", {"map": b"\x89PNG"}]):
            client.emit("tell", "news", *arguments)
        found = [news.receive(SOON).value for _ in range(3)]
    assert found == [None, "rain", ["rain", {"map": b"\x89PNG"}]]


def test_a_namespace_with_a_door(client: Client) -> None:
    with pytest.raises(errors.ReplyError, match="no such user") as caught:
        client.subscribe("/door", {"token": "guess-token"})
    assert caught.value.details["data"] == 7
    with client.subscribe("/door", {"token": "right-token"}) as door:
        assert door.receive(SOON).value == ["welcome"]


def test_its_heart_beats_and_it_puts_us_out(client: Client) -> None:
    while sum(message.label == "ping" for message in client.log) < 3:
        client.recv(SOON)
    client.emit("put me out")
    with pytest.raises(errors.ClosedError):
        client.call("echo")


def test_a_refused_handshake_says_why(site: Site) -> None:
    with pytest.raises(errors.ConnectError, match=r"(?i)unsupported version"):
        ipyws.connect(f"{site.url}/socket.io/?EIO=2", dialect="socketio")


def test_the_demo_server_is_one(site: Site) -> None:
    with ipyws.serve("socketio") as server, ipyws.connect(server.url, dialect="socketio") as client:
        assert client.call("add", 1, 2, 3) == 6
        assert client.call("size", client.call("picture")) == [len(client.call("picture"))]
        with client.subscribe("/clock") as clock:
            assert [clock.receive(SOON).value for _ in range(2)] == [["tick", 1], ["tick", 2]]
        with pytest.raises(errors.ReplyError, match="not authorized"):
            client.subscribe("/vault", {"token": "guess-token"})
