"""Opening a connection: resolve, TCP or proxy, TLS, handshake, redirects.

What was parsed is dialled, and nothing is that the policy of this moment does not allow: the URL of every hop
before it is resolved, every address before one of them is dialled, and all of it once more before anything is
sent, if there was a wait meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.proxy import Proxy
from websockets.typing import Origin, Subprotocol

from ipyws.config.current import CURRENT
from ipyws.config.enforcement import destination, message_refusal
from ipyws.core.connection.transport import Handshake, Sink
from ipyws.core.options.credentials import credentials_among
from ipyws.core.options.durations import format_duration
from ipyws.core.options.handshake_request import HandshakeRequest
from ipyws.core.options.table import ConnectOptions, check_secure
from ipyws.errors import ConnectError, InvalidError, WebSocketError
from ipyws.network.dialling import proxy, tls
from ipyws.network.dialling.connection_limit import SLOTS
from ipyws.network.dialling.error_map import dial_error, timeout_error
from ipyws.network.dialling.permission import Permission
from ipyws.network.dialling.proxy_failure import SocksError
from ipyws.network.dialling.reach import connect_directly, connect_through
from ipyws.network.handshake.answer import Head
from ipyws.network.handshake.hints import REDIRECTS, Asked
from ipyws.network.handshake.request import request, with_params
from ipyws.network.handshake.signing import sign
from ipyws.network.handshake.status import status_error
from ipyws.network.wire import compression
from ipyws.network.wire.connection import SILENT, Wire
from ipyws.network.wire.tapped import make_wire
from ipyws.policy.url import URL, join
from ipyws.text.masking import ShownText, remember_parameters

MAX_REDIRECTS = 10


@dataclass(slots=True)
class _Progress:
    """How far a dial got, for whoever has to say why it failed."""

    url: URL
    dialled: URL | None = None
    phase: str = "dns"
    facts: dict[str, Any] = field(default_factory=dict)
    redirects: tuple[str, ...] = ()
    options: ConnectOptions | None = None
    sent: frozenset[str] = frozenset()
    moved: bool = False
    started: float = field(default_factory=time.perf_counter)

    @property
    def told_of(self) -> URL:
        """What an error is about: what is dialled, until it is reached; then what the server is called."""
        return self.dialled or self.url if self.phase in ("dns", "tcp") else self.url

    @property
    def asked(self) -> Asked:
        """What was asked of the server last."""
        options = self.options
        if options is None:
            return Asked(self.told_of)
        tokens = bool(credentials_among(options.offered))
        follows = options.follow_redirects
        return Asked(self.told_of, self.sent, options.cert is not None, tokens, self.moved, follows)


async def dial(url: URL, options: ConnectOptions, sink: Sink) -> Wire:
    """Open a connection within ``dial_timeout``; see `ipyws.core.connection.transport.Dial`.

    Raises:
        PermissionDeniedError: The policy does not allow it.
        InvalidError: A TLS file, the combination of URL and options, or a policy file can't be used.
        ConnectError: The connection could not be opened; ``details`` says how far it got.
    """
    url = with_params(url, options.params)
    through = proxy.choose(destination(url, options), options.proxy)
    check_secure(options, url.secure, None if through is None else proxy.shown(through))
    context = await tls.make_context(options) if url.secure or options.follow_redirects else None
    policy = CURRENT.policy()
    leave = SLOTS.take(policy)
    try:
        wire = await _dial_in_time(_Progress(url), Permission(url, options, policy=policy), sink, context)
    except BaseException:
        leave()
        raise
    wire.when_ended(leave)  # or once it is forgotten: its loop may end before the connection does
    return wire


async def _dial_in_time(
    progress: _Progress, permission: Permission, sink: Sink, context: ssl.SSLContext | None
) -> Wire:
    options = permission.options
    timer = asyncio.timeout(options.dial_time)
    try:
        async with timer:
            return await _follow(progress, permission, sink, context)
    except WebSocketError:
        raise
    except (OSError, InvalidHandshake, ImportError, EOFError, SocksError) as error:
        if timer.expired():
            waited = format_duration(options.dial_timeout or 0)
            raise timeout_error(progress.phase, progress.told_of, waited, progress.facts) from None
        # Not from the error: its own text, unmasked, may hold what the server repeated of our request.
        raise dial_error(error, progress.phase, progress.asked, progress.facts) from None


async def _follow(
    progress: _Progress, permission: Permission, sink: Sink, context: ssl.SSLContext | None
) -> Wire:
    """Dial, and dial again where a redirect leads if that is wanted."""
    while True:
        try:
            return await _dial_once(progress, permission, sink, context)
        except InvalidStatus as error:
            options = permission.options
            if not (options.follow_redirects and error.response.status_code in REDIRECTS):
                raise
            options = _redirected(progress, options, error.response)
            context = await tls.make_context(options)
            permission = Permission(progress.url, options, redirected=True)


def _redirected(progress: _Progress, options: ConnectOptions, response: Response) -> ConnectOptions:
    """Move ``progress`` to where a redirect leads; return the options that may go there."""
    here = progress.url
    refusal = status_error(response, progress.asked, {"phase": "handshake", "url": here.masked})
    if len(progress.redirects) >= MAX_REDIRECTS:
        raise ConnectError(
            f"more than {MAX_REDIRECTS} redirects",
            hint="connect to where they should end",
            details=refusal.details,
            retryable=False,
        )
    try:
        there = join(here, response.headers.get("Location", ""))
    except InvalidError as error:
        raise ConnectError(
            f"a redirect leads to no WebSocket: its {error.message}",
            hint="the fault is the server's",
            details=refusal.details,
            retryable=False,
        ) from None
    if here.secure and not there.secure:
        raise ConnectError(
            "a redirect leads from wss:// to ws://",
            hint="it is refused: what is sent could be read on the way",
            details=refusal.details,
            retryable=False,
        )
    remember_parameters(str(there))
    progress.redirects += (here.masked,)
    progress.facts["redirects"] = progress.redirects
    progress.url = there
    if there.origin == here.origin:
        return options
    progress.moved = True
    # Credentials and headers of the user's were meant for the first origin, not for where it points.
    credentials = credentials_among(options.offered)
    kept = tuple(name for name in options.offered if name not in credentials)
    bare = replace(options, headers=(), origin=None, protocols=kept, auth=None, cert=None, key=None)
    return replace(bare, cookies=None, sign=None, connect_to=None, server_hostname=None)


async def _dial_once(
    progress: _Progress, permission: Permission, sink: Sink, context: ssl.SSLContext | None
) -> Wire:
    options = progress.options = permission.options
    permission.begin()
    protocol = _protocol(progress.url, options)
    asked = request(protocol, progress.url, options)
    if options.sign is not None:
        permission = await _sign(progress, asked, options.sign, permission)
    there = progress.dialled = permission.there
    progress.facts["url"] = progress.url.masked
    wire = make_wire(protocol, sink, options)
    through = proxy.choose(there, options.proxy)

    def ask(sock: socket.socket | None) -> None:
        _allow(progress, wire, protocol, permission)
        progress.sent = frozenset(name.lower() for name in asked.headers)
        wire.ask(asked, sock)

    try:
        if through is not None:
            await connect_through(progress, wire, context, through, permission)
            ask(None)
        elif not await connect_directly(progress, wire, context, permission, ask):
            ask(None)
        head = await wire.answer()
    except BaseException:
        wire.abort()
        raise
    wire.handshake = _handshake(progress, wire, protocol, asked, head, through)
    return wire


def _allow(progress: _Progress, wire: Wire, protocol: ClientProtocol, permission: Permission) -> None:
    """Let a wire ask for the upgrade, as the policy of this moment allows."""
    progress.phase = "handshake"
    policy = permission.ask_again()
    wire.max_message = most = policy.max_message
    largest = permission.options.largest
    protocol.max_message_size = min(largest, most or largest)
    if most is not None:
        wire.refuse_message = partial(message_refusal, policy)


def _handshake(
    progress: _Progress,
    wire: Wire,
    protocol: ClientProtocol,
    asked: Request,
    head: Head,
    through: Proxy | None,
) -> Handshake:
    return Handshake(
        status=head.status,
        reason=head.reason,
        _answered=head.headers,
        _asked=tuple(asked.headers.raw_items()),
        subprotocol=protocol.subprotocol,
        extensions=", ".join(filter(None, head.values("Sec-WebSocket-Extensions"))),
        local_address=wire.address("sockname"),
        peer_address=wire.address("peername"),
        proxy=None if through is None else proxy.shown(through),
        url=ShownText(progress.url),
        redirects=progress.redirects,
        oddities=head.oddities,
        moved=progress.moved,
        elapsed=time.perf_counter() - progress.started,
    )


async def _sign(
    progress: _Progress, asked: Request, function: Callable[[HandshakeRequest], Any], permission: Permission
) -> Permission:
    """Have the request signed, which may change its URL; return permission for where it goes then."""
    before, progress.phase = progress.phase, "credentials"
    url = progress.url = await sign(asked, progress.url, function)
    progress.phase = before
    asked.path = url.resource
    permission = replace(permission, url=url, policy=None)
    permission.begin()
    return permission


def _protocol(url: URL, options: ConnectOptions) -> ClientProtocol:
    return ClientProtocol(
        proxy.target(url),
        origin=None if options.origin is None else Origin(options.origin),
        extensions=compression.offers(options.compression, options.threshold),
        subprotocols=[Subprotocol(name) for name in options.offered] or None,
        state=State.OPEN,  # it reads frames only: the answer is ours to read, see `agreement`
        logger=SILENT,
    )
