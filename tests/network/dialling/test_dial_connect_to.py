"""Dialling one address and presenting another name: ``connect_to`` and ``server_hostname``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.debian import free_port, running
from tests.support.policy import Place, Resolver, denial, dialling, listening, place, untouched
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import answering, dead_port, http, request_of, server
from tests.support.tls import Authority

NAME = "api.example.com"
ALLOWED = '[policy]\nproxy = "allow"\naddresses = {allow = ["loopback"]}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


async def tell_host(connection: ServerConnection) -> None:
    """Send the Host header and the name that TLS was asked for."""
    await connection.send(request_of(connection).headers["Host"])


def told(url: str, **options: object) -> object:
    with ipyws.connect(url, **options) as client:  # type: ignore[arg-type]
        return client.recv("5s").data


def test_another_address_is_dialled_and_the_urls_name_presented(resolver: Resolver) -> None:
    with server(tell_host) as site, dialling() as dialled:
        assert told(f"ws://{NAME}/", connect_to=f"127.0.0.1:{site.port}") == NAME
    assert dialled == [("127.0.0.1", site.port)]
    assert resolver.queries == []


def test_certificate_is_checked_for_the_urls_name(authority: Authority) -> None:
    context = authority.server(NAME)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with server(tell_host, ssl=context) as site:
        options = {"connect_to": f"127.0.0.1:{site.port}", "ca": authority.ca}
        assert told(f"wss://{NAME}/", **options) == NAME
        with pytest.raises(errors.ConnectError, match="not trusted"):
            ipyws.connect("wss://other.example.com/", **options)
    assert asked == [NAME, "other.example.com"]


def test_server_hostname_is_what_tls_asks_for_and_the_certificate_must_have(authority: Authority) -> None:
    context = authority.server(NAME)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with server(tell_host, ssl=context) as site:
        assert told(site.url, server_hostname=NAME, ca=authority.ca) == f"127.0.0.1:{site.port}"
        with pytest.raises(errors.ConnectError, match="not trusted"):
            ipyws.connect(site.url, server_hostname="other.example.com", ca=authority.ca)
    assert asked == [NAME, "other.example.com"]


@pytest.mark.parametrize("written", ["127.0.0.1", "::1", "[::1]"])
def test_server_hostname_may_be_an_address(authority: Authority, written: str) -> None:
    with server(tell_host, ssl=authority.server("127.0.0.1", "::1")) as site:
        assert told(site.url, server_hostname=written, ca=authority.ca)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_is_asked_for_the_address_that_is_dialled(resolver: Resolver, scheme: str) -> None:
    resolver.says("inside.example.com", "8.8.8.8")
    through = connect_proxy if scheme == "http" else socks5_proxy
    with server(tell_host) as site, through(site) as proxy:
        address = f"{scheme}://127.0.0.1:{proxy.port}"
        assert told(f"ws://{NAME}/", connect_to="inside.example.com:8080", proxy=address) == NAME
        asked_for = "8.8.8.8" if scheme == "socks5" else "inside.example.com"
        assert proxy.next() == f"{asked_for}:8080"


def test_environments_proxy_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_port() as port, server(tell_host) as site:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        assert told(f"ws://{NAME}/", connect_to=f"127.0.0.1:{site.port}") == NAME


def test_failure_names_what_was_dialled_and_the_url() -> None:
    with dead_port() as port, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{NAME}/", connect_to=f"127.0.0.1:{port}")
    assert f"127.0.0.1:{port} refused the connection" in caught.value.message
    assert caught.value.details["url"] == f"ws://{NAME}/"
    with pytest.raises(errors.ConnectError, match="nowhere"):
        ipyws.connect(f"ws://{NAME}/", connect_to="nowhere.example.com:80")


def test_redirect_to_another_origin_is_dialled_there() -> None:
    with server(tell_host) as site:
        answer = http("302 There", f"Location: ws://127.0.0.1:{site.port}/")
        with answering(answer) as redirecting, dialling() as dialled:
            options = {"connect_to": f"127.0.0.1:{redirecting.port}", "follow_redirects": True}
            assert told(f"ws://{NAME}/", **options) == f"127.0.0.1:{site.port}"
    assert dialled == [("127.0.0.1", redirecting.port), ("127.0.0.1", site.port)]


# -- the policy judges both -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "url", "options"),
    [
        (ALLOWED + '[[policy.rules]]\neffect = "deny"\nurl = "ws://api.example.com"', f"ws://{NAME}/", {}),
        (ALLOWED + '[[policy.rules]]\neffect = "deny"\nurl = "ws://127.0.0.1:*"', f"ws://{NAME}/", {}),
        (ALLOWED + '[[policy.rules]]\neffect = "allow"\nurl = "ws://*.example.com"', f"ws://{NAME}/", {}),
        ("[policy]\n", f"ws://{NAME}/", {}),
        (
            ALLOWED + '[[policy.rules]]\neffect = "deny"\nurl = "wss://prod.example.com:*"',
            "wss://api.example.com/",
            {"server_hostname": "prod.example.com"},
        ),
    ],
    ids=["the URL", "the address", "not in an allow list", "no address class", "the name for TLS"],
)
def test_policy_judges_url_and_address_and_name(
    here: Place, policy: str, url: str, options: dict[str, str]
) -> None:
    here.machine(policy)
    with listening("127.0.0.1") as (port, (sock,)), dialling() as dialled:
        denial(url, connect_to=f"127.0.0.1:{port}", **options)
        assert untouched(sock)
    assert dialled == []


@pytest.mark.parametrize(
    "elsewhere",
    [
        "169.254.169.254:80",
        "[fe80::1]:80",
        "metadata.google.internal:80",
        "0.0.0.0:80",
        "[::ffff:169.254.169.254]:80",
    ],
)
def test_what_is_never_dialled_is_not_dialled_so_either(elsewhere: str) -> None:
    with dialling() as dialled:
        assert denial(f"ws://{NAME}/", connect_to=elsewhere).details["layer"] == "built in"
    assert dialled == []


def test_name_to_connect_to_is_resolved_once_and_its_addresses_judged(
    here: Place, resolver: Resolver
) -> None:
    here.machine("[policy]\n")
    resolver.says("inside.example.com", "10.0.0.1")
    with dialling() as dialled:
        assert "10.0.0.1" in denial(f"ws://{NAME}/", connect_to="inside.example.com:80").message
    assert (dialled, resolver.queries) == ([], ["inside.example.com"])


def test_policy_that_allows_both_lets_it_through(here: Place) -> None:
    with server(tell_host) as site:
        here.machine(
            f'[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "ws://{NAME}"\n'
            f'[[policy.rules]]\neffect = "allow"\nurl = "ws://127.0.0.1:{site.port}"\n'
        )
        assert told(f"ws://{NAME}/", connect_to=f"127.0.0.1:{site.port}") == NAME


CREDENTIAL = "hunter2-in-clear"


# -- what is none -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *("127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", "http://h:80", "h:80/path"),
        *("u:p@h:80", "0x7f.1:80", "127.1:80", "::1:80", "[::1%lo]:80", "h h:80", "a..b:80", "", 80, b"h:80"),
    ],
)
def test_what_is_no_host_and_port_is_invalid_and_nothing_is_dialled(value: object) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError, match=r"^connect_to"):
        ipyws.connect(f"ws://{NAME}/", connect_to=value)
    assert dialled == []


@pytest.mark.parametrize("value", ["", "h:80", "h/x", "wss://h", "u@h", "127.1", "a..b", "h h", 5, b"h"])
def test_what_is_no_name_is_invalid_and_nothing_is_dialled(value: object) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError, match=r"^server_hostname"):
        ipyws.connect(f"wss://{NAME}/", server_hostname=value)
    assert dialled == []


@pytest.mark.parametrize("name", ["connect_to", "server_hostname", "origin", "ca", "name", "compression"])
@pytest.mark.parametrize(
    "value",
    [
        f"{CREDENTIAL} @h:80",
        f"user:{CREDENTIAL}@h h",
        f"Bearer {CREDENTIAL}",
        [CREDENTIAL],
        ("user", CREDENTIAL),
        {CREDENTIAL: 1},
    ],
)
def test_a_credential_in_the_wrong_place_is_not_repeated(name: str, value: object) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError, match=f"^{name}") as caught:
        ipyws.connect(f"wss://{NAME}/", **{name: value})
    assert CREDENTIAL not in f"{caught.value} {caught.value.details}"
    assert dialled == []


def test_server_hostname_without_tls_is_invalid() -> None:
    with pytest.raises(errors.InvalidError, match="server_hostname is of no use"):
        ipyws.connect(f"ws://{NAME}/", server_hostname=NAME)


# -- a real server with several names ---------------------------------------------------------

NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name api.example.com;
    ssl_certificate {folder}/api.pem;
    ssl_certificate_key {folder}/api.pem;
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $ssl_server_name:$http_host;
    }}
  }}
}}
"""


@pytest.mark.debian("nginx")
def test_staging_nginx_is_reached_under_the_name_of_production(tmp_path: Path, authority: Authority) -> None:
    port = free_port()
    with server(tell_host) as site:
        authority.write_as(tmp_path / "api.pem", NAME)
        (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, upstream=site.port))
        command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        with running(command, port, tmp_path / "log"):
            options = {"connect_to": f"127.0.0.1:{port}", "ca": authority.ca}
            assert told(f"wss://{NAME}/", **options) == f"{NAME}:{NAME}"
            url = f"wss://127.0.0.1:{port}/"
            assert told(url, server_hostname=NAME, ca=authority.ca) == f"{NAME}:127.0.0.1:{port}"
