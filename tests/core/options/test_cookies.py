"""Cookies of a handshake: from a mapping, a text, or the jar of an HTTP client."""

from __future__ import annotations

import time
from http.cookiejar import Cookie, CookieJar
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.options.cookies import check_cookies
from ipyws.core.options.table import check_options
from tests.support.servers import Raw, Site, http, raw_server

SECRET = "crumbs-and-more"


def sent(site: Site) -> list[str]:
    """Return the Cookie lines of the next request."""
    return [line for line in site.next().split("\r\n") if line.lower().startswith("cookie:")]


async def note(peer: Raw) -> None:
    peer.site.seen.put(await peer.read_request())
    await peer.upgrade()
    await peer.read_frame()


def cookie(name: str, value: str, domain: str = "127.0.0.1", path: str = "/", **more: Any) -> Cookie:
    facts = {"secure": False, "expires": None, "domain_specified": domain.startswith("."), **more}
    return Cookie(
        version=0, name=name, value=value, port=None, port_specified=False, domain=domain,
        domain_initial_dot=domain.startswith("."), path=path,
        path_specified=True, discard=True, comment=None, comment_url=None, rest={}, **facts,
    )  # fmt: skip


def jar(*cookies: Cookie) -> CookieJar:
    made = CookieJar()
    for each in cookies:
        made.set_cookie(each)
    return made


@pytest.mark.parametrize(
    "given",
    [
        {"a": "1", "b": "2"},
        [("a", "1"), ["b", "2"]],
        "a=1; b=2",
        ["a=1", "b=2"],
        SimpleCookie("a=1; b=2"),
        jar(cookie("a", "1"), cookie("b", "2")),
        SimpleNamespace(jar=jar(cookie("a", "1"), cookie("b", "2"))),
    ],
    ids=["mapping", "pairs", "text", "texts", "SimpleCookie", "CookieJar", "httpx"],
)
def test_cookies_go_in_one_line(given: Any) -> None:
    with raw_server(note) as site:
        ipyws.connect(site.url, cookies=given).close()
        assert sent(site) == ["Cookie: a=1; b=2"]


def test_cookies_and_headers_with_cookies_go_in_one_line() -> None:
    headers = [("Cookie", "a=1; b=2;"), ("X-Between", "x"), ("cookie", "c=3")]
    with raw_server(note) as site:
        ipyws.connect(site.url, headers=headers, cookies={"d": "4"}).close()
        assert sent(site) == ["Cookie: a=1; b=2; c=3; d=4"]


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("ws://example.com/", "any host"),
        ("ws://example.com/app/feed", "any host path"),
        ("wss://example.com/", "any host secure"),
        ("ws://a.example.com:8080/", "any dot"),
        ("ws://example.org/", "any"),
        ("ws://notexample.com/", "any"),
    ],
)
def test_only_what_a_jar_has_for_the_url_is_sent(url: str, names: str) -> None:
    given = check_cookies(
        "cookies",
        jar(
            cookie("any", "1", ""),
            cookie("host", "1", "example.com"),
            cookie("dot", "1", ".a.example.com"),
            cookie("path", "1", "example.com", "/app"),
            cookie("secure", "1", "example.com", secure=True),
            cookie("old", "1", "example.com", expires=int(time.time()) - 10),
        ),
    )
    assert given is not None
    assert {pair.partition("=")[0] for pair in given.header(url).split("; ")} == set(names.split())


def test_jar_of_the_user_stays_as_it_was() -> None:
    mine = jar(cookie("a", "1"), cookie("old", "2", expires=int(time.time()) + 3600))
    with raw_server(note) as site, ipyws.connect(site.url, cookies=mine):
        pass
    assert len(mine) == 2


def test_cookies_do_not_follow_a_redirect_to_another_origin() -> None:
    async def redirect(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await peer.write(http("302 Found", f"Location: {there.url}/"))

    for given in ({"session": SECRET}, jar(cookie("session", SECRET, ""))):
        with raw_server(note) as there, raw_server(redirect) as here:
            ipyws.connect(here.url, cookies=given, follow_redirects=True).close()
            assert sent(here) == [f"Cookie: session={SECRET}"]
            assert sent(there) == []


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"a": "x;y"}, "U+003B SEMICOLON at character 2"),
        ({"a": "x\r\ny"}, "the control character U+000D at character 2"),
        ({"a": "x–y"}, "U+2013 EN DASH at character 2"),
        ({"a b": "1"}, "the name of a cookie"),
        ({"a": 1}, "something else than a name and a value"),
        ([("a",)], "something else than a name and a value"),
        ("a", 'lacks its "="'),
        (5, "of type int"),
        (b"a=1", "of type bytes"),
    ],
)
def test_other_cookies_are_refused(given: Any, part: str) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect("ws://127.0.0.1:9", cookies=given)
    assert part in caught.value.message


@pytest.mark.parametrize("given", [{"s": SECRET}, [("s", SECRET)], f"s={SECRET}", jar(cookie("s", SECRET))])
def test_values_are_secrets(given: Any) -> None:
    async def repeat(peer: Raw) -> None:
        request = await peer.read_request()
        await peer.write(http("403 No", body=f"what is {SECRET}? {request}".encode()))

    with raw_server(repeat) as site, pytest.raises(errors.WebSocketError) as caught:
        ipyws.connect(site.url, cookies=given)
    error = caught.value
    assert SECRET not in f"{error} {error!r} {error.details}"
    assert SECRET not in f"{errors.brief(given)}"


def test_repr_of_the_options_names_them_only() -> None:
    assert "cookies=Cookies(session=***)" in repr(check_options({"cookies": {"session": "abc"}}))


def test_no_cookies_are_none() -> None:
    assert check_cookies("cookies", {}) is None
    assert check_cookies("cookies", None) is None
