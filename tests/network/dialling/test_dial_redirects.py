"""Redirects: off unless asked for, never to a weaker scheme, never with what was meant for another origin."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors, graphql
from ipyws.view.summary import card
from tests.support.servers import CLOSE, TEXT, Raw, Site, close_frame, frame, http, raw_server
from tests.support.tls import Authority

PRIVATE = {"Authorization": "Bearer abcdef", "Cookie": "a=bcdef", "X-Mine": "1"}


@contextlib.contextmanager
def routes(table: dict[str, str], **settings: Any) -> Iterator[Site]:
    """Answer paths of the table with a redirect there, any other path with a handshake; note each request."""

    async def handler(peer: Raw) -> None:
        path = (await peer.read_request()).split()[1]
        sent = {name: peer.header(name) for name in (*PRIVATE, "Origin")}
        peer.site.seen.put((path, sent))
        if path in table:
            status, _, location = table[path].partition(" ")
            await peer.write(http(f"{status} Moved", f"Location: {location}"))
            return
        await peer.upgrade()
        await peer.read_frame()

    with raw_server(handler, **settings) as site:
        yield site


def failure(url: str, **options: Any) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    assert caught.value.kind is errors.INTERNAL
    assert not caught.value.retryable
    assert caught.value.details["phase"] == "handshake"
    return caught.value


def test_redirect_is_an_error_that_says_where_it_leads_unless_asked_for() -> None:
    with routes({"/": "302 /there"}) as site:
        error = failure(site.url)
        assert site.seen.qsize() == 1
    assert error.details["status"] == 302
    assert "/there" in error.hint
    assert "follow_redirects" in error.hint


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_when_asked_for(status: int) -> None:
    with (
        routes({"/a": f"{status} /b"}) as site,
        ipyws.connect(site.url + "/a", follow_redirects=True) as client,
    ):
        assert [site.next()[0], site.next()[0]] == ["/a", "/b"]
        assert client.response is not None
        assert client.response.redirects == (site.url + "/a",)


def test_followed_hops_are_seen_and_the_url_is_the_one_that_was_reached() -> None:
    with (
        routes({"/a": "302 /b?token=sesame-open", "/b?token=sesame-open": "307 /c"}) as site,
        ipyws.connect(site.url + "/a", follow_redirects=True) as client,
    ):
        hops = (f"{site.url}/a", f"{site.url}/b?token=***")
        assert client.url == f"{site.url}/c"
        assert client.response is not None
        assert (client.response.url, client.response.redirects) == (client.url, hops)
        shown = card(client.connection)
        assert shown.url == client.url
        assert f"redirected from {hops[0]} → {hops[1]}" in shown.badges


def test_failure_behind_a_redirect_says_which_way_it_went() -> None:
    with routes({"/a": "302 /b", "/b": "300 /c"}) as site:
        error = failure(site.url + "/a", follow_redirects=True)
    assert error.details["url"] == f"{site.url}/b"
    assert error.details["redirects"] == (f"{site.url}/a",)


@pytest.mark.parametrize("status", [300, 304, 305])
def test_other_3xx_answers_are_not_followed(status: int) -> None:
    with routes({"/": f"{status} /b"}) as site:
        assert failure(site.url, follow_redirects=True).details["status"] == status


@pytest.mark.parametrize(
    ("location", "path"),
    [("c", "/a/c"), ("/c?d=1", "/c?d=1"), ("?e=2", "/a/b?e=2")],
)
def test_relative_redirect_is_resolved_against_the_url(location: str, path: str) -> None:
    with (
        routes({"/a/b": f"302 {location}"}) as site,
        ipyws.connect(site.url + "/a/b", follow_redirects=True),
    ):
        assert [site.next()[0], site.next()[0]] == ["/a/b", path]


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_redirect_to_another_origin_carries_nothing_that_was_meant_for_the_first(scheme: str) -> None:
    with routes({}) as there:
        location = f"302 {scheme}://127.0.0.1:{there.port}/there"
        with (
            routes({"/": location}) as here,
            ipyws.connect(here.url, headers=PRIVATE, follow_redirects=True),
        ):
            assert here.next() == ("/", {**PRIVATE, "Origin": None})
            assert there.next() == ("/there", {**dict.fromkeys(PRIVATE), "Origin": None})


def test_basic_credentials_stay_with_the_first_origin() -> None:
    with (
        routes({}) as there,
        routes({"/": f"302 {there.url}/there"}) as here,
        ipyws.connect(here.url, auth=("me", "sesame"), follow_redirects=True),
    ):
        assert here.next()[1]["Authorization"] is not None
        assert there.next()[1]["Authorization"] is None


@pytest.mark.parametrize(
    "token", [("bearer", "hidden-7"), ("base64url.bearer.authorization.k8s.io.c2VzYW1l",), ("t" * 40,)]
)
def test_tokens_among_the_subprotocols_stay_with_the_first_origin(token: tuple[str, ...]) -> None:
    heads: list[str] = []

    async def note(peer: Raw) -> None:
        heads.append(await peer.read_request())
        await peer.upgrade()
        await peer.read_frame()

    with raw_server(note) as there, routes({"/": f"302 {there.url}/there"}) as here:
        ipyws.connect(here.url, protocols=["chat.v1", *token], follow_redirects=True).close()
    assert len(heads) == 1
    assert "chat.v1" in heads[0]
    assert token[-1] not in heads[0]


def test_redirect_back_does_not_bring_the_credentials_back() -> None:
    table = {"/": ""}
    with routes(table) as here, routes({"/": f"302 {here.url}/back"}) as there:
        table["/"] = f"302 {there.url}/"
        with ipyws.connect(here.url, headers=PRIVATE, follow_redirects=True):
            here.next()
            assert here.next() == ("/back", {**dict.fromkeys(PRIVATE), "Origin": None})


def test_redirect_within_the_origin_keeps_the_headers() -> None:
    with routes({"/": "307 /there"}) as site, ipyws.connect(site.url, headers=PRIVATE, follow_redirects=True):
        site.next()
        assert site.next() == ("/there", {**PRIVATE, "Origin": None})


def test_loop_of_redirects_ends() -> None:
    with routes({"/": "302 /"}) as site:
        error = failure(site.url, follow_redirects=True)
        assert site.seen.qsize() == 11
    assert "10 redirects" in error.message
    assert error.hint


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_redirect_from_tls_to_plain_text_is_refused(tmp_path: Path, scheme: str) -> None:
    authority = Authority(tmp_path)
    with routes({}) as there:
        location = f"302 {scheme}://127.0.0.1:{there.port}/"
        with routes({"/": location}, tls=authority.server()) as here:
            error = failure(here.url, follow_redirects=True, ca=authority.ca)
        assert there.seen.empty()
    assert "ws://" in error.message


def test_redirect_from_plain_text_to_tls_is_followed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        routes({}, tls=authority.server()) as there,
        routes({"/": f"302 https://127.0.0.1:{there.port}/safe"}) as here,
        ipyws.connect(here.url, follow_redirects=True, ca=authority.ca),
    ):
        assert there.next()[0] == "/safe"


def test_client_certificate_stays_with_the_first_origin(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    options = {"ca": authority.ca, "cert": authority.cert, "key": authority.key, "follow_redirects": True}
    with routes({"/": "302 /there"}, tls=authority.server(wants_client=True)) as there:
        ipyws.connect(there.url, **options).close()
        assert [there.next()[0], there.next()[0]] == ["/", "/there"]
        with (
            routes({"/": f"302 {there.url}/"}, tls=authority.server()) as here,
            pytest.raises(errors.ConnectError),
        ):
            ipyws.connect(here.url, **options)
        assert there.seen.empty()


@pytest.mark.parametrize("location", ["", "ftp://example.test/", "ws://me:canary@127.0.0.1/", "http://[/"])
def test_redirect_to_nowhere_is_the_servers_failure(location: str) -> None:
    with routes({"/": f"302 {location}"}) as site:
        error = failure(site.url, follow_redirects=True)
    assert "redirect" in error.message
    assert "canary" not in str(error) + repr(error.details)


def test_on_open_does_not_go_to_another_origin() -> None:
    async def evil(peer: Raw) -> None:
        await peer.upgrade()
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got.payload)
        await peer.write(frame(CLOSE, got.payload))

    with raw_server(evil) as other, routes({"/": f"302 {other.url}/"}) as site:
        reconnect = {"on_open": ["CANARY login"]}
        with ipyws.connect(site.url, follow_redirects=True, reconnect=reconnect) as client:
            client.send("of the user's own will")
            assert other.next() == b"of the user's own will"
            assert "on_open was not sent" in card(client.connection).note
        assert other.seen.empty()


def test_on_open_goes_to_another_path_of_the_same_origin() -> None:
    async def handler(peer: Raw) -> None:
        if (await peer.read_request()).split()[1] == "/":
            await peer.write(http("302 Found", "Location: /there"))
            return
        await peer.upgrade()
        peer.site.seen.put((await peer.read_frame()).payload)

    with raw_server(handler) as site:
        client = ipyws.connect(site.url, follow_redirects=True, reconnect={"on_open": ["login"]})
        assert site.next() == b"login"
        client.close()


@pytest.mark.parametrize("protocol", ["graphql-transport-ws", "graphql-ws"])
def test_init_of_graphql_does_not_go_to_another_origin(protocol: str) -> None:
    async def evil(peer: Raw) -> None:
        await peer.upgrade(f"Sec-WebSocket-Protocol: {protocol}")
        peer.site.seen.put(json.loads((await peer.read_frame()).payload))
        await peer.write(frame(TEXT, b'{"type": "connection_ack"}'))
        await peer.rest()

    with (
        raw_server(evil) as other,
        routes({"/": f"302 {other.url}/"}) as site,
        graphql.connect(
            site.url,
            {"authorization": "CANARY-71"},
            protocols=[protocol],
            follow_redirects=True,
            close_timeout="50ms",
        ),
    ):
        assert other.next() in ({"type": "connection_init"}, {"type": "connection_init", "payload": {}})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (frame(TEXT, b'{"type": "connection_error", "payload": {"message": "who are you?"}}'), "who are you"),
        (close_frame(4403, "Forbidden"), "Forbidden"),
        (frame(TEXT, b'{"type": "connection_ack"}'), "log in"),
    ],
)
def test_server_that_wants_what_graphql_withheld_is_told_from_one_that_refuses_it(
    answer: bytes, kind: str
) -> None:
    async def wants_init(peer: Raw) -> None:
        await peer.upgrade("Sec-WebSocket-Protocol: graphql-ws")
        await peer.read_frame()
        await peer.write(answer)
        await peer.read_frame()
        await peer.write(frame(TEXT, b'{"type": "error", "id": "1", "payload": {"message": "log in"}}'))
        await peer.rest()

    def ask(url: str) -> None:
        options = {"protocols": ["graphql-ws"], "follow_redirects": True, "close_timeout": "50ms"}
        with graphql.connect(url, {"token": "CANARY"}, **options) as gql:
            assert ("init was not sent" in card(gql.client.connection).note) == (url == site.url)
            gql.query("{ me }")

    with raw_server(wants_init) as other, routes({"/": f"302 {other.url}/"}) as site:
        for url, withheld in ((site.url, True), (other.url, False)):
            with pytest.raises(errors.WebSocketError, match=kind) as caught:
                ask(url)
            assert ("init was not sent: a redirect" in caught.value.hint) == withheld
