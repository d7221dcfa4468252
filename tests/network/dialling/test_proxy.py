"""Proxies: HTTP CONNECT and SOCKS, given or from the environment, with credentials that never show."""

from __future__ import annotations

import errno
import gc
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import Raw, Site, answering, dead_port, raw_server, server
from tests.support.tls import Authority

NAME = "chat.example.test"
"""A name that only a proxy can reach."""

_ENVIRONMENT = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "socks_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


def failure(url: str, **options: Any) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    assert caught.value.details["phase"] == "proxy"
    return caught.value


def echoes(client: ipyws.Client) -> bool:
    client.send("hello")
    return client.recv("5s").data == "hello"


def test_http_proxy_is_asked_for_host_and_port_and_resolves_the_name_itself(site: Site) -> None:
    with connect_proxy(site) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        with ipyws.connect(f"ws://{NAME}/", proxy=address) as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == address
            assert client.response.peer_address == ("127.0.0.1", proxy.port)
        assert proxy.next() == f"{NAME}:80"


def test_http_proxy_carries_tls_that_is_checked_for_the_servers_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with server(ssl=authority.server(NAME)) as site, connect_proxy(site) as proxy:
        options = {"proxy": f"http://127.0.0.1:{proxy.port}", "ca": authority.ca}
        with ipyws.connect(f"wss://{NAME}/", **options) as client:
            assert echoes(client)
        assert proxy.next() == f"{NAME}:443"
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect("wss://other.example.test/", **options)
    assert (caught.value.details["phase"], caught.value.retryable) == ("tls", False)


def test_a_dial_that_fails_behind_a_proxy_leaves_nothing_to_complain_about_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    with server(ssl=authority.server(NAME)) as site, connect_proxy(site) as proxy:
        with pytest.raises(errors.ConnectError):
            ipyws.connect("wss://other.example.test/", proxy=f"http://127.0.0.1:{proxy.port}")
        gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_http_proxy_gets_the_credentials_of_its_url_and_they_show_nowhere(site: Site) -> None:
    with connect_proxy(site, "me:proxy-canary") as proxy:
        address = f"http://me:proxy-canary@127.0.0.1:{proxy.port}"
        with ipyws.connect(f"ws://{NAME}/", proxy=address) as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == f"http://127.0.0.1:{proxy.port}"
            assert "canary" not in repr(client.response) + repr(client)


@pytest.mark.parametrize("credentials", ["", "me:wrong-canary@"])
def test_407_is_final_and_says_where_credentials_go(site: Site, credentials: str) -> None:
    with connect_proxy(site, "me:right") as proxy:
        error = failure(f"ws://{NAME}/", proxy=f"http://{credentials}127.0.0.1:{proxy.port}")
    assert not error.retryable
    assert error.details["status"] == 407
    assert error.details["proxy"] == f"http://127.0.0.1:{proxy.port}"
    assert "credentials" in error.hint
    assert "canary" not in str(error) + repr(error.details)


@pytest.mark.parametrize(("status", "retryable"), [("502 Bad Gateway", True), ("403 Forbidden", False)])
def test_refusal_of_a_proxy_is_told_from_one_of_the_server(site: Site, status: str, retryable: bool) -> None:
    with connect_proxy(site, status=status) as proxy:
        error = failure(f"ws://{NAME}/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert f"proxy answered HTTP {status}" in error.message
    assert f"http://127.0.0.1:{proxy.port}" in error.hint
    assert error.retryable is retryable


@pytest.mark.parametrize("given", [True, False], ids=["option", "environment"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_is_down_is_named_and_worth_another_try(
    scheme: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dead_port() as port:
        address = f"{scheme}://me:sesame-8-canary@127.0.0.1:{port}"
        if not given:
            monkeypatch.setenv("http_proxy", address)
            monkeypatch.setenv("https_proxy", address)
        error = failure(f"ws://{NAME}/", **({"proxy": address} if given else {}))
    assert error.retryable
    said = f"the proxy {scheme}://127.0.0.1:{port} can't be reached: {os.strerror(errno.ECONNREFUSED)}"
    assert error.message == said
    assert "canary" not in str(error) + repr(error.details)


def test_name_of_a_proxy_that_does_not_resolve_says_so() -> None:
    error = failure(f"ws://{NAME}/", proxy="http://no-such-proxy.invalid:3128", dial_timeout="20s")
    assert "no-such-proxy.invalid" in error.message
    assert "error -" not in error.message.lower()


def test_proxy_that_talks_nonsense_is_an_error(site: Site) -> None:
    with answering(b"nonsense\r\n\r\n") as proxy:
        assert "proxy" in failure(f"ws://{NAME}/", proxy=f"http://127.0.0.1:{proxy.port}").message


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_silent_proxy_ends_with_the_dial_timeout(scheme: str) -> None:
    async def ignore(peer: Raw) -> None:
        await peer.forever()

    with raw_server(ignore) as proxy:
        address = f"{scheme}://127.0.0.1:{proxy.port}"
        error = failure(f"ws://{NAME}/", proxy=address, dial_timeout="200ms")
    assert error.retryable
    assert "200ms" in error.message
    assert address in error.hint


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_proxy_is_given_the_name(site: Site, scheme: str) -> None:
    with socks5_proxy(site) as proxy:
        address = f"{scheme}://127.0.0.1:{proxy.port}"
        target = NAME if scheme == "socks5h" else "127.0.0.1"
        with ipyws.connect(f"ws://{target}:8080/", proxy=address) as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == address
        assert proxy.next() == f"{target}:8080"


def test_socks_proxy_gets_the_credentials_of_its_url(site: Site) -> None:
    with socks5_proxy(site, "me:open-sesame") as proxy:
        address = f"socks5h://me:open-sesame@127.0.0.1:{proxy.port}"
        with ipyws.connect(f"ws://{NAME}/", proxy=address) as client:
            assert echoes(client)
            assert client.response is not None
            assert client.response.proxy == f"socks5h://127.0.0.1:{proxy.port}"


def test_socks_proxy_that_refuses_the_credentials_is_final(site: Site) -> None:
    with socks5_proxy(site, "me:right") as proxy:
        error = failure(f"ws://{NAME}/", proxy=f"socks5h://me:wrong-canary@127.0.0.1:{proxy.port}")
    assert not error.retryable
    assert "canary" not in str(error) + repr(error.details)


_WITHOUT_PACKAGE = """
import sys
sys.modules["python_socks"] = None
import ipyws
try:
    ipyws.connect("ws://chat.example.test/", proxy="socks5h://127.0.0.1:1")
except ipyws.errors.ConnectError as error:
    print(error.details["phase"], error.retryable, error)
"""


def test_socks_proxy_without_its_package_says_what_to_install() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PACKAGE], capture_output=True, text=True, timeout=30, check=True
    )
    assert run.stdout.startswith("proxy False ")
    assert "needs the package python-socks" in run.stdout
    assert "pip install" in run.stdout


def test_environment_is_asked_by_default(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect_proxy(site) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.setenv("http_proxy", address)
        with ipyws.connect(f"ws://{NAME}/") as client:
            assert client.response is not None
            assert client.response.proxy == address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_environment_is_never_asked_for_loopback(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with dead_port() as port, server() as site:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        with ipyws.connect(f"ws://{host}:{site.port}/") as client:
            assert client.response is not None
            assert client.response.proxy is None


def test_no_proxy_means_none_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_port() as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect("ws://no-such-host.invalid/", proxy=None, dial_timeout="20s")
    assert caught.value.details["phase"] == "dns"


def test_environment_that_names_no_proxy_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "ftp://proxy.example.test")
    monkeypatch.setenv("http_proxy", "ftp://proxy.example.test")
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect(f"ws://{NAME}/")
    assert "proxy=None" in caught.value.hint


# -- a proxy that is reached by TLS -----------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.mark.parametrize("trust", ["ca", "insecure"])
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_ca_and_insecure_reach_a_proxy_with_tls(authority: Authority, trust: str, secure: bool) -> None:
    options: dict[str, Any] = {"ca": authority.ca} if trust == "ca" else {"insecure": True}
    settings = {"ssl": authority.server(NAME)} if secure else {}
    with server(**settings) as site, connect_proxy(site, tls=authority.server("127.0.0.1")) as proxy:
        options["proxy"] = f"https://127.0.0.1:{proxy.port}"
        with ipyws.connect(f"{site.scheme}://{NAME}/", **options) as client:
            assert echoes(client)


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_certificate_of_a_proxy_is_told_from_the_servers(
    site: Site, authority: Authority, secure: bool
) -> None:
    with connect_proxy(site, tls=authority.server("127.0.0.1")) as proxy:
        address = f"https://127.0.0.1:{proxy.port}"
        error = failure(f"{'wss' if secure else 'ws'}://{NAME}/", proxy=address)
        assert proxy.seen.empty()
    assert error.message.startswith(f"the certificate of the proxy {address} is not trusted: ")
    assert "ca=" in error.hint
    assert not error.retryable


def test_certificate_of_a_proxy_for_another_name_is_refused(site: Site, authority: Authority) -> None:
    with connect_proxy(site, tls=authority.server("elsewhere.test")) as proxy:
        error = failure(f"ws://{NAME}/", proxy=f"https://127.0.0.1:{proxy.port}", ca=authority.ca)
    assert "certificate of the proxy" in error.message


def test_proxy_without_tls_that_is_asked_for_it_is_recognised(site: Site) -> None:
    async def answer_in_plain_text(peer: Raw) -> None:
        await peer.reader.read(1 << 16)
        await peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.rest()

    with raw_server(answer_in_plain_text) as proxy:
        error = failure(f"ws://{NAME}/", proxy=f"https://127.0.0.1:{proxy.port}")
    assert "does not speak TLS" in error.message
    assert "proxy" in error.message
    assert "http://" in error.hint


def test_client_certificate_is_not_shown_to_a_proxy(authority: Authority) -> None:
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(str(authority.ca))
    shown: list[Any] = []

    async def note(peer: Raw) -> None:
        shown.append(peer.writer.get_extra_info("peercert"))

    with raw_server(note, tls=context) as proxy:
        failure(
            f"wss://{NAME}/",
            proxy=f"https://127.0.0.1:{proxy.port}",
            ca=authority.ca,
            cert=authority.cert,
            key=authority.key,
        )
    assert shown == [None]


@pytest.mark.parametrize("proxy", [None, "env", "http://127.0.0.1:1", "socks5h://127.0.0.1:1"])
@pytest.mark.parametrize("name", ["ca", "insecure"])
def test_tls_options_without_any_tls_are_invalid(authority: Authority, name: str, proxy: str | None) -> None:
    options: dict[str, Any] = {"ca": authority.ca} if name == "ca" else {"insecure": True}
    with pytest.raises(errors.InvalidError, match=f"^{name} is of no use"):
        ipyws.connect(f"ws://{NAME}/", proxy=proxy, **options)


# -- what a SOCKS proxy says decides whether trying again can help -----------------------------


def socks_answer(answer: bytes) -> Any:
    """A SOCKS 5 proxy that answers every request so, and hangs up."""

    async def handler(peer: Raw) -> None:
        _, count = await peer.reader.readexactly(2)
        await peer.reader.readexactly(count)
        await peer.write(b"\x05\x00")
        await peer.reader.readexactly(5)
        await peer.write(answer)

    return raw_server(handler)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [(1, True), (2, False), (3, True), (4, True), (5, True), (6, True), (7, False), (8, False)],
)
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_reply_of_a_socks_proxy_decides(scheme: str, code: int, retryable: bool) -> None:
    with socks_answer(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])) as proxy:
        address = f"{scheme}://127.0.0.1:{proxy.port}"
        error = failure("ws://8.8.8.8/", proxy=address)
    assert (error.retryable, error.details["reply"]) == (retryable, code)
    assert address in error.message
    assert f"SOCKS reply {code}" in error.message


@pytest.mark.parametrize(("code", "retryable"), [(91, True), (92, False), (93, False)])
def test_reply_of_a_socks4_proxy_decides(code: int, retryable: bool) -> None:
    async def handler(peer: Raw) -> None:
        await peer.reader.readexactly(9)
        await peer.write(bytes([0, code, 0, 0, 0, 0, 0, 0]))

    with raw_server(handler) as proxy:
        error = failure("ws://8.8.8.8/", proxy=f"socks4://127.0.0.1:{proxy.port}")
    assert (error.retryable, error.details["reply"]) == (retryable, code)


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [(b"", True), (b"\x05", True), (b"\x05\x63\x00", False), (b"HTTP/1.1 400", False)],
)
def test_socks_proxy_that_hangs_up_is_worth_another_try_and_nonsense_is_not(
    answer: bytes, retryable: bool
) -> None:
    with socks_answer(answer) as proxy:
        error = failure("ws://8.8.8.8/", proxy=f"socks5h://127.0.0.1:{proxy.port}")
    assert error.retryable is retryable


def test_http_proxy_that_hangs_up_is_worth_another_try() -> None:
    async def hang_up(peer: Raw) -> None:
        await peer.read_request()

    with raw_server(hang_up) as proxy:
        assert failure(f"ws://{NAME}/", proxy=f"http://127.0.0.1:{proxy.port}").retryable
