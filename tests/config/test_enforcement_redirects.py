"""Redirects under a policy: each hop passes both actions again, and takes along only what is meant for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.policy import LOOPBACK, Place, Resolver, denial, dialling, place
from tests.support.servers import Raw, Site, http, raw_server
from tests.support.tls import Authority

NAMED = 'addresses = {allow = ["loopback"]}\n[[policy.rules]]\neffect = "deny"\n'
SENT = ("Authorization", "X-Api-Key", "Cookie", "X-Custom", "Origin", "Sec-WebSocket-Protocol")
HEADERS = {"X-Api-Key": "k-1", "Cookie": "a=b", "X-Custom": "1"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver(monkeypatch)
    for name in ("one.example.com", "two.example.com", "localhost"):
        made.says(name, "127.0.0.1")
    return made


@contextlib.contextmanager
def leading(locations: dict[str, str], *, meanwhile: Callable[[], object] = lambda: None) -> Iterator[Site]:
    """Redirect the paths of a table and agree at any other; tell the requests' path, Host and headers."""

    async def handler(peer: Raw) -> None:
        path = (await peer.read_request()).split()[1]
        peer.site.seen.put((path, {name: peer.header(name) for name in ("Host", *SENT)}))
        if path in locations:
            meanwhile()
            await peer.write(http("307 There", f"Location: {locations[path]}"))
            return
        await peer.upgrade()
        await peer.read_frame()

    with raw_server(handler) as site:
        yield site


def refused(site: Site, path: str = "/", **options: Any) -> errors.PermissionDeniedError:
    """Return the refusal of a redirect."""
    return denial(site.url + path, follow_redirects=True, dial_timeout="3s", **options)


# -- both actions again -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "location"),
    [
        ("ws://app.localhost:*", "ws://app.localhost:{port}/x"),
        ("ws://*.localhost:*", "http://APP.LOCALHOST.:{port}/x"),
        ("ws://app.localhost:*", "//app.localhost:{port}/x"),
        ("ws://127.0.0.1:{port}", "ws://127.0.0.1:{port}/x"),
        ("ws://127.0.0.1:*/admin/*", "ws://127.0.0.1:{port}/admin/x"),
        ("ws://127.0.0.1:*/admin/*", "ws://127.0.0.1:{port}//ADMIN;y/x"),
        ("wss://127.0.0.1:*", "wss://127.0.0.1:{port}/x"),
        ("wss://127.0.0.1:*", "https://127.0.0.1:{port}/x"),
    ],
)
def test_redirect_to_what_a_rule_denies_is_refused_and_nothing_reaches_it(
    here: Place, rule: str, location: str
) -> None:
    with leading({}) as there, leading({"/": location.format(port=there.port)}) as site:
        rule = rule.format(port=there.port)
        path = here.machine(f'[policy]\n{NAMED}url = "{rule}"')
        with dialling() as dialled:
            error = refused(site)
        assert dialled == [("127.0.0.1", site.port)]
        assert there.seen.empty()
    assert "a redirect to" in error.message
    assert f"machine policy decides: {path}, line 3" in error.hint
    assert error.details["rule"] == f"deny {rule}"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("ws://169.254.169.254/latest/meta-data", "metadata"),
        ("http://[::ffff:169.254.169.254]/", "metadata"),
        ("ws://metadata.google.internal/", "credentials of a cloud machine"),
        ("ws://0.0.0.0:{port}/", "reserved"),
        ("ws://[::]:{port}/", "reserved"),
        ("ws://[fe80::1]/", "link-local"),
    ],
)
def test_redirect_to_where_nothing_may_go_is_refused_without_any_policy(
    resolver: Resolver, location: str, said: str
) -> None:
    table: dict[str, str] = {}
    with leading(table) as site, dialling() as dialled:
        table["/"] = location.format(port=site.port)
        error = refused(site)
    assert said in error.message
    assert "a redirect to" in error.message
    assert (resolver.queries, dialled) == ([], [("127.0.0.1", site.port)])


@pytest.mark.parametrize("location", ["ws://10.0.0.1/", "http://[fd00::1]:8080/", "//192.168.1.1/"])
def test_redirect_to_a_private_address_is_refused(here: Place, location: str) -> None:
    path = here.machine(LOOPBACK)
    with leading({"/": location}) as site, dialling() as dialled:
        error = refused(site)
    assert dialled == [("127.0.0.1", site.port)]
    assert "a redirect to" in error.message
    assert str(path) in error.hint


def test_redirect_to_a_name_that_leads_to_a_denied_address_is_refused(
    here: Place, resolver: Resolver
) -> None:
    here.machine(LOOPBACK)
    resolver.says("three.example.com", "127.0.0.1", "10.0.0.1")
    with leading({"/": "ws://three.example.com/"}) as site, dialling() as dialled:
        error = refused(site)
    assert (resolver.queries, dialled) == (["three.example.com"], [("127.0.0.1", site.port)])
    assert "10.0.0.1" in error.message
    assert "a redirect to" in error.message


def test_name_is_resolved_and_checked_again_for_each_hop(here: Place, resolver: Resolver) -> None:
    here.machine(LOOPBACK)
    resolver.says("rebound.example.com", "127.0.0.1")
    resolver.says("rebound.example.com", "169.254.169.254")
    with leading({"/a": "/b"}) as site:
        denial(f"ws://rebound.example.com:{site.port}/a", follow_redirects=True, dial_timeout="3s")
        assert site.next()[0] == "/a"
        assert site.seen.empty()
    assert resolver.queries == ["rebound.example.com"] * 2


def test_hops_that_are_all_allowed_are_followed_and_each_is_told_its_own_name(
    here: Place, resolver: Resolver
) -> None:
    rules = "".join(f'[[policy.rules]]\neffect = "allow"\nurl = "{url}"\n' for url in ALLOWED)
    here.machine(LOOPBACK + rules)
    table: dict[str, str] = {}
    with leading(table) as site:
        table |= {
            "/start": "next",
            "/next": f"//two.example.com:{site.port}/third",
            "/third": f"http://one.example.com:{site.port}/end?q=1",
        }
        options = {"follow_redirects": True}
        with ipyws.connect(f"ws://one.example.com:{site.port}/start", **options) as client:
            assert client.response is not None
            assert len(client.response.redirects) == 3
        asked = [site.next() for _ in range(4)]
    assert [(path, sent["Host"].partition(":")[0]) for path, sent in asked] == [
        ("/start", "one.example.com"),
        ("/next", "one.example.com"),
        ("/third", "two.example.com"),
        ("/end?q=1", "one.example.com"),
    ]
    assert resolver.queries == [f"{name}.example.com" for name in ("one", "one", "two", "one")]


ALLOWED = ("ws://one.example.com:*", "ws://two.example.com:*/third")


def test_chain_ends_at_the_first_hop_that_is_denied(here: Place, resolver: Resolver) -> None:
    here.machine(LOOPBACK + f'[[policy.rules]]\neffect = "allow"\nurl = "{ALLOWED[0]}"')
    table: dict[str, str] = {}
    with leading(table) as site:
        table["/"] = f"ws://two.example.com:{site.port}/"
        error = denial(f"ws://one.example.com:{site.port}/", follow_redirects=True)
        assert site.next()[0] == "/"
        assert site.seen.empty()
    assert resolver.queries == ["one.example.com"]
    assert f"a redirect to ws://two.example.com:{site.port}/" in error.message


def test_redirect_to_itself_ends(here: Place) -> None:
    here.machine(LOOPBACK)
    with leading({"/": "/"}) as site:
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(site.url, follow_redirects=True)
        assert site.seen.qsize() == 11
    assert (caught.value.retryable, "10 redirects" in caught.value.message) == (False, True)


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ws://u:p@127.0.0.1/",
        "ws://1/",
        "a/..",
    ],
)
def test_redirect_to_what_is_no_websocket_url_is_a_failure_of_the_server(location: str) -> None:
    with leading({"/": location}) as site, dialling() as dialled:
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(site.url, follow_redirects=True)
        assert dialled == [("127.0.0.1", site.port)]
    assert not caught.value.retryable


# -- a policy that changes on the way ---------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '[policy]\nconnect = "deny"',
        '[policy]\ndefault = "deny"',
        f'[policy]\n{NAMED}url = "ws://127.0.0.1:*/b"',
    ],
)
def test_policy_of_the_moment_decides_on_each_hop(here: Place, text: str) -> None:
    here.machine(LOOPBACK)
    with leading({"/a": "/b"}, meanwhile=lambda: here.machine(text)) as site:
        error = refused(site, "/a")
        assert site.next()[0] == "/a"
        assert site.seen.empty()
    assert "machine.toml" in error.hint


def test_file_that_breaks_on_the_way_ends_the_chain(here: Place) -> None:
    here.machine(LOOPBACK)
    with leading({"/a": "/b"}, meanwhile=lambda: here.machine("[polcy]")) as site:
        with pytest.raises(errors.InvalidError) as caught:
            ipyws.connect(site.url + "/a", follow_redirects=True)
        assert site.next()[0] == "/a"
        assert site.seen.empty()
    assert "polcy" in caught.value.message


# -- what goes along --------------------------------------------------------------------------


def given() -> dict[str, Any]:
    return {
        "headers": HEADERS,
        "auth": ("me", "sesame-77"),
        "origin": "https://app.example.com",
        "protocols": ["chat.v1", "bearer", "tok-4711"],
        "follow_redirects": True,
    }


def took(sent: dict[str, str | None]) -> set[str]:
    """Return which of the user's secrets and headers a request had."""
    return {name for name in SENT if sent[name] and (name != SENT[-1] or "tok-4711" in str(sent[name]))}


@pytest.mark.parametrize(
    "location",
    [
        "ws://127.0.0.1:{other}/there",
        "http://127.0.0.1:{other}/there",
        "//127.0.0.1:{other}/there",
        "ws://localhost:{same}/there",
        "//app.localhost:{same}/there",
        "ws://[::ffff:127.0.0.1]:{same}/there",
    ],
)
def test_nothing_of_the_users_goes_to_another_host_or_port(resolver: Resolver, location: str) -> None:
    resolver.says("app.localhost", "127.0.0.1")
    table: dict[str, str] = {}
    with leading({}) as other, leading(table) as site:
        table["/"] = location.format(other=other.port, same=site.port)
        ipyws.connect(site.url, **given()).close()
        first = site.next()
        second = (other if "{other}" in location else site).next()
    assert took(first[1]) == set(SENT)
    assert (second[0], took(second[1])) == ("/there", set())
    assert second[1]["Sec-WebSocket-Protocol"] == "chat.v1, bearer"


@pytest.mark.parametrize(
    "location", ["/there", "there", "//127.0.0.1:{port}/there", "http://127.0.0.1:{port}/there"]
)
def test_everything_goes_along_within_one_origin(location: str) -> None:
    table: dict[str, str] = {}
    with leading(table) as site:
        table["/"] = location.format(port=site.port)
        ipyws.connect(site.url, **given()).close()
        assert [took(site.next()[1]) for _ in range(2)] == [set(SENT)] * 2


def test_nothing_of_the_users_goes_from_plain_text_to_tls_of_the_same_host(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    seen: list[dict[str, str | None]] = []

    async def note(peer: Raw) -> None:
        await peer.read_request()
        seen.append({name: peer.header(name) for name in SENT})
        await peer.upgrade()
        await peer.read_frame()

    with (
        raw_server(note, tls=authority.server()) as there,
        leading({"/": f"wss://127.0.0.1:{there.port}/"}) as site,
    ):
        ipyws.connect(site.url, ca=authority.ca, **given()).close()
    assert took(seen[0]) == set()


def test_client_certificate_is_shown_to_the_first_origin_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    shown: list[tuple[str, bool]] = []

    def asking(name: str, location: str) -> Callable[[Raw], Any]:
        async def handle(peer: Raw) -> None:
            await peer.read_request()
            shown.append((name, bool(peer.writer.get_extra_info("peercert"))))
            if location:
                await peer.write(http("307 There", f"Location: {location}"))
                return
            await peer.upgrade()
            await peer.read_frame()

        return handle

    context = authority.server(wants_client=True)
    context.verify_mode = context.verify_mode.CERT_OPTIONAL
    options = {"ca": authority.ca, "cert": authority.cert, "key": authority.key, "follow_redirects": True}
    with (
        raw_server(asking("second", ""), tls=context) as there,
        raw_server(asking("first", f"{there.url}/"), tls=context) as site,
    ):
        ipyws.connect(site.url, **options).close()
    assert shown == [("first", True), ("second", False)]


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_redirect_never_leads_from_tls_to_plain_text(tmp_path: Path, here: Place, scheme: str) -> None:
    here.machine(LOOPBACK)
    authority = Authority(tmp_path / "ca")

    async def redirect(peer: Raw) -> None:
        await peer.read_request()
        await peer.write(http("307 There", f"Location: {scheme}://127.0.0.1:{there.port}/"))

    with leading({}) as there, raw_server(redirect, tls=authority.server()) as site:
        with pytest.raises(errors.ConnectError) as caught:
            ipyws.connect(site.url, ca=authority.ca, follow_redirects=True)
        assert there.seen.empty()
    assert not caught.value.retryable
