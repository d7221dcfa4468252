"""How a GraphQL conversation is opened: `connect`, `connect_async`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Never

from ipyws.core.codecs.codec import Codec
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.forms import GRAPHQL, Unawaited
from ipyws.core.constants import Compression
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.messages.contract import Contract
from ipyws.core.options.durations import Duration
from ipyws.core.options.handshake_kinds import ProtocolsKind
from ipyws.core.options.table import options_in
from ipyws.dialects.graphql.client import GraphQL
from ipyws.dialects.graphql.greeting import check_init
from ipyws.dialects.graphql.protocol import DIALECTS, LEGACY, speaks_older
from ipyws.dialects.graphql.session import AsyncGraphQL
from ipyws.errors import ClosedError, InvalidError, brief
from ipyws.runtime.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.cookiejar import CookieJar

    from ipyws.core.messages.matcher import Wanted
    from ipyws.core.options.fresh import Fresh
    from ipyws.core.options.handshake_request import HandshakeRequest
    from ipyws.core.rules.rule import RulePayload

_ACK_TIMEOUT = "10s"


def connect(
    url: str,
    init: Mapping[str, Any] | None = None,
    *,
    ack_timeout: Duration | None = _ACK_TIMEOUT,
    # The options, as in their table.
    headers: Mapping[str, str | Fresh] | Iterable[tuple[str, str | Fresh]] | Fresh | None = None,
    protocols: Iterable[str] | None = None,
    dial_timeout: Duration | None = "10s",
    read_timeout: Duration | None = None,
    write_timeout: Duration | None = "10s",
    compression: Compression | Literal[0, 1, 2, "disabled", "context_takeover", "no_context"] = 0,
    compression_threshold: int = 0,
    text_errors: Literal["strict", "replace"] = "strict",
    read_limit: int = 0,
    channel_capacity: int = 32,
    ping_interval: Duration | None = "20s",
    ping_timeout: Duration | None = "20s",
    keepalive: Literal["data", "pong"] = "data",
    close_timeout: Duration | None = "5s",
    name: str | None = None,
    origin: str | None = None,
    auth: tuple[str | Fresh, str | Fresh] | Fresh | None = None,
    params: Mapping[str, object] | Iterable[tuple[str, object]] | Fresh | None = None,
    sign: Callable[[HandshakeRequest], Any] | None = None,
    cookies: Mapping[str, Any] | Iterable[tuple[str, str] | str] | str | CookieJar | Fresh | None = None,
    ca: str | bytes | PathLike[str] | None = None,
    cert: str | bytes | PathLike[str] | None = None,
    key: str | bytes | PathLike[str] | None = None,
    insecure: bool = False,
    server_hostname: str | None = None,
    follow_redirects: bool = False,
    strict: bool = False,
    proxy: str | None = "env",
    connect_to: str | None = None,
    reconnect: Mapping[str, Any] | None = None,
    every: Iterable[tuple[Duration, RulePayload]] | None = None,
    reply: Iterable[tuple[Wanted, RulePayload]] | None = None,
    codec: str | Codec = "auto",
    spec: str | PathLike[str] | Mapping[str, Any] | Contract | None = None,
    dialect: str | Mapping[str, Any] | Dialect | None = None,
    record: str | PathLike[str] | None = None,
    record_size: int = 67_108_864,
    record_time: Duration | None = "1h",
    record_format: Literal["jsonl", "parquet"] = "jsonl",
    wire: bool = False,
    log_messages: int = 100_000,
    log_bytes: int = 67_108_864,
    **unknown: Never,
) -> GraphQL:
    """Open a connection for GraphQL and wait until the server acknowledges it.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        init: The payload of ``connection_init``; values under names like authorization or token are masked.
        ack_timeout: How long the acknowledgement may take: milliseconds, "5s", a timedelta, None for ever.
        protocols: Subprotocols to offer; both of GraphQL's unless given.
        reconnect: As for `ipyws.connect`, like all the other options. It greets again, so its ``on_open``
            must not.

    Returns:
        The conversation, also a context manager.

    Raises:
        InvalidError: An argument or an option is not allowed; nothing was dialled.
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        ConnectError: The connection could not be opened, or the server took no subprotocol of GraphQL's.
        ReplyError: The server refused, in words.
        ClosedError: The server refused by closing; the message repeats code and reason.
        WaitTimeoutError: No acknowledgement came in time; the connection is closed.
        ContextError: Called from the core's own thread.
    """
    options = options_in(locals())
    from ipyws.api import open_client
    from ipyws.runtime.registry import REGISTRY

    opening = _check(init, ack_timeout, options)

    def open_once(offered: tuple[str, ...]) -> GraphQL:
        client = open_client(url, {**options, "protocols": offered})
        core = REGISTRY.core()
        try:
            return GraphQL(
                core, client, core.call(lambda: opening.greet(AsyncClient(client.connection), offered))
            )
        except BaseException:
            core.post(client.connection.ending.abort)  # an interrupt may come before the greeting begins
            raise

    try:
        return open_once(opening.offered)
    except _OlderError:
        return open_once((LEGACY.name,))


class connect_async(Unawaited):  # noqa: N801 - it is called like a function
    """Open a connection for GraphQL on the running loop: awaited, or as an asynchronous context manager.

    Arguments and errors are those of `connect`.
    """

    _forms = GRAPHQL

    def __init__(
        self,
        url: str,
        init: Mapping[str, Any] | None = None,
        *,
        ack_timeout: Duration | None = _ACK_TIMEOUT,
        # The options, as in their table.
        headers: Mapping[str, str | Fresh] | Iterable[tuple[str, str | Fresh]] | Fresh | None = None,
        protocols: Iterable[str] | None = None,
        dial_timeout: Duration | None = "10s",
        read_timeout: Duration | None = None,
        write_timeout: Duration | None = "10s",
        compression: Compression | Literal[0, 1, 2, "disabled", "context_takeover", "no_context"] = 0,
        compression_threshold: int = 0,
        text_errors: Literal["strict", "replace"] = "strict",
        read_limit: int = 0,
        channel_capacity: int = 32,
        ping_interval: Duration | None = "20s",
        ping_timeout: Duration | None = "20s",
        keepalive: Literal["data", "pong"] = "data",
        close_timeout: Duration | None = "5s",
        name: str | None = None,
        origin: str | None = None,
        auth: tuple[str | Fresh, str | Fresh] | Fresh | None = None,
        params: Mapping[str, object] | Iterable[tuple[str, object]] | Fresh | None = None,
        sign: Callable[[HandshakeRequest], Any] | None = None,
        cookies: Mapping[str, Any] | Iterable[tuple[str, str] | str] | str | CookieJar | Fresh | None = None,
        ca: str | bytes | PathLike[str] | None = None,
        cert: str | bytes | PathLike[str] | None = None,
        key: str | bytes | PathLike[str] | None = None,
        insecure: bool = False,
        server_hostname: str | None = None,
        follow_redirects: bool = False,
        strict: bool = False,
        proxy: str | None = "env",
        connect_to: str | None = None,
        reconnect: Mapping[str, Any] | None = None,
        every: Iterable[tuple[Duration, RulePayload]] | None = None,
        reply: Iterable[tuple[Wanted, RulePayload]] | None = None,
        codec: str | Codec = "auto",
        spec: str | PathLike[str] | Mapping[str, Any] | Contract | None = None,
        dialect: str | Mapping[str, Any] | Dialect | None = None,
        record: str | PathLike[str] | None = None,
        record_size: int = 67_108_864,
        record_time: Duration | None = "1h",
        record_format: Literal["jsonl", "parquet"] = "jsonl",
        wire: bool = False,
        log_messages: int = 100_000,
        log_bytes: int = 67_108_864,
        **unknown: Never,
    ) -> None:
        options = options_in(locals())
        from ipyws import api

        self._opening = opening = _check(init, ack_timeout, options)
        self._dialing = api.connect_async(url, **options, protocols=opening.offered)
        self._arguments = {"url": url, **options}
        self._session: AsyncGraphQL | None = None
        self._dialing._used = True  # this one warns
        self._used = False

    async def _open(self) -> AsyncGraphQL:
        self._used = True
        try:
            self._session = await self._opening.greet(await self._dialing, self._opening.offered)
        except _OlderError:
            from ipyws import api

            older = (LEGACY.name,)
            client = await api.connect_async(**self._arguments, protocols=older)
            self._session = await self._opening.greet(client, older)
        return self._session

    def __await__(self) -> Generator[Any, None, AsyncGraphQL]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncGraphQL:
        return await self._open()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, error, traceback)


def _check(init: object, ack_timeout: Duration | None, options: dict[str, Any]) -> _Opening:
    """Check what is GraphQL's own, take it out of the options, and return what opens the conversation."""
    Deadline(ack_timeout, "ack_timeout")
    if options.pop("dialect", None) is not None:
        raise InvalidError("dialect is given, and this speaks GraphQL already", hint="leave it out")
    payload = check_init(init)
    offered = ProtocolsKind().check("protocols", options.pop("protocols", None) or list(DIALECTS))
    if not set(offered) & set(DIALECTS):
        raise InvalidError(
            f"protocols is {brief(list(offered))}", hint=f"one of them must be {' or '.join(DIALECTS)}"
        )
    return _Opening(offered, payload, ack_timeout)


class _OlderError(Exception):
    """The server speaks the older protocol only, as it showed when we spoke today's."""


class _Opening:
    """What opens a conversation.

    Attributes:
        offered: The subprotocols to offer.
    """

    def __init__(
        self, offered: tuple[str, ...], payload: dict[str, Any] | None, ack_timeout: Duration | None
    ) -> None:
        self.offered = offered
        self._payload = payload
        self._ack_timeout = ack_timeout

    async def greet(self, client: AsyncClient, offered: tuple[str, ...]) -> AsyncGraphQL:
        """Open the conversation on a connection that offered these subprotocols.

        Raises:
            _OlderError: The server is to be dialled once more, with the older protocol.
            WebSocketError: The server does not acknowledge the connection; it is closed.
        """
        try:
            return await AsyncGraphQL(client, offered, self._payload, self._ack_timeout).open()
        except ClosedError:
            codes = [record.code for record in client.log.filter(direction="in", types=["close"])]
            if speaks_older(offered, client.subprotocol, codes):
                raise _OlderError from None
            raise
