"""The options of a connection: one table, in the order of the API, the magics, the config and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ipyws.core.channels.channel import MAX_CAPACITY, check_capacity
from ipyws.core.connection.reconnect import Reconnect, check_reconnect
from ipyws.core.constants import MB, Compression
from ipyws.core.messages.log import DEFAULT_BYTES, DEFAULT_MESSAGES
from ipyws.core.options import hosts, kinds
from ipyws.core.options.cookies import Cookies, check_cookies
from ipyws.core.options.kinds import Check
from ipyws.errors import InvalidError, brief, closest
from ipyws.text.masking import MASK, Secret, mask, mask_deep, mask_headers

DEFAULT_READ_LIMIT = 16 * MB
_KEPT_MESSAGES = 10_000_000
_KEPT_BYTES = 1 << 40


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its name, what it accepts, its default, and a line for the help and the docs."""

    name: str
    check: Check
    default: Any
    values: str
    about: str


OPTIONS: tuple[Option, ...] = (
    Option("headers", kinds.headers, None, "mapping or pairs", "HTTP headers of the handshake"),
    Option("protocols", kinds.protocols, None, "list of tokens", "subprotocols to offer, preferred first"),
    Option("dial_timeout", kinds.duration, "10s", "duration", "time to connect, handshake included"),
    Option("read_timeout", kinds.duration, None, "duration", "longest time without a data message"),
    Option("write_timeout", kinds.duration, "10s", "duration", "how long a send waits for a slow peer"),
    Option("compression", kinds.compression, 0, kinds.COMPRESSION_ALLOWED, "permessage-deflate"),
    Option(
        "compression_threshold",
        kinds.megabytes(100),
        0,
        "0-100 MB",
        "smaller messages go uncompressed; 0 = 128 B with takeover, 512 B without",
    ),
    Option(
        "text_errors",
        kinds.choice("strict", "replace"),
        "strict",
        "strict or replace",
        "text that is not UTF-8: strict closes with 1007, replace goes on with U+FFFD in its place",
    ),
    Option("read_limit", kinds.megabytes(128), 0, "0-128 MB", "largest message accepted; 0 = 16 MiB"),
    Option(
        "channel_capacity",
        lambda _, value: check_capacity(value),
        32,
        f"1-{MAX_CAPACITY}",
        "unread messages that make an open channel hold the server back",
    ),
    Option("ping_interval", kinds.duration, "20s", "duration", "time between keep-alive pings"),
    Option("ping_timeout", kinds.duration, "20s", "duration", "longest silence after a keep-alive ping"),
    Option(
        "keepalive",
        kinds.choice("data", "pong"),
        "data",
        "data or pong",
        "what answers a keep-alive ping: whatever comes, or its pong alone",
    ),
    Option("close_timeout", kinds.duration, "5s", "duration", "how long the closing handshake may take"),
    Option("name", kinds.connection_name, None, "text", "name of the connection; host:port unless given"),
    Option("origin", kinds.origin, None, "text", "the Origin header"),
    Option("auth", kinds.auth, None, "user, password", "HTTP Basic credentials"),
    Option(
        "cookies",
        check_cookies,
        None,
        "mapping, text or jar",
        "cookies; of a jar of requests or httpx those that are for the URL",
    ),
    Option(
        "ca",
        kinds.pem,
        None,
        "PEM file or text",
        "certificate authorities to trust instead of the system's",
    ),
    Option("cert", kinds.pem, None, "PEM file or text", "client certificate"),
    Option("key", kinds.pem, None, "PEM file or text", "private key of the client certificate"),
    Option("insecure", kinds.boolean, False, "True/False", "accept any certificate"),
    Option(
        "server_hostname",
        hosts.host,
        None,
        "host name",
        "name that TLS asks for and that the certificate must have, instead of the URL's",
    ),
    Option("follow_redirects", kinds.boolean, False, "True/False", "follow HTTP redirects, up to 10"),
    Option(
        "strict",
        kinds.boolean,
        False,
        "True/False",
        "refuse a handshake that is not as the standard has it, though it could be taken",
    ),
    Option(
        "proxy",
        kinds.proxy,
        "env",
        "URL, None or env",
        "proxy; env: as the environment says, never for loopback",
    ),
    Option(
        "connect_to",
        hosts.host_and_port,
        None,
        "HOST:PORT",
        "where to connect instead of the URL's host and port; the URL's name is presented",
    ),
    Option("reconnect", check_reconnect, None, "mapping", "open a lost connection anew; {} as by default"),
    Option("record", kinds.writable_file, None, "path", "journal of every message, as JSON lines"),
    Option(
        "log_messages",
        kinds.whole(1, _KEPT_MESSAGES),
        DEFAULT_MESSAGES,
        f"1-{_KEPT_MESSAGES}",
        "messages the log keeps",
    ),
    Option(
        "log_bytes", kinds.whole(1, _KEPT_BYTES, " bytes"), DEFAULT_BYTES, "1 B-1 TiB", "bytes the log keeps"
    ),
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
    record: Path | None
    log_messages: int
    log_bytes: int

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
        shown = {field.name: mask_deep(getattr(self, field.name)) for field in fields(self)}
        shown["headers"] = mask_headers(self.headers)
        shown["auth"] = self.auth and (mask(self.auth[0]), MASK)
        return f"ConnectOptions({', '.join(f'{name}={mask(repr(value))}' for name, value in shown.items())})"


def options_in(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options among the arguments of a function that takes them all by name.

    Args:
        arguments: Its `locals`; what it was given besides is among them, as ``unknown``.
    """
    return {**{name: arguments[name] for name in BY_NAME}, **arguments["unknown"]}


def check_options(given: Mapping[str, Any]) -> ConnectOptions:
    """Check options as a user gave them, and fill in the defaults.

    Raises:
        InvalidError: An option is unknown, of the wrong type, out of range, or contradicts another.
    """
    for name in given:
        if name not in BY_NAME:
            raise unknown_option(name)
    values = {
        option.name: option.check(option.name, given.get(option.name, option.default)) for option in OPTIONS
    }
    options = ConnectOptions(**values)
    _check_together(options)
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
    close = closest(name, BY_NAME)
    hint = f"did you mean {close}?" if close else f"the options are {', '.join(BY_NAME)}"
    return InvalidError(f"there is no option {brief(name)}", hint=hint)


def _check_together(options: ConnectOptions) -> None:
    names = {name.lower() for name, _ in options.headers}
    if options.auth and "authorization" in names:
        raise InvalidError("both auth and an Authorization header are given", hint="one of them is allowed")
    if options.origin and "origin" in names:
        raise InvalidError("both origin and an Origin header are given", hint="one of them is allowed")
    if options.ca and options.insecure:
        raise InvalidError("ca and insecure are given together", hint="one of them is allowed")
    if options.key and not options.cert:
        raise InvalidError("key is given without cert", hint="cert names the certificate it belongs to")
