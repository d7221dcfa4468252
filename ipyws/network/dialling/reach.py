"""The way to a server: its addresses, TCP, a proxy, TLS; what was judged is dialled."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, Protocol

from websockets.proxy import Proxy

from ipyws.network.dialling import proxy, tls
from ipyws.network.dialling.permission import Permission
from ipyws.network.dialling.resolve import Attempts, connect_tcp, connect_unix, is_plain, literal, resolve
from ipyws.network.wire.connection import Wire
from ipyws.policy.url import URL


class Progress(Protocol):
    """How far a dial got, for whoever has to say why it failed."""

    url: URL
    phase: str
    facts: dict[str, Any]


async def connect_directly(
    progress: Progress,
    wire: Wire,
    context: ssl.SSLContext | None,
    permission: Permission,
    ask: Callable[[socket.socket], object],
) -> bool:
    """Connect a wire to where its permission leads.

    Args:
        progress: Told how far it got.
        wire: What speaks with the server.
        context: For TLS, where the URL is one with TLS.
        permission: What is allowed; it gets the addresses.
        ask: Has the wire ask for the upgrade by a socket that it does not have yet.

    Returns:
        Whether it has been asked for.

    Raises:
        PermissionDeniedError: An address is not allowed, or the policy was narrowed.
        OSError: No address answers, or TLS fails.
    """
    if permission.url.socket:
        progress.phase = "tcp"
        permission.follow_links()
        sock = await connect_unix(permission.socket, Attempts(progress.facts))
    else:
        await _resolve(progress, permission)
        progress.phase = "tcp"
        sock = await connect_tcp(permission.addresses, Attempts(progress.facts))
    secure = progress.url.secure
    # The server reads while a transport is made, which takes two turns of the loop.
    at_once = not secure and wire.takes_sockets and is_plain(asyncio.get_running_loop())
    try:
        if secure:  # TLS tells the server's name; without it nothing is sent until the next question
            permission.ask_again()
        elif at_once:
            ask(sock)
    except BaseException:
        sock.close()
        raise
    progress.phase = "tls" if secure else "handshake"
    await asyncio.get_running_loop().create_connection(
        lambda: wire,
        sock=sock,
        ssl=context if secure else None,
        server_hostname=permission.tls_name if secure else None,
    )
    return at_once


async def connect_through(
    progress: Progress, wire: Wire, context: ssl.SSLContext | None, through: Proxy, permission: Permission
) -> None:
    """Connect a wire through a proxy to where its permission leads.

    Args:
        progress: As in `connect_directly`.
        wire: As in `connect_directly`.
        context: As in `connect_directly`.
        through: The proxy.
        permission: As in `connect_directly`; it gets the addresses of the proxy too.

    Raises:
        PermissionDeniedError: As in `connect_directly`, or the proxy is not allowed.
        OSError: The proxy is not reached, or TLS fails.
        InvalidHandshake: Of `websockets`: an HTTP proxy refuses.
        SocksError: A SOCKS proxy refuses.
        ImportError: It is a SOCKS proxy, and python-socks is not installed.
    """
    progress.facts["proxy"] = shown = proxy.shown(through)
    permission.go_through(shown)
    if not proxy.resolves(through):
        await _resolve(progress, permission)
    progress.phase = "proxy"
    permission.go_through_at(shown, await resolve(through.host, through.port))
    transport = await _tunnel(progress, through, permission)
    transport.set_protocol(wire)
    if not progress.url.secure:
        wire.connection_made(transport)
        return
    progress.phase = "tls"
    assert context is not None
    try:
        secured = await asyncio.get_running_loop().start_tls(
            transport, wire, context, server_hostname=permission.tls_name
        )
    except BaseException:
        transport.abort()
        raise
    assert secured is not None
    wire.connection_made(secured)


async def _resolve(progress: Progress, permission: Permission) -> None:
    progress.phase = "dns"
    there = permission.there
    if (known := literal(there.host, there.port)) is not None:
        permission.lead_to([known])
    else:
        permission.lead_to(await resolve(there.host, there.port))
    progress.facts["addresses"] = [str(address[0]) for _, address in permission.addresses]


async def _tunnel(progress: Progress, through: Proxy, permission: Permission) -> asyncio.Transport:
    there = permission.there
    proxy.check_library(through)
    secured = await tls.make_proxy_context(permission.options) if through.scheme == "https" else None
    sock = await connect_tcp(permission.proxy_addresses, Attempts({}))
    if through.scheme.startswith("socks"):
        name = ((sock.family, (there.host, there.port)),)
        targets = permission.addresses or name
        attempts = Attempts(progress.facts)
        return await proxy.tunnel_socks(through, targets, sock, permission.ask_again, attempts)
    return await proxy.tunnel_http(through, proxy.target(there), sock, secured, permission.ask_again)
