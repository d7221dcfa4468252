"""Which proxy a connection goes through, and going through it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from aiohappyeyeballs import AddrInfoType
from websockets.asyncio.client import HTTPProxyConnection
from websockets.exceptions import InvalidProxy
from websockets.proxy import Proxy, parse_proxy
from websockets.uri import WebSocketURI

from ipyws.core.options.credentials import remember_in_url
from ipyws.errors import InvalidError
from ipyws.network.dialling.environment import proxy_of_environment
from ipyws.network.dialling.proxy_failure import SocksError
from ipyws.network.dialling.resolve import Address, Attempts, Resolved, new_socket, race
from ipyws.policy.url import URL


def choose(url: URL, option: str | None) -> Proxy | None:
    """Return the proxy for a URL, or None to connect directly.

    Args:
        url: Where the connection goes.
        option: "env" for what the environment says, which is never asked for a loopback URL; a proxy's URL;
            or None for no proxy.

    Raises:
        InvalidError: The environment names something that is not a proxy.
    """
    if url.socket and option not in (None, "env"):
        raise InvalidError("proxy is of no use with a Unix socket", hint="leave it out")
    if option is None or (option == "env" and (url.is_loopback or url.socket)):
        return None
    address = proxy_of_environment(url) if option == "env" else option
    if address is None:
        return None
    try:
        remember_in_url(address)
        return parse_proxy(address)
    except (InvalidProxy, ValueError) as error:
        why = error.msg if isinstance(error, InvalidProxy) else "its host or its port is none"
        raise InvalidError(
            f"the proxy's URL can't be used: {why}", hint="proxy=None connects directly"
        ) from None


def target(url: URL) -> WebSocketURI:
    """Return the URL in the form that `websockets` dials: exactly the parsed one."""
    return WebSocketURI(url.secure, url.host, url.port, url.path, url.query)


def shown(proxy: Proxy) -> str:
    """Return the proxy's URL without credentials."""
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"{proxy.scheme}://{host}:{proxy.port}"


def resolves(proxy: Proxy) -> bool:
    """Tell whether a proxy takes names; SOCKS 4, and SOCKS 5 as it is written without "h", take addresses."""
    return proxy.scheme not in ("socks4", "socks5")


class _Asking(HTTPProxyConnection):
    """Asks an HTTP proxy; that of `websockets` raises where the proxy ends the connection meanwhile."""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.reader.eof:
            super().connection_lost(exc)


async def tunnel_http(
    proxy: Proxy,
    there: WebSocketURI,
    sock: socket.socket,
    context: ssl.SSLContext | None,
    ask: Callable[[], object],
) -> asyncio.Transport:
    """Return a transport through an HTTP proxy (RFC 9110 section 9.3.6).

    Args:
        proxy: The proxy.
        there: Where to.
        sock: A socket that is connected to the proxy.
        context: For TLS with the proxy itself, or None.
        ask: Raises unless the proxy may still be asked to connect.

    Raises:
        OSError: TLS with the proxy fails, or the connection is lost.
        InvalidHandshake: Of `websockets`: the proxy refuses, or answers nonsense.
    """
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol, sock=sock, ssl=context, server_hostname=proxy.host if context else None
    )
    try:
        ask()
        connection = _Asking(there, proxy)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        await connection.response
    except BaseException:
        transport.abort()
        raise
    return transport


async def tunnel_socks(
    proxy: Proxy,
    targets: Sequence[Resolved],
    sock: socket.socket,
    ask: Callable[[], object],
    attempts: Attempts,
) -> asyncio.Transport:
    """Return a transport through a SOCKS proxy to the first of several targets that it reaches.

    Args:
        proxy: The proxy.
        targets: Addresses that were checked, or a name for the proxy to resolve.
        sock: A socket that is connected to the proxy; more are opened to the same address.
        ask: Raises unless the proxy may still be asked to connect.
        attempts: Told how it goes.

    Raises:
        SocksError: The proxy does not connect.
        OSError: The connection to the proxy is lost.
        ImportError: python-socks is not installed.
    """
    loop = asyncio.get_running_loop()
    family, at = sock.family, sock.getpeername()
    spare = [sock]

    def make(_: AddrInfoType) -> socket.socket:
        return spare.pop() if spare else new_socket(family)

    async def connect(through: socket.socket, there: Address) -> None:
        if through is not sock:
            await loop.sock_connect(through, at)
        ask()
        await _shake_hands(proxy, through, str(there[0]), int(there[1]))

    try:
        connected = await race(targets, connect, make, attempts)
    finally:
        for unused in spare:
            unused.close()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
    return transport


class _Connected:
    """Gives python-socks the socket that is connected to the proxy already: it dials nothing by itself."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    async def connect(self, **_: object) -> socket.socket:
        """Return the socket."""
        return self._sock


def check_library(proxy: Proxy) -> None:
    """Import what a SOCKS proxy needs, before anything is dialled.

    Raises:
        ImportError: python-socks is not installed, or too old.
    """
    if proxy.scheme.startswith("socks"):
        _client(proxy, None)


def _client(proxy: Proxy, sock: socket.socket | None) -> Any:
    from python_socks import ProxyType
    from python_socks.async_.asyncio import Proxy as Socks

    kind = ProxyType.SOCKS4 if proxy.scheme.startswith("socks4") else ProxyType.SOCKS5
    connected: Any = None if sock is None else _Connected(sock)
    who = (proxy.host, proxy.port, proxy.username, proxy.password)
    try:
        return Socks(kind, *who, rdns=resolves(proxy), forward=connected)
    except TypeError:
        raise ImportError("python-socks") from None  # older than 3.0


async def _shake_hands(proxy: Proxy, sock: socket.socket, host: str, port: int) -> None:
    from python_socks import ProxyError

    try:
        await _client(proxy, sock).connect(host, port)
    except ProxyError as error:
        replied = hasattr(error.__cause__, "error_code")
        raise SocksError(str(error), error.error_code, hung_up=not replied) from None
    except OSError:
        raise
    except Exception as error:  # such as a name that is too long for SOCKS
        raise SocksError(str(error), None, hung_up=False) from None
