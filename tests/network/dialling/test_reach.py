"""Addresses that do not answer: the next is tried soon (RFC 8305), for servers and for proxies."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws import errors
from tests.support.network import blackhole
from tests.support.policy import LOOPBACK, Place, Resolver, dialling, place
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import Raw, Site, dead_port, raw_server, server
from tests.support.tls import Authority

NAME = "chat.example.com"
PROXY = "proxy.example.com"
DEAD = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
ALLOWED = '[policy]\nproxy = "allow"\naddresses = {allow = ["loopback"]}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        made.machine(ALLOWED)
        yield made


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


def echoes(client: ipyws.Client) -> bool:
    client.send("hello")
    return client.recv("5s").data == "hello"


def least_time(url: str, **options: object) -> float:
    """Return the seconds that it takes to connect, the least of some: others use this machine too."""
    best = 60.0
    for _ in range(5):
        started = time.monotonic()
        with ipyws.connect(url, **options) as client:  # type: ignore[arg-type]
            best = min(best, time.monotonic() - started)
            assert echoes(client)
        if best <= 0.3:
            break
    return best


def test_a_dead_first_address_costs_a_quarter_of_a_second(site: Site, resolver: Resolver) -> None:
    resolver.says(NAME, DEAD[0], "127.0.0.1")
    with blackhole(DEAD[0], port=site.port):
        assert 0.2 <= least_time(f"ws://{NAME}:{site.port}/") <= 0.3


def test_four_dead_addresses_leave_the_fifth_its_chance(site: Site, resolver: Resolver) -> None:
    resolver.says(NAME, *DEAD, "127.0.0.1")
    url = f"ws://{NAME}:{site.port}/"
    with (
        blackhole(*DEAD, port=site.port),
        dialling() as dialled,
        ipyws.connect(url, dial_timeout="5s") as client,
    ):
        assert echoes(client)
        assert client.response is not None
        assert client.response.peer_address == ("127.0.0.1", site.port)
    assert [address for address in dialled if address[0] != "127.0.0.1"] == [(it, site.port) for it in DEAD]


def test_dead_addresses_alone_end_with_the_dial_timeout_and_all_were_tried(resolver: Resolver) -> None:
    resolver.says(NAME, *DEAD)
    with blackhole(*DEAD) as port, dialling() as dialled, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}:{port}/", dial_timeout="1.5s")
    assert (caught.value.details["phase"], caught.value.retryable) == ("tcp", True)
    assert caught.value.details["addresses"] == list(DEAD)
    assert {address for address, _ in dialled} >= set(DEAD)


def test_an_address_that_refuses_is_told_from_one_that_is_silent_and_both_are_in_the_details(
    resolver: Resolver,
) -> None:
    resolver.says(NAME, "127.0.0.2", "::1", "127.0.0.3")
    with dead_port() as port, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}:{port}/")
    assert f"{NAME}:{port} refused the connection" in caught.value.message
    assert set(caught.value.details["failures"]) == {"127.0.0.2", "::1", "127.0.0.3"}


def test_one_denied_address_among_many_keeps_all_from_being_dialled(here: Place, resolver: Resolver) -> None:
    resolver.says(NAME, *DEAD, "10.0.0.1")
    with dialling() as dialled, pytest.raises(errors.PermissionDeniedError):
        ipyws.connect(f"ws://{NAME}/")
    assert dialled == []


def test_of_several_that_answer_one_connection_is_made_and_the_others_are_left(
    site: Site, resolver: Resolver
) -> None:
    resolver.says(NAME, "127.0.0.1", "127.0.0.2")
    with dialling() as dialled, ipyws.connect(f"ws://{NAME}:{site.port}/") as client:
        assert echoes(client)
    assert dialled == [("127.0.0.1", site.port)]


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_dead_first_address_of_a_proxy_costs_a_quarter_of_a_second(
    site: Site, resolver: Resolver, scheme: str
) -> None:
    resolver.says(PROXY, DEAD[0], "127.0.0.1")
    resolver.says(NAME, "8.8.8.8")
    made = connect_proxy(site) if scheme == "http" else socks5_proxy(site)
    with made as proxy, blackhole(DEAD[0], port=proxy.port):
        assert least_time(f"ws://{NAME}/", proxy=f"{scheme}://{PROXY}:{proxy.port}") <= 0.3


def test_a_dead_first_address_of_a_proxy_with_tls_costs_a_quarter_of_a_second(
    site: Site, resolver: Resolver, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    resolver.says(PROXY, DEAD[0], "127.0.0.1")
    with connect_proxy(site, tls=authority.server(PROXY, "127.0.0.1")) as proxy:
        direct = least_time(f"ws://{NAME}/", proxy=f"https://127.0.0.1:{proxy.port}", ca=authority.ca)
        with blackhole(DEAD[0], port=proxy.port):
            by_name = least_time(f"ws://{NAME}/", proxy=f"https://{PROXY}:{proxy.port}", ca=authority.ca)
    assert by_name - direct <= 0.35


@contextlib.contextmanager
def picky_socks(site: Site, silent: tuple[str, ...], reply: int | None = None) -> Iterator[Site]:
    """A SOCKS proxy that reaches all addresses but some: for these it says nothing, or a reply code."""

    async def judge(peer: Raw, host: str) -> bool:
        if host not in silent:
            return True
        if reply is None:
            await peer.forever()
        await peer.write(bytes([5, reply or 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        return False

    with socks5_proxy(site, judge=judge) as proxy:
        yield proxy


@pytest.mark.parametrize("reply", [None, 4, 5], ids=["silent", "unreachable", "refused"])
def test_socks_that_gets_addresses_gets_the_next_where_the_first_is_dead(
    site: Site, resolver: Resolver, reply: int | None
) -> None:
    resolver.says(NAME, "8.8.4.4", "8.8.8.8")
    with picky_socks(site, ("8.8.4.4",), reply) as proxy:
        assert least_time(f"ws://{NAME}/", proxy=f"socks5://127.0.0.1:{proxy.port}") <= 0.3
        assert [proxy.next(), proxy.next()] == ["8.8.4.4:80", "8.8.8.8:80"]


def test_socks_that_reaches_none_of_the_addresses_says_what_the_proxy_said(
    site: Site, resolver: Resolver
) -> None:
    resolver.says(NAME, "8.8.4.4", "8.8.8.8")
    with picky_socks(site, ("8.8.4.4", "8.8.8.8"), 5) as proxy, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}/", proxy=f"socks5://127.0.0.1:{proxy.port}")
    assert (caught.value.details["reply"], caught.value.retryable) == (5, True)
    assert set(caught.value.details["failures"]) == {"8.8.4.4", "8.8.8.8"}


# -- the policy is asked again ----------------------------------------------------------------


@contextlib.contextmanager
def narrowing(here: Place, text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the policy changed as soon as a connection is made, before anything is sent on it."""
    from ipyws.network.dialling import reach

    real = reach.connect_tcp

    async def connect_tcp(*arguments: object) -> object:
        sock = await real(*arguments)  # type: ignore[arg-type]
        await asyncio.sleep(0)  # others have their turn, one of which narrows it
        here.machine(text)
        return sock

    monkeypatch.setattr(reach, "connect_tcp", connect_tcp)
    yield
    monkeypatch.setattr(reach, "connect_tcp", real)


@pytest.mark.parametrize(
    "then",
    [
        '[policy]\nconnect = "deny"',
        "[policy]\n",
        LOOPBACK + '[[policy.rules]]\neffect = "deny"\nurl = "ws://chat.example.com:*"',
        '[policy]\naddresses = {allow = ["loopback"], deny = ["127.0.0.1/32"]}',
        "[policy]\nbroken",
    ],
)
def test_a_policy_that_is_narrowed_while_the_name_is_resolved_stops_the_dial(
    here: Place, resolver: Resolver, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    resolver.says(NAME, "127.0.0.1")

    async def note(peer: Raw) -> None:
        peer.site.seen.put(await peer.rest())

    with raw_server(note) as site, narrowing(here, then, monkeypatch):
        with pytest.raises((errors.PermissionDeniedError, errors.InvalidError)):
            ipyws.connect(f"ws://{NAME}:{site.port}/")
        assert site.next() == b""


@pytest.mark.parametrize("then", [LOOPBACK, '[policy]\nproxy = "allow"', '[policy]\nconnect = "deny"'])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_policy_that_is_narrowed_meanwhile_keeps_a_proxy_from_being_asked(
    here: Place, resolver: Resolver, monkeypatch: pytest.MonkeyPatch, scheme: str, then: str
) -> None:
    resolver.says(NAME, "8.8.8.8", "8.8.4.4")

    async def note(peer: Raw) -> None:
        peer.site.seen.put(await peer.rest())

    with raw_server(note) as proxy, narrowing(here, then, monkeypatch):
        with pytest.raises(errors.PermissionDeniedError):
            ipyws.connect(f"ws://{NAME}/", proxy=f"{scheme}://127.0.0.1:{proxy.port}")
        assert proxy.next() == b""


def test_a_policy_that_is_narrowed_during_tls_keeps_the_request_from_being_sent(
    here: Place, resolver: Resolver, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    context = authority.server(NAME)
    context.sni_callback = lambda *_: here.machine('[policy]\nconnect = "deny"') and None
    resolver.says(NAME, "127.0.0.1")

    async def note(peer: Raw) -> None:
        if data := await peer.reader.read(1):
            peer.site.seen.put(data)

    with raw_server(note, tls=context) as site, pytest.raises(errors.PermissionDeniedError):
        ipyws.connect(f"wss://{NAME}:{site.port}/", ca=authority.ca)
    assert site.seen.empty()


def test_a_smaller_max_message_that_comes_meanwhile_holds(
    here: Place, site: Site, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver.says(NAME, "127.0.0.1")
    then = ALLOWED.replace("[policy]", "[policy]\nmax_message = 10")
    with narrowing(here, then, monkeypatch), ipyws.connect(f"ws://{NAME}:{site.port}/") as client:
        with pytest.raises(errors.PermissionDeniedError):
            client.send("more than ten bytes")
        assert echoes(client)
