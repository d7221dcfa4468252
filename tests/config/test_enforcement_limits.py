"""Limits of a policy: certificates, how many connections, how large messages; and a policy that changes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.api import open_client
from ipyws.network.dialling import dial
from tests.support.policy import LOOPBACK, Place, broken, denial, dialling, listening, place, untouched
from tests.support.servers import (
    TEXT,
    Raw,
    Site,
    close_frame,
    dead_port,
    frame,
    http,
    raw_server,
    server,
    until,
)
from tests.support.tls import Authority
from tests.support.witness import witness


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def policy(*lines: str) -> str:
    return "\n".join(("[policy]", 'addresses = {allow = ["loopback"]}', *lines))


def echoes(client: ipyws.Client, data: str | bytes = "hello") -> bool:
    client.send(data)
    return client.recv("5s").data == data


# -- certificates -----------------------------------------------------------------------------


def test_unchecked_certificate_needs_leave(here: Place, authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        path = here.machine(policy('insecure_tls = "deny"'))
        with dialling() as dialled:
            error = denial(site.url, insecure=True)
        assert dialled == []
        assert "the policy denies insecure=True: " in error.message
        assert f"{path}, line 3" in error.hint
        here.machine(policy())
        assert 'insecure_tls = "allow"' in denial(site.url, insecure=True).message
        here.machine(policy('insecure_tls = "allow"'))
        with ipyws.connect(site.url, insecure=True) as client:
            assert echoes(client)


def test_certificate_that_is_checked_needs_no_leave(here: Place, authority: Authority) -> None:
    here.machine(policy())
    with server(ssl=authority.server()) as site:
        with ipyws.connect(site.url, ca=authority.ca) as client:
            assert echoes(client)
        with pytest.raises(errors.ConnectError):
            ipyws.connect(site.url)


def test_one_layer_that_wants_certificates_checked_is_enough(here: Place, authority: Authority) -> None:
    here.machine(policy('insecure_tls = "allow"'))
    path = here.project(policy())
    with server(ssl=authority.server()) as site:
        assert str(path) in denial(site.url, insecure=True).hint


# -- how many connections ---------------------------------------------------------------------


def test_one_connection_too_many_is_refused_before_anything_is_dialled(here: Place, site: Site) -> None:
    path = here.machine(policy("max_connections = 2"))
    ipyws.connect(site.url)
    with ipyws.connect(site.url):
        with listening("127.0.0.1") as (port, (sock,)):
            error = denial(f"ws://127.0.0.1:{port}/")
            assert untouched(sock)
        assert "max_connections is 2" in error.message
        assert f"{path}, line 3" in error.hint
        assert error.details["action"] == "websocket.connect"
    ipyws.connect(site.url).close()


def test_connections_of_coroutines_and_of_synchronous_code_count_together(here: Place, site: Site) -> None:
    here.machine(policy("max_connections = 1"))

    async def refused() -> bool:
        with pytest.raises(errors.PermissionDeniedError):
            await ipyws.connect_async(site.url)
        return True

    async def alone() -> None:
        async with ipyws.connect_async(site.url):
            assert await refused()
            await asyncio.to_thread(denial, site.url)

    with ipyws.connect(site.url):
        assert asyncio.run(refused())
    asyncio.run(alone())
    ipyws.connect(site.url).close()


async def _refuse(peer: Raw) -> None:
    await peer.read_request()
    await peer.write(http("403 No"))


async def _drop(peer: Raw) -> None:
    await peer.read_request()


async def _leave(peer: Raw) -> None:
    await peer.upgrade()


async def _close(peer: Raw) -> None:
    await peer.upgrade(then=close_frame(1000))
    await peer.read_frame()


async def _break(peer: Raw) -> None:
    await peer.upgrade(then=b"\xff\xff")
    await peer.read_frame()


async def _reset(peer: Raw) -> None:
    await peer.upgrade()
    peer.reset()


# With TLS one read brings the 101 and close_notify: the connection is lost before the dial is done.
@pytest.mark.parametrize("handler", [_refuse, _drop, _leave, _close, _break, _reset])
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_a_connection_that_the_server_ends_gives_its_place_back(
    here: Place, authority: Authority, handler: Callable[[Raw], Any], secure: bool
) -> None:
    here.machine(policy("max_connections = 1"))
    options = {"ca": authority.ca} if secure else {}
    with raw_server(handler, tls=authority.server() if secure else None) as ending:
        for _ in range(5):
            with contextlib.suppress(errors.ConnectError):
                client = ipyws.connect(ending.url, **options)
                until(lambda client=client: client.closed is not None)
    with server() as site:
        ipyws.connect(site.url).close()


def test_dials_that_fail_give_their_place_back(here: Place, site: Site, tmp_path: Path) -> None:
    here.machine(policy("max_connections = 1"))
    with dead_port() as port, listening("127.0.0.1") as (silent, _):
        for url in (f"ws://127.0.0.1:{port}/", f"ws://127.0.0.1:{silent}/", f"wss://127.0.0.1:{site.port}/"):
            with pytest.raises(errors.ConnectError):
                ipyws.connect(url, dial_timeout="200ms")
    here.machine(
        policy("max_connections = 1", "[[policy.rules]]", 'effect = "deny"', 'url = "ws://127.0.0.1:*/x"')
    )
    denial(site.url + "/x")
    for options in ({"nonsense": 1}, {"proxy": "ftp://h"}, {"read_limit": -1}):
        with pytest.raises(errors.InvalidError):
            ipyws.connect(site.url, **options)
    ipyws.connect(site.url).close()


def test_dial_that_is_cancelled_gives_its_place_back(here: Place, site: Site) -> None:
    here.machine(policy("max_connections = 1"))

    async def give_up(port: int) -> None:
        dialling = asyncio.ensure_future(_awaited(f"ws://127.0.0.1:{port}/"))
        while not dial.SLOTS._taken:
            await asyncio.sleep(0)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling

    with listening("127.0.0.1") as (port, _):
        asyncio.run(give_up(port))
    ipyws.connect(site.url).close()


async def _awaited(url: str) -> Any:
    return await ipyws.connect_async(url)


def test_connection_whose_loop_ended_gives_its_place_back(here: Place, site: Site) -> None:
    here.machine(policy("max_connections = 1"))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # of a transport that nobody closed: the user's fault
        asyncio.run(_open_and_forget(site.url))
        gc.collect()
    ipyws.connect(site.url).close()


async def _open_and_forget(url: str) -> None:
    await ipyws.connect_async(url)


def test_connections_that_are_redirected_count_once(here: Place) -> None:
    here.machine(policy("max_connections = 1"))

    async def handler(peer: Raw) -> None:
        path = (await peer.read_request()).split()[1]
        if path == "/end":
            await peer.upgrade()
            await peer.read_frame()
        else:
            await peer.write(http("302 There", f"Location: {'/end' if path == '/b' else '/b'}"))

    with raw_server(handler) as site:
        with ipyws.connect(site.url + "/a", follow_redirects=True):
            denial(site.url + "/end")
        ipyws.connect(site.url + "/a", follow_redirects=True).close()


def test_connection_of_the_same_name_is_replaced_at_the_limit(here: Place) -> None:
    here.machine(policy("max_connections = 1"))
    with witness() as seen:
        for _ in range(3):
            ipyws.connect(seen.url, name="prices")
        for _ in range(3):
            open_client(seen.url, {"name": "prices"}, replacing=True)
        denial(seen.url, name="other")
        assert seen.wait(lambda seen: len(seen.requests) == 6)
        assert seen.most <= 2
        ipyws.connections()["prices"].close()


def test_of_many_threads_only_as_many_get_through_as_may(here: Place, site: Site) -> None:
    here.machine(policy("max_connections = 3"))
    outcomes: list[object] = []

    def connect() -> None:
        try:
            outcomes.append(ipyws.connect(site.url))
        except errors.PermissionDeniedError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(isinstance(outcome, ipyws.Client) for outcome in outcomes) == 3
    assert len(outcomes) == 8


# -- how large messages -----------------------------------------------------------------------


@pytest.mark.parametrize("data", ["x" * 1000, b"\0" * 1000, "é" * 500, {"a": "x" * 992}])
def test_message_at_the_limit_goes_both_ways(here: Place, site: Site, data: Any) -> None:
    here.machine(policy("max_message = 1000"))
    with ipyws.connect(site.url) as client:
        client.send(data)
        assert client.recv("5s").size == 1000


@pytest.mark.parametrize("data", ["x" * 1001, b"\0" * 1001, "é" * 501, {"a": "x" * 993}])
def test_larger_message_is_refused_before_a_byte_is_sent(here: Place, data: Any) -> None:
    path = here.machine(policy("max_message = 1000"))
    with witness() as seen, ipyws.connect(seen.url) as client:
        with pytest.raises(errors.PermissionDeniedError) as caught:
            client.send(data)
        assert not caught.value.retryable
        assert " bytes: max_message is 1000 B" in caught.value.message
        assert caught.value.hint == f"the machine policy decides: {path}, line 3; nothing was sent"
        where = {"layer": "machine", "file": str(path), "line": 3}
        assert where.items() <= caught.value.details.items()
        assert client.stats.sent == 0
        assert echoes(client)
        assert seen.messages == ["hello"]


def test_larger_message_of_a_coroutine_is_refused_too(here: Place, site: Site) -> None:
    here.machine(policy('max_message = "1kB"'))

    async def send() -> None:
        async with ipyws.connect_async(site.url) as client:
            with pytest.raises(errors.PermissionDeniedError):
                await client.send("x" * 1025)
            await client.send("x" * 1024)

    asyncio.run(send())


def sending(payload: str | bytes, **settings: Any) -> Any:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(payload)
        await connection.wait_closed()

    return server(handler, **settings)


@pytest.mark.parametrize("payload", ["x" * 1001, b"\0" * 1001])
@pytest.mark.parametrize("compression", [0, 1, 2])
def test_larger_message_of_the_servers_ends_the_connection_with_1009(
    here: Place, payload: str | bytes, compression: int
) -> None:
    here.machine(policy("max_message = 1000"))
    with sending(payload) as site, ipyws.connect(site.url, compression=compression) as client:
        with pytest.raises(errors.ClosedError, match="max_message set the limit"):
            client.recv("5s")
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1009, "us")


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_message_of_the_servers_at_the_limit_passes(here: Place, compression: int) -> None:
    here.machine(policy("max_message = 1000"))
    with sending("x" * 1000) as site, ipyws.connect(site.url, compression=compression) as client:
        assert client.recv("5s").size == 1000


def test_fragments_count_together(here: Place) -> None:
    here.machine(policy("max_message = 1000"))

    async def handler(peer: Raw) -> None:
        await peer.upgrade(then=frame(TEXT, b"x" * 600, fin=False) + frame(0, b"x" * 401))
        assert (await peer.read_frame()).close_code == 1009

    with raw_server(handler) as site:
        client = ipyws.connect(site.url)
        with pytest.raises(errors.ClosedError):
            client.recv("5s")
        assert client.closed is not None
        assert client.closed.code == 1009


def test_a_larger_read_limit_is_refused_and_a_smaller_one_holds(here: Place) -> None:
    path = here.machine(policy("max_message = 1000"))
    with sending("x" * 501) as site:
        error = denial(site.url, read_limit=1001)
        assert "the policy denies read_limit=1001 B: max_message is 1000 B" in error.message
        assert f"{path}, line 3" in error.hint
        with ipyws.connect(site.url, read_limit=1000) as client:
            assert client.recv("5s").size == 501
        with ipyws.connect(site.url, read_limit=500) as client:
            with pytest.raises(errors.ClosedError):
                client.recv("5s")
            assert client.closed is not None
            assert client.closed.code == 1009


def test_a_limit_above_the_default_does_not_raise_it(here: Place) -> None:
    here.machine(policy('max_message = "100MB"'))
    with sending(b"\0" * ((16 << 20) + 1), compression=None) as site, ipyws.connect(site.url) as client:
        with pytest.raises(errors.ClosedError):
            client.recv("10s")
        assert client.closed is not None
        assert client.closed.code == 1009


# -- several layers ---------------------------------------------------------------------------


@pytest.mark.parametrize(("machine", "project"), [(1000, 100), (100, 1000)])
def test_smallest_limit_of_all_layers_holds(here: Place, site: Site, machine: int, project: int) -> None:
    here.machine(policy(f"max_message = {machine}", f"max_connections = {machine // 100}"))
    here.project(policy(f"max_message = {project}", f"max_connections = {project // 100}"))
    with ipyws.connect(site.url) as client:
        with pytest.raises(errors.PermissionDeniedError):
            client.send("x" * 101)
        assert echoes(client, "x" * 100)
        assert "max_connections is 1" in denial(site.url).message
    assert "max_message is 100 B" in denial(site.url, read_limit=101).message


def test_layer_that_says_nothing_of_a_limit_lifts_none(here: Place, site: Site) -> None:
    here.machine(policy("max_connections = 1"))
    here.project(policy())
    with ipyws.connect(site.url):
        denial(site.url)


# -- a policy that changes --------------------------------------------------------------------


def test_connections_live_on_under_a_narrower_policy_and_the_next_one_asks_again(
    here: Place, site: Site
) -> None:
    with ipyws.connect(site.url) as client:
        here.machine('[policy]\nconnect = "deny"')
        assert echoes(client)
        assert denial(site.url).details["action"] == "websocket.connect"
        here.machine('[policy]\ndefault = "deny"\naddresses = {allow = ["loopback"]}')
        assert denial(site.url).details["action"] == "websocket.connect.url"
        assert echoes(client)
        here.machine(LOOPBACK)
        with ipyws.connect(site.url) as another:
            assert echoes(another)


def test_policy_that_appears_holds_at_once_and_one_that_is_gone_no_longer(here: Place, site: Site) -> None:
    ipyws.connect(site.url).close()
    path = here.project('[policy]\nconnect = "deny"')
    denial(site.url)
    path.unlink()
    ipyws.connect(site.url).close()


def test_file_that_changes_without_growing_counts_at_once(here: Place, site: Site) -> None:
    texts = (
        "[policy]\nproxy='deny'\naddresses.allow=['loopback']",
        "[policy]\nproxy='deny'\naddresses.allow=['reserved']",
    )
    assert len(texts[0]) == len(texts[1])
    for _ in range(20):
        here.machine(texts[0])
        ipyws.connect(site.url).close()
        here.machine(texts[1])
        denial(site.url)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('[policy]\nconnect = "allow"\nmax_mesage = "1MB"', 3, "max_mesage"),
        ("[policy]\n\nmax_connections = 0", 3, "max_connections"),
        ('[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "wss://*"', 4, "url"),
        ("[policy]\n\n\nconnect = \n", 4, ""),
    ],
)
def test_broken_file_stops_the_next_connection_until_it_is_mended(
    here: Place, site: Site, text: str, line: int, key: str
) -> None:
    with ipyws.connect(site.url) as client:
        path = here.project(text)
        error = broken(site.url)
        assert str(path) in error.message
        assert f"line {line}" in error.message
        assert key in error.message
        assert echoes(client)
        with pytest.raises(errors.InvalidError):
            asyncio.run(_awaited(site.url))
        here.project(LOOPBACK)
        ipyws.connect(site.url).close()


@pytest.mark.parametrize(
    "text", [policy('connect = "deny"'), '[policy]\nconnect = "deny"\n', "[policy]\nbroken"]
)
def test_policy_that_is_narrowed_after_it_was_read_holds_for_a_plain_call_of_coroutines(
    text: str, here: Place, site: Site
) -> None:
    async def scenario() -> None:
        here.machine(policy())
        await (await ipyws.connect_async(site.url)).close()
        here.machine(text)
        with dialling() as dialled, pytest.raises((errors.PermissionDeniedError, errors.InvalidError)):
            await ipyws.connect_async(site.url)
        assert dialled == []

    asyncio.run(scenario())


def test_policy_that_is_widened_after_it_was_read_holds_for_a_plain_call_of_coroutines(
    here: Place, site: Site
) -> None:
    async def scenario() -> None:
        here.machine(policy('connect = "deny"'))
        with pytest.raises(errors.PermissionDeniedError):
            await ipyws.connect_async(site.url)
        here.machine(policy())
        await (await ipyws.connect_async(site.url)).close()

    asyncio.run(scenario())


def test_policy_is_asked_before_a_function_of_the_options_is_called(here: Place, site: Site) -> None:
    async def scenario() -> None:
        here.machine(policy())
        await (await ipyws.connect_async(site.url)).close()
        here.machine(policy('connect = "deny"'))
        called: list[int] = []
        with pytest.raises(errors.PermissionDeniedError):
            await ipyws.connect_async(site.url, headers=lambda: called.append(1) or {})
        assert called == []

    asyncio.run(scenario())
