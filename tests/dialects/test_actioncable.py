"""ActionCable as a dialect, at Rails' own server from Debian's packages."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.core.dialects.dialect import Broken
from ipyws.dialects.actioncable import ActionCableSession
from tests.support.node import NodeServer
from tests.support.servers import PATIENCE, until

SERVER = Path(__file__).parents[1] / "data" / "actioncable" / "server.rb"
RAILS = pytest.mark.debian("puma")
RECONNECT = {"first": "10ms", "max": "20ms", "attempts": 500}


@contextlib.contextmanager
def rails(port: int = 0) -> Iterator[NodeServer]:
    process = subprocess.Popen(
        ["ruby", str(SERVER), "0.2", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield NodeServer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def server() -> Iterator[NodeServer]:
    with rails() as running:
        yield running


@pytest.fixture
def url(server: NodeServer) -> str:
    server.forget()
    return f"ws://127.0.0.1:{server.port}/cable"


@RAILS
def test_a_channel_is_subscribed_to_and_its_actions_performed(server: NodeServer, url: str) -> None:
    with ipyws.connect(f"{url}?user=ada", dialect="actioncable") as client:
        assert client.subprotocol == "actioncable-v1-json"
        with client.subscribe("ChatChannel", {"room": "kitchen"}) as kitchen:
            client.emit("speak", {"text": "hello"})
            assert kitchen.receive("10s").value == {"text": "hello"}
            assert server.next("spoken") == {"text": "hello", "action": "speak"}
        assert server.next("left") == "kitchen"
        labels = [message.label for message in client.log if message.label != "ping"]
        assert labels[:5] == [
            "welcome",
            "subscribe ChatChannel",
            "confirm_subscription ChatChannel",
            "message ChatChannel",
            "message ChatChannel",
        ]


@RAILS
def test_the_server_may_reject_a_subscription_and_a_user(url: str) -> None:
    with ipyws.connect(f"{url}?user=ada", dialect="actioncable") as client:
        with pytest.raises(errors.ReplyError, match="rejects the subscription to 'ChatChannel'"):
            client.subscribe("ChatChannel", {"room": "closed"})
        with pytest.raises(errors.InvalidError, match="which channel is not said"):
            client.emit("speak")
    with pytest.raises(errors.ConnectError, match="the server disconnects: 'unauthorized'"):
        ipyws.connect(f"{url}?user=nobody", dialect="actioncable")


@RAILS
def test_idle_it_lives_by_the_pings_of_the_server(url: str) -> None:
    dialect = {"name": "actioncable", "silence": "1s"}
    with ipyws.connect(f"{url}?user=ada", dialect=dialect, ping_interval=None) as client:
        pings = 8
        until(lambda: sum(message.label == "ping" for message in client.log) >= pings)
        assert client.state == "open"
        assert client.stats.duration > 1
        assert client.log[-1].read().heartbeat


@RAILS
def test_subscriptions_come_back_when_the_server_asks_to_and_when_it_restarts() -> None:
    with rails() as first:
        port = first.port
        client = ipyws.connect(
            f"ws://127.0.0.1:{port}/cable?user=ada", dialect="actioncable", reconnect=RECONNECT
        )
        kitchen = client.subscribe("ChatChannel", {"room": "kitchen"})
        client.emit("leave")
        _speak(client, "one", 2)
        assert kitchen.receive("10s").value == {"text": "one"}
    with rails(port), client:
        _speak(client, "two", 3)
        assert kitchen.receive("10s").value == {"text": "two"}


def _speak(client: ipyws.Client, text: str, confirmed: int) -> None:
    """Speak once the subscription was confirmed so many times: commands may overtake each other in Rails."""
    confirmation = "confirm_subscription ChatChannel"
    until(lambda: sum(message.label == confirmation for message in client.log) == confirmed)
    client.emit("speak", {"text": text})


@pytest.mark.parametrize(
    ("payload", "label", "value"),
    [
        ({"type": "ping", "message": 17}, "ping", 17),
        ({"identifier": '{"channel": "X"}', "message": {"a": 1}}, "message X", {"a": 1}),
        ({"command": "message", "identifier": '{"channel": "X"}', "data": '{"a": 1}'}, "message X", {"a": 1}),
        (
            {"type": "disconnect", "reason": "r", "reconnect": 0},
            "disconnect",
            {"reason": "r", "reconnect": 0},
        ),
        ({"identifier": 3, "message": None}, "message", None),
        ({"type": [], "identifier": "no JSON"}, "", None),
    ],
)
def test_rows_name_messages(payload: Any, label: str, value: Any) -> None:
    decoded = find_codec("codec", "actioncable").read(json.dumps(payload))
    assert (decoded.label, decoded.value) == (label, value)


@pytest.mark.parametrize(
    "said", ["", "3", "[]", "{}", '{"type": {}}', '{"identifier": []}', '{"message": 1}']
)
def test_no_message_of_a_server_raises(said: str) -> None:
    session = ActionCableSession(None)
    session.subscribe(1, "X", [], {})
    assert list(session.receive(said)) == []


def test_a_disconnection_says_whether_to_come_back() -> None:
    (broken,) = ActionCableSession(None).receive(
        '{"type": "disconnect", "reason": "server_restart", "reconnect": true}'
    )
    assert isinstance(broken, Broken)
    assert broken.error.retryable
    assert "'server_restart'" in str(broken.error)


def test_what_a_channel_does_not_take_is_refused() -> None:
    session = ActionCableSession(None)
    session.subscribe(1, "X", [{"a": 1}], {})
    session.subscribe(2, "Y", [], {})
    with pytest.raises(errors.InvalidError, match="subscribed to already"):
        session.subscribe(3, "X", [{"a": 1}], {})
    with pytest.raises(errors.InvalidError, match="one argument, a mapping"):
        session.subscribe(3, "Z", ["a"], {})
    with pytest.raises(errors.InvalidError, match="which channel is not said"):
        session.emit("speak", [], {"channel": None})
    (sent,) = session.emit("speak", [{"text": "x"}], {"channel": "Y"})
    assert json.loads(json.loads(sent)["data"]) == {"text": "x", "action": "speak"}
    assert json.loads(json.loads(sent)["identifier"]) == {"channel": "Y"}
