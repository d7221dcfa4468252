"""SignalR against a small hub, which SignalR's own client is run against as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.client import Client
from tests.support.hub import Hub
from tests.support.node import node_server
from tests.support.servers import PATIENCE, Site, server, until

FOLDER = Path(__file__).resolve().parents[2] / "data" / "signalr"
SOON = PATIENCE * 1000


@pytest.fixture
def counts() -> Hub:
    return Hub()


@pytest.fixture
def hub(counts: Hub) -> Iterator[Site]:
    with server(counts) as site:
        yield site


@pytest.fixture(params=["json", "messagepack"])
def client(hub: Site, request: pytest.FixtureRequest) -> Iterator[Client]:
    with connect(hub, protocol=request.param) as opened:
        yield opened


def connect(hub: Site, *, path: str = "/hub", reconnect: Any = None, **settings: Any) -> Client:
    dialect = {"name": "signalr", **settings}
    return ipyws.connect(f"{hub.url}{path}", dialect=dialect, reconnect=reconnect)


@pytest.mark.node
def test_the_hub_of_these_tests_is_one_to_signalr_s_own_client(
    hub: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB", f"http://127.0.0.1:{hub.port}/hub")
    with node_server(FOLDER, "client.mjs") as client:
        for _ in ("json", "messagepack"):
            assert client.next("done") == {
                "sum": 3,
                "nothing": None,
                "failed": "An unexpected error occurred invoking 'Fail' on the server.",
                "count": {"items": [1, 2, 3]},
                "broken": {"items": [1, 2], "error": "it broke"},
                "said": ["hi", 2],
                "closed": "Server returned an error on close: that was it",
            }


def test_a_call_is_answered(client: Client) -> None:
    assert client.call("Add", 1, 2) == 3
    assert client.call("Nothing") is None
    with pytest.raises(errors.ReplyError, match="error occurred invoking 'Fail'"):
        client.call("Fail")
    assert client.call("Add", 2, 2) == 4
    names = [message.label for message in client.log if message.type != "close"]
    assert names[:2] == ["handshake", "handshake"]
    assert "invocation Add" in names
    assert any(name.startswith("completion ") for name in names)


def test_a_call_that_is_given_up_is_cancelled(client: Client) -> None:
    with pytest.raises(errors.WaitTimeoutError):
        client.call("Never", timeout="50ms")
    client.call("Nothing")
    assert any(message.label.startswith("cancel") for message in client.log)


def test_a_stream_is_read_to_its_end(client: Client) -> None:
    assert list(client.subscribe("Count", 3)) == [1, 2, 3]
    broken = client.subscribe("CountAndFail", 2)
    assert [broken.receive(SOON).value for _ in range(2)] == [1, 2]
    with pytest.raises(errors.ReplyError, match="it broke"):
        broken.receive(SOON)


def test_who_leaves_a_stream_has_it_cancelled(client: Client, counts: Hub) -> None:
    with client.subscribe("CountForever") as stream:
        assert stream.receive(SOON).value == 1
    until(lambda: counts.cancelled == ["CountForever"])
    assert client.call("Add", 1, 1) == 2


def test_what_the_server_invokes_is_followed(client: Client) -> None:
    with client.subscribe("Said", listen=True) as said:
        client.emit("Say", "hi")
        client.emit("Say", "ann", {"n": 1})
        assert [said.receive(SOON).value for _ in range(2)] == ["hi", ["ann", {"n": 1}]]


def test_a_refused_handshake_says_why(hub: Site) -> None:
    with pytest.raises(errors.ReplyError, match="json is not spoken here"):
        connect(hub, path="/refuse")


def test_both_hearts_beat_and_a_silent_server_is_given_up(hub: Site, counts: Hub) -> None:
    with connect(hub, keep_alive="100ms", timeout="5s") as client:
        until(lambda: counts.pings >= 3)
        assert sum(message.label == "ping" and message.direction == "in" for message in client.log) >= 1
    with connect(hub, timeout="50ms") as hasty:  # its pings come every 200 ms
        until(lambda: hasty.closed is not None)
    assert hasty.closed is not None
    assert isinstance(hasty.closed.error, errors.WaitTimeoutError)


def test_a_close_says_why_and_ends_the_conversation(client: Client) -> None:
    client.emit("Close", "that was it", False)
    until(lambda: client.closed is not None)
    assert client.closed is not None
    assert "that was it" in str(client.closed.error)


@pytest.mark.parametrize("end", [("Close", "it restarts", True), ("Drop",)])
def test_after_an_end_that_may_pass_streams_and_listeners_come_back(hub: Site, end: tuple[Any, ...]) -> None:
    again = {"first": "10ms", "attempts": 50}
    with (
        connect(hub, reconnect=again) as client,
        client.subscribe("CountForever") as stream,
        client.subscribe("Said", listen=True) as said,
    ):
        assert stream.receive(SOON).value == 1
        client.emit(*end)
        while stream.receive(SOON).value != 1:
            pass
        client.emit("Say", "back")
        assert said.receive(SOON).value == "back"
