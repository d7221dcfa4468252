"""Which proxy a connection goes through, and going through it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

from websockets.asyncio.client import connect_http_proxy, connect_socks_proxy
from websockets.exceptions import InvalidProxy
from websockets.proxy import Proxy, get_proxy, parse_proxy
from websockets.uri import WebSocketURI

from ipyws.config.gate import check_proxy_addresses
from ipyws.errors import InvalidError
from ipyws.policy.policy import Policy
from ipyws.policy.url import URL
from ipyws.secrets import remember_userinfo
from ipyws.transport.network import resolve


def choose(url: URL, option: str | None) -> Proxy | None:
    """Return the proxy for a URL, or None to connect directly.

    Args:
        url: Where the connection goes.
        option: "env" for what the environment says, which is never asked for a loopback URL; a proxy's URL;
            or None for no proxy.

    Raises:
        InvalidError: The environment names something that is not a proxy.
    """
    if option is None or (option == "env" and url.is_loopback):
        return None
    address = get_proxy(target(url)) if option == "env" else option
    if address is None:
        return None
    try:
        remember_userinfo(address)
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


async def tunnel(proxy: Proxy, there: WebSocketURI, policy: Policy) -> asyncio.Transport:
    """Return a transport through a proxy.

    Raises:
        PermissionDeniedError: The policy allows no proxy at this address.
        OSError: The proxy can't be reached.
        InvalidHandshake: Of `websockets`: the proxy refuses, or answers nonsense.
        ImportError: It is a SOCKS proxy, and python-socks is not installed.
    """
    addresses = await resolve(proxy.host, proxy.port)
    check_proxy_addresses(policy, shown(proxy), addresses)
    for place, (_, address) in enumerate(addresses):
        try:
            return await _tunnel_at(replace(proxy, host=address[0]), proxy.host, there)
        except OSError:
            if place == len(addresses) - 1:
                raise
    raise AssertionError("a name that resolves has an address")


async def _tunnel_at(resolved: Proxy, name: str, there: WebSocketURI) -> asyncio.Transport:
    if resolved.scheme.startswith("socks"):
        sock = await connect_socks_proxy(resolved, there)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=sock)
        return transport
    if resolved.scheme == "https":
        tls = ssl.create_default_context()
        return await connect_http_proxy(resolved, there, ssl=tls, server_hostname=name)
    return await connect_http_proxy(resolved, there)
