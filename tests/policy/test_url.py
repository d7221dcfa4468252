from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.policy.host import canonical_host, canonical_ipv6
from ipyws.policy.url import MAX_LENGTH, URL, join, parse

CANONICAL = {
    "ws://localhost:8888/api/kernels/x/channels?token=abc": "ws://localhost:8888/api/kernels/x/channels?token=abc",
    "ws://example.com": "ws://example.com/",
    "ws://example.com?q=1": "ws://example.com/?q=1",
    "ws://example.com/?": "ws://example.com/",
    "WS://127.0.0.1:43727": "ws://127.0.0.1:43727/",
    "WsS://API.Example.COM./ws": "wss://api.example.com/ws",
    "ws://LOCALHOST:43727": "ws://localhost:43727/",
    "ws://localhost.:43727": "ws://localhost:43727/",
    "ws://0.0.0.0:43727": "ws://0.0.0.0:43727/",
    "ws://127.0.0.1.nip.io/": "ws://127.0.0.1.nip.io/",
    "wss://example.com:443/": "wss://example.com/",
    "ws://example.com:443/": "ws://example.com:443/",
    "ws://[::1]:80": "ws://[::1]/",
    "ws://[0:0:0:0:0:0:0:1]:8080/": "ws://[::1]:8080/",
    "ws://[2001:DB8::A]/": "ws://[2001:db8::a]/",
    "ws://[::ffff:127.0.0.1]:43727": "ws://[::ffff:127.0.0.1]:43727/",
    "ws://[::ffff:7f00:1]:43727": "ws://[::ffff:127.0.0.1]:43727/",
    "ws://[::127.0.0.1]:43727": "ws://[::7f00:1]:43727/",
    "ws://[64:ff9b::7f00:1]/": "ws://[64:ff9b::7f00:1]/",
    "ws://[2002:7f00:1::]/": "ws://[2002:7f00:1::]/",
    "wss://bücher.example/ä?q=ü": "wss://xn--bcher-kva.example/%C3%A4?q=%C3%BC",
    "wss://BÜCHER.example/": "wss://xn--bcher-kva.example/",
    "wss://xn--bcher-kva.example/": "wss://xn--bcher-kva.example/",
    "wss://faß.example/": "wss://xn--fa-hia.example/",
    "wss://ｅxample.com/": "wss://example.com/",
    "wss://example。com/": "wss://example.com/",
    "ws://my_service.local:9000/": "ws://my_service.local:9000/",
    "ws://_x._tcp.example/": "ws://_x._tcp.example/",
    "wss://r3---sn-a.example/": "wss://r3---sn-a.example/",
    "wss://123.example/": "wss://123.example/",
    "wss://api.example.com.evil.example/ws": "wss://api.example.com.evil.example/ws",
    "wss://evil.example?@api.example.com/": "wss://evil.example/?@api.example.com/",
    "wss://example.com/a@b:c": "wss://example.com/a@b:c",
    "wss://example.com/%61dmin/%7Ex/%2f/%c3%a4": "wss://example.com/admin/~x/%2F/%C3%A4",
    "wss://example.com/?a=%61%2f": "wss://example.com/?a=%61%2f",
    'wss://example.com/{"a"}?f[x]=<1>|2': "wss://example.com/%7B%22a%22%7D?f[x]=%3C1%3E|2",
    "wss://example.com/.../a..b/..c": "wss://example.com/.../a..b/..c",
    "wss://example.com//a//": "wss://example.com//a//",
    "wss://example.com/?next=../x": "wss://example.com/?next=../x",
    "wss://example.com/\u202e": "wss://example.com/%E2%80%AE",
}

# Each URL with a part of the message and a part of the hint.
REFUSED = {
    "wss://example.com/fe\u200bed": ("U+200B ZERO WIDTH SPACE at character 21", "%E2%80%8B"),
    "wss://example.com/?token=abc\ufeff": ("U+FEFF ZERO WIDTH NO-BREAK SPACE at character 29", "remove it"),
    "wss://example.com/a?b\xad": ("U+00AD SOFT HYPHEN at character 22", "remove it"),
    "": ("empty", "wss://host/path"),
    "http://127.0.0.1:43727": ("scheme http", "use wss://"),
    "HTTPS://example.com": ("scheme https", "use wss://"),
    "ftp://127.0.0.1:43727": ("scheme", "use wss://"),
    "unix://scratch": ("scheme", "use wss://"),
    "example.com/ws": ("does not begin", "wss://host/path"),
    "localhost:8888": ("does not begin", "wss://host/path"),
    "//host/x": ("does not begin", "wss://host/path"),
    "wss:opaque": ("does not begin", "wss://host/path"),
    "ws:127.0.0.1:43727": ("does not begin", "wss://host/path"),
    "wss:/example.com": ("does not begin", "wss://host/path"),
    "wss://": ("host is empty", ""),
    "wss:///path": ("host is empty", ""),
    "ws:///127.0.0.1:43727": ("host is empty", ""),
    "wss://:443/": ("host is empty", ""),
    "wss://./": ("host is empty", ""),
    "wss://。/": ("host is empty", ""),
    "ws://user:pw@127.0.0.1:43727": ("user information", "auth="),
    "ws://good.example@127.0.0.1:43727": ("user information", "auth="),
    "wss://api.example.com@evil.example/ws": ("user information", "auth="),
    "wss://api.example.com:443@evil.example/": ("user information", "auth="),
    "wss://@example.com/": ("user information", "auth="),
    "wss://evil.example#@api.example.com/": ("fragment", "%23"),
    "ws://127.0.0.1:43727#frag": ("fragment", "%23"),
    "wss://example.com/#": ("fragment", "%23"),
    "wss://evil.example\\@api.example.com/": ("backslash", "/"),
    "ws://127.0.0.1\\@good.example:43727": ("backslash", "/"),
    "ws://127.0.0.1:43727\\.good.example": ("backslash", "/"),
    "wss://example.com/a\\b": ("backslash", "/"),
    " ws://127.0.0.1:43727": ("white space at character 1", "%20"),
    "ws://127.0.0.1:43727\n": ("white space at character 21", "%20"),
    "ws://127.0.0.1:43727/a b": ("white space", "%20"),
    "wss://a b/": ("white space", "%20"),
    "wss://exa\tmple.com/": ("white space", "%20"),
    "wss://exa\u3000mple.com/": ("white space", "%20"),
    "wss://example.com/\r\nX: y": ("white space", "%20"),
    "wss://exa\x00mple.com/": ("U+0000", "remove"),
    "wss://example.com/\x7f": ("U+007F", "remove"),
    "wss://example.com/\x9b": ("U+009B", "remove"),
    "wss://example.com/\ud800": ("surrogate", "remove"),
    "wss://api.example.com%2eevil.example/": ('"%" in its host', ""),
    "wss://api.example.com%00.evil.example/": ('"%" in its host', ""),
    "ws://%31%32%37.0.0.1:43727": ('"%" in its host', ""),
    "wss://[::1%25eth0]/": ('"%" in its host', "zone"),
    "ws://[fe80::1%25lo]:43727": ('"%" in its host', "zone"),
    "ws://[fe80::1%lo]:43727": ('"%" in its host', "zone"),
    "wss://api.example.com:/ws": ("empty port", ""),
    "ws://[::1]:/": ("empty port", ""),
    "wss://api.example.com:0443/ws": ("port", "leading zeros"),
    "ws://127.0.0.1:043727": ("port", "leading zeros"),
    "wss://api.example.com:0/ws": ("port", "1 to 65535"),
    "wss://api.example.com:65536/ws": ("port", "1 to 65535"),
    "wss://api.example.com:99999/ws": ("port", "1 to 65535"),
    "wss://api.example.com:8o/ws": ("port", "1 to 65535"),
    "wss://api.example.com:+80/ws": ("port", "1 to 65535"),
    "wss://api.example.com:-1/ws": ("port", "1 to 65535"),
    "wss://api.example.com:８０/ws": ("port", "1 to 65535"),
    "ws://::1/": ("more than one colon", "[::1]"),
    "ws://a:1:2/": ("more than one colon", "[::1]"),
    "ws://[::1/": ("broken IPv6", "[::1]"),
    "ws://[::1]x/": ("broken IPv6", "[::1]"),
    "ws://[[::1]]/": ("broken IPv6", "[::1]"),
    "ws://[]/": ("not an IPv6", "[::1]"),
    "ws://[127.0.0.1]/": ("not an IPv6", "[::1]"),
    "ws://[v1.x]/": ("not an IPv6", "[::1]"),
    "ws://127.1:43727": ("numeric host", "127.0.0.1"),
    "ws://2130706433:43727": ("numeric host", "127.0.0.1"),
    "ws://0x7f000001:43727": ("numeric host", "127.0.0.1"),
    "ws://0X7F000001:43727": ("numeric host", "127.0.0.1"),
    "ws://0177.0.0.1:43727": ("numeric host", "127.0.0.1"),
    "ws://0x7f.0.0.1:43727": ("numeric host", "127.0.0.1"),
    "ws://127.0.0.0x1:43727": ("numeric host", "127.0.0.1"),
    "ws://0:43727": ("numeric host", "127.0.0.1"),
    "ws://0x:43727": ("numeric host", "127.0.0.1"),
    "ws://127.0.0.1.:43727": ("numeric host", "127.0.0.1"),
    "ws://256.0.0.1/": ("numeric host", "127.0.0.1"),
    "ws://1.2.3.4.5/": ("numeric host", "127.0.0.1"),
    "ws://example.1/": ("numeric host", "127.0.0.1"),
    "ws://①②⑦.0.0.1:43727": ("numeric host", "127.0.0.1"),
    "ws://127。0。0。1:43727": ("numeric host", "127.0.0.1"),
    "ws://１２７.0.0.1:43727": ("numeric host", "127.0.0.1"),
    "wss://a..b/": ("empty label", ""),
    "wss://.a/": ("empty label", ""),
    "wss://a../": ("empty label", ""),
    "wss://-a.example/": ("label", "letters"),
    "wss://a-.example/": ("label", "letters"),
    "wss://exa!mple.com/": ("label", "letters"),
    "wss://exa<mple.com/": ("label", "letters"),
    "wss://exa^mple.com/": ("label", "letters"),
    "wss://*.example.com/": ("label", "letters"),
    "wss://{{host}}/": ("label", "letters"),
    "wss://a℀b.example/": ("label", "letters"),
    "wss://" + "a" * 64 + ".example/": ("label", "63"),
    "wss://" + "a." * 127 + "a/": ("too long", "253"),
    "wss://" + "a." * 126 + "aa/": ("too long", "253"),
    "wss://" + "ü." * 100 + "a/": ("too long", "253"),
    "wss://" + "ü" * 60 + ".example/": ("international", ""),
    "wss://xn--a/": ("international", ""),
    "wss://xn--BCHER-KVA-.example/": ("international", ""),
    "wss://xn--a-.example/": ("international", ""),
    "wss://☃.example/": ("international", ""),
    "wss://ü_.example/": ("international", ""),
    "wss://example.com/../admin/%2e%2e/x": ('"."', ""),
    "wss://example.com/a/..": ('"."', ""),
    "wss://example.com/./a": ('"."', ""),
    "wss://example.com/a/%2E%2e/x": ('"."', ""),
    "wss://example.com/a/.%2e": ('"."', ""),
    "wss://example.com/a/..%2fadmin": ('"."', ""),
    "wss://example.com/a%2f../admin": ('"."', ""),
    "wss://example.com/a%5c..%5cadmin": ('"."', ""),
    "wss://example.com/a/..;x=1/admin": ('"."', ""),
    "wss://example.com/100%": ("hexadecimal", "%25"),
    "wss://example.com/%zz": ("hexadecimal", "%25"),
    "wss://example.com/?q=%2": ("hexadecimal", "%25"),
    "wss://example.com/" + "a" * MAX_LENGTH: ("longer than 8192", ""),
    "wss://example.com/" + "ä" * 2000: ("longer than 8192", ""),
}


def shortly(value: object) -> str:
    return ascii(value)[:40]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items(), ids=shortly)
def test_an_accepted_url_has_one_canonical_form(text: str, canonical: str) -> None:
    url = parse(text)
    assert str(url) == canonical
    assert parse(canonical) == url


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=shortly)
def test_what_is_no_websocket_url_or_has_two_readings_is_refused(
    text: str, expected: tuple[str, str]
) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(text)
    reason, hint = expected
    assert reason in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("value", [None, b"ws://example.com", 1])
def test_only_text_is_a_url(value: object) -> None:
    with pytest.raises(InvalidError, match="type"):
        parse(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "ws://user:hunter2@example.com/",
        "ws://user:hunter2/@example.com/",
        "ws://user:hunter2#@example.com/",
        "user:hunter2@example.com",
        "ws://hunter2!/@example.com/",
        "ws://hun\\ter2@example.com/",
    ],
)
def test_a_refusal_never_quotes_a_password(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(text)
    assert "hun" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_longest_url_passes() -> None:
    prefix = "wss://example.com/"
    assert len(str(parse(prefix + "a" * (MAX_LENGTH - len(prefix))))) == MAX_LENGTH


def test_the_parts_of_a_url() -> None:
    url = parse("wss://[2001:db8::1]:8443/a/b/?x=1&y")
    assert (url.scheme, url.host, url.port, url.path, url.query) == (
        "wss",
        "2001:db8::1",
        8443,
        "/a/b/",
        "x=1&y",
    )
    assert url.secure
    assert url.authority == "[2001:db8::1]:8443"
    assert url.resource == "/a/b/?x=1&y"
    assert url.segments == ("a", "b", "")
    assert url.ip == ipaddress.ip_address("2001:db8::1")
    assert url.origin == ("wss", "2001:db8::1", 8443)


def test_a_plain_url_has_the_port_of_its_scheme_and_no_address() -> None:
    url = parse("ws://example.com")
    assert (url.port, url.authority, url.secure, url.ip, url.segments) == (
        80,
        "example.com",
        False,
        None,
        ("",),
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("[::ffff:10.0.0.1]", False),
        ("notlocalhost", False),
        ("localhost.example", False),
        ("126.0.0.1", False),
        ("0.0.0.0", False),
        ("[::]", False),
    ],
)
def test_loopback_is_known_by_address_and_by_the_reserved_name(host: str, expected: bool) -> None:
    assert parse(f"ws://{host}/").is_loopback is expected


def test_a_url_shows_no_token_but_sends_it() -> None:
    url = parse("wss://example.com/?token=abcdef&x=1")
    assert "abcdef" not in repr(url)
    assert url.masked == "wss://example.com/?token=***&x=1"
    assert url.resource == "/?token=abcdef&x=1"


BASE = "wss://example.com:8443/a/b?x=1"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/c", "wss://example.com:8443/c"),
        ("c", "wss://example.com:8443/a/c"),
        ("c?y=/z", "wss://example.com:8443/a/c?y=/z"),
        ("c/d:e", "wss://example.com:8443/a/c/d:e"),
        ("?y=2", "wss://example.com:8443/a/b?y=2"),
        ("//other.example/c", "wss://other.example/c"),
        ("https://other.example/c", "wss://other.example/c"),
        ("HTTP://other.example:443/", "ws://other.example:443/"),
        ("ws://other.example/", "ws://other.example/"),
        ("wss://other.example/", "wss://other.example/"),
    ],
)
def test_a_redirect_leads_where_its_location_says(location: str, target: str) -> None:
    assert str(join(parse(BASE), location)) == target


@pytest.mark.parametrize(
    "location",
    [
        "",
        "../x",
        "/x#y",
        "mailto:x",
        "ftp://example.com/",
        "https:///x",
        "http:x",
        "//u@evil/",
        "/a\r\nb",
        "\\\\evil/x",
    ],
)
def test_a_redirect_to_no_websocket_url_is_refused(location: str) -> None:
    with pytest.raises(InvalidError):
        join(parse(BASE), location)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "127.0.0.1", "[::1]", "", "1::2::3"])
def test_only_an_ipv6_address_without_zone_and_brackets_is_one(text: str) -> None:
    with pytest.raises(InvalidError):
        canonical_ipv6(text)


def test_a_host_alone_is_canonicalised_as_in_a_url() -> None:
    assert canonical_host("BÜCHER.Example.") == parse("ws://BÜCHER.Example./").host


hosts = st.one_of(
    st.text(alphabet="aB1.-_xXnÜß。①%@:[]", max_size=20),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"),
    st.sampled_from(["localhost", "bücher.example", "xn--bcher-kva.example", "0x7f.1", "EXAMPLE.com."]),
)
ports = st.one_of(
    st.just(""), st.integers(0, 70000).map(lambda port: f":{port}"), st.sampled_from([":", ":080"])
)
tails = st.text(alphabet="/ab.%2eEfF?=&;ä#\\ \t@:[]{}|", max_size=20).map(lambda tail: "/" + tail)
urls = st.builds("{}://{}{}{}".format, st.sampled_from(["ws", "wss", "WSS"]), hosts, ports, tails)


@given(st.one_of(st.text(max_size=40), urls))
def test_what_parses_is_stable_and_other_parsers_see_the_same_target(text: str) -> None:
    try:
        url = parse(text)
    except InvalidError:
        return
    assert parse(str(url)) == url
    seen = urlsplit(str(url))
    assert seen.hostname == url.host
    assert (seen.port or (443 if url.secure else 80)) == url.port
    assert (seen.scheme, seen.path, seen.query) == (url.scheme, url.path, url.query)
    assert str(url).isascii()
    assert (seen.username, seen.password, seen.fragment) == (None, None, "")


@given(urls, st.text(max_size=20))
def test_a_redirect_is_a_url_or_refused(base: str, location: str) -> None:
    try:
        target = join(parse(base), location)
    except InvalidError:
        return
    assert isinstance(target, URL)
    assert parse(str(target)) == target
