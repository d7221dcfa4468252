"""What an error quotes of a refusing server, and the advice that follows from the facts."""

from __future__ import annotations

import gzip
import time
import zlib
from email.utils import formatdate
from itertools import product

import pytest

import ipyws
from ipyws import errors
from ipyws.core.connection.reconnect import retry_after
from ipyws.network.handshake.body_text import LONGEST_LINE
from ipyws.network.handshake.hints import Answered, Asked, hint
from ipyws.policy.url import parse
from tests.support.servers import answering, http

SAME = "the server answered HTTP 403 Forbidden instead of 101"


def refusal(answer: bytes, **options: object) -> errors.ConnectError:
    with answering(answer) as site, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(site.url, **options)
    return caught.value


@pytest.mark.parametrize(
    ("body", "headers", "line"),
    [
        (b"token expired\nask again", [], "token expired"),
        (b"\n\n  token   expired  \n", [], "token expired"),
        (b'{"error": "token expired"}', [], "token expired"),
        (
            b'{"statusCode": 403, "message": "token expired", "error": "Forbidden"}',
            [],
            "Forbidden: token expired",
        ),
        (b'{"error": {"code": 17, "message": "token expired"}}', [], "token expired"),
        (b'{"errors": [{"message": "token expired"}]}', [], "token expired"),
        (b'{"code": -2015, "msg": "Invalid API-key, IP"}', [], "Invalid API-key, IP"),
        (b'{"detail": [{"msg": "field required"}]}', [], "field required"),
        (b'{\n "ok": false\n}', [], '{ "ok": false }'),
        (b'"token expired"', [], "token expired"),
        (b'{"error": "token exp', [], '{"error": "token exp'),
        (b'{"error": "jeton expir\\u00e9"}', [], "jeton expiré"),
        ("jeton expiré".encode("latin-1"), ["Content-Type: text/plain; charset=ISO-8859-1"], "jeton expiré"),
        ("期限切れ".encode("shift_jis"), ["Content-Type: text/plain; charset=Shift_JIS"], "期限切れ"),
        ("期限切れ".encode("utf-16"), [], "期限切れ"),
        ("jeton expiré".encode(), ["Content-Type: text/plain; charset=unknown"], "jeton expiré"),
        (b"token expired", ["Content-Type: text/plain; charset=rot13"], "token expired"),
        (gzip.compress(b"token expired", mtime=0), ["Content-Encoding: gzip"], "token expired"),
        (zlib.compress(b"token expired"), ["Content-Encoding: deflate"], "token expired"),
        (zlib.compress(b"token expired", wbits=-15), ["Content-Encoding: deflate"], "token expired"),
        (b"not gzip at all", ["Content-Encoding: gzip"], "not gzip at all"),
        (b"\x0b\x02", ["Content-Encoding: br"], "(2 bytes of br)"),
        (b"<html><head><title>403 Token expired</title></head><body>x</body></html>", [], "Token expired"),
        (
            b"<h1>403 Forbidden</h1><p>Your <b>token</b> has\nexpired &amp; gone",
            [],
            "Your token has expired & gone",
        ),
        (b"<script>alert(1)</script><!-- no --><p>expired</p>", [], "expired"),
        (b"<html><title>403 Forbidden</title><h1>403 Forbidden</h1><hr>nginx/1.22.1</html>", [], ""),
        (b"Forbidden", [], ""),
        (b"403 Forbidden\n", [], ""),
        (b"", [], ""),
        (b"\x00\x01\x02\xff\xfe", [], ""),
        (b"expired \x1b[31m\xe2\x80\xae", [], "expired \\x1b[31m\\u202e"),
    ],
)
def test_error_quotes_the_line_that_says_why(body: bytes, headers: list[str], line: str) -> None:
    error = refusal(http("403 Forbidden", *headers, body=body))
    assert error.message == (f"{SAME}: {line}" if line else SAME)


def test_long_line_is_cut_and_its_body_is_in_the_details() -> None:
    error = refusal(http("403 Forbidden", body=b"x" * 5000))
    assert error.message == f"{SAME}: {'x' * (LONGEST_LINE - 1)}…"
    assert error.details["body"] == "x" * 2048


def test_gzip_bomb_is_inflated_no_further_than_it_is_shown() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200 << 20)))
    start = time.process_time()
    error = refusal(http("403 Forbidden", "Content-Encoding: gzip, gzip", body=bomb))
    assert time.process_time() - start < 2
    assert len(error.details["body"]) <= 2048


@pytest.mark.parametrize(
    "body", [b"<" * 60_000, b"<script" * 9000, b"<!--" * 9000, b"[" * 60_000, b"<a " * 9000]
)
def test_hostile_body_holds_nothing_up(body: bytes) -> None:
    start = time.process_time()
    refusal(http("403 Forbidden", body=body))
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "spelled", ['{"error": "no such key: sesame\\u002Dopen"}', "no such key: sesame-open"]
)
def test_secret_that_the_server_repeats_is_masked_in_the_quoted_line(spelled: str) -> None:
    error = refusal(http("403 Forbidden", body=spelled.encode()), headers={"X-Api-Key": "sesame-open"})
    assert error.message == f"{SAME}: no such key: ***"


def test_empty_reason_phrase_leaves_no_gap() -> None:
    assert refusal(http("403 ", body=b"no more seats")).message == (
        "the server answered HTTP 403 instead of 101: no more seats"
    )


# -- advice ----------------------------------------------------------------------------------------------

PLAIN, TLS = parse("ws://api.example.com/feed"), parse("wss://api.example.com/feed")
TO_TLS = "The plain HTTP request was sent to HTTPS port"
NO_CERT = "No required SSL certificate was sent"
AUTHORIZED, COOKIES = frozenset({"authorization"}), frozenset({"cookie"})


@pytest.mark.parametrize(
    ("asked", "answer", "part"),
    [
        (Asked(PLAIN), Answered(400, {}, TO_TLS, TO_TLS), "use wss://"),
        (Asked(PLAIN), Answered(400, {}, "Client sent an HTTP request to an HTTPS server."), "use wss://"),
        (Asked(PLAIN), Answered(400, {}, ""), "wss://"),
        (Asked(TLS), Answered(400, {}, NO_CERT, NO_CERT), "give cert= and key="),
        (Asked(TLS, cert=True), Answered(400, {}, NO_CERT, NO_CERT), "check cert= and key="),
        (Asked(TLS, cert=True), Answered(400, {}, "The SSL certificate error"), "check cert= and key="),
        (Asked(PLAIN), Answered(401, {}, ""), "auth=(USER, PASSWORD)"),
        (Asked(PLAIN), Answered(401, {"www-authenticate": 'Basic realm="x"'}, ""), "give auth="),
        (Asked(PLAIN), Answered(401, {"www-authenticate": "Bearer"}, ""), "Bearer TOKEN"),
        (Asked(PLAIN), Answered(401, {"www-authenticate": "Negotiate"}, ""), "negotiate"),
        (Asked(PLAIN, AUTHORIZED), Answered(401, {}, ""), "does not accept the Authorization"),
        (Asked(PLAIN, COOKIES), Answered(401, {}, ""), "does not accept the cookies"),
        (Asked(parse("ws://h.example/?token=abcdefgh")), Answered(401, {}, ""), "the token in the URL"),
        (Asked(PLAIN, tokens=True), Answered(401, {}, ""), "subprotocols"),
        (Asked(PLAIN), Answered(401, {"www-authenticate": 'Negotiate, Basic realm="a, b"'}, ""), "auth="),
        (Asked(PLAIN), Answered(401, {"www-authenticate": 'Digest realm="x", Bearer'}, ""), "Bearer TOKEN"),
        (Asked(PLAIN), Answered(401, {"www-authenticate": "Negotiate"}, ""), "asks for negotiate"),
        (Asked(PLAIN), Answered(426, {"upgrade": "h2c"}, ""), "h2c"),
        (Asked(PLAIN, moved=True), Answered(401, {}, ""), "redirect"),
        (Asked(PLAIN), Answered(403, {}, ""), "origin="),
        (Asked(PLAIN, frozenset({"origin"})), Answered(403, {}, ""), "the origin= that was sent"),
        (Asked(PLAIN), Answered(404, {}, ""), "path"),
        (Asked(PLAIN), Answered(426, {"sec-websocket-version": "8, 7"}, ""), "version 8, 7"),
        (Asked(PLAIN), Answered(426, {"upgrade": "websocket"}, ""), "gateway"),
        (Asked(PLAIN), Answered(501, {}, ""), "may want a subprotocol"),
        (Asked(PLAIN, frozenset({"sec-websocket-protocol"})), Answered(501, {}, ""), "another subprotocol"),
        (Asked(PLAIN, frozenset({"if-none-match"})), Answered(304, {}, ""), "if-none-match"),
        (Asked(PLAIN), Answered(503, {}, "", wait="2m"), "wait 2m"),
        (Asked(PLAIN), Answered(503, {}, ""), "try later"),
        (Asked(PLAIN), Answered(429, {}, "", wait="5s"), "wait 5s"),
        (Asked(PLAIN), Answered(429, {}, ""), "wait before"),
        (Asked(PLAIN), Answered(200, {}, ""), "endpoint"),
        (Asked(PLAIN), Answered(418, {}, ""), ""),
    ],
)
def test_advice_follows_from_the_facts(asked: Asked, answer: Answered, part: str) -> None:
    given = hint(asked, answer)
    assert part in given
    assert bool(part) is bool(given)


@pytest.mark.parametrize("text", ["", TO_TLS, NO_CERT, "token expired"])
def test_no_advice_contradicts_what_was_asked(text: str) -> None:
    statuses = (*range(200, 227), *range(300, 309), *range(400, 452), *range(495, 600), 999)
    for status, sent in product(statuses, (frozenset[str](), AUTHORIZED, COOKIES, frozenset({"origin"}))):
        secure, plain = (
            hint(Asked(url, sent, cert=True), Answered(status, {}, text, text)) for url in (TLS, PLAIN)
        )
        assert "wss://" not in secure
        assert "cert=" not in plain
        for given in (secure, plain):
            assert "auth=" not in given or not sent & (AUTHORIZED | COOKIES)
            assert "checks the Origin" not in given or "origin" not in sent


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (500, True),
        (501, False),
        (502, True),
        (503, True),
        (504, True),
        (505, False),
        (429, True),
        (304, False),
    ],
)
def test_refusal_that_another_try_does_not_change_is_final(status: int, retryable: bool) -> None:
    assert refusal(http(f"{status} No")).retryable is retryable


def test_304_leads_nowhere_and_says_so() -> None:
    error = refusal(http("304 Not Modified"))
    assert "redirect" not in error.message + error.hint


@pytest.mark.parametrize(
    ("location", "part"),
    [
        ("wss://b.example/x", "it redirects to wss://b.example/x; follow_redirects=True"),
        ("mailto:me", "not a WebSocket URL"),
        ("/login?token=sesame-open", "/login?token=***"),
    ],
)
def test_redirect_says_where_it_leads(location: str, part: str) -> None:
    assert part in refusal(http("302 Found", f"Location: {location}")).hint


# -- Retry-After -----------------------------------------------------------------------------------------


def test_time_to_wait_is_told() -> None:
    assert refusal(http("503 Busy", "Retry-After: 90")).hint == "the server asks to wait 1m30s"


@pytest.mark.parametrize("skew", [0, 86_400])
def test_moment_to_wait_for_is_read_by_the_clock_of_the_server(skew: int) -> None:
    now = time.time() + skew
    dates = [f"Date: {formatdate(now, usegmt=True)}", f"Retry-After: {formatdate(now + 40, usegmt=True)}"]
    error = refusal(http("503 Busy", *dates))
    assert retry_after(error) == 40
    assert error.hint == "the server asks to wait 40s"


def test_moment_without_a_clock_is_read_by_ours() -> None:
    error = refusal(http("503 Busy", f"Retry-After: {formatdate(time.time() + 3600, usegmt=True)}"))
    assert 3500 < retry_after(error) <= 3600


@pytest.mark.parametrize(
    "value", ["soon", "-1", "Wed, 99 Foo 2015", "Wed, 21 Oct 9999999 07:28:00 GMT", "1" * 5000]
)
def test_what_is_no_time_to_wait_is_none(value: str) -> None:
    assert retry_after(refusal(http("503 Busy", f"Retry-After: {value}"))) == 0


@pytest.mark.parametrize("status", [300, 305, 306])
def test_what_is_not_followed_is_not_said_to_be(status: int) -> None:
    error = refusal(http(f"{status} Elsewhere", "Location: /there"))
    assert error.hint == "it points to /there"


@pytest.mark.parametrize("status", [505, 506, 510])
def test_what_is_final_is_not_said_to_pass(status: int) -> None:
    error = refusal(http(f"{status} No"))
    assert not error.retryable
    assert "later" not in error.hint
