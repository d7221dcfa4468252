"""The Socket.IO server, as python-socketio's own client finds it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import socketio
from websockets.sync.client import connect

import ipyws
from ipyws.demo.socketio import TOKEN
from tests.support.missing import without
from tests.support.servers import PATIENCE, Site


class Visitor:
    """A client of python-socketio on a loop of its own."""

    def __init__(self, site: Site, url: str, namespace: str = "/", auth: Any = None) -> None:
        self._site = site
        self._client = socketio.AsyncSimpleClient()
        options = {"namespace": namespace, "auth": auth, "transports": ["websocket"]}
        site.run(self._client.connect(url.replace("ws:", "http:"), **options))

    def call(self, event: str, *given: Any) -> Any:
        return self._site.run(self._client.call(event, given, timeout=PATIENCE))

    def receive(self) -> list[Any]:
        found: list[Any] = self._site.run(self._client.receive(timeout=PATIENCE))
        return found

    def leave(self) -> None:
        self._site.run(self._client.disconnect())


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def url() -> Iterator[str]:
    with ipyws.serve("socketio") as server:
        yield server.url


def test_events_are_acknowledged(site: Site, url: str) -> None:
    visitor = Visitor(site, url)
    assert visitor.call("add", 1, 2, 3.5) == 6.5
    assert visitor.call("add", "1") == {"error": "numbers are added"}
    assert visitor.call("size", b"four", "five5") == [4, 5]
    assert visitor.call("picture", 255, 0, 0)[:8] == b"\x89PNG\r\n\x1a\n"
    assert "error" in visitor.call("picture", 256, 0, 0)
    visitor.leave()


def test_who_is_in_a_room_hears_what_is_said_there(site: Site, url: str) -> None:
    ann, bob, cat = (Visitor(site, url) for _ in range(3))
    assert ann.call("join", "tea", "ann") == ["ann"]
    assert bob.call("join", "tea", "bob") == ["ann", "bob"]
    assert ann.receive() == ["joined", "tea", "bob"]
    assert cat.call("join", "cake", "cat") == ["cat"]
    assert "error" in cat.call("say", "tea", "hello?")
    bob.call("say", "tea", "hi")
    assert ann.receive() == bob.receive() == ["said", "tea", "bob", "hi"]
    bob.leave()
    assert ann.receive() == ["left", "tea", "bob"]
    cat.call("say", "cake", "good")
    assert cat.receive() == ["said", "cake", "cat", "good"]
    for visitor in (ann, cat):
        visitor.leave()


def test_the_clock_ticks_and_the_vault_wants_its_token(site: Site, url: str) -> None:
    clock = Visitor(site, url, "/clock")
    assert [clock.receive(), clock.receive()] == [["tick", 1], ["tick", 2]]
    clock.leave()
    vault = Visitor(site, url, "/vault", {"token": TOKEN})
    assert vault.call("look") == "gold"
    vault.leave()
    with pytest.raises(socketio.exceptions.ConnectionError):
        Visitor(site, url, "/vault", {"token": "guess"})


def test_who_reads_nothing_is_dropped_and_the_others_are_served(site: Site) -> None:
    with ipyws.serve("socketio") as server:
        bob = Visitor(site, server.url)
        bob.call("join", "tea", "bob")
        query = "/socket.io/?EIO=4&transport=websocket"
        with connect(server.url + query, max_queue=1, compression=None, close_timeout=0.1) as deaf:
            deaf.send("40")
            deaf.send('42["join","tea","deaf"]')
            assert bob.receive() == ["joined", "tea", "deaf"]
            while server.connections == 2:
                bob.call("say", "tea", "x" * 16_000)
                bob.receive()
        assert bob.call("add", 1, 1) == 2
        bob.leave()


def test_without_python_socketio_one_line_says_how_to_get_it() -> None:
    code = f"{without('socketio')}\nimport ipyws\nipyws.serve('socketio')"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].endswith("not installed; pip install ipyws[dialects]")
