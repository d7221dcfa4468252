"""Opening a connection in a page: in memory where it leads to a server of the page, else by the browser."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from functools import partial
from typing import Final

from ipyws.browser import memory
from ipyws.browser.capabilities import check_capabilities
from ipyws.browser.loop import TurnedLoop
from ipyws.browser.page import PAGE
from ipyws.browser.transport import WebTransport
from ipyws.config.current import CURRENT
from ipyws.config.enforcement import message_refusal
from ipyws.core.connection.transport import Handshake, Sink, Transport
from ipyws.core.options.durations import format_duration
from ipyws.core.options.table import ConnectOptions
from ipyws.errors import ConnectError, ContextError, InvalidError, PermissionDeniedError
from ipyws.network.dialling import dial as wire
from ipyws.network.dialling.connection_limit import SLOTS
from ipyws.network.dialling.permission import Permission
from ipyws.network.dialling.resolve import Resolved
from ipyws.network.handshake.request import with_params
from ipyws.policy.url import URL
from ipyws.text.masking import ShownText

_LOOK: Final = 0.005  # seconds between two looks whether the port's worker has started
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def dial(url: URL, options: ConnectOptions, sink: Sink) -> Transport:
    """Open a connection within ``dial_timeout``; see `ipyws.core.connection.transport.Dial`.

    Raises:
        PermissionDeniedError: The policy does not allow it, or decides by what a browser does not show.
        ContextError: Who waits for it keeps the server from answering.
        InvalidError: An option or the URL is not for a browser, or a policy file can't be read.
        ConnectError: The connection could not be opened.
    """
    if url.host in _HERE and memory.is_here(url.port):
        if PAGE.loop().alone and memory.is_served_by_others(PAGE.loop(), url.port):
            raise ContextError(
                "a server on the page's own loop can't answer while this page waits",
                hint="use await ipyws.connect_async(…), or ipyws.serve for the server",
            )
        return await wire.dial(url, options, sink)
    if url.socket:
        raise InvalidError("a browser has no Unix sockets", hint="use a ws:// URL")
    check_capabilities(options)
    return await dial_by(PAGE.loop(), with_params(url, options.params), options, sink)


async def dial_by(loop: TurnedLoop, url: URL, options: ConnectOptions, sink: Sink) -> Transport:
    """Open a connection by the port of a loop; raises as `dial`."""
    permission = Permission(url, options)
    permission.begin()
    permission.lead_to(addresses_of(url))
    leave = SLOTS.take(CURRENT.policy())
    try:
        transport = await _open(loop, url, options, sink)
        policy = permission.ask_again()
    except BaseException:
        leave()
        raise
    transport.when_ended(leave)
    transport.max_message = policy.max_message
    transport.refuse_message = partial(message_refusal, policy)
    return transport


def addresses_of(url: URL) -> list[Resolved]:
    """Return the address of a URL that has one written out; the name of this machine is one.

    Raises:
        PermissionDeniedError: It has a name, and the policy decides by address.
    """
    try:
        host = "127.0.0.1" if url.host == "localhost" else url.host
        version = ipaddress.ip_address(host).version
    except ValueError:
        _check_names()
        return []
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, url.port))]


def _check_names() -> None:
    for layer in CURRENT.policy().layers:
        if layer.addresses is not None:
            raise PermissionDeniedError(
                "the policy decides by address, and a browser shows no addresses",
                hint="name the host in a rule of the policy in place of addresses",
                details={"layer": layer.scope},
            )


async def _open(loop: TurnedLoop, url: URL, options: ConnectOptions, sink: Sink) -> WebTransport:
    started = time.perf_counter()
    policy = CURRENT.policy()
    largest = min(options.largest, policy.max_message or options.largest)
    transport = WebTransport(loop, sink, largest, options.close_timeout)
    try:
        async with asyncio.timeout(options.dial_time):
            await _started(loop)
            facts = await transport.open(str(url), options.offered)
    except TimeoutError:
        transport.abort()
        waited = format_duration(options.dial_timeout or 0)
        raise ConnectError(
            f"the browser did not connect: {waited} passed",
            hint="dial_timeout= sets how long it may take",
            details={"phase": "unknown"},
            retryable=True,
        ) from None
    except BaseException:
        transport.abort()
        raise
    transport.handshake = Handshake(
        status=101,
        reason="",
        _answered=(),
        subprotocol=facts["protocol"] or None,
        extensions=facts["extensions"],
        url=ShownText(url),
        elapsed=time.perf_counter() - started,
    )
    return transport


async def _started(loop: TurnedLoop) -> None:
    """Wait for the worker of the first connection, which starts while the page's loop turns."""
    while not loop.port.ready and loop.port.starts:  # noqa: ASYNC110 - its word comes to the page's loop
        await asyncio.sleep(_LOOK)
