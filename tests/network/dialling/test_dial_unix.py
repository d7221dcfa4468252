"""Unix sockets: ``ws+unix:/run/app.sock:/path``, under a policy a class of addresses of their own."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

import ipyws
from ipyws import errors
from ipyws.config.current import CURRENT
from ipyws.policy import Policy
from ipyws.policy.layer import Layer
from ipyws.policy.rule import read_rule
from ipyws.policy.url import join, parse
from tests.support.debian import free_port, running
from tests.support.policy import Place, denial, dialling, place
from tests.support.servers import Site, answering, dead_port, http, request_of, server, until
from tests.support.tls import Authority

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")

NOTHING = Policy()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a socket may not be long."""
    with tempfile.TemporaryDirectory(prefix="ws", dir="/tmp") as made:
        yield Path(os.path.realpath(made))


async def tell(connection: ServerConnection) -> None:
    """Send the path and the Host header, then echo."""
    request = request_of(connection)
    await connection.send(f"{request.path} {request.headers['Host']}")
    async for message in connection:
        await connection.send(message)


@contextlib.contextmanager
def listening_at(path: Path, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve at a socket; ``seen`` gets the paths that are asked for."""
    site = Site()

    async def note(connection: ServerConnection) -> None:
        site.seen.put(request_of(connection).path)
        with contextlib.suppress(ConnectionClosed):
            await tell(connection)

    async def start() -> Any:
        return await unix_serve(note, str(path), ssl=tls, close_timeout=0.5)

    made = site.run(start())
    try:
        yield site
    finally:
        site.loop.call_soon_threadsafe(made.close)
        site.stop()


def policy(text: str) -> Policy:
    return Policy.from_toml(text)


# -- URLs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ws+unix:/run/app.sock:/path?q=1", "ws+unix:/run/app.sock:/path?q=1"),
        ("ws+unix:///run/app.sock:/path", "ws+unix:/run/app.sock:/path"),
        ("WS+Unix:/run/App.sock", "ws+unix:/run/App.sock:/"),
        ("ws+unix:/run/app.sock:", "ws+unix:/run/app.sock:/"),
        ("wss+unix:/run/app.sock:/", "wss+unix:/run/app.sock:/"),
        ("ws+unix:/run/a%20b%3Ac.sock:/", "ws+unix:/run/a%20b%3Ac.sock:/"),
        ("ws+unix:/run/%61pp.sock:/%61", "ws+unix:/run/app.sock:/a"),
        ("ws+unix:/a:/b:c", "ws+unix:/a:/b:c"),
    ],
)
def test_url_of_a_socket_has_one_canonical_form(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ws+unix:app.sock:/",
            "ws+unix://run/app.sock:/",
            "ws+unix:/run//app.sock:/",
            "ws+unix:",
            "ws+unix:/",
        ),
        *(
            "ws+unix:/run/../app.sock:/",
            "ws+unix:/run/%2e%2e/app.sock:/",
            "ws+unix:/run/./app.sock",
            "unix:/a",
        ),
        *("ws+unix:/a:path", "ws+unix:/a?q:/path", "ws+unix:/a:/p#f", "ws+unix:/a#f", "ws+unix:/%00:/"),
        *("ws+unix:/%0a:/", "ws+unix:/a%zz:/", "ws+unix:/%ff:/", "ws+unix:/a b:/", "ws+unix:/a:/../b"),
        *("ws+unix:/" + "a" * 107, "ws+unix:/run/:/", "http+unix:/run/a:/", "ws+unix:\\run\\a:/"),
    ],
)
def test_what_can_be_read_in_two_ways_is_invalid_and_nothing_is_dialled(text: str) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError):
        ipyws.connect(text)
    assert dialled == []
    assert not NOTHING.decide(text)


@pytest.mark.parametrize(
    "location", ["ws+unix:/run/b:/", "ws+unix:///run/b:/", "wss+unix:///run/b:/", "WS+UNIX:/run/b"]
)
@pytest.mark.parametrize("base", ["ws://example.com/", "ws+unix:/run/a:/"])
def test_no_redirect_leads_to_a_socket(base: str, location: str) -> None:
    with pytest.raises(errors.InvalidError):
        join(parse(base), location)


def test_redirect_within_a_socket_stays_there() -> None:
    base = parse("ws+unix:/run/a:/x/y")
    assert str(join(base, "/z?q")) == "ws+unix:/run/a:/z?q"
    assert str(join(base, "z")) == "ws+unix:/run/a:/x/z"
    assert parse("ws+unix:/run/a:/x").origin == base.origin != parse("ws+unix:/run/b:/x").origin


# -- connecting -------------------------------------------------------------------------------


def test_messages_go_through_a_socket(folder: Path) -> None:
    url = f"ws+unix:{folder}/app.sock:/path?q=1"
    with listening_at(folder / "app.sock"), ipyws.connect(url) as client:
        assert client.recv("5s").data == "/path?q=1 localhost"
        assert client.request("hello", timeout="5s").data == "hello"
        assert (client.name, client.url) == ("app.sock", url)
        assert client.response is not None
        assert (client.response.peer_address, client.response.proxy) == (None, None)


def test_a_name_with_spaces_and_colons_is_escaped(folder: Path) -> None:
    url = f"ws+unix:{folder}/a%20b%3Ac.sock:/"
    with listening_at(folder / "a b:c.sock"), ipyws.connect(url) as client:
        assert client.recv("5s").data == "/ localhost"
        assert client.name == "a_b_c.sock"


def test_tls_goes_through_a_socket_for_localhost_or_the_name_that_is_given(folder: Path) -> None:
    authority = Authority(folder / "ca")
    url = f"wss+unix:{folder}/app.sock:/"
    context = authority.server("localhost")
    with listening_at(folder / "app.sock", context), ipyws.connect(url, ca=authority.ca) as client:
        assert client.recv("5s").data == "/ localhost"
    with listening_at(folder / "b.sock", authority.server("api.example.com")):
        url = f"wss+unix:{folder}/b.sock:/"
        ipyws.connect(url, ca=authority.ca, server_hostname="api.example.com").close()
        with pytest.raises(errors.ConnectError, match="not trusted"):
            ipyws.connect(url, ca=authority.ca)


def test_the_environments_proxy_is_never_used_for_a_socket(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening_at(folder / "app.sock"), dead_port() as port:
        for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "SOCKS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        ipyws.connect(f"ws+unix:{folder}/app.sock:/").close()


@pytest.mark.parametrize(
    "options", [{"proxy": "http://127.0.0.1:1"}, {"connect_to": "127.0.0.1:1"}, {"insecure": True}]
)
def test_options_of_no_use_with_a_socket_are_invalid(folder: Path, options: dict[str, Any]) -> None:
    with listening_at(folder / "app.sock"), pytest.raises(errors.InvalidError, match="of no use"):
        ipyws.connect(f"ws+unix:{folder}/app.sock:/", **options)


def failure(url: str) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, dial_timeout="5s")
    assert caught.value.details["phase"] == "tcp"
    return caught.value


def test_a_socket_that_is_not_there_is_worth_another_try(folder: Path) -> None:
    error = failure(f"ws+unix:{folder}/none.sock:/")
    assert (error.message, error.retryable) == (f"there is no socket {folder}/none.sock", True)


def test_a_socket_that_nobody_listens_at_is_worth_another_try(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "stale.sock"))
    error = failure(f"ws+unix:{folder}/stale.sock:/")
    assert (error.message, error.retryable) == (f"nobody listens at the socket {folder}/stale.sock", True)


def test_a_file_that_is_no_socket_is_said(folder: Path) -> None:
    (folder / "file").write_text("")
    assert str(folder / "file") in failure(f"ws+unix:{folder}/file:/").message


def test_a_redirect_to_a_socket_is_not_followed(folder: Path) -> None:
    with listening_at(folder / "app.sock") as site:
        answer = http("302 There", f"Location: ws+unix://{folder}/app.sock:/")
        with answering(answer) as redirecting, pytest.raises(errors.ConnectError, match="redirect"):
            ipyws.connect(redirecting.url, follow_redirects=True)
        assert site.seen.empty()


def test_reconnecting_finds_a_server_that_came_back(folder: Path) -> None:
    path = folder / "app.sock"
    again = {"attempts": 50, "first": "20ms", "max": "100ms"}
    first = ipyws.serve("echo", unix=path)
    client = ipyws.connect(first.url, reconnect=again)
    first.close()
    until(lambda: client.state == "reconnecting")
    with ipyws.serve("echo", unix=path):
        until(lambda: client.state == "open")
        assert client.request("hello", timeout="10s").data == "hello"
        client.close()


# -- the policy -------------------------------------------------------------------------------

URL = "ws+unix:/run/app/a.sock:/path"


def test_without_a_policy_sockets_are_allowed() -> None:
    assert NOTHING.decide(URL)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("[policy]", False),
        ('[policy]\ndefault = "allow"', False),
        ('[policy]\naddresses = {allow = ["loopback", "private", "0.0.0.0/0"]}', False),
        ('[policy]\naddresses = {allow = ["unix"]}', True),
        ('[policy]\naddresses = {allow = ["unix"], deny = ["unix"]}', False),
        ('[policy]\nconnect = "deny"\naddresses = {allow = ["unix"]}', False),
        ('[policy]\ndefault = "deny"\naddresses = {allow = ["unix"]}', False),
    ],
)
def test_with_a_policy_sockets_need_their_class(text: str, allowed: bool) -> None:
    verdict = policy(text).decide(URL)
    assert bool(verdict) is allowed
    assert verdict.reason


@pytest.mark.parametrize(
    ("rule", "url", "matches"),
    [
        ("ws+unix:/run/app/a.sock", URL, True),
        ("ws+unix:///run/app/a.sock", URL, True),
        ("ws+unix:/run/app/a.sock", "ws+unix:/run/app/a.sock:/other", True),
        ("ws+unix:/run/app/a.sock:/path", URL, True),
        ("ws+unix:/run/app/a.sock:/path", "ws+unix:/run/app/a.sock:/other", False),
        ("ws+unix:/run/app/a.sock:/path/*", "ws+unix:/run/app/a.sock:/path/x", True),
        ("ws+unix:/run/app/*", URL, True),
        ("ws+unix:/run/*", URL, True),
        ("ws+unix:/run/ap/*", URL, False),
        ("ws+unix:/run/app/b.sock", URL, False),
        ("ws+unix:/run/app", URL, False),
        ("wss+unix:/run/app/a.sock", URL, False),
        ("ws://localhost:*", URL, False),
        ("ws+unix:/run/app/a.sock", "ws://localhost/path", False),
        ("ws+unix:/run/app/*", "ws://localhost/path", False),
    ],
)
def test_rules_of_sockets(rule: str, url: str, matches: bool) -> None:
    assert read_rule("allow", rule).matches(parse(url)) is matches
    allowing = f'[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "{rule}"'
    if "+unix" in url:
        assert bool(policy(allowing).decide(url)) is matches
    both = '[policy]\naddresses = {allow = ["unix", "loopback"]}\n'
    denying = f'{both}[[policy.rules]]\neffect = "deny"\nurl = "{rule}"'
    assert bool(policy(denying).decide(url)) is not matches


@pytest.mark.parametrize(
    "rule",
    [
        *("ws+unix:run/a", "ws+unix:/run/*/a", "ws+unix:/r*", "ws+unix:/run/a:/*/b", "ws+unix:/run/../a"),
        *("ws+unix:/run/a:path", "ws+unix:", "ws+unix:/run/a:/p?q"),
    ],
)
def test_a_rule_that_is_none_is_an_error(rule: str) -> None:
    with pytest.raises(errors.InvalidError):
        policy(f'[policy]\n[[policy.rules]]\neffect = "allow"\nurl = "{rule}"')


def test_no_layer_widens_another(here: Place, folder: Path) -> None:
    with listening_at(folder / "app.sock"):
        url = f"ws+unix:{folder}/app.sock:/"
        machine = here.machine("[policy]\n")
        here.project('[policy]\naddresses = {allow = ["unix"]}\n')
        error = denial(url)
        assert "addresses.allow" in error.message
        assert str(machine) in error.hint
        here.machine('[policy]\naddresses = {allow = ["unix"]}\n')
        ipyws.connect(url).close()


def test_links_lead_to_no_socket_that_is_denied(here: Place, folder: Path) -> None:
    (folder / "link.sock").symlink_to(folder / "docker.sock")
    (folder / "run").symlink_to(folder)
    with listening_at(folder / "docker.sock") as site:
        for denied in (f"{folder}/docker.sock", f"{folder}/run/docker.sock", f"{folder}/*"):
            here.machine(
                '[policy]\naddresses = {allow = ["unix"]}\n'
                f'[[policy.rules]]\neffect = "deny"\nurl = "ws+unix:{denied}"'
            )
            for name in ("link.sock", "docker.sock", "run/docker.sock", "run/link.sock"):
                denial(f"ws+unix:{folder}/{name}:/")
        assert site.seen.empty()


def test_a_link_that_is_turned_while_it_is_dialled_leads_nowhere_else(
    here: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine(
        '[policy]\naddresses = {allow = ["unix"]}\n'
        f'[[policy.rules]]\neffect = "deny"\nurl = "ws+unix:{folder}/docker.sock"'
    )
    link, url = folder / "link.sock", f"ws+unix:{folder}/link.sock:/"
    link.symlink_to(folder / "app.sock")
    from ipyws.network.dialling import reach

    real = reach.connect_unix

    async def turn_and_connect(path: str, *rest: Any) -> socket.socket:
        link.unlink()
        link.symlink_to(folder / "docker.sock")
        return await real(path, *rest)

    monkeypatch.setattr(reach, "connect_unix", turn_and_connect)
    with listening_at(folder / "docker.sock") as denied, listening_at(folder / "app.sock"):
        with contextlib.suppress(errors.PermissionDeniedError):
            ipyws.connect(url).close()
        denial(url)
        assert denied.seen.empty()


def test_narrowing_a_kernel_takes_sockets_away(folder: Path) -> None:
    with listening_at(folder / "app.sock"):
        url = f"ws+unix:{folder}/app.sock:/"
        ipyws.connect(url).close()
        rule = read_rule("deny", f"ws+unix:{folder}/*")
        CURRENT.narrow(Layer("kernel", insecure_tls=True, proxy=True, addresses=None, rules=(rule,)))
        denial(url)


# -- serving ----------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("kind", ["echo", "chat", "prices", "chaos"])
def test_a_demo_server_listens_at_a_socket_of_its_owner_and_removes_it(folder: Path, kind: str) -> None:
    path = folder / "demo.sock"
    before = os.umask(0)
    try:
        with ipyws.serve(kind, unix=path) as demo:
            assert (demo.url, demo.port) == (f"ws+unix:{path}:", 0)
            assert mode(path) == 0o600
            with ipyws.connect(demo.url + "/any") as client:
                if kind == "echo":
                    assert client.request("hello", timeout="5s").data == "hello"
    finally:
        os.umask(before)
    assert not path.exists()


def test_a_stale_socket_is_replaced(folder: Path) -> None:
    path = folder / "demo.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    with ipyws.serve("echo", unix=path) as demo:
        ipyws.connect(demo.url).close()
    assert not path.exists()


def test_a_socket_that_somebody_listens_at_is_left_alone(folder: Path) -> None:
    path = folder / "demo.sock"
    with ipyws.serve("echo", unix=path) as demo:
        with pytest.raises(errors.InvalidError, match="somebody listens"):
            ipyws.serve("echo", unix=path)
        ipyws.connect(demo.url).close()


@pytest.mark.parametrize("what", ["file", "folder", "link", "dangling"])
def test_what_is_no_socket_is_left_alone(folder: Path, what: str) -> None:
    path, other = folder / "demo.sock", folder / "other"
    if what == "file":
        path.write_text("mine")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
        if what == "link":
            other.write_text("mine")
    with pytest.raises(errors.InvalidError, match="cannot listen"):
        ipyws.serve("echo", unix=path)
    assert path.is_symlink() or path.exists()
    assert what != "dangling" or not other.exists()


@pytest.mark.parametrize("path", ["", 5, "/no/such/folder/a.sock", "/tmp/" + "a" * 120, "/tmp/a\0b"])
def test_a_path_where_no_server_can_listen_is_invalid(path: Any) -> None:
    with pytest.raises(errors.InvalidError):
        ipyws.serve("echo", unix=path)


def test_port_and_socket_together_are_invalid(folder: Path) -> None:
    with pytest.raises(errors.InvalidError, match="port and unix"):
        ipyws.serve("echo", 8080, unix=folder / "a.sock")
    assert list(folder.iterdir()) == []


def test_the_socket_of_another_server_is_not_removed(folder: Path) -> None:
    path = folder / "demo.sock"
    demo = ipyws.serve("echo", unix=path)
    path.unlink()
    with ipyws.serve("echo", unix=path) as second:
        demo.close()
        ipyws.connect(second.url).close()


# -- captures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
def test_a_conversation_through_a_socket_is_saved_loaded_and_replayed(folder: Path, suffix: str) -> None:
    saved = folder / f"session.{suffix}"
    with ipyws.serve("echo", unix=folder / "app.sock") as demo:
        with ipyws.connect(demo.url + "/chat") as client:
            client.request("hello", timeout="5s")
        client.log.save(saved)
        loaded = ipyws.load(saved)
        assert [message.data for message in loaded if message.type == "text"] == ["hello", "hello"]
        assert loaded.about.url == f"ws+unix:{folder}/app.sock:/chat"
        with ipyws.connect(demo.url + "/chat") as again:
            ipyws.replay(again, saved)
        with ipyws.serve("echo", unix=folder / "b.sock") as other:
            elsewhere = ipyws.connect(other.url + "/chat")
            with pytest.raises(errors.InvalidError, match="the capture was made at"):
                ipyws.replay(elsewhere, saved)
            elsewhere.close()
    with (
        ipyws.serve(replay=saved, unix=folder / "replay.sock") as playing,
        ipyws.connect(playing.url) as client,
    ):
        assert client.request("hello", timeout="5s").data == "hello"
    assert not (folder / "replay.sock").exists()


# -- a real server ----------------------------------------------------------------------------

NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  server {{
    listen unix:{folder}/nginx.sock;
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""


@pytest.mark.debian("nginx")
def test_nginx_at_a_socket(folder: Path) -> None:
    port = free_port()
    with server(tell) as site:
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=site.port))
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        url = f"ws+unix:{folder}/nginx.sock:/path"
        with running(command, port, folder / "log"), ipyws.connect(url) as client:
            assert client.recv("5s").data == "/path localhost"
