"""The server's answer to the handshake: what is taken of it, what is refused, and what is said of either."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator

import pytest
from websockets.utils import accept_key

import ipyws
from ipyws import errors
from ipyws.network.handshake.answer import AnswerError, HeadReader
from ipyws.view.summary import card
from tests.support.servers import TEXT, Raw, Site, answering, frame, raw_server

BIG = f"X-Policy: {'x' * 9000}"


@contextlib.contextmanager
def saying(*lines: str, end: str = "\r\n", first: str = "HTTP/1.1 101 Switching Protocols") -> Iterator[Site]:
    """Answer by these lines and a message; ``{key}`` in them is the right key."""

    async def handler(peer: Raw) -> None:
        await peer.read_request()
        key = accept_key(peer.header("Sec-WebSocket-Key") or "")
        head = end.join([*(line.replace("{key}", key) for line in (first, *lines)), "", ""])
        await peer.write(head.encode("latin-1") + frame(TEXT, b"hello"))
        await peer.read_frame()

    with raw_server(handler) as site:
        yield site


UPGRADE, CONNECTION, ACCEPT = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: {key}"
GOOD = (UPGRADE, CONNECTION, ACCEPT)


def refusal(site: Site, **options: object) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(site.url, **options)
    return caught.value


@pytest.mark.parametrize(
    "lines",
    [
        GOOD,
        ("upgrade: WebSocket", "connection: keep-alive, upgrade", "sec-websocket-accept:{key}"),
        ("Upgrade:\twebsocket \t", "Connection:Upgrade", "Sec-WebSocket-Accept:   {key}  "),
        ("Connection: keep-alive", *GOOD),
        (*GOOD, BIG),
        (*GOOD, *(f"X-{number}: {number}" for number in range(130))),
        (*GOOD, "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty:", "X-Name: caf\xe9"),
    ],
)
def test_answer_that_http_allows_is_taken_and_nothing_is_odd(lines: tuple[str, ...]) -> None:
    with saying(*lines) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "hello"
        assert client.response.oddities == ()
        assert len(client.response.headers) == len(lines)


ODD = [
    ((*GOOD, "Sec-WebSocket-Extensions:"), "empty Sec-WebSocket-Extensions"),
    ((*GOOD, "Sec-WebSocket-Protocol:"), "empty Sec-WebSocket-Protocol"),
    ((*GOOD, "Sec-WebSocket-Protocol: , "), "empty Sec-WebSocket-Protocol"),
    ((*GOOD, "Sec-WebSocket-Version: 13"), "Sec-WebSocket-Version"),
    ((*GOOD, "Content-Length: 0"), "Content-Length"),
    ((*GOOD, "no colon at all"), "no colon at all"),
    ((*GOOD, "X-Bell: \a"), "no header"),
    ((*GOOD, "X-Folded: a", "  b"), "X-Folded"),
    ((UPGRADE, CONNECTION, "Sec-WebSocket-Accept : {key}"), "Sec-WebSocket-Accept"),
    ((*GOOD, ACCEPT), "Sec-WebSocket-Accept"),
    ((*GOOD, UPGRADE), "more than once"),
    (("Upgrade: websocket,", CONNECTION, ACCEPT), "empty item in Upgrade"),
    ((UPGRADE, "Connection: Upgrade, not a token", ACCEPT), "Connection"),
]


@pytest.mark.parametrize(("lines", "part"), ODD)
def test_oddity_that_leaves_no_doubt_is_taken_and_told(lines: tuple[str, ...], part: str) -> None:
    with saying(*lines) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "hello"
        assert client.subprotocol is None
        assert len(client.response.oddities) == 1
        assert part in client.response.oddities[0]
        assert part in card(client.connection).note


@pytest.mark.parametrize(("lines", "part"), ODD)
def test_strict_refuses_what_is_odd(lines: tuple[str, ...], part: str) -> None:
    with saying(*lines) as site:
        error = refusal(site, strict=True)
    assert part in error.message
    assert "strict=False" in error.hint
    assert not error.retryable
    assert len(error.details["oddities"]) == 1


def test_strict_takes_what_the_standard_has() -> None:
    with saying(*GOOD) as site, ipyws.connect(site.url, strict=True) as client:
        assert client.recv("5s").data == "hello"


@pytest.mark.parametrize(
    ("first", "end", "part"),
    [
        ("HTTP/1.0 101 Switching Protocols", "\r\n", "HTTP/1.0"),
        ("HTTP/1.1 101", "\r\n", "status line"),
        ("HTTP/1.1  101  Switching", "\r\n", "status line"),
        ("\r\nHTTP/1.1 101 Switching Protocols", "\r\n", "empty line"),
        ("HTTP/1.1 101 Switching Protocols", "\n", "carriage return"),
    ],
)
def test_odd_status_line_or_line_end_is_taken_and_told(first: str, end: str, part: str) -> None:
    with saying(*GOOD, first=first, end=end) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "hello"
        assert part in client.response.oddities[0]
        assert client.response.status == 101


def test_empty_reason_phrase_is_not_odd() -> None:
    with saying(*GOOD, first="HTTP/1.1 101 ") as site, ipyws.connect(site.url) as client:
        assert (client.response.reason, client.response.oddities) == ("", ())
        assert card(client.connection).opened.startswith("101 in ")
        assert repr(client.response).startswith("<Handshake 101 in ")


def test_subprotocol_that_is_named_twice_is_the_one_that_was_chosen() -> None:
    lines = (*GOOD, "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat")
    with saying(*lines) as site, ipyws.connect(site.url, protocols=["chat"]) as client:
        assert client.subprotocol == "chat"
        assert "subprotocol" in client.response.oddities[0]


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ((CONNECTION, ACCEPT), "Upgrade"),
        ((UPGRADE, ACCEPT), "Connection"),
        (("Upgrade: h2c", CONNECTION, ACCEPT), "h2c"),
        (("Upgrade: websocket, h2c", CONNECTION, ACCEPT), "h2c"),
        ((UPGRADE, "Connection: close", ACCEPT), "close"),
        ((UPGRADE, CONNECTION), "Sec-WebSocket-Accept"),
        ((UPGRADE, CONNECTION, "Sec-WebSocket-Accept: x"), "Sec-WebSocket-Accept"),
        ((*GOOD, "Sec-WebSocket-Accept: x"), "Sec-WebSocket-Accept"),
        ((*GOOD, "Sec-WebSocket-Protocol: other"), "'other'"),
        ((*GOOD, "Sec-WebSocket-Protocol: CHAT"), "'CHAT'"),
        ((*GOOD, "Sec-WebSocket-Protocol: chat, other"), "chat, other"),
        ((*GOOD, "Sec-WebSocket-Extensions: permessage-deflate"), "permessage-deflate"),
    ],
)
def test_answer_that_a_client_must_refuse_is_refused_with_all_that_came(
    lines: tuple[str, ...], part: str
) -> None:
    with saying(*lines) as site:
        error = refusal(site, protocols=["chat"])
    assert part in error.message
    assert not error.retryable
    assert (error.details["phase"], error.details["status"]) == ("handshake", 101)
    assert len(error.details["headers"]) == len(lines)


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ((*GOOD, f"X-Policy: {'x' * 70_000}"), "64 kB"),
        ((*GOOD, *(f"X-{number}: {number}" for number in range(300))), "256 headers"),
    ],
)
def test_answer_that_is_too_large_says_so_and_keeps_status_and_headers(
    lines: tuple[str, ...], part: str
) -> None:
    with saying(*lines) as site:
        error = refusal(site)
    assert part in error.message
    assert "wss" not in error.hint
    assert error.details["status"] == 101
    assert ("Upgrade", "websocket") in error.details["headers"]


def test_refusal_with_too_large_a_head_is_a_refusal_all_the_same() -> None:
    with saying("Retry-After: 3", f"X-Policy: {'x' * 70_000}", first="HTTP/1.1 503 Busy") as site:
        error = refusal(site)
    assert (error.details["status"], error.retryable) == (503, True)
    assert ("Retry-After", "3") in error.details["headers"]


def test_interim_answers_are_not_the_answer() -> None:
    interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with saying(*GOOD, first=f"{interim}HTTP/1.1 101 Switching") as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "hello"
        assert (client.response.status, client.response.oddities) == (101, ())
        assert len(client.response.headers) == 3


def test_interim_answers_without_end_are_too_large_an_answer() -> None:
    with saying(first="HTTP/1.1 102 Processing\r\n\r\n" * 4000) as site:
        assert "64 kB" in refusal(site).message


@pytest.mark.parametrize("size", [1, 7])
def test_answer_may_come_in_pieces(size: int) -> None:
    async def dribble(peer: Raw) -> None:
        await peer.read_request()
        key = accept_key(peer.header("Sec-WebSocket-Key") or "")
        answer = "\r\n".join(["HTTP/1.1 100 Continue", "", "HTTP/1.1 101 ok", *GOOD, "", ""])
        data = answer.replace("{key}", key).encode() + frame(TEXT, b"hello")
        for start in range(0, len(data), size):
            await peer.write(data[start : start + size])
        await peer.read_frame()

    with raw_server(dribble) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "hello"


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "begins 'SSH-2.0-OpenSSH_9.2'", "port"),
        (b"220 mail.example.com ESMTP\r\n", "begins '220 mail.example.com ESMTP'", "port"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "TLS", "wss://"),
        (b"HTTP/1.1 abc\r\n\r\n", "status line", "server"),
    ],
)
def test_what_is_no_answer_of_http_is_quoted(answer: bytes, message: str, hint: str) -> None:
    async def handler(peer: Raw) -> None:
        await peer.read_request()
        await peer.write(answer)
        await peer.rest()

    with raw_server(handler) as site:
        error = refusal(site)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("answer", "message", "retryable"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nX: y", "answered HTTP 401 Unauthorized", False),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nX", "answered HTTP 503 Busy", True),
        (b"HTTP/1.1 403 No\n", "answered HTTP 403 No", False),
        (b"HTTP/1.1 40", "within its answer", True),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", "within its answer", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "within its answer", True),
        (b"", "before it answered", True),
    ],
)
def test_answer_that_ends_in_its_head_is_told_as_far_as_it_came(
    answer: bytes, message: str, retryable: bool
) -> None:
    with answering(answer) as site:
        error = refusal(site)
    assert message in error.message
    assert error.retryable == retryable
    assert error.details["phase"] == "handshake"
    assert ("wss://" in error.hint) == (not answer)


def test_server_that_hangs_up_on_subprotocols_may_know_none_of_them() -> None:
    with answering(b"") as site:
        assert "check protocols=" in refusal(site, protocols=["chat"]).hint


@pytest.mark.parametrize(
    "lines",
    [
        b"HTTP/1.1 100\r\n\r\n" * 16_000,
        b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" * 8_000,
        b"HTTP/1.1 101 Switching\r\n" + b"x\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 403 Forbidden\r\n" + b"x\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 403 Forbidden\r\nA: b\r\n" + b" x\r\n" * 15_000 + b"\r\n",
    ],
)
def test_no_head_holds_the_loop(lines: bytes) -> None:
    start = time.thread_time()
    with contextlib.suppress(AnswerError):
        head, _ = HeadReader().feed(lines) or (None, b"")
        assert head is None or len(head.oddities) < 20
    assert time.thread_time() - start < 0.05


ENDS = ("\r\n", "\n", "\r\r\n")


@pytest.mark.parametrize("ends", list(itertools.product(ENDS, repeat=3)))
def test_a_head_ends_at_its_first_empty_line_however_lines_end_and_wherever_reads_are_cut(
    ends: tuple[str, str, str],
) -> None:
    head = b"HTTP/1.1 200 OK%sServer: x%s" % tuple(end.encode() for end in ends[:2])
    data = head + ends[2].encode() + b"Server: y\r\n\r\nz\n\n"
    found = HeadReader().feed(data)
    assert found is not None
    for cut in range(1, len(data)):
        reader = HeadReader()
        first = reader.feed(data[:cut])
        got, rest = first or reader.feed(data[cut:]) or (None, b"")
        assert got == found[0]
        assert rest + (data[cut:] if first else b"") == found[1]
    if "\r\r\n" not in ends:
        assert (found[0].headers, found[1]) == ((("Server", "x"),), data[len(head) + len(ends[2]) :])
