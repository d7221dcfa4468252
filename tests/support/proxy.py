"""Real proxies for the tests: HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS 5 (RFC 1928, RFC 1929)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator

from tests.support.servers import Raw, Site, raw_server


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _join(peer: Raw, upstream: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    try:
        await asyncio.gather(_pump(peer.reader, writer), _pump(reader, peer.writer))
    finally:
        writer.close()


@contextlib.contextmanager
def connect_proxy(
    upstream: Site,
    credentials: str | None = None,
    status: str = "200 OK",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    """An HTTP proxy; whatever it is asked for, it leads to ``upstream``. ``seen`` gets the targets."""
    wanted = credentials and "Basic " + base64.b64encode(credentials.encode()).decode()

    async def handler(peer: Raw) -> None:
        request = await peer.read_request()
        peer.site.seen.put(request.split()[1])
        if wanted and peer.header("Proxy-Authorization") != wanted:
            await peer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif not status.startswith("200"):
            await peer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            await peer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await _join(peer, upstream)

    with raw_server(handler, tls=tls) as site:
        yield site


async def _to_all(_: Raw, __: str) -> bool:
    return True


@contextlib.contextmanager
def socks5_proxy(
    upstream: Site,
    credentials: str | None = None,
    judge: Callable[[Raw, str], Awaitable[bool]] = _to_all,
) -> Iterator[Site]:
    """A SOCKS 5 proxy; whatever it is asked for, it leads to ``upstream``. ``seen`` gets the targets.

    ``judge`` may answer for a host in its stead: then it returns False.
    """

    async def handler(peer: Raw) -> None:
        _, count = await peer.reader.readexactly(2)
        methods = await peer.reader.readexactly(count)
        if not await _authenticate(peer, methods, credentials):
            return
        target = await _target(peer)
        peer.site.seen.put(target)
        if not await judge(peer, target.rpartition(":")[0]):
            return
        await peer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        await _join(peer, upstream)

    with raw_server(handler) as site:
        yield site


async def _authenticate(peer: Raw, methods: bytes, credentials: str | None) -> bool:
    if credentials is None:
        await peer.write(b"\x05\x00")
        return True
    if 2 not in methods:
        await peer.write(b"\x05\xff")
        return False
    await peer.write(b"\x05\x02")
    user = await peer.reader.readexactly((await peer.reader.readexactly(2))[1])
    password = await peer.reader.readexactly((await peer.reader.readexactly(1))[0])
    right = f"{user.decode()}:{password.decode()}" == credentials
    await peer.write(b"\x01\x00" if right else b"\x01\x01")
    return right


async def _target(peer: Raw) -> str:
    kind = (await peer.reader.readexactly(4))[3]
    if kind == 3:
        host = (await peer.reader.readexactly((await peer.reader.readexactly(1))[0])).decode()
    else:
        host = ".".join(map(str, await peer.reader.readexactly(4)))
    port = struct.unpack("!H", await peer.reader.readexactly(2))[0]
    return f"{host}:{port}"
