"""What a dial asks the policy: each question once, and all again where the policy changes meanwhile."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyws import errors
from ipyws.config import current
from ipyws.core.options.table import check_options
from ipyws.network.dialling import reach
from ipyws.network.dialling.permission import Permission
from ipyws.policy.policy import Policy
from ipyws.policy.url import parse
from ipyws.runtime.factory import new_client
from tests.core.connection.test_client import run
from tests.network.dialling.test_dial_unix import listening_at
from tests.support.policy import Place, Resolver, dialling, place
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import Raw, Site, http, raw_server, server

NAME, OTHER, PROXY = "prices.example.com", "other.example.com", "proxy.example.com"
QUESTIONS = ("decide", "decide_address", "decide_socket", "decide_proxy", "decide_proxy_address")

Asked = list[tuple[str, ...]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    names = Resolver(monkeypatch)
    for name in (NAME, OTHER, PROXY):
        names.says(name, "127.0.0.1", "127.0.0.2")
    return names


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The questions that policies are asked, in order."""
    questions: Asked = []

    def note(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def ask(policy: Policy, *about: Any) -> Any:
            texts = (str(part) for part in about if name == "decide" or isinstance(part, str))
            questions.append((name, *texts))
            return real(policy, *about)

        return ask

    for name in QUESTIONS:
        monkeypatch.setattr(Policy, name, note(name, getattr(Policy, name)))
    return questions


def dial(url: str, **options: Any) -> None:
    """Dial only: what `ipyws.connect` asks before it begins is not asked."""

    async def scenario() -> None:
        await (await new_client(parse(url), check_options({"proxy": None, **options})).open()).close()

    run(scenario())


def at(name: str, site: Site, path: str = "/") -> str:
    return f"ws://{name}:{port(site)}{path}"


def port(site: Site) -> str:
    return site.url.rpartition(":")[2].rstrip("/")


ADDRESSES = [("decide_address", "127.0.0.1"), ("decide_address", "127.0.0.2")]
PROXY_ADDRESSES = [("decide_proxy_address", "127.0.0.1"), ("decide_proxy_address", "127.0.0.2")]


def test_a_dial_asks_about_its_url_and_about_each_address_once(site: Site, asked: Asked) -> None:
    dial(at(NAME, site))
    assert asked == [("decide", at(NAME, site)), *ADDRESSES]


def test_where_connect_to_leads_is_asked_about_once(site: Site, asked: Asked) -> None:
    dial(at(NAME, site), connect_to=f"{OTHER}:{port(site)}")
    assert asked == [("decide", at(NAME, site)), ("decide", at(OTHER, site)), *ADDRESSES]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_and_its_addresses_are_asked_about_once(scheme: str, site: Site, asked: Asked) -> None:
    with connect_proxy(site) if scheme == "http" else socks5_proxy(site) as proxy:
        dial(at(NAME, site), proxy=f"{scheme}://{PROXY}:{port(proxy)}")
    ours = ADDRESSES if scheme == "socks5" else []
    assert asked == [("decide", at(NAME, site)), ("decide_proxy",), *ours, *PROXY_ADDRESSES]


@pytest.mark.skipif(os.name == "nt", reason="has no such sockets")
def test_a_unix_socket_and_what_it_links_to_are_asked_about_once(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with listening_at(tmp_path / "real"):
        dial(f"ws+unix:{tmp_path}/link")
    assert asked == [("decide", f"ws+unix:{tmp_path}/link:/"), ("decide_socket", f"{tmp_path}/real")]


def test_each_hop_of_a_redirect_is_asked_about_once(site: Site, asked: Asked) -> None:
    async def redirect(peer: Raw) -> None:
        await peer.read_request()
        await peer.write(http("302 Found", f"Location: {at(OTHER, site)}"))

    with raw_server(redirect) as first:
        dial(at(NAME, first), follow_redirects=True)
        hops = at(NAME, first), at(OTHER, site)
    assert asked == [("decide", hops[0]), *ADDRESSES, ("decide", hops[1]), *ADDRESSES]


# An address of this machine is connected to, and asked for the upgrade, without a wait.
@pytest.mark.parametrize(("host", "looks"), [("127.0.0.1", 1), (NAME, 3)])
def test_a_dial_looks_at_the_files_once_before_it_waits_and_once_after_each_wait(
    host: str, looks: int, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    real = current.look
    monkeypatch.setattr(current, "look", lambda here: seen.append(here) or real(here))
    dial(at(host, site))
    assert len(seen) == looks


def test_the_files_are_looked_at_again_where_connecting_takes_a_turn_of_the_loop(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect_tcp(*about: Any) -> Any:
        await asyncio.sleep(0)
        return await real_connect(*about)

    seen: list[object] = []
    real_connect, real = reach.connect_tcp, current.look
    monkeypatch.setattr(reach, "connect_tcp", connect_tcp)
    monkeypatch.setattr(current, "look", lambda here: seen.append(here) or real(here))
    dial(at("127.0.0.1", site))
    assert len(seen) == 2


def test_a_policy_that_denied_one_question_is_asked_all_of_them_at_the_next(here: Place) -> None:
    async def scenario() -> None:
        url = parse("ws://127.0.0.1:1/")
        permission = Permission(url, check_options({"proxy": None}))
        permission.begin()
        here.machine('[policy]\nconnect = "deny"\n')
        await asyncio.sleep(0)
        for _ in range(2):  # the second time without a wait: what denied it holds
            with pytest.raises(errors.PermissionDeniedError):
                permission.ask_again()

    run(scenario())


def test_what_was_denied_is_asked_again_although_the_policy_is_the_same() -> None:
    async def scenario() -> None:
        permission = Permission(parse("ws://prices.example.com/"), check_options({"proxy": None}))
        permission.begin()
        with pytest.raises(errors.PermissionDeniedError):
            permission.lead_to([(socket.AF_INET, ("169.254.169.254", 80))])
        for _ in range(2):
            with pytest.raises(errors.PermissionDeniedError):
                permission.ask_again()

    run(scenario())


def test_a_policy_that_is_narrowed_while_it_connects_keeps_the_request_from_being_sent(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect_tcp(*about: Any) -> Any:
        sock = await real(*about)
        await asyncio.sleep(0)  # others have their turn, one of which narrows it
        here.machine('[policy]\nconnect = "deny"\n')
        return sock

    requests: list[bytes] = []

    async def listen(peer: Raw) -> None:
        requests.append(await peer.read_request())

    real = reach.connect_tcp
    monkeypatch.setattr(reach, "connect_tcp", connect_tcp)
    with raw_server(listen) as first, pytest.raises(errors.PermissionDeniedError):
        dial(at("127.0.0.1", first))
    assert [request for request in requests if request] == []


def test_everything_is_asked_again_once_the_policy_is_another(
    site: Site, asked: Asked, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int) -> Any:
        here.machine('[policy]\naddresses = {allow = ["loopback"]}\n')
        return await real(host, port)

    real = reach.resolve
    monkeypatch.setattr(reach, "resolve", resolve)
    dial(at(NAME, site))
    assert asked == [("decide", at(NAME, site)), ("decide", at(NAME, site)), *ADDRESSES]


def test_a_policy_that_is_narrowed_while_a_name_is_resolved_keeps_it_from_being_dialled(
    site: Site, asked: Asked, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int) -> Any:
        here.machine(f'[policy]\nrules = [{{effect = "deny", url = "ws://{NAME}:*"}}]\n')
        return await real(host, port)

    real = reach.resolve
    monkeypatch.setattr(reach, "resolve", resolve)
    with dialling() as dialled, pytest.raises(errors.PermissionDeniedError, match="the policy denies"):
        dial(at(NAME, site))
    assert dialled == []
    assert asked == [("decide", at(NAME, site)), ("decide", at(NAME, site))]
