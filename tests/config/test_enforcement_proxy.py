"""Proxies under a policy: a proxy is a destination too, and gets nothing that was not checked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.policy import LOOPBACK, Place, Resolver, denial, dialling, listening, place, untouched
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import Site, answering, http, server

NAME = "chat.example.com"
PROXY = "proxy.example.com"
SCHEMES = ("http", "socks5", "socks5h")
ALLOWED = '[policy]\nproxy = "allow"\naddresses = {allow = ["loopback"]}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


@contextlib.contextmanager
def proxying(scheme: str, site: Site) -> Iterator[Site]:
    """A real proxy of that kind which leads to the site."""
    with connect_proxy(site) if scheme == "http" else socks5_proxy(site) as proxy:
        yield proxy


def echoes(client: ipyws.Client) -> bool:
    client.send("hello")
    return client.recv("5s").data == "hello"


# -- a proxy needs leave ----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "policy",
    [
        "[policy]",
        LOOPBACK,
        '[policy]\nproxy = "deny"\naddresses = {allow = ["loopback"]}',
        '[policy]\naddresses = {allow = ["loopback"]}\n[[policy.rules]]\neffect = "allow"\nurl = "ws://*.example.com"',
    ],
)
def test_no_byte_reaches_a_proxy_where_a_file_does_not_allow_one(
    here: Place, resolver: Resolver, scheme: str, policy: str
) -> None:
    path = here.machine(policy)
    resolver.says(PROXY, "127.0.0.1")
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        error = denial(f"ws://{NAME}/", proxy=f"{scheme}://{PROXY}:{port}")
        assert untouched(sock)
    assert (resolver.queries, dialled) == ([], [])
    assert f"the proxy {scheme}://{PROXY}:{port}" in error.message
    assert 'proxy = "allow"' in error.message
    assert str(path) in error.hint
    assert "proxy=None" in error.hint


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("host", ["127.0.0.1", PROXY, "localhost"])
def test_no_byte_reaches_a_proxy_at_an_address_that_is_not_allowed(
    here: Place, resolver: Resolver, scheme: str, host: str
) -> None:
    here.machine('[policy]\nproxy = "allow"')
    for name in (PROXY, "localhost"):
        resolver.says(name, "127.0.0.1")
    resolver.says(NAME, "8.8.8.8")
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        error = denial(f"ws://{NAME}/", proxy=f"{scheme}://me:sesame-9@{host}:{port}")
        assert untouched(sock)
    assert dialled == []
    assert "127.0.0.1" in error.message
    assert "sesame" not in f"{error} {error.details}"


@pytest.mark.parametrize("answer", [("127.0.0.1", "10.0.0.1"), ("8.8.8.8", "127.0.0.1", "169.254.169.254")])
def test_one_denied_address_of_a_proxy_keeps_all_from_being_dialled(
    here: Place, resolver: Resolver, answer: tuple[str, ...]
) -> None:
    here.machine(ALLOWED)
    resolver.says(PROXY, *answer)
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        denial(f"ws://{NAME}/", proxy=f"http://{PROXY}:{port}")
        assert untouched(sock)
    assert dialled == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0", "[fe80::1]"])
def test_proxy_where_nothing_may_go_is_refused_without_any_policy(host: str) -> None:
    with dialling() as dialled:
        denial(f"ws://{NAME}/", proxy=f"http://{host}:80", dial_timeout="2s")
    assert dialled == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_proxy_that_is_allowed_at_an_address_that_is_allowed_is_used(
    here: Place, resolver: Resolver, site: Site, scheme: str
) -> None:
    here.machine(ALLOWED)
    resolver.says(PROXY, "127.0.0.1")
    resolver.says(NAME, "127.0.0.1")
    with proxying(scheme, site) as proxy, dialling() as dialled:
        with ipyws.connect(f"ws://{NAME}/", proxy=f"{scheme}://{PROXY}:{proxy.port}") as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == f"{scheme}://{PROXY}:{proxy.port}"
        outgoing = [address for address in dialled if address[1] != site.port]
        assert outgoing == [("127.0.0.1", proxy.port)]


# -- what a proxy is asked for ----------------------------------------------------------------


def test_proxy_that_takes_addresses_gets_the_one_that_was_checked(
    here: Place, resolver: Resolver, site: Site
) -> None:
    here.machine(ALLOWED + '[[policy.rules]]\neffect = "allow"\nurl = "ws://chat.example.com:8080"')
    resolver.says(NAME, "8.8.4.4", "8.8.8.8")
    resolver.says(NAME, "10.0.0.1")
    with socks5_proxy(site) as proxy:
        address = f"socks5://127.0.0.1:{proxy.port}"
        with ipyws.connect(f"ws://{NAME}:8080/", proxy=address) as client:
            assert echoes(client)
        assert proxy.next() == "8.8.4.4:8080"
        assert resolver.queries == [NAME]
        assert "10.0.0.1" in denial(f"ws://{NAME}:8080/", proxy=address).message
        assert proxy.seen.empty()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_resolves_by_itself_gets_the_name_and_nobody_else_does(
    here: Place, resolver: Resolver, site: Site, scheme: str
) -> None:
    here.machine(ALLOWED)
    with proxying(scheme, site) as proxy:
        with ipyws.connect(f"ws://{NAME}:8080/", proxy=f"{scheme}://127.0.0.1:{proxy.port}") as client:
            assert echoes(client)
        assert proxy.next() == f"{NAME}:8080"
    assert resolver.queries == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "url",
    [
        *("ws://10.0.0.1/", "ws://[fd00::1]/", "ws://169.254.169.254/", "ws://[::ffff:169.254.169.254]/"),
        *("ws://0.0.0.0/", "ws://metadata.google.internal/", "ws://denied.example.com/"),
    ],
)
def test_url_that_is_refused_is_refused_though_a_proxy_would_go_there(
    here: Place, scheme: str, url: str
) -> None:
    here.machine(ALLOWED + '[[policy.rules]]\neffect = "deny"\nurl = "ws://denied.example.com"')
    with listening("127.0.0.1") as (port, (sock,)):
        denial(url, proxy=f"{scheme}://127.0.0.1:{port}")
        assert untouched(sock)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize(
    "url",
    [
        *("ws://metadata.google.internal/", "ws://169.254.169.254/", "ws://[fe80::1]/"),
        *(
            "ws://metadata/",
            "ws://METADATA./",
            "ws://instance-data/",
        ),  # short for such, where a proxy resolves
    ],
)
def test_what_is_denied_always_is_so_through_a_proxy_without_any_policy(url: str, scheme: str) -> None:
    with listening("127.0.0.1") as (port, (sock,)):
        assert denial(url, proxy=f"{scheme}://127.0.0.1:{port}").details["layer"] == "built in"
        assert untouched(sock)


def test_name_that_is_this_machine_is_checked_as_such_through_a_proxy(here: Place) -> None:
    here.machine('[policy]\nproxy = "allow"\naddresses = {allow = ["127.0.0.9"]}')
    with listening("127.0.0.9") as (port, (sock,)):
        denial("ws://localhost:8080/", proxy=f"http://127.0.0.9:{port}")
        assert untouched(sock)


def test_redirect_behind_a_proxy_is_checked_again(here: Place, site: Site) -> None:
    here.machine(ALLOWED)
    answer = http("302 There", "Location: ws://169.254.169.254/")
    with answering(answer) as redirecting, connect_proxy(redirecting) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        error = denial(f"ws://{NAME}/", proxy=address, follow_redirects=True)
        assert proxy.next() == f"{NAME}:80"
        assert proxy.seen.empty()
    assert "a redirect to" in error.message


# -- proxies of the environment ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "secure"),
    [
        *(("HTTP_PROXY", False), ("http_proxy", False), ("HTTPS_PROXY", True), ("https_proxy", True)),
        *(("WS_PROXY", False), ("WSS_PROXY", True), ("wss_proxy", True), ("HTTPS_PROXY", False)),
    ],
)
def test_proxy_of_the_environment_is_used_for_names_and_checked(
    here: Place, site: Site, monkeypatch: pytest.MonkeyPatch, variable: str, secure: bool
) -> None:
    url = f"{'wss' if secure else 'ws'}://{NAME}/"
    with connect_proxy(site, status="403 No") as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv(variable, address)
        here.machine(LOOPBACK)
        assert f"the proxy {address}" in denial(url).message
        here.machine('[policy]\nproxy = "allow"')
        assert f"the proxy {address}" in denial(url).message
        assert proxy.seen.empty()
        here.machine(ALLOWED)
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(url)
        assert proxy.next() == f"{NAME}:{443 if secure else 80}"
    assert caught.value.details["phase"] == "proxy"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "app.localhost", "[::ffff:127.0.0.1]"])
def test_proxy_of_the_environment_is_never_used_for_this_machine(
    here: Place, resolver: Resolver, site: Site, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    here.machine(LOOPBACK)
    for name in ("localhost", "app.localhost"):
        resolver.says(name, "127.0.0.1")
    with listening("127.0.0.1") as (port, (sock,)):
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "SOCKS_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{port}")
        with ipyws.connect(f"ws://{host}:{site.port}/") as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy is None
        assert untouched(sock)


def test_name_that_leads_to_this_machine_is_a_name_to_the_environment(
    here: Place, resolver: Resolver, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine(ALLOWED)
    resolver.says(NAME, "127.0.0.1")
    with connect_proxy(site) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        ipyws.connect(f"ws://{NAME}/").close()
        assert proxy.next() == f"{NAME}:80"


@pytest.mark.parametrize("exempt", [NAME, ".example.com", "*"])
def test_exempted_names_are_dialled_and_checked_directly(
    here: Place, resolver: Resolver, site: Site, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    resolver.says(NAME, "127.0.0.1")
    here.machine("[policy]")
    with listening("127.0.0.1") as (port, (sock,)):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", exempt)
        denial(f"ws://{NAME}:{site.port}/")
        here.machine(LOOPBACK)
        with ipyws.connect(f"ws://{NAME}:{site.port}/") as client:
            assert echoes(client)
        assert untouched(sock)


def test_exemption_does_not_hold_for_other_names(
    here: Place, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine(ALLOWED)
    with connect_proxy(site) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "other.example.com")
        ipyws.connect(f"ws://{NAME}/").close()
        assert proxy.next() == f"{NAME}:80"


@pytest.mark.parametrize(
    "value", ["ftp://proxy.example.com", "http://", "http://h:99999", "http://[::1", "proxy"]
)
def test_environment_that_names_no_proxy_is_invalid_and_nothing_is_dialled(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(errors.InvalidError) as caught, dialling() as dialled:
        ipyws.connect(f"ws://{NAME}/")
    assert (resolver.queries, dialled) == ([], [])
    assert "proxy=None" in caught.value.hint


# -- which address of a proxy -----------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_next_address_of_a_proxy_is_tried_where_the_first_refuses(
    here: Place, resolver: Resolver, site: Site, scheme: str
) -> None:
    here.machine(ALLOWED)
    resolver.says(PROXY, "127.0.0.2", "127.0.0.1")
    resolver.says(NAME, "8.8.8.8")
    with proxying(scheme, site) as proxy, dialling() as dialled:
        with ipyws.connect(f"ws://{NAME}/", proxy=f"{scheme}://{PROXY}:{proxy.port}") as client:
            assert echoes(client)
        tried = [address for address in dialled if address[1] == proxy.port]
    assert tried == [("127.0.0.2", proxy.port), ("127.0.0.1", proxy.port)]
    assert resolver.queries.count(PROXY) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_proxy_is_shown_without_its_credentials(
    here: Place, resolver: Resolver, site: Site, scheme: str
) -> None:
    here.machine(ALLOWED)
    resolver.says(NAME, "8.8.8.8")
    credentials = "me:sesame-10"
    made = connect_proxy(site, credentials) if scheme == "http" else socks5_proxy(site, credentials)
    with made as proxy:
        address = f"{scheme}://{credentials}@127.0.0.1:{proxy.port}"
        with ipyws.connect(f"ws://{NAME}/", proxy=address) as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == f"{scheme}://127.0.0.1:{proxy.port}"
            assert "sesame" not in repr(client.response) + repr(client)


def test_silent_proxy_ends_with_the_dial_timeout_though_its_name_has_more_addresses(
    here: Place, resolver: Resolver
) -> None:
    here.machine(ALLOWED)
    resolver.says(PROXY, "127.0.0.1", "127.0.0.2")
    options: dict[str, Any] = {"dial_timeout": "300ms"}
    with listening("127.0.0.1") as (port, _), pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}/", proxy=f"http://{PROXY}:{port}", **options)
    assert (caught.value.details["phase"], "300ms" in caught.value.message) == ("proxy", True)


def test_proxy_at_an_ipv6_address_is_shown_in_brackets(here: Place) -> None:
    here.machine('[policy]\nproxy = "allow"\naddresses = {deny = ["loopback"]}')
    error = denial(f"ws://{NAME}/", proxy="http://[::1]:3128")
    assert "http://[::1]:3128" in error.message
