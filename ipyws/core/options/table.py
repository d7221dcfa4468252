"""The options of a connection: one table, in the order of the API, the magics, the config and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipyws.core.channels.channel import MAX_CAPACITY
from ipyws.core.codecs.codec import Codec
from ipyws.core.connection.reconnect import Reconnect
from ipyws.core.constants import MB, Compression
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.messages.contract import Contract
from ipyws.core.messages.log import DEFAULT_BYTES, DEFAULT_MESSAGES
from ipyws.core.options.address_kinds import HostAndPortKind, HostKind, NameKind, ProxyKind
from ipyws.core.options.codec_kind import CodecKind
from ipyws.core.options.cookies import Cookies
from ipyws.core.options.credentials import remember_credential, remember_in_url, texts_in
from ipyws.core.options.dialect_kind import DialectKind
from ipyws.core.options.file_kinds import Folder, JournalKind, PemKind, SpecKind
from ipyws.core.options.fresh import is_made, listed, stand_in
from ipyws.core.options.handshake_kinds import AuthKind, CookiesKind, HeadersKind, OriginKind, ProtocolsKind
from ipyws.core.options.kinds import (
    ChoiceKind,
    CompressionKind,
    DurationKind,
    SizeKind,
    SwitchKind,
    WholeKind,
)
from ipyws.core.options.option import Option
from ipyws.core.options.reconnect_kinds import ReconnectKind
from ipyws.core.options.request_kinds import ParamsKind, SignKind
from ipyws.core.options.rule_kinds import EveryKind, ReplyKind, written
from ipyws.core.rules.planned import Answer, Timed
from ipyws.errors import InvalidError, brief, suggestion
from ipyws.text.masking import Secret, mask, remember_parameters, remember_userinfo
from ipyws.text.sensitive import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipyws.core.options.handshake_request import HandshakeRequest
    from ipyws.policy.url import URL

DEFAULT_READ_LIMIT = 16 * MB
DEFAULT_FILE = 64 * MB


OPTIONS: tuple[Option, ...] = (
    Option("headers", HeadersKind(), None, "HTTP headers to send with the handshake", ("-H", "--header")),
    Option("protocols", ProtocolsKind(), None, "subprotocols to offer, preferred first", ("-s",)),
    Option("dial_timeout", DurationKind(), "10s", "time to connect, handshake included"),
    Option("read_timeout", DurationKind(), None, "longest time without a data message"),
    Option("write_timeout", DurationKind(), "10s", "how long a send waits for a slow peer"),
    Option("compression", CompressionKind(), 0, "permessage-deflate: disabled, context_takeover, no_context"),
    Option(
        "compression_threshold",
        SizeKind(0, 100 * MB, "0-100 MB"),
        0,
        "smaller messages go uncompressed; 0 = 128 B with takeover, 512 B without",
    ),
    Option(
        "text_errors",
        ChoiceKind("strict", "replace"),
        "strict",
        "what to do with text that is not UTF-8: strict closes with 1007, replace puts U+FFFD in its place",
    ),
    Option("read_limit", SizeKind(0, 128 * MB, "0-128 MB"), 0, "largest message accepted; 0 = 16 MiB"),
    Option(
        "channel_capacity",
        WholeKind(1, MAX_CAPACITY),
        32,
        "unread messages after which an open channel holds the server back",
    ),
    Option("ping_interval", DurationKind(), "20s", "time between keep-alive pings"),
    Option("ping_timeout", DurationKind(), "20s", "longest silence after a keep-alive ping"),
    Option(
        "keepalive",
        ChoiceKind("data", "pong"),
        "data",
        "what counts as an answer to a keep-alive ping: data, that is any message, or only its pong",
    ),
    Option("close_timeout", DurationKind(), "5s", "how long the closing handshake may take"),
    Option("name", NameKind(), None, "name of the connection (default: host:port)", ("--as",)),
    Option("origin", OriginKind(), None, "the Origin header"),
    Option("auth", AuthKind(), None, "HTTP Basic credentials"),
    Option("params", ParamsKind(), None, "parameters to add to the URL's query"),
    Option(
        "sign",
        SignKind(),
        None,
        "function that signs a handshake: from its request to headers or a URL",
    ),
    Option(
        "cookies",
        CookiesKind(),
        None,
        "cookies to send; of a jar of requests or httpx, those that fit the URL",
        ("-b", "--cookie"),
    ),
    Option("ca", PemKind(), None, "certificate authorities to trust instead of the system's"),
    Option("cert", PemKind(), None, "client certificate"),
    Option("key", PemKind(), None, "private key of the client certificate"),
    Option("insecure", SwitchKind(), False, "accept any certificate", ("-k",)),
    Option(
        "server_hostname",
        HostKind(),
        None,
        "name to ask for in TLS and to check the certificate by, instead of the URL's host",
    ),
    Option("follow_redirects", SwitchKind(), False, "follow HTTP redirects, up to 10", ("-L",)),
    Option(
        "strict",
        SwitchKind(),
        False,
        "refuse a handshake that deviates from the standard, even where it is usable",
    ),
    Option("proxy", ProxyKind(), "env", "proxy to use; env: as the environment says, never for loopback"),
    Option(
        "connect_to",
        HostAndPortKind(),
        None,
        "host and port to dial instead of the URL's; the server still sees the URL's name",
    ),
    Option("reconnect", ReconnectKind(), None, "reconnect when lost; keys: attempts, first, max, on_open"),
    Option("every", EveryKind(), None, "messages to send at intervals"),
    Option("reply", ReplyKind(), None, "which messages to answer automatically, and with what"),
    Option(
        "codec",
        CodecKind(),
        "auto",
        "format of payloads, such as msgpack or gzip+json; auto recognises JSON and text",
    ),
    Option("spec", SpecKind(), None, "AsyncAPI document or JSON Schema to judge messages by"),
    Option(
        "dialect",
        DialectKind(),
        None,
        "what the server speaks: socketio, signalr, stomp, mqtt, graphql, jsonrpc, actioncable or phoenix",
    ),
    Option("record", JournalKind(), None, "file, or folder/ of files, to write every message to as it comes"),
    Option(
        "record_size", SizeKind(1, 1 << 40, "1 B-1 TiB"), DEFAULT_FILE, "largest file of a recorded folder"
    ),
    Option("record_time", DurationKind(), "1h", "longest time that a file of a recorded folder is for"),
    Option(
        "record_format",
        ChoiceKind("jsonl", "parquet"),
        "jsonl",
        "what finished files of a recorded folder are: lines or tables",
    ),
    Option("wire", SwitchKind(), False, "keep the frames as they are on the wire, which %ws log shows"),
    Option("log_messages", WholeKind(1, 10_000_000), DEFAULT_MESSAGES, "messages the log keeps"),
    Option("log_bytes", SizeKind(1, 1 << 40, "1 B-1 TiB"), DEFAULT_BYTES, "bytes the log keeps"),
)
BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """Checked options; durations are seconds. Same names and order as `OPTIONS`."""

    headers: tuple[tuple[str, str], ...]
    protocols: tuple[str, ...]
    dial_timeout: float | None
    read_timeout: float | None
    write_timeout: float | None
    compression: Compression
    compression_threshold: int
    text_errors: str
    read_limit: int
    channel_capacity: int
    ping_interval: float | None
    ping_timeout: float | None
    keepalive: str
    close_timeout: float | None
    name: str | None
    origin: str | None
    auth: tuple[str, str] | None
    params: tuple[tuple[str, str], ...]
    sign: Callable[[HandshakeRequest], Any] | None
    cookies: Cookies | None
    ca: Path | Secret | None
    cert: Path | Secret | None
    key: Path | Secret | None
    insecure: bool
    server_hostname: str | None
    follow_redirects: bool
    strict: bool
    proxy: str | None
    connect_to: str | None
    reconnect: Reconnect | None
    every: tuple[Timed, ...]
    reply: tuple[Answer, ...]
    codec: Codec
    spec: Contract | None
    dialect: Dialect | None
    record: Path | Folder | None
    record_size: int
    record_time: float | None
    record_format: str
    wire: bool
    log_messages: int
    log_bytes: int

    @property
    def offered(self) -> tuple[str, ...]:
        """The subprotocols to offer: those that are given, else those of the dialect."""
        return self.protocols or (self.dialect.subprotocols if self.dialect else ())

    @property
    def packets(self) -> Codec:
        """What reads messages: the codec, within the packets of the dialect if there is one."""
        return self.dialect.codec(self.codec) if self.dialect else self.codec

    @property
    def recovery(self) -> Reconnect | None:
        """How a lost connection is opened again, by what counts as lost in the dialect."""
        if self.reconnect is None or self.dialect is None:
            return self.reconnect
        return replace(self.reconnect, codes=(*self.reconnect.codes, *self.dialect.lost_by))

    @property
    def http_auth(self) -> tuple[str, str] | None:
        """User and password for HTTP."""
        return None if self.dialect and self.dialect.logs_in else self.auth

    @property
    def dialect_auth(self) -> tuple[str, str] | None:
        """User and password for the dialect's own login."""
        return self.auth if self.dialect and self.dialect.logs_in else None

    @property
    def dial_time(self) -> float | None:
        """The seconds that a dial may take."""
        return self.dial_timeout

    @property
    def threshold(self) -> int:
        """The size from which messages are compressed: bytes."""
        by_mode = 128 if self.compression is Compression.CONTEXT_TAKEOVER else 512
        return self.compression_threshold or by_mode

    @property
    def largest(self) -> int:
        """The largest message accepted: bytes after inflating."""
        return self.read_limit or DEFAULT_READ_LIMIT

    def __repr__(self) -> str:
        shown = {option.name: option.kind.show(getattr(self, option.name)) for option in OPTIONS}
        return f"ConnectOptions({', '.join(f'{name}={mask(repr(value))}' for name, value in shown.items())})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FreshOptions(ConnectOptions):
    """Options of which some are made at each dial; stand-ins are in their place.

    Attributes:
        fresh: What was given for those, by their names.
        spent: Seconds that it took to make them.
    """

    fresh: Mapping[str, Any]
    spent: float = 0.0

    @property
    def dial_time(self) -> float | None:
        """The seconds that are left of `dial_timeout`."""
        return None if self.dial_timeout is None else max(0.001, self.dial_timeout - self.spent)


def with_url(options: ConnectOptions, make: Callable[[], URL]) -> FreshOptions:
    """Return options with what makes the URL of each dial, which is to be parsed already."""
    fresh = options.fresh if isinstance(options, FreshOptions) else {}
    values = {option.name: getattr(options, option.name) for option in OPTIONS}
    return FreshOptions(**values, fresh={"url": make, **fresh})


def remember_credentials(url: object, given: Mapping[str, Any]) -> None:
    """Mask the credentials of a connection before any of it is checked.

    Args:
        url: What was given as its URL.
        given: What was given as its options, known ones and others.
    """
    for text in texts_in(url):
        remember_in_url(text)
    for name, value in given.items():
        if value is None or (name in BY_NAME and BY_NAME[name].is_default(value)):
            continue
        value = stand_in(value) if is_made(value) else value
        for text in texts_in(value):
            remember_userinfo(text)
            remember_parameters(text)
        _remember_option(str(name).lower(), value)


def _remember_option(name: str, value: object) -> None:
    """Mask the credentials in an option, or in what looks like one: ``extra_headers``, ``subprotocols``."""
    if name in BY_NAME:
        BY_NAME[name].kind.remember(value)
        return
    for option in OPTIONS:
        if option.name.removesuffix("s") in name:
            option.kind.remember(value)
    if is_sensitive(name):
        for text in texts_in(value):
            remember_credential(text)


# Most arguments are the very objects of the table: a look at each of forty options took 4 µs more of a dial.
_GIVEN = tuple((option.name, option.default) for option in OPTIONS)


def options_in(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options among the arguments of a function that takes them all by name, but for defaults.

    Args:
        arguments: Its `locals`; what it was given besides is among them, as ``unknown``.
    """
    given = {name: value for name, default in _GIVEN if (value := arguments[name]) is not default}
    return {**_changed(given), **arguments["unknown"]}


def _changed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not their defaults, as these stand in the table: they need no check."""
    # Most are the very objects; a call for each of forty would be a twentieth of opening a connection.
    return {
        name: value
        for name, value in given.items()
        if value is not (option := BY_NAME[name]).default and not option.is_default(value)
    }


def check_options(given: Mapping[str, Any]) -> ConnectOptions:
    """Check options as a user gave them, and fill in the defaults.

    Raises:
        InvalidError: An option is unknown, of the wrong type, out of range, or contradicts another.
    """
    for name in given:
        if name not in BY_NAME:
            raise unknown_option(name)
    given = _changed(given)
    return _checked(given) if given else _defaults()


# Defaults are checked once: to check all of them was a tenth of what opening a connection takes.
@cache
def _defaults() -> ConnectOptions:
    return _checked({})


@cache
def _default_values() -> Mapping[str, Any]:
    return {option.name: option.kind.check(option.name, option.default) for option in OPTIONS}


def _checked(given: Mapping[str, Any]) -> ConnectOptions:
    values: dict[str, Any] = {**_default_values()}
    fresh: dict[str, Any] = {}
    for option in OPTIONS:
        name = option.name
        if name not in given:
            continue
        value = given[name]
        if option.kind.made and is_made(value := listed(value)):
            fresh[name] = value
            value = option.kind.stand_in(value)
        values[name] = option.kind.check(name, value)
    options = FreshOptions(**values, fresh=fresh) if fresh else ConnectOptions(**values)
    codec = options.codec.limited(options.largest)
    if codec is not options.codec:
        options = replace(options, codec=codec)
    if options.every or options.reply:
        every = written("every", options.every, options.packets)
        options = replace(options, every=every, reply=written("reply", options.reply, options.packets))
    check_together(options)
    return options


def check_secure(options: ConnectOptions, secure: bool, proxy: str | None = None) -> None:
    """Refuse TLS options for a connection that uses no TLS, rather than ignore them.

    Args:
        options: The options.
        secure: Whether the URL is one with TLS.
        proxy: The URL of the proxy that it goes through, None for none, or "env" where that is not known yet.
    """
    if secure or options.follow_redirects:
        return
    with_proxy = proxy is not None and proxy.startswith(("https://", "env"))
    for name in ("ca", "insecure", "cert", "key", "server_hostname")[2 * with_proxy :]:
        if getattr(options, name):
            raise InvalidError(f"{name} is of no use with a ws:// URL", hint="use wss://, or leave it out")


def unknown_option(name: str) -> InvalidError:
    """Return the error for an option that does not exist, with the closest that does."""
    hint = suggestion(name, BY_NAME, f"the options are {', '.join(BY_NAME)}")
    return InvalidError(f"there is no option {brief(name)}", hint=hint)


def check_together(options: ConnectOptions) -> None:
    """Refuse options that contradict each other.

    Raises:
        InvalidError: Two do.
    """
    names = {name.lower() for name, _ in options.headers}
    if options.auth and "authorization" in names:
        raise InvalidError("both auth and an Authorization header are given", hint="one of them is allowed")
    if options.origin and "origin" in names:
        raise InvalidError("both origin and an Origin header are given", hint="one of them is allowed")
    if options.ca and options.insecure:
        raise InvalidError("ca and insecure are given together", hint="one of them is allowed")
    if options.key and not options.cert:
        raise InvalidError("key is given without cert", hint="cert names the certificate it belongs to")
    if not isinstance(options.record, Folder):
        for name in ("record_size", "record_time", "record_format"):
            if getattr(options, name) != _default_values()[name]:
                hint = 'record="folder/" records into one'
                raise InvalidError(f"{name} is of no use unless a folder is recorded into", hint=hint)
