"""Dials that fail, one misbehaviour after the other: one typed line each, and nothing else is printed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.registry import REGISTRY
from tests.support.servers import Raw, Site, raw_server
from tests.support.tls import Authority

WRONG = {
    "reset": None,
    "hangs up": b"",
    "nonsense": b"hello\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "half a status": b"HTTP/1.1 4",
    "half a head": b"HTTP/1.1 502 Bad\r\nServer: x",
    "no status": b"HTTP/1.1 000 x\r\n\r\n",
    "no reason": b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n",
    "half a body": b"HTTP/1.1 502 Bad\r\nContent-Length: 100\r\n\r\nhalf",
    "body without an end": b"HTTP/1.1 403 Forbidden\r\n\r\nnot for you",
    "wrong chunks": b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
    "wrong gzip": b"HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
    "controls": b"HTTP/1.1 403 \x1b[2J\r\nContent-Length: 7\r\n\r\n\x1b[31m\r\nx",
    "too large": b"HTTP/1.1 403 Forbidden\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    "interim alone": b"HTTP/1.1 100 Continue\r\n\r\n",
    "401": b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "moved": b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "SOCKS": b"\x05\xff",
}
WAYS = ("ws", "wss", "http", "https", "socks5", "socks5h", "socks4a")
"""What misbehaves: a server without and with TLS, or a proxy."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def sites(authority: Authority) -> Iterator[dict[bool, Site]]:
    """Servers without and with TLS that answer whatever comes by what ``answer`` of the site is."""

    async def misbehave(peer: Raw) -> None:
        await peer.reader.read(4096)
        answer = peer.site.answer  # type: ignore[attr-defined]
        if answer is None:
            peer.reset()
        else:
            await peer.write(answer)

    with raw_server(misbehave) as plain, raw_server(misbehave, tls=authority.server()) as secure:
        yield {False: plain, True: secure}


def dial(
    way: str, sites: dict[bool, Site], authority: Authority, answer: bytes | None
) -> errors.ConnectError:
    site = sites[way in ("wss", "https")]
    site.answer = answer  # type: ignore[attr-defined]
    trust: dict[str, Any] = {"ca": authority.ca} if site is sites[True] else {}
    if way.startswith("ws"):
        url = site.url
    else:
        url, trust["proxy"] = "ws://127.0.0.5:9/", f"{way}://me:canary-pass@127.0.0.1:{site.port}"
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, dial_timeout="5s", **trust)
    return caught.value


@pytest.mark.parametrize("way", WAYS)
def test_a_dial_that_fails_is_one_typed_line_and_nothing_else_is_printed(
    way: str,
    sites: dict[bool, Site],
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, answer in WRONG.items():
        error = dial(way, sites, authority, answer)
        said = str(error)
        opened = way.startswith("ws") or (way.startswith("http") and name == "204")  # as any 2xx of a proxy
        assert error.details["phase"] == ("handshake" if opened else "proxy"), (name, said)
        assert said.isprintable(), name
        assert "canary" not in f"{said} {error.details}", name
        assert not (way == "wss" and "wss://" in error.hint), (name, said)
        assert not error.message.endswith("."), (name, said)
        assert error.hint or error.details.get("status"), (name, said)
    gc.collect()
    REGISTRY.core().call(lambda: asyncio.sleep(0))  # what is due is done
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []
    assert capfd.readouterr() == ("", "")


CLOSES = [
    b"\x88\x00",
    *(
        b"\x88\x02" + code.to_bytes(2)
        for code in (1000, 1001, 1004, 1005, 1006, 1015, 0, 999, 2999, 4999, 65535)
    ),
    *(b"\x88\x01\x03", b"\x88\x03\x03\xe8\xff", b"\x81\x01\xff", b"\xc1\x01a", b"\x83\x00", b"\x80\x01x"),
    b"",
]


@pytest.mark.parametrize("end", CLOSES)
def test_every_code_that_comes_out_is_a_plain_one(end: bytes) -> None:
    async def handler(peer: Raw) -> None:
        await peer.upgrade(then=end)
        if end:
            await peer.rest()

    with raw_server(handler) as site:
        client = ipyws.connect(site.url, close_timeout="20ms")
        with pytest.raises(errors.ClosedError) as caught:
            client.recv("5s")
        assert client.closed is not None
        codes = [client.closed.code, caught.value.details["code"]]
        codes += [message.code for message in client.log if message.type in ("close", "breach")]
        if client.closed.error is not None:
            codes.append(client.closed.error.details.get("code"))
        assert {type(code) for code in codes} <= {int, ipyws.CloseCode, type(None)}
        assert type(client.closed.code) is not type(None)
