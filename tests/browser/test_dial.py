"""Connections that the browser carries: what it can't do is refused before anything is dialled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipyws.browser.capabilities import LACKS, check_capabilities, lacks_of_page
from ipyws.core.options.table import check_options
from ipyws.errors import ClosedError, ConnectError, InvalidError, PermissionDeniedError
from ipyws.policy.url import parse
from ipyws.runtime.client import Client
from ipyws.runtime.registry import Registry
from tests.support.page import ThreadedPort, page
from tests.support.policy import Place, place
from tests.support.servers import dead_port, server

TOKEN = "in the URL, in a subprotocol or in the first message"


@pytest.fixture
def here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def world() -> Iterator[tuple[Registry, ThreadedPort]]:
    with page() as found:
        yield found


def connect(registry: Registry, url: str, **options: Any) -> Client:
    return registry.connect(parse(url), check_options(options))


World = tuple[Registry, ThreadedPort]


async def echo(connection: Any) -> None:
    async for message in connection:
        if message == "close":
            await connection.close(4001, "as asked")
        elif message == "large":
            await connection.send("x" * 100_000)
        else:
            await connection.send(message)


def test_the_browser_carries_text_and_binary_and_times_are_those_of_arrival(
    here: Place, world: World
) -> None:
    registry, port = world
    with server(echo, subprotocols=["chat.v2"]) as there:
        client = connect(registry, there.url, protocols=["chat.v1", "chat.v2"])
        assert client.subprotocol == "chat.v2"
        client.send("hello")
        client.send(b"\x00\xff")
        came = [client.recv("5s") for _ in range(2)]
        assert [message.data for message in came] == ["hello", b"\x00\xff"]
        closed = client.close(4000, "done")
    assert (closed.code, closed.reason, closed.initiator, closed.clean) == (4000, "done", "us", True)
    assert [order["op"] for order in port.orders] == ["open", "send", "send", "close"]


def test_a_message_has_the_time_at_which_it_came_not_that_at_which_it_was_read(world: World) -> None:
    registry, port = world
    with server(echo) as there:
        client = connect(registry, there.url)
        number = port.orders[0]["id"]
        port.put_at(number, "early", 1_000_000.0)
        assert client.recv("5s").time == 1_000_000.0


def test_the_servers_close_is_told(world: World) -> None:
    registry, _ = world
    with server(echo) as there:
        client = connect(registry, there.url)
        client.send("close")
        with pytest.raises(ClosedError):
            client.recv("5s")
        assert client.closed is not None
        assert (client.closed.code, client.closed.reason, client.closed.initiator) == (
            4001,
            "as asked",
            "peer",
        )


def test_a_code_that_no_page_may_send_becomes_none(world: World) -> None:
    registry, port = world
    with server(echo) as there:
        connect(registry, there.url).close(1001, "away")
    assert port.orders[-1] == {"op": "close", "id": 1, "code": 0, "reason": ""}


def test_a_message_over_the_limit_closes_the_connection(world: World) -> None:
    registry, _ = world
    with server(echo) as there:
        client = connect(registry, there.url, read_limit=1000)
        client.send("large")
        with pytest.raises(ClosedError):
            client.recv("5s")
        assert client.closed is not None
        assert client.closed.code == 4009
        assert "read_limit is 1000" in client.closed.describe()


def test_who_is_not_reached_says_that_a_browser_does_not_say_why(world: World) -> None:
    with dead_port() as number, pytest.raises(ConnectError, match="the browser could not connect"):
        connect(world[0], f"ws://127.0.0.1:{number}/")


def test_there_is_no_ping_and_no_keepalive(world: World) -> None:
    registry, port = world
    with server(echo) as there:
        client = connect(registry, there.url)
        with pytest.raises(InvalidError, match="a browser sends no pings"):
            client.ping()
    assert {order["op"] for order in port.orders} == {"open"}


# One value for each option that a browser can't honour; compared with the table below.
CANNOT: dict[str, Any] = {
    "headers": {"X-Token": "abc"},
    "origin": "https://example.org",
    "auth": ("me", "secret"),
    "sign": lambda request: {},
    "cookies": {"a": "b"},
    "insecure": True,
    "server_hostname": "example.org",
    "follow_redirects": True,
    "strict": True,
    "proxy": "http://127.0.0.1:1",
    "connect_to": "127.0.0.1:1",
    "compression": 1,
    "compression_threshold": 100,
    "text_errors": "replace",
    "ping_interval": "5s",
    "ping_timeout": "5s",
    "keepalive": "pong",
    "wire": True,
}


@pytest.mark.parametrize("name", sorted(CANNOT))
def test_what_a_browser_cannot_do_is_refused_before_anything_is_dialled(name: str, world: World) -> None:
    registry, port = world
    with pytest.raises(InvalidError, match=f"{name} can't be set here: a browser") as raised:
        connect(registry, "wss://example.org/", **{name: CANNOT[name]})
    assert raised.value.hint
    assert port.orders == []


def test_each_option_that_is_refused_was_tried(tmp_path: Any) -> None:
    assert set(LACKS) == {*CANNOT, "ca", "cert", "key"}  # these three are files, and refused alike


@pytest.mark.parametrize("name", ["ping_interval", "ping_timeout", "proxy"])
def test_what_asks_for_nothing_is_taken(name: str) -> None:
    check_capabilities(check_options({name: None}))


def test_a_unix_socket_is_refused(world: World) -> None:
    with pytest.raises(InvalidError, match="no Unix sockets"):
        connect(world[0], "ws+unix:/tmp/x.sock:")


def test_a_rule_for_urls_holds(here: Place, world: World) -> None:
    here.project(
        '[policy]\ndefault = "deny"\n[[policy.rules]]\neffect = "allow"\nurl = "ws://127.0.0.1:1/*"\n'
    )
    with pytest.raises(PermissionDeniedError, match=r"denies ws://127\.0\.0\.1:2/"):
        connect(world[0], "ws://127.0.0.1:2/")
    assert world[1].orders == []


def test_an_address_that_is_written_out_is_judged(here: Place, world: World) -> None:
    with pytest.raises(PermissionDeniedError, match="metadata"):
        connect(world[0], "ws://169.254.169.254/")
    assert world[1].orders == []


def test_a_policy_by_address_refuses_names(here: Place, world: World) -> None:
    here.project('[policy.addresses]\ndeny = ["private"]\n')
    with pytest.raises(PermissionDeniedError, match="a browser shows no addresses") as raised:
        connect(world[0], "wss://example.org/")
    assert "rule" in raised.value.hint
    assert world[1].orders == []


@pytest.mark.parametrize(
    ("isolated", "suspends", "folder", "told"),
    [
        (True, True, True, ""),
        (True, False, True, ""),
        (False, True, True, "not cross-origin isolated: nothing comes in while Python computes"),
        (False, False, True, "to wait for a server elsewhere takes await"),
        (False, True, False, "the notebook's folder, with its ipyws.toml, can't be read"),
    ],
)
def test_what_a_page_lacks_is_told(isolated: bool, suspends: bool, folder: bool, told: str) -> None:
    said = lacks_of_page(isolated=isolated, suspends=suspends, folder=folder)
    assert told in said
    assert bool(said) == bool(told)
