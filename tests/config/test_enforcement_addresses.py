"""Names and the addresses they lead to: all are checked before one is dialled, and that one is dialled."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.policy import (
    LOOPBACK,
    Place,
    Resolver,
    broken,
    denial,
    dialling,
    listening,
    place,
    untouched,
)
from tests.support.servers import request_of, server
from tests.support.tls import Authority
from tests.support.witness import witness

NAME = "prices.example.com"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


def have_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not have_ipv6(), reason="there is no ::1 on this machine")


# -- what the name already decides ------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        '[policy]\nconnect = "deny"',
        '[policy]\ndefault = "deny"',
        '[policy]\n[[policy.rules]]\neffect = "deny"\nurl = "ws://*.example.com"',
        '[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "wss://prices.example.com"',
        '[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "ws://prices.example.com:8080"',
        '[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "ws://prices.example.com/other"',
    ],
)
def test_no_name_is_resolved_for_a_url_that_is_refused_by_its_name(
    here: Place, resolver: Resolver, policy: str
) -> None:
    here.machine(policy)
    with dialling() as dialled:
        error = denial(f"ws://{NAME}/stream", dial_timeout="2s")
    assert (resolver.queries, dialled) == ([], [])
    assert str(here.folder.parent / "machine.toml") in error.hint


@pytest.mark.parametrize("text", ["[policy", "[policy]\nconect = 1", "[polcy]", "\xff".encode("latin-1")])
def test_no_name_is_resolved_while_a_file_is_broken(
    here: Place, resolver: Resolver, text: str | bytes
) -> None:
    here.project(text)
    with dialling() as dialled:
        assert "ipyws.toml" in broken(f"ws://{NAME}/").message
    assert (resolver.queries, dialled) == ([], [])


@pytest.mark.parametrize("name", ["metadata.google.internal", "METADATA.goog.", "instance-data.ec2.internal"])
def test_no_name_of_a_metadata_service_is_resolved_though_there_is_no_policy(
    resolver: Resolver, name: str
) -> None:
    denial(f"ws://{name}/")
    assert resolver.queries == []


# -- what the addresses decide ----------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        ("127.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "8.8.8.8", "10.0.0.1"),
        ("127.0.0.1", "fd00::1"),
        ("127.0.0.1", "::ffff:10.0.0.1"),
        ("127.0.0.1", "64:ff9b::a00:1"),
        ("127.0.0.1", "2002:a00:1::"),
        ("127.0.0.1", "169.254.169.254"),
        ("127.0.0.1", "fe80::1%1"),
        ("127.0.0.1", "0.0.0.0"),
        ("127.0.0.1", "::"),
        ("127.0.0.1", "224.0.0.1"),
        ("::1", "100.64.0.1"),
    ],
)
def test_one_address_that_is_denied_keeps_all_from_being_dialled(
    here: Place, resolver: Resolver, answer: tuple[str, ...]
) -> None:
    here.machine(LOOPBACK)
    resolver.says(NAME, *answer)
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        error = denial(f"ws://{NAME}:{port}/", dial_timeout="2s")
        assert untouched(sock)
    assert dialled == []
    assert error.details["action"] == "websocket.connect.url"


@pytest.mark.parametrize(
    "answer", [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("127.0.0.1", "8.8.8.8"), ("::1", "2600::1")]
)
def test_a_public_name_never_implies_an_address_that_is_not_public(
    here: Place, resolver: Resolver, answer: tuple[str, ...]
) -> None:
    here.machine(f'[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "ws://{NAME}:*"')
    resolver.says(NAME, *answer)
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        error = denial(f"ws://{NAME}:{port}/", dial_timeout="2s")
        assert untouched(sock)
    assert dialled == []
    assert "addresses.allow" in error.message


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "::", "::ffff:0.0.0.0", "169.254.169.254", "169.254.1.1", "::ffff:169.254.169.254"),
        *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "fe80::1%1", "fd00:ec2::254", "168.63.129.16"),
        *("100.100.100.200", "224.0.0.1", "255.255.255.255", "192.0.0.192", "ff02::1"),
    ],
)
def test_name_that_leads_where_nothing_may_is_refused_without_any_policy(
    resolver: Resolver, address: str
) -> None:
    resolver.says(NAME, address)
    with dialling() as dialled:
        error = denial(f"ws://{NAME}/", dial_timeout="2s")
    assert dialled == []
    assert error.details["layer"] == "built in"


@pytest.mark.parametrize(
    "host",
    [
        *("0.0.0.0", "[::]", "[::ffff:0.0.0.0]", "169.254.169.254", "[::ffff:169.254.169.254]"),
        *("[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]"),
        *("255.255.255.255", "240.0.0.1", "[2002:a9fe:a9fe::]", "[::169.254.169.254]"),
    ],
)
def test_url_of_an_address_where_nothing_may_is_refused_without_any_policy(
    resolver: Resolver, host: str
) -> None:
    with dialling() as dialled:
        assert denial(f"ws://{host}/", dial_timeout="2s").details["layer"] == "built in"
    assert (resolver.queries, dialled) == ([], [])


def test_without_any_policy_names_may_lead_to_this_machine(resolver: Resolver) -> None:
    resolver.says(NAME, "127.0.0.1")
    with witness() as seen, ipyws.connect(seen.url.replace("127.0.0.1", NAME)) as client:
        client.send("hello")
        assert client.recv("5s").data == "hello"


def test_refusal_says_which_address_and_where_to_allow_it(here: Place, resolver: Resolver) -> None:
    path = here.machine('[policy]\nconnect = "allow"\naddresses = {allow = ["10.0.0.0/8"]}')
    resolver.says(NAME, "10.0.0.1", "172.16.0.9")
    error = denial(f"ws://{NAME}/")
    assert "172.16.0.9" in error.message
    assert "private" in error.message
    assert f"{path}, line 3" in error.hint
    assert (error.details["layer"], error.details["file"]) == ("machine", str(path))


# -- localhost --------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1"])
def test_localhost_is_this_machine_and_needs_leave(here: Place, resolver: Resolver, host: str) -> None:
    here.machine("[policy]\n")
    resolver.says("localhost", "127.0.0.1")
    resolver.says("app.localhost", "127.0.0.1")
    with listening("127.0.0.1") as (port, (sock,)):
        denial(f"ws://{host}:{port}/")
        assert untouched(sock)
    assert resolver.queries == []
    here.machine(LOOPBACK)
    with witness() as seen, ipyws.connect(seen.url.replace("127.0.0.1", host)):
        pass


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1", "169.254.169.254"])
def test_localhost_that_leads_elsewhere_is_checked_like_any_name(
    here: Place, resolver: Resolver, address: str
) -> None:
    here.machine(LOOPBACK)
    resolver.says("localhost", address)
    with dialling() as dialled:
        denial("ws://localhost/", dial_timeout="2s")
    assert dialled == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_rule_that_names_this_machine_allows_it(here: Place, resolver: Resolver, host: str) -> None:
    here.machine(f'[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "ws://{host}:*"')
    resolver.says("localhost", "127.0.0.1")
    with witness() as seen, ipyws.connect(seen.url.replace("127.0.0.1", host)):
        pass
    resolver.says(NAME, "127.0.0.1")
    denial(f"ws://{NAME}/")


def test_rule_that_denies_an_address_holds_for_the_names_that_lead_there(
    here: Place, resolver: Resolver
) -> None:
    here.machine(LOOPBACK + '[[policy.rules]]\neffect = "deny"\nurl = "ws://127.0.0.1:*/admin/*"')
    resolver.says(NAME, "127.0.0.1")
    with witness() as seen:
        url = seen.url.replace("127.0.0.1", NAME)
        with ipyws.connect(url + "/public"):
            pass
        assert denial(url + "/admin/x").details["rule"] == "deny ws://127.0.0.1:*/admin/*"
        assert [request.path for request in seen.requests] == ["/public"]


# -- what was checked is what is dialled ------------------------------------------------------


def test_name_is_resolved_once_and_the_checked_address_dialled(here: Place, resolver: Resolver) -> None:
    here.machine(LOOPBACK)
    resolver.says(NAME, "127.0.0.1")
    resolver.says(NAME, "10.0.0.1")
    with witness() as seen, dialling() as dialled:
        port = int(seen.url.rpartition(":")[2])
        with ipyws.connect(f"ws://{NAME}:{port}/") as client:
            client.send("hello")
            assert client.recv("5s").data == "hello"
            assert client.response is not None
            assert client.response.peer_address == ("127.0.0.1", port)
        assert dialled == [("127.0.0.1", port)]
        assert resolver.queries == [NAME]
        assert seen.requests[0].headers["Host"] == f"{NAME}:{port}"
        denial(f"ws://{NAME}:{port}/")
        assert (len(seen.requests), len(dialled)) == (1, 1)


def test_next_address_is_tried_where_the_first_refuses_and_both_were_checked(
    here: Place, resolver: Resolver
) -> None:
    here.machine(LOOPBACK)
    resolver.says(NAME, "127.0.0.2", "127.0.0.1")
    with witness() as seen, dialling() as dialled:
        port = int(seen.url.rpartition(":")[2])
        with ipyws.connect(f"ws://{NAME}:{port}/"):
            pass
    assert dialled == [("127.0.0.2", port), ("127.0.0.1", port)]
    assert resolver.queries == [NAME]


def test_certificate_is_checked_for_the_name_though_the_address_is_dialled(
    here: Place, resolver: Resolver, tmp_path: Path
) -> None:
    here.machine(LOOPBACK)
    authority = Authority(tmp_path / "ca")
    context = authority.server(NAME)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    hosts: list[str] = []

    async def note(connection: ServerConnection) -> None:
        hosts.append(request_of(connection).headers["Host"])
        await connection.wait_closed()

    for name in (NAME, "other.example.com"):
        resolver.says(name, "127.0.0.1")
    with server(note, ssl=context) as site, dialling() as dialled:
        with ipyws.connect(f"wss://{NAME}:{site.port}/", ca=authority.ca):
            pass
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(f"wss://other.example.com:{site.port}/", ca=authority.ca)
        assert dialled == [("127.0.0.1", site.port)] * 2
    assert (asked, hosts) == ([NAME, "other.example.com"], [f"{NAME}:{site.port}"])
    assert caught.value.details["phase"] == "tls"
    assert resolver.queries == [NAME, "other.example.com"]


@needs_ipv6
def test_an_ipv6_address_is_dialled_as_it_was_checked(here: Place, resolver: Resolver) -> None:
    here.machine(LOOPBACK)
    resolver.says(NAME, "::1", "127.0.0.1")
    with listening("::1") as (port, (sock,)), dialling() as dialled:
        with pytest.raises(errors.ConnectError):
            ipyws.connect(f"ws://{NAME}:{port}/", dial_timeout="300ms")
        assert not untouched(sock)
    assert dialled == [("::1", port)]


def test_mapped_address_counts_as_the_one_inside(here: Place, resolver: Resolver) -> None:
    here.machine('[policy]\naddresses = {deny = ["127.0.0.0/8"]}')
    resolver.says(NAME, "::ffff:127.0.0.1")
    with listening("127.0.0.1") as (port, (sock,)):
        denial(f"ws://{NAME}:{port}/", dial_timeout="2s")
        denial(f"ws://[::ffff:127.0.0.1]:{port}/", dial_timeout="2s")
        assert untouched(sock)


# -- resolvers that fail ----------------------------------------------------------------------


def test_name_that_does_not_exist_is_a_failure_and_no_refusal(here: Place, resolver: Resolver) -> None:
    here.machine("[policy]")
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}/")
    assert (caught.value.details["phase"], caught.value.retryable) == ("dns", True)


def test_resolver_that_never_answers_ends_with_the_dial_timeout(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine("[policy]")
    answered = threading.Event()

    def wait(*_: object, **__: object) -> list[object]:
        answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    started = time.monotonic()
    try:
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(f"ws://{NAME}/", dial_timeout="200ms")
    finally:
        answered.set()
    assert time.monotonic() - started < 5
    assert caught.value.details["phase"] == "dns"
    assert "200ms" in caught.value.message
