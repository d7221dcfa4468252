"""Proxies that nobody here wrote: Dante, Squid and tinyproxy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws import errors
from tests.support.debian import free_port, running
from tests.support.servers import Site, server, until
from tests.support.tls import Authority

DANTE = """
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.9/32 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
"""
TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
FilterType ere
Filter "{folder}/filter"
"""
SQUID = """
{port_line}
acl forbidden dst 127.0.0.9
http_access deny forbidden
http_access allow all
cache deny all
access_log none
cache_log {folder}/cache.log
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
coredump_dir {folder}
"""


@contextlib.contextmanager
def dante(folder: Path) -> Iterator[str]:
    port = free_port()
    (folder / "danted.conf").write_text(DANTE.format(port=port))
    with running(["danted", "-f", str(folder / "danted.conf")], port, folder / "log"):
        yield f"socks5h://127.0.0.1:{port}"


@contextlib.contextmanager
def tinyproxy(folder: Path) -> Iterator[str]:
    port = free_port()
    (folder / "filter").write_text(r"127\.0\.0\.9")
    (folder / "tinyproxy.conf").write_text(TINYPROXY.format(port=port, folder=folder))
    with running(["tinyproxy", "-d", "-c", str(folder / "tinyproxy.conf")], port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def squid(folder: Path, authority: Authority | None = None) -> Iterator[str]:
    port = free_port()
    line = f"http_port 127.0.0.1:{port}"
    if authority is not None:
        authority.write_server(folder / "cert.pem", folder / "key.pem")
        (folder / "key.pem").chmod(0o644)
        line = f"https_port 127.0.0.1:{port} tls-cert={folder}/cert.pem tls-key={folder}/key.pem"
    folder.chmod(0o777)  # it gives up being root
    (folder / "squid.conf").write_text(SQUID.format(port_line=line, folder=folder))
    with running(["squid", "-N", "-f", str(folder / "squid.conf")], port, folder / "log"):
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"


KINDS = {"danted": dante, "tinyproxy": tinyproxy, "squid": squid}
each = pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.debian(kind)) for kind in KINDS])


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as made:
        yield made


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("proxy")
    for above in (made, *made.parents[:2]):  # Squid reads its files as another user
        above.chmod(0o755)
    return made


def echoes(client: ipyws.Client) -> bool:
    client.send("hello")
    return client.recv("10s").data == "hello"


def failed_attempt(client: ipyws.Client) -> str | None:
    """Return the phase that the last attempt to open it again failed in, if one did."""
    retry = client.async_client.retry
    return None if retry is None or retry.error is None else str(retry.error.details["phase"])


@each
def test_a_server_that_is_down_for_a_moment_is_connected_again(kind: str, folder: Path) -> None:
    port = free_port()
    again = {"attempts": 60, "first": "20ms", "max": "200ms"}
    with KINDS[kind](folder) as proxy:
        running_server = ipyws.serve("echo", port=port)
        client = ipyws.connect(running_server.url, proxy=proxy, reconnect=again)
        assert echoes(client)
        running_server.close()
        until(lambda: failed_attempt(client) is not None)
        assert failed_attempt(client) == "proxy"
        running_server = ipyws.serve("echo", port=port)
        until(lambda: client.state == "open")
        assert echoes(client)
        client.close()
        running_server.close()


@each
def test_what_the_rules_of_a_proxy_forbid_is_final(kind: str, folder: Path) -> None:
    with KINDS[kind](folder) as proxy, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect("ws://127.0.0.9:9/", proxy=proxy)
    assert (caught.value.details["phase"], caught.value.retryable) == ("proxy", False)
    assert proxy in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.debian("squid")
def test_squid_with_tls_is_trusted_through_ca_and_named_where_it_is_not(site: Site, folder: Path) -> None:
    authority = Authority(folder / "ca")
    with squid(folder, authority) as proxy:
        with ipyws.connect(site.url, proxy=proxy, ca=authority.ca) as client:
            assert echoes(client)
        with pytest.raises(errors.ConnectError, match=f"certificate of the proxy {proxy} is not trusted"):
            ipyws.connect(site.url, proxy=proxy)


@pytest.mark.debian("squid")
def test_tls_goes_through_squid_with_tls(folder: Path) -> None:
    authority = Authority(folder / "ca")
    with (
        server(ssl=authority.server()) as site,
        squid(folder, authority) as proxy,
        ipyws.connect(site.url, proxy=proxy, ca=authority.ca) as client,
    ):
        assert echoes(client)
