"""What ipyws relies on in `websockets`: a release that changes it must fail here, and not open a hole."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import random
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect_http_proxy, connect_socks_proxy
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    PayloadTooBig,
    ProxyError,
)
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, State
from websockets.proxy import Proxy, get_proxy, parse_proxy
from websockets.server import ServerProtocol
from websockets.uri import WebSocketURI

from ipyws.network.wire.assembler import Inbox, verdict
from ipyws.network.wire.connection import SILENT
from ipyws.network.wire.frame_reader import path_for
from ipyws.network.wire.inflate import inflate_for
from tests.support.policy import Place, Resolver, dialling, place
from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import CONTINUATION, TEXT, Site, answering, dead_port, frame, server
from tests.support.streams import RSV1, Deflater
from tests.support.tube import ALONE, TAKEOVER, Sink

URI = WebSocketURI(False, "chat.example.com", 8080, "/a", "b=c")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def site() -> Iterator[Site]:
    with server() as running:
        yield running


def parameters(function: Callable[..., object]) -> dict[str, Any]:
    """Return the parameters of a function and their kinds."""
    return {name: each.kind for name, each in inspect.signature(function).parameters.items()}


def protocol(**options: Any) -> ClientProtocol:
    return ClientProtocol(URI, logger=SILENT, **options)


def answered(status: str, *headers: str, **options: Any) -> tuple[ClientProtocol, list[Any]]:
    """Return a protocol that has sent its request and read an answer, and its events."""
    made = protocol(**options)
    made.send_request(made.connect())
    made.data_to_send()
    made.receive_data("\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode())
    return made, made.events_received()


# -- the protocol without sockets ------------------------------------------------------------------------


def test_protocol_takes_the_options_that_we_give_it_and_no_proxy_nor_redirect() -> None:
    taken = set(parameters(ClientProtocol))
    assert taken >= {"origin", "extensions", "subprotocols", "max_size", "logger"}
    assert not {name for name in taken if "proxy" in name or "redirect" in name}


def test_protocol_dials_nothing_resolves_nothing_and_asks_no_environment(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("it looked for a proxy")

    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com")
    for function in ("getproxies", "proxy_bypass"):
        monkeypatch.setattr(f"urllib.request.{function}", asked)
    with dialling() as dialled:
        answered("101 ok", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: x")
    assert (resolver.queries, dialled) == ([], [])


def test_request_is_for_the_uri_as_it_was_given() -> None:
    request = protocol(origin="https://app.example.com", subprotocols=["a", "b"]).connect()
    assert isinstance(request, Request)
    assert request.path == "/a?b=c"
    assert request.headers["Host"] == "chat.example.com:8080"
    assert request.headers["Origin"] == "https://app.example.com"
    assert request.headers["Sec-WebSocket-Protocol"] == "a, b"
    assert "Authorization" not in request.headers
    assert "Sec-WebSocket-Extensions" not in protocol().connect().headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_answer_like_any_other_and_never_followed(status: int) -> None:
    made, events = answered(f"{status} There", "Location: ws://elsewhere.example.com/", "Content-Length: 0")
    error = made.handshake_exc
    assert isinstance(error, InvalidStatus)
    assert isinstance(error.response, Response)
    assert (error.response.status_code, error.response.reason_phrase) == (status, "There")
    assert error.response.headers["Location"] == "ws://elsewhere.example.com/"
    assert events == [error.response] or events == []
    assert made.state is State.CONNECTING
    assert not any(data for data in made.data_to_send())


def test_answer_without_the_right_key_is_an_error_of_the_handshake() -> None:
    made, _ = answered("101 ok", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: x")
    assert isinstance(made.handshake_exc, InvalidHandshake)


def agreed(**options: Any) -> tuple[ClientProtocol, ServerProtocol]:
    """Return both ends of a connection that is open."""
    client = protocol(**options)
    deflate = [ServerPerMessageDeflateFactory()] if options.get("extensions") else None
    other = ServerProtocol(logger=SILENT, extensions=deflate)
    client.send_request(client.connect())
    other.receive_data(b"".join(client.data_to_send()))
    request = other.events_received()[0]
    assert isinstance(request, Request)
    other.send_response(other.accept(request))
    client.receive_data(b"".join(other.data_to_send()))
    assert isinstance(client.events_received()[0], Response)
    assert client.state is OPEN
    return client, other


def test_protocol_that_begins_open_reads_frames_at_once_and_takes_extensions_by_header() -> None:
    client = protocol(state=OPEN, extensions=[ClientPerMessageDeflateFactory()])
    client.extensions = client.process_extensions(
        Headers([("Sec-WebSocket-Extensions", "permessage-deflate")])
    )
    other = ServerProtocol(logger=SILENT, state=OPEN)
    other.extensions = [PerMessageDeflate(False, False, 15, 15)]
    other.send_text(b"x" * 1000)
    data = b"".join(other.data_to_send())
    assert len(data) < 100
    client.receive_data(data)
    assert [frame.data for frame in client.events_received()] == [b"x" * 1000]
    with pytest.raises(InvalidHandshake, match="Unsupported extension"):
        client.process_extensions(Headers([("Sec-WebSocket-Extensions", "x-other")]))


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize(("size", "closes"), [(1000, False), (1001, True)])
def test_largest_message_is_counted_after_inflating_and_a_larger_one_ends_with_1009(
    deflate: bool, size: int, closes: bool
) -> None:
    extensions = [ClientPerMessageDeflateFactory()] if deflate else None
    client, other = agreed(max_size=1000, extensions=extensions)
    other.send_binary(b"\0" * size)
    data = b"".join(other.data_to_send())
    assert (len(data) < 100) is deflate
    client.receive_data(data)
    client.events_received()
    assert isinstance(client.parser_exc, PayloadTooBig) is closes
    assert (client.close_sent.code if client.close_sent else None) == (1009 if closes else None)


def test_logger_that_is_ours_is_silent_at_every_level(caplog: pytest.LogCaptureFixture) -> None:
    for name in (None, "websockets", "websockets.client"):
        caplog.set_level(logging.DEBUG, name)
    client, other = agreed()
    client.send_text(b"a secret of ours")
    other.receive_data(b"".join(client.data_to_send()))
    client.send_close(1000, "done")
    assert b"".join(client.data_to_send())
    assert client.logger is SILENT
    assert not client.debug
    assert not SILENT.isEnabledFor(logging.CRITICAL)
    assert SILENT.parent is None
    assert [record.getMessage() for record in caplog.records] == []
    loud = ClientProtocol(URI)
    loud.send_request(loud.connect())
    assert "chat.example.com" in caplog.text  # the library's own logger would have told


# -- what the fast path relies on --------------------------------------------------------------------------


@pytest.mark.parametrize("deflate", [False, True])
def test_protocol_is_as_the_fast_path_needs_it(deflate: bool) -> None:
    client, _ = agreed(max_size=1000, extensions=[ClientPerMessageDeflateFactory()] if deflate else None)
    assert (client.max_message_size, client.max_fragment_size) == (1000, None)
    assert (client.close_rcvd, client.parser_exc) == (None, None)
    assert client.reader.buffer == b""
    assert [type(extension) for extension in client.extensions] == [PerMessageDeflate] * deflate
    assert path_for(client, Inbox(Sink()), client.receive_data) is not None


def test_frame_leaves_nothing_in_the_reader_and_its_event_and_pong_are_there_at_once() -> None:
    client, other = agreed()
    for send in (other.send_text, other.send_ping):
        send(b"a")
        client.receive_data(b"".join(other.data_to_send()))
        assert client.reader.buffer == b""
        assert len(client.events_received()) == 1
    assert len(client.data_to_send()) == 1


def test_frames_that_the_library_never_saw_leave_no_gap_for_it() -> None:
    client, other = agreed()
    other.send_text(b"not for the library")
    other.data_to_send()
    other.send_text(b"for the library")
    client.receive_data(b"".join(other.data_to_send()))
    assert [event.data for event in client.events_received() if isinstance(event, Frame)] == [
        b"for the library"
    ]


@pytest.mark.parametrize("fin", [True, False])
def test_window_moved_past_the_library_is_the_one_that_it_goes_on_with(fin: bool) -> None:
    client, _ = agreed(extensions=[ClientPerMessageDeflateFactory()])
    inflate = inflate_for(client.extensions[0], 1000)
    assert inflate is not None
    deflater, text = Deflater(TAKEOVER), b"the same text, more than once, " * 4
    assert inflate(deflater.deflate(text)) == text
    client.receive_data(frame(TEXT, deflater.deflate(text), fin=fin, rsv=RSV1))
    if not fin:
        client.receive_data(frame(CONTINUATION, b""))
    assert b"".join(event.data for event in client.events_received() if isinstance(event, Frame)) == text
    assert inflate(deflater.deflate(text)) == text


def test_decoder_without_context_is_made_again_for_each_message() -> None:
    alone = ClientPerMessageDeflateFactory(server_no_context_takeover=True)
    client, _ = agreed(extensions=[alone])
    deflate = client.extensions[0]
    assert isinstance(deflate, PerMessageDeflate)
    assert deflate.remote_no_context_takeover
    assert not hasattr(deflate, "decoder")
    assert 8 <= deflate.remote_max_window_bits <= 15
    inflate, deflater = inflate_for(deflate, 1 << 16), Deflater(ALONE)
    assert inflate is not None
    message = random.Random(5).randbytes(20_000) * 2  # refers back over most of the largest window
    assert [inflate(deflater.deflate(message)) for _ in range(2)] == [message] * 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"\xff\x00", rsv=RSV1), 1002),
        (frame(TEXT, Deflater(TAKEOVER).deflate(bytes(1001)), rsv=RSV1), 1009),
    ],
    ids=["garbage", "too big"],
)
def test_fault_of_a_deflated_message_is_what_the_fast_path_says_it_is(data: bytes, code: int) -> None:
    client, _ = agreed(max_size=1000, extensions=[ClientPerMessageDeflateFactory()])
    twin, _ = agreed(max_size=1000, extensions=[ClientPerMessageDeflateFactory()])
    inflate = inflate_for(twin.extensions[0], 1000)
    assert inflate is not None
    client.receive_data(data)
    assert client.close_sent is not None
    with pytest.raises(type(client.parser_exc)) as caught:  # type: ignore[arg-type]
        inflate(data[2:])
    assert (*verdict(caught.value), str(caught.value)) == (
        code,
        client.close_sent.reason,
        str(client.parser_exc),
    )
    assert client.close_sent.code == code


# -- proxies -----------------------------------------------------------------------------------------------


def test_functions_for_proxies_take_what_we_give_them() -> None:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_KEYWORD)
    for function in (connect_http_proxy, connect_socks_proxy):
        assert inspect.iscoroutinefunction(function)
        kinds = parameters(function)
        assert list(kinds)[:2] == ["proxy", "ws_uri"]
        assert kinds["proxy"] is kinds["ws_uri"] is named[0]
        assert kinds["kwargs"] is named[1]
    assert list(parameters(parse_proxy)) == ["proxy"]
    assert list(parameters(get_proxy)) == ["uri"]


def test_proxy_and_uri_are_records_whose_host_we_may_replace() -> None:
    fields = [field.name for field in dataclasses.fields(Proxy)]
    assert fields == ["scheme", "host", "port", "username", "password"]
    fields = [field.name for field in dataclasses.fields(WebSocketURI)]
    assert fields == ["secure", "host", "port", "path", "query", "username", "password"]
    made = parse_proxy("socks5h://me:a%40b@Proxy.Example.com:1080")
    assert made == Proxy("socks5h", "proxy.example.com", 1080, "me", "a@b")
    assert dataclasses.replace(made, host="127.0.0.1").host == "127.0.0.1"
    assert parse_proxy("http://[::1]:3128").host == "::1"
    assert (parse_proxy("http://h").port, parse_proxy("https://h").port) == (80, 443)


@pytest.mark.parametrize(
    "text", ["ftp://h", "http://", "http://h/path", "http://h?x=1", "http://h#x", "http://me@h"]
)
def test_what_is_no_proxy_is_an_error_that_says_why_without_the_whole_text(text: str) -> None:
    with pytest.raises(InvalidProxy) as caught:
        parse_proxy(text)
    assert isinstance(caught.value.msg, str)
    assert text not in caught.value.msg


@pytest.mark.parametrize("text", ["http://h:99999", "http://[::1", "http://h:x"])
def test_what_can_not_be_split_at_all_is_an_error_of_urllib(text: str) -> None:
    with pytest.raises(ValueError):
        parse_proxy(text)


@pytest.mark.parametrize(
    ("variables", "secure", "found"),
    [
        ({"HTTP_PROXY": "http://p"}, False, "http://p"),
        ({"HTTP_PROXY": "http://p"}, True, None),
        ({"https_proxy": "http://p"}, True, "http://p"),
        ({"https_proxy": "http://p", "http_proxy": "http://q"}, False, "http://p"),
        ({"wss_proxy": "http://w", "https_proxy": "http://p"}, True, "http://w"),
        ({"ws_proxy": "http://w", "https_proxy": "http://p"}, False, "http://w"),
        ({"socks_proxy": "http://s", "https_proxy": "http://p"}, True, "socks5h://s"),
        ({"http_proxy": "http://p", "no_proxy": "example.com"}, False, None),
        ({"http_proxy": "http://p", "no_proxy": "*"}, False, None),
        ({}, False, None),
    ],
)
def test_environment_is_read_at_each_call(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], secure: bool, found: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert get_proxy(dataclasses.replace(URI, secure=secure)) == found


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


async def _http(proxy: Proxy, uri: WebSocketURI) -> object:
    transport = await connect_http_proxy(proxy, uri)
    assert isinstance(transport, asyncio.Transport)
    peer = transport.get_extra_info("peername")
    transport.abort()
    return peer


async def _socks(proxy: Proxy, uri: WebSocketURI) -> object:
    sock = await connect_socks_proxy(proxy, uri)
    assert isinstance(sock, socket.socket)
    peer = sock.getpeername()
    sock.close()
    return peer


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks5"])
@pytest.mark.parametrize("host", ["10.20.30.40", "chat.example.com"])
def test_proxy_is_asked_for_the_host_of_the_uri_and_no_address_is_resolved_again(
    resolver: Resolver, site: Site, scheme: str, host: str
) -> None:
    resolver.says("chat.example.com", "10.0.0.1")
    resolves_here = scheme == "socks5" and host == "chat.example.com"
    with connect_proxy(site) if scheme == "http" else socks5_proxy(site) as proxy, dialling() as dialled:
        address = Proxy(scheme, "127.0.0.1", proxy.port)
        uri = dataclasses.replace(URI, host=host)
        assert run((_http if scheme == "http" else _socks)(address, uri)) == ("127.0.0.1", proxy.port)
        assert proxy.next() == f"{'10.0.0.1' if resolves_here else host}:8080"
    assert dialled[0] == ("127.0.0.1", proxy.port)
    # It would resolve a name by itself, unchecked: we never let it have one.
    assert resolver.queries == (["chat.example.com"] if resolves_here else [])


def test_ipv6_address_is_asked_for_in_brackets_and_not_resolved(resolver: Resolver, site: Site) -> None:
    with connect_proxy(site) as proxy:
        run(_http(Proxy("http", "127.0.0.1", proxy.port), dataclasses.replace(URI, host="2001:db8::1")))
        assert proxy.next() == "[2001:db8::1]:8080"
    assert resolver.queries == []


def test_proxy_is_not_looked_up_in_the_environment_by_what_goes_through_one(
    monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    with connect_proxy(site) as proxy, dead_port() as dead:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{dead}")
        monkeypatch.setattr("websockets.asyncio.client.get_proxy", None)
        assert run(_http(Proxy("http", "127.0.0.1", proxy.port), URI)) == ("127.0.0.1", proxy.port)


def test_refusals_of_proxies_are_told_apart(site: Site) -> None:
    with connect_proxy(site, status="403 No") as proxy, pytest.raises(InvalidProxyStatus) as caught:
        run(_http(Proxy("http", "127.0.0.1", proxy.port), URI))
    assert (caught.value.response.status_code, caught.value.response.reason_phrase) == (403, "No")
    assert issubclass(InvalidProxyStatus, ProxyError)
    assert issubclass(ProxyError, InvalidHandshake)
    with socks5_proxy(site, "me:right") as proxy, pytest.raises(ProxyError) as refused:
        run(_socks(Proxy("socks5h", "127.0.0.1", proxy.port, "me", "wrong"), URI))
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize("connect", [_http, _socks])
def test_proxy_that_is_not_there_is_an_error_of_the_system(connect: Any) -> None:
    with dead_port() as port, pytest.raises(OSError):
        run(connect(Proxy("http" if connect is _http else "socks5h", "127.0.0.1", port), URI))


def test_redirect_of_a_proxy_is_a_refusal_and_never_followed() -> None:
    answer = b"HTTP/1.1 302 There\r\nLocation: http://elsewhere.example.com/\r\nContent-Length: 0\r\n\r\n"
    with answering(answer) as proxy, dialling() as dialled:
        with pytest.raises(InvalidProxyStatus):
            run(_http(Proxy("http", "127.0.0.1", proxy.port), URI))
        assert dialled == [("127.0.0.1", proxy.port)]
