"""Which proxy the environment names: its variables as other programs read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ipyws
from ipyws import errors
from ipyws.network.dialling import proxy
from ipyws.network.dialling.environment import exempted
from ipyws.policy.url import parse
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import Site, server

NAME = "chat.example.test"
_VARIABLES = ("http", "https", "ws", "wss", "socks", "all", "no")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.delenv("REQUEST_METHOD", raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


def chosen(url: str) -> str | None:
    found = proxy.choose(parse(url), "env")
    return None if found is None else proxy.shown(found)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize(
    ("set_", "ws", "wss"),
    [
        ({"http": "http://h:1"}, "http://h:1", None),
        ({"https": "http://s:1"}, "http://s:1", "http://s:1"),
        ({"http": "http://h:1", "https": "http://s:1"}, "http://h:1", "http://s:1"),
        ({"all": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"all": "http://a:1", "http": "http://h:1"}, "http://h:1", "http://a:1"),
        ({"all": "socks5h://a:1", "https": "http://s:1"}, "http://s:1", "http://s:1"),
        ({"ws": "http://w:1", "http": "http://h:1"}, "http://w:1", None),
        ({"wss": "http://w:1", "https": "http://s:1"}, "http://s:1", "http://w:1"),
        ({"socks": "socks5h://k:1", "all": "http://a:1"}, "socks5h://k:1", "socks5h://k:1"),
    ],
)
def test_variables_in_their_order(
    monkeypatch: pytest.MonkeyPatch, set_: dict[str, str], ws: str | None, wss: str | None, upper: bool
) -> None:
    for name, value in set_.items():
        variable = f"{name}_proxy"
        monkeypatch.setenv(variable.upper() if upper else variable, value)
    assert (chosen(f"ws://{NAME}/"), chosen(f"wss://{NAME}/")) == (ws, wss)


@pytest.mark.parametrize(
    ("variable", "value", "means"),
    [
        ("http_proxy", "proxy.corp.example:3128", "http://proxy.corp.example:3128"),
        ("http_proxy", "10.0.0.1:3128/", "http://10.0.0.1:3128"),
        ("http_proxy", "[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("HTTP_PROXY", " http://proxy:3128 ", "http://proxy:3128"),
        ("http_proxy", "HTTP://proxy:3128", "http://proxy:3128"),
        ("all_proxy", "proxy:3128", "http://proxy:3128"),
        ("ALL_PROXY", "socks://127.0.0.1:1080/", "socks5h://127.0.0.1:1080"),
        ("all_proxy", "socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("SOCKS_PROXY", "127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
    ],
)
def test_values_without_a_scheme_and_others_that_are_common(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, means: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert chosen(f"ws://{NAME}/") == means


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_proxy_without_a_scheme_is_used_and_its_credentials_show_nowhere(
    site: Site, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with connect_proxy(site, "me:bare-canary") as running:
        monkeypatch.setenv(variable, f"me:bare-canary@127.0.0.1:{running.port}")
        with ipyws.connect(f"ws://{NAME}/") as client:
            client.send("hello")
            assert client.recv("5s").data == "hello"
            assert client.response is not None
            assert client.response.proxy == f"http://127.0.0.1:{running.port}"
            assert "canary" not in repr(client.response) + repr(client)


def test_option_takes_a_proxy_without_a_scheme(site: Site) -> None:
    with connect_proxy(site) as running:
        client = ipyws.connect(f"ws://{NAME}/", proxy=f"127.0.0.1:{running.port}")
        client.close()
    assert client.response is not None
    assert client.response.proxy == f"http://127.0.0.1:{running.port}"


def test_option_takes_socks_as_gnome_writes_it(site: Site) -> None:
    with socks5_proxy(site) as running:
        ipyws.connect(f"ws://{NAME}/", proxy=f"socks://127.0.0.1:{running.port}").close()
        assert running.next() == f"{NAME}:80"


@pytest.mark.parametrize(
    "value", ["proxy", "me:bare-canary@proxy", "ftp://me:bare-canary@h:1", "h:1/path", "h:0x1", "h:123456"]
)
@pytest.mark.parametrize("given", [True, False], ids=["option", "environment"])
def test_what_is_no_proxy_is_invalid_and_shows_no_credentials(
    monkeypatch: pytest.MonkeyPatch, value: str, given: bool
) -> None:
    if not given:
        monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect(f"ws://{NAME}/", **({"proxy": value} if given else {}))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("example.test", "ws://example.test/", True),
        ("example.test", "ws://chat.example.test/", True),
        ("example.test", "ws://badexample.test/", False),
        (".example.test", "ws://chat.example.test/", True),
        ("*.example.test", "wss://chat.example.test/", True),
        ("*.example.test", "wss://chat.example.org/", False),
        ("EXAMPLE.test", "ws://chat.example.test/", True),
        ("other.test, example.test", "ws://chat.example.test/", True),
        ("other.test example.test", "ws://chat.example.test/", True),
        ("chat.example.test:8080", "ws://chat.example.test:8080/", True),
        ("chat.example.test:8080", "ws://chat.example.test/", False),
        ("chat.example.test:443", "wss://chat.example.test/", True),
        ("10.0.0.0/8", "ws://10.1.2.3/", True),
        ("10.0.0.0/8", "ws://11.1.2.3/", False),
        ("10.0.0.0/8", "ws://chat.example.test/", False),
        ("10.1.2.3", "ws://10.1.2.3/", True),
        ("10.1.2.3:8080", "ws://10.1.2.3/", False),
        ("192.168.*", "ws://192.168.7.8/", True),
        ("192.168.*", "ws://192.169.7.8/", False),
        ("fd00::/8", "ws://[fd00::1]/", True),
        ("fd00::1", "ws://[fd00::1]:8080/", True),
        ("[fd00::1]", "ws://[fd00::1]/", True),
        ("[fd00::1]:80", "ws://[fd00::1]/", True),
        ("[fd00::1]:81", "ws://[fd00::1]/", False),
        ("*", "wss://chat.example.test/", True),
        ("", "wss://chat.example.test/", False),
        (",, ,", "wss://chat.example.test/", False),
        ("10.0.0.0/99, [, :80, /", "wss://chat.example.test/", False),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, direct: bool) -> None:
    assert exempted(parse(url), no_proxy) is direct
    monkeypatch.setenv("all_proxy", "proxy:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (chosen(url) is None) is direct


def test_a_variable_that_is_empty_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "")
    monkeypatch.setenv("HTTP_PROXY", "http://h:1")
    assert chosen(f"ws://{NAME}/") is None


def test_a_request_of_a_web_server_does_not_set_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://h:1")
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert chosen(f"ws://{NAME}/") is None
