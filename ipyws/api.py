"""The ways in: `connect` for synchronous code, `connect_async` for coroutines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Never

from ipyws.config.current import CURRENT
from ipyws.config.enforcement import check_connect, check_url, check_way
from ipyws.core.codecs.codec import Codec
from ipyws.core.connection.forms import CONNECT, Unawaited
from ipyws.core.constants import Compression
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.unopened import OtherSubprotocolsError
from ipyws.core.messages.contract import READERS, Contract
from ipyws.core.options.credentials import remember_host
from ipyws.core.options.durations import Duration
from ipyws.core.options.fresh import Again, Fresh
from ipyws.core.options.table import (
    ConnectOptions,
    check_options,
    check_secure,
    options_in,
    remember_credentials,
    with_url,
)
from ipyws.errors import WebSocketError
from ipyws.policy.policy import Policy
from ipyws.policy.url import URL, parse

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

    from ipyws.core.connection.client import AsyncClient
    from ipyws.core.messages.matcher import Wanted
    from ipyws.core.options.handshake_request import HandshakeRequest
    from ipyws.core.rules.rule import RulePayload
    from ipyws.runtime.client import Client


def connect(
    url: str,
    *,
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
) -> Client:
    """Open a WebSocket connection and wait until it is open.

    Works in a cell, in a script and in plain IPython; the connection lives on a background thread, so
    messages are received and pings answered while the caller computes. It becomes the connection that the
    magics use, and replaces an open one of the same ``name``.

    A duration is text such as "5s", a number of milliseconds, or a timedelta; None switches it off.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        headers: HTTP headers to send with the handshake.
        protocols: Subprotocols to offer, preferred first.
        dial_timeout: Time to connect, handshake included.
        read_timeout: Longest time without a data message.
        write_timeout: How long a send waits for a slow peer.
        compression: Permessage-deflate: disabled, context_takeover, no_context.
        compression_threshold: Smaller messages go uncompressed; 0 = 128 B with takeover, 512 B without.
        text_errors: What to do with text that is not UTF-8: strict closes with 1007, replace puts U+FFFD in
            its place.
        read_limit: Largest message accepted; 0 = 16 MiB.
        channel_capacity: Unread messages after which an open channel holds the server back.
        ping_interval: Time between keep-alive pings.
        ping_timeout: Longest silence after a keep-alive ping.
        keepalive: What counts as an answer to a keep-alive ping: data, that is any message, or only its pong.
        close_timeout: How long the closing handshake may take.
        name: Name of the connection (default: host:port).
        origin: The Origin header.
        auth: HTTP Basic credentials.
        params: Parameters to add to the URL's query.
        sign: Function that signs a handshake: from its request to headers or a URL.
        cookies: Cookies to send; of a jar of requests or httpx, those that fit the URL.
        ca: Certificate authorities to trust instead of the system's.
        cert: Client certificate.
        key: Private key of the client certificate.
        insecure: Accept any certificate.
        server_hostname: Name to ask for in TLS and to check the certificate by, instead of the URL's host.
        follow_redirects: Follow HTTP redirects, up to 10.
        strict: Refuse a handshake that deviates from the standard, even where it is usable.
        proxy: Proxy to use; env: as the environment says, never for loopback.
        connect_to: Host and port to dial instead of the URL's; the server still sees the URL's name.
        reconnect: Reconnect when lost; keys: attempts, first, max, on_open.
        every: Messages to send at intervals.
        reply: Which messages to answer automatically, and with what.
        codec: Format of payloads, such as msgpack or gzip+json; auto recognises JSON and text.
        spec: AsyncAPI document or JSON Schema to judge messages by.
        dialect: What the server speaks: socketio, signalr, stomp, mqtt, graphql, jsonrpc, actioncable or
            phoenix.
        record: File, or folder/ of files, to write every message to as it comes.
        record_size: Largest file of a recorded folder.
        record_time: Longest time that a file of a recorded folder is for.
        record_format: What finished files of a recorded folder are: lines or tables.
        wire: Keep the frames as they are on the wire, which %ws log shows.
        log_messages: Messages the log keeps.
        log_bytes: Bytes the log keeps.

    Returns:
        The open connection, also a context manager.

    Raises:
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        InvalidError: The URL or an option is not allowed, or a policy file is wrong; nothing was dialled.
        ConnectError: The connection could not be opened; ``details["phase"]`` says how far it got.
        ContextError: Called from the core's own thread.
    """
    return open_client(url, options_in(locals()))


def open_client(
    url: str,
    options: Mapping[str, Any],
    *,
    replacing: bool = False,
    again: Callable[[], str] | None = None,
) -> Client:
    """Open a connection; the one way to one for synchronous code, in Python and in the magics.

    Args:
        url: As in `connect`.
        options: As in `connect`.
        replacing: Close an open connection of the default name, rather than number the new one.
        again: Returns the URL of a further dial; None where it is the same.

    Raises:
        WebSocketError: As in `connect`.
    """
    from ipyws.runtime.registry import REGISTRY

    target, checked = _check(url, options)
    if again is not None:
        checked = with_url(checked, Again(target, lambda: _in_dialect(_target(again()), checked)))
    try:
        return REGISTRY.connect(target, checked, replacing=replacing)
    except OtherSubprotocolsError as other:
        return REGISTRY.connect(target, replace(checked, protocols=other.offer), replacing=replacing)


def reopen(client: Client) -> Client:
    """Open a connection again as it was opened; the new one has its name, and a log of its own.

    Args:
        client: The connection; it is closed if it is still open.

    Raises:
        WebSocketError: As in `connect`.
    """
    from ipyws.runtime.registry import REGISTRY

    connection = client.connection
    target, options = connection.target, replace(connection.options, name=connection.name)
    policy = CURRENT.policy()
    check_connect(policy)
    check_url(policy, target)
    check_way(policy, target, options)
    return REGISTRY.connect(target, options, replacing=True)


def _check(url: str, options: Mapping[str, Any]) -> tuple[URL, ConnectOptions]:
    """Return URL and options as they are dialled; in the order of the actions, connecting comes first."""
    remember_credentials(url, options)
    return _judge(url, options, CURRENT.policy())


def _check_plain(url: str) -> tuple[URL, ConnectOptions]:
    """Do as `_check` for a call without options, which leaves nothing to be done before its dial.

    The dial asks the policy of its moment. Here the one that was read last will do, for all that it allows:
    to look whether it has changed takes 25 µs, a thirtieth of opening a connection.
    """
    remember_credentials(url, {})
    if (last := CURRENT.last) is not None:
        with suppress(WebSocketError):
            return _judge(url, {}, last)
    return _judge(url, {}, CURRENT.policy())


def _judge(url: str, options: Mapping[str, Any], policy: Policy) -> tuple[URL, ConnectOptions]:
    check_connect(policy)
    target = _parsed(url)
    check_url(policy, target)
    checked = check_options(options)
    if (asked := _in_dialect(target, checked)) != target:
        target = asked
        check_url(policy, target)
    check_secure(checked, target.secure, checked.proxy)
    check_way(policy, target, checked)
    return target, checked


def _target(url: str) -> URL:
    remember_credentials(url, {})
    return _parsed(url)


def _parsed(url: str) -> URL:
    target = parse(url)
    remember_host(url, target.host)
    return target


def _in_dialect(target: URL, options: ConnectOptions) -> URL:
    """Return a URL with what the dialect adds to its query."""
    asked = str(target) if options.dialect is None else options.dialect.url(str(target))
    return target if asked == str(target) else parse(asked)


class connect_async(Unawaited):  # noqa: N801 - it is called like a function
    """Open a WebSocket connection on the running loop: awaited, or as an asynchronous context manager.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        headers: HTTP headers to send with the handshake.
        protocols: Subprotocols to offer, preferred first.
        dial_timeout: Time to connect, handshake included.
        read_timeout: Longest time without a data message.
        write_timeout: How long a send waits for a slow peer.
        compression: Permessage-deflate: disabled, context_takeover, no_context.
        compression_threshold: Smaller messages go uncompressed; 0 = 128 B with takeover, 512 B without.
        text_errors: What to do with text that is not UTF-8: strict closes with 1007, replace puts U+FFFD in
            its place.
        read_limit: Largest message accepted; 0 = 16 MiB.
        channel_capacity: Unread messages after which an open channel holds the server back.
        ping_interval: Time between keep-alive pings.
        ping_timeout: Longest silence after a keep-alive ping.
        keepalive: What counts as an answer to a keep-alive ping: data, that is any message, or only its pong.
        close_timeout: How long the closing handshake may take.
        name: Name of the connection (default: host:port).
        origin: The Origin header.
        auth: HTTP Basic credentials.
        params: Parameters to add to the URL's query.
        sign: Function that signs a handshake: from its request to headers or a URL.
        cookies: Cookies to send; of a jar of requests or httpx, those that fit the URL.
        ca: Certificate authorities to trust instead of the system's.
        cert: Client certificate.
        key: Private key of the client certificate.
        insecure: Accept any certificate.
        server_hostname: Name to ask for in TLS and to check the certificate by, instead of the URL's host.
        follow_redirects: Follow HTTP redirects, up to 10.
        strict: Refuse a handshake that deviates from the standard, even where it is usable.
        proxy: Proxy to use; env: as the environment says, never for loopback.
        connect_to: Host and port to dial instead of the URL's; the server still sees the URL's name.
        reconnect: Reconnect when lost; keys: attempts, first, max, on_open.
        every: Messages to send at intervals.
        reply: Which messages to answer automatically, and with what.
        codec: Format of payloads, such as msgpack or gzip+json; auto recognises JSON and text.
        spec: AsyncAPI document or JSON Schema to judge messages by.
        dialect: What the server speaks: socketio, signalr, stomp, mqtt, graphql, jsonrpc, actioncable or
            phoenix.
        record: File, or folder/ of files, to write every message to as it comes.
        record_size: Largest file of a recorded folder.
        record_time: Longest time that a file of a recorded folder is for.
        record_format: What finished files of a recorded folder are: lines or tables.
        wire: Keep the frames as they are on the wire, which %ws log shows.
        log_messages: Messages the log keeps.
        log_bytes: Bytes the log keeps.

    Raises:
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        InvalidError: The URL or an option is not allowed, or a policy file is wrong; nothing was dialled.
        ConnectError: The connection could not be opened; ``details["phase"]`` says how far it got.
    """

    _forms = CONNECT

    def __init__(
        self,
        url: str,
        *,
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
        given = options_in(locals())
        self._url, self._options = _check(url, given) if given else _check_plain(url)
        self._client: AsyncClient | None = None
        self._used = False

    async def _open(self) -> AsyncClient:
        self._used = True
        from ipyws.runtime.factory import new_client

        try:
            self._client = await new_client(self._url, self._options).open()
        except OtherSubprotocolsError as other:
            options = replace(self._options, protocols=other.offer)
            self._client = await new_client(self._url, options).open()
        return self._client

    def __await__(self) -> Generator[Any, None, AsyncClient]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncClient:
        return await self._open()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._client is not None:
            await self._client.__aexit__(kind, error, traceback)


def contract(source: str | PathLike[str] | Mapping[str, Any] | Contract) -> Contract:
    """Read a contract: an AsyncAPI document (3.x, 2.x) or a JSON Schema (2020-12 unless it names a draft).

    It judges messages: of a connection, by the option ``spec``; those that are waited for, by
    ``client.expect(contract)``; a value, by ``contract.judge(value, "in")``.

    Args:
        source: The file, YAML or JSON; what it refers to is read too, below its folder only. Or a JSON Schema
            as a dict. A contract is returned as it is.

    Raises:
        InvalidError: It can't be read or understood; names the file, the line or the place, and what. Or
            jsonschema-rs or PyYAML is not installed.
    """
    from ipyws.contracts.reading import contract as read

    return read(source)


READERS[:] = [contract]


def current() -> Client | None:
    """Return the connection that the magics use now, or None."""
    from ipyws.runtime.registry import REGISTRY

    return REGISTRY.current()


def connections() -> dict[str, Client]:
    """Return all connections of this process by name, open and closed ones."""
    from ipyws.runtime.registry import REGISTRY

    return REGISTRY.all()
