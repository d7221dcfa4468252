"""Opening a connection: what is sent, and how each failure is reported."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import socket
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.servers import (
    TEXT,
    Raw,
    Site,
    answering,
    black_hole,
    close_frame,
    dead_port,
    frame,
    http,
    raw_server,
    request_of,
    server,
)


def failure(url: str, **options: Any) -> errors.ConnectError:
    """Return the error of a dial that must fail."""
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    error = caught.value
    assert error.kind is errors.INTERNAL
    assert error.details["url"].startswith(url[:10])
    return error


# -- what the server sees ----------------------------------------------------------------------------


async def tell_request(connection: ServerConnection) -> None:
    """Send the client what it asked with."""
    request = request_of(connection)
    lines = [request.path, *(f"{name}: {value}" for name, value in request.headers.raw_items())]
    await connection.send("\n".join(lines))
    await connection.wait_closed()


def request_with(path: str = "/", **options: Any) -> list[str]:
    with server(tell_request) as site, ipyws.connect(site.url + path, **options) as client:
        text = client.recv("5s").data
        assert isinstance(text, str)
        return text.split("\n")


def test_handshake_asks_for_the_path_and_query_of_the_url() -> None:
    assert request_with("/a/b?c=d&e")[0] == "/a/b?c=d&e"


def test_handshake_has_no_origin_no_extension_and_no_subprotocol_unless_asked_for() -> None:
    names = {line.partition(":")[0].lower() for line in request_with()[1:]}
    assert names == {
        *("host", "upgrade", "connection", "user-agent"),
        *("sec-websocket-key", "sec-websocket-version"),
    }


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"headers": {"X-One": "1"}}, "X-One: 1"),
        ({"headers": [("X-One", "1"), ("X-One", "2")]}, "X-One: 2"),
        ({"headers": {"User-Agent": "mine"}}, "User-Agent: mine"),
        ({"origin": "https://app.example"}, "Origin: https://app.example"),
        (
            {"auth": ("me", "open:sesame")},
            f"Authorization: Basic {base64.b64encode(b'me:open:sesame').decode()}",
        ),
        ({"headers": {"Authorization": ipyws.secret("Bearer abcdef")}}, "Authorization: Bearer abcdef"),
        ({"compression": 1}, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
    ],
)
def test_option_is_sent_in_the_handshake(options: dict[str, Any], line: str) -> None:
    assert line in request_with(**options)


def test_user_agent_is_sent_once_and_names_us() -> None:
    agents = [line for line in request_with() if line.lower().startswith("user-agent:")]
    assert len(agents) == 1
    assert "ipyws" in agents[0]


def test_repeated_header_is_sent_as_often_as_given() -> None:
    lines = request_with(headers=[("X-One", "1"), ("X-One", "2")])
    assert [line for line in lines if line.startswith("X-One")] == ["X-One: 1", "X-One: 2"]


def test_subprotocol_is_the_one_the_server_chose() -> None:
    with (
        server(tell_request, subprotocols=["b.v1"]) as site,
        ipyws.connect(site.url, protocols=["a.v1", "b.v1"]) as client,
    ):
        assert "Sec-WebSocket-Protocol: a.v1, b.v1" in str(client.recv("5s").data)
        assert client.subprotocol == "b.v1"


def test_response_says_how_the_server_answered() -> None:
    with server() as site, ipyws.connect(site.url) as client:
        response = client.response
        assert response is not None
        assert (response.status, response.reason) == (101, "Switching Protocols")
        assert response.peer_address == ("127.0.0.1", site.port)
        assert response.local_address is not None
        assert ("Upgrade", "websocket") in response.headers
        assert 0 < response.elapsed < 10
        assert client.stats.connecting == response.elapsed
        assert response.proxy is None


# -- refused before anything is dialled ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"dial_timeuot": "5s"}, "dial_timeuot"),
        ({"ca": __file__}, "ca"),
        ({"cert": __file__}, "cert"),
        ({"insecure": True}, "insecure"),
        ({"key": __file__}, "key"),
        ({"auth": ("u", "p"), "headers": {"authorization": "x"}}, "Authorization"),
        ({"origin": "https://a", "headers": {"Origin": "https://b"}}, "Origin"),
        ({"headers": {"Host": "evil"}}, "Host"),
        ({"headers": {"Sec-WebSocket-Key": "x"}}, "Sec-WebSocket-Key"),
        ({"headers": {"X": "a\r\nY: b"}}, "X"),
        ({"protocols": ["a", "a"]}, "twice"),
        ({"protocols": ["a b"]}, "not a token"),
        ({"dial_timeout": 0}, "dial_timeout"),
        ({"ping_interval": "-1s"}, "ping_interval"),
        ({"compression": 3}, "compression"),
        ({"read_limit": (128 << 20) + 1}, "read_limit"),
        ({"channel_capacity": 0}, "channel_capacity"),
        ({"proxy": "ftp://proxy"}, "proxy"),
    ],
)
def test_bad_option_is_invalid_and_nothing_is_dialled(options: dict[str, Any], part: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        with pytest.raises(errors.InvalidError) as caught:
            ipyws.connect(f"ws://127.0.0.1:{listening.getsockname()[1]}", **options)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert caught.value.kind is errors.INVALID
    assert not caught.value.retryable
    assert part in caught.value.message


# -- failed dials --------------------------------------------------------------------------------------


def test_refused_connection_is_retryable_and_asks_whether_the_server_runs() -> None:
    with dead_port() as port:
        error = failure(f"ws://127.0.0.1:{port}")
    assert (error.details["phase"], error.retryable) == ("tcp", True)
    assert error.details["address"] == "127.0.0.1"
    assert f"127.0.0.1:{port}" in error.message
    assert "running" in error.hint


def test_name_that_does_not_resolve_is_retryable() -> None:
    error = failure("ws://no-such-host.invalid", dial_timeout="20s")
    assert (error.details["phase"], error.retryable) == ("dns", True)
    assert "no-such-host.invalid" in error.message


def test_black_hole_ends_with_the_dial_timeout() -> None:
    with black_hole() as port:
        error = failure(f"ws://127.0.0.1:{port}", dial_timeout="200ms")
    assert (error.details["phase"], error.retryable) == ("tcp", True)
    assert "200ms" in error.message
    assert "dial_timeout" in error.hint


async def accept_and_ignore(peer: Raw) -> None:
    await peer.forever()


def test_server_that_never_answers_the_handshake_ends_with_the_dial_timeout() -> None:
    with raw_server(accept_and_ignore) as site:
        error = failure(site.url, dial_timeout="200ms")
    assert (error.details["phase"], error.retryable) == ("handshake", True)
    assert "200ms" in error.message
    assert error.details["address"] == "127.0.0.1"
    assert "ws://" not in error.hint


def test_server_that_is_silent_to_tls_may_not_speak_it() -> None:
    with raw_server(accept_and_ignore) as site:
        error = failure(site.url.replace("ws:", "wss:"), dial_timeout="200ms")
    assert error.details["phase"] == "tls"
    assert "ws://" in error.hint


@pytest.mark.parametrize(
    ("status", "retryable", "hint"),
    [
        ("400 Bad Request", False, "wss"),
        ("401 Unauthorized", False, "auth"),
        ("403 Forbidden", False, "credentials"),
        ("404 Not Found", False, "path"),
        ("429 Too Many Requests", True, "wait"),
        ("500 Internal Server Error", True, "later"),
        ("503 Service Unavailable", True, "gateway"),
        ("200 OK", False, "endpoint"),
        ("302 Found", False, "follow_redirects"),
    ],
)
def test_http_answer_other_than_101_is_reported_with_status_headers_and_body(
    status: str, retryable: bool, hint: str
) -> None:
    with answering(http(status, "X-Reason: because", body=b"<p>no\xff</p>")) as site:
        error = failure(site.url)
    number, _, phrase = status.partition(" ")
    assert error.retryable is retryable
    assert status in error.message
    assert hint in error.hint
    assert error.details["phase"] == "handshake"
    assert error.details["status"] == int(number)
    assert error.details["reason"] == phrase
    assert ("X-Reason", "because") in error.details["headers"]
    assert error.details["body"] == "<p>no\N{REPLACEMENT CHARACTER}</p>"


@pytest.mark.parametrize("size", [2048, 2049, 1 << 20])
def test_body_of_a_refusal_is_cut_at_2_kib(size: int) -> None:
    with answering(http("403 Forbidden", body=b"x" * size)) as site:
        assert failure(site.url).details["body"] == "x" * 2048


def test_refusal_whose_body_never_ends_is_told_at_once() -> None:
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\nbe patient"
    with raw_server(_answer_and_stay(answer)) as site:
        error = failure(site.url, dial_timeout="30s")
    assert (error.details["status"], error.retryable) == (503, True)
    assert ("Retry-After", "7") in error.details["headers"]
    assert error.details["body"] == "be patient"


def test_refusal_with_a_body_too_large_for_the_parser_still_has_its_status() -> None:
    with answering(http("403 Forbidden", body=b"x" * (3 << 20))) as site:
        error = failure(site.url)
    assert error.details["status"] == 403
    assert error.details["body"] == "x" * 2048


def _answer_and_stay(answer: bytes) -> Callable[[Raw], Awaitable[None]]:
    async def handle(peer: Raw) -> None:
        await peer.read_request()
        await peer.write(answer)
        await peer.rest()

    return handle


def test_chunked_body_of_a_refusal_is_put_together() -> None:
    answer = b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with answering(answer) as site:
        assert failure(site.url).details["body"] == "abcde"


@pytest.mark.parametrize(
    ("answer", "retryable", "part"),
    [
        (b"\x00\x01SSH-2.0\r\n\r\n", False, "not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", False, "not HTTP"),
        (b"", True, "dropped the connection"),
        (b"HTTP/1.1 101 Swit", True, "dropped the connection"),
    ],
)
def test_answer_that_is_not_a_handshake_says_what_it_is(answer: bytes, retryable: bool, part: str) -> None:
    with answering(answer) as site:
        error = failure(site.url)
    assert error.details["phase"] == "handshake"
    assert error.retryable is retryable
    assert part in error.message


def test_reset_during_the_handshake_is_retryable() -> None:
    async def reset(peer: Raw) -> None:
        await peer.read_request()
        peer.reset()

    with raw_server(reset) as site:
        error = failure(site.url)
    assert (error.details["phase"], error.retryable) == ("handshake", True)
    assert "wss://" in error.hint


@pytest.mark.parametrize(
    ("headers", "accept", "part", "ours"),
    [
        ((), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Sec-WebSocket-Accept", False),
        (("Sec-WebSocket-Protocol: other",), None, "other", True),
        (("Sec-WebSocket-Extensions: permessage-deflate",), None, "extension", False),
    ],
)
def test_answer_that_breaks_the_handshake_is_refused(
    headers: tuple[str, ...], accept: str | None, part: str, ours: bool
) -> None:
    async def break_it(peer: Raw) -> None:
        await peer.upgrade(*headers, accept=accept)
        await peer.rest()

    with raw_server(break_it) as site:
        error = failure(site.url, protocols=["mine"])
    assert not error.retryable
    assert part in error.message
    assert "the fault is the server's" in error.hint
    assert ("protocols=" in error.hint) is ours


def test_message_in_the_same_packet_as_the_handshake_is_received() -> None:
    async def hurry(peer: Raw) -> None:
        await peer.upgrade(then=frame(TEXT, b"hi") + close_frame(1000))
        assert (await peer.read_frame()).close_code == 1000

    with raw_server(hurry) as site:
        client = ipyws.connect(site.url)
        assert client.recv("5s").data == "hi"
        with pytest.raises(errors.ClosedError):
            client.recv("5s")
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator) == (1000, "peer")


# -- secrets -------------------------------------------------------------------------------------------


def refuse_and_repeat(canary: str) -> contextlib.AbstractContextManager[Site]:
    """Refuse each request with an answer that repeats it, and the canary once more without its context."""

    async def handler(peer: Raw) -> None:
        request = await peer.read_request()
        body = f"{request}what is {canary}?".encode()
        await peer.write(http("401 No", f"X-Echo: {request.splitlines()[0]}", body=body))

    return raw_server(handler)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {"headers": {"Authorization": "Bearer {}"}}),
        ("", {"headers": {"Cookie": "session={}"}}),
        ("", {"headers": {"X-Api-Key": "{}"}}),
        ("", {"auth": ("me", "{}")}),
        ("?token={}", {}),
        ("?a=b&access_token={}", {}),
    ],
)
def test_secret_shows_in_no_error_log_record_or_repr(
    query: str, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    canary = f"canary-{uuid.uuid4().hex}"  # one that nothing has been told of before
    query = query.format(canary)
    given = {
        name: {key: text.format(canary) for key, text in value.items()}
        if isinstance(value, dict)
        else tuple(text.format(canary) for text in value)
        for name, value in options.items()
    }
    forms = [canary, base64.b64encode(f"me:{canary}".encode()).decode()]
    with caplog.at_level(logging.DEBUG):
        with refuse_and_repeat(canary) as site:
            error = failure(site.url + "/" + query, **given)
        with server() as site, ipyws.connect(site.url + "/" + query, **given) as client:
            client.send("x")
            client.recv("5s")
    shown = [str(error), repr(error), repr(error.details), error.hint]
    shown += ["".join(traceback.format_exception(error))]
    shown += [repr(client), repr(client.url), repr(client.response), repr(client.log), repr(client.stats)]
    shown += [record.getMessage() for record in caplog.records]
    for form in forms:
        assert [text for text in shown if form in text] == []


# -- leaks ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def unchanged(count: Callable[[], object]) -> Iterator[None]:
    before = count()
    yield
    assert count() == before


def open_sockets() -> int:
    def is_socket(fd: str) -> bool:
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
        return False

    return sum(map(is_socket, os.listdir("/proc/self/fd")))


@pytest.mark.parametrize("answer", [http("403 No"), b"garbage\r\n", b""])
def test_failed_dial_leaves_no_socket(answer: bytes) -> None:
    ipyws.serve().close()  # the background loop has sockets of its own
    with unchanged(open_sockets), answering(answer) as site:
        failure(site.url)
