"""The one strict parser of WebSocket URLs (RFC 6455 section 3, RFC 3986).

What `parse` returns is canonical: the policy decides on it and the transport dials it, so the two can't read
a URL differently. Whatever has two readings is refused, with a message that quotes nothing of the URL but a
single character: any part of it may turn out to be a misplaced password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final, Literal, NoReturn, cast
from urllib.parse import quote

from ipyws.errors import InvalidError
from ipyws.policy.address import IPAddress, address_in
from ipyws.policy.host import canonical_host, canonical_ipv6
from ipyws.policy.unix_url import FORM, Parts, quote_socket, socket_name, split_unix
from ipyws.text.masking import mask
from ipyws.text.printable import name_character

Scheme = Literal["ws", "wss", "ws+unix", "wss+unix"]

MAX_LENGTH: Final = 8192
"""Longest URL, in characters, as given and in canonical form."""

_MAX_PORT: Final = 65535
_DEFAULT_PORT: Final = {"ws": 80, "wss": 443, "ws+unix": 80, "wss+unix": 443}
_WS_SCHEME: Final = {"http": "ws", "https": "wss"}

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BRACKETED: Final = re.compile(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
# Servers differ in whether they decode %2F and %5C and strip ";parameters" before they resolve dots.
_DOT_SEGMENT: Final = re.compile(r"(?:/|%2F|%5C)\.\.?(?=/|%2F|%5C|;|$)")

# What is pasted along and never seen; joiners are left out, which some scripts need.
_INVISIBLE: Final = frozenset("\xad\u200b\u2060\ufeff")

_UNRESERVED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_KEPT_IN_PATH: Final = "%/:@!$&'()*+,;=[]"
_KEPT_IN_QUERY: Final = _KEPT_IN_PATH + "?|"


@dataclass(frozen=True, slots=True, repr=False)
class URL:
    """A canonical WebSocket URL; ``parse`` is the only way to one that can be trusted.

    Attributes:
        scheme: "ws" or "wss", or with "+unix" for a Unix socket.
        host: Lower-case ASCII name without a trailing dot, or IPv4 text, or IPv6 text without brackets.
        port: The port that is dialled, 1 to 65535, the scheme's where the URL has none.
        path: Begins with "/"; upper-case escapes, none of them for a letter, digit or ``-._~``.
        query: Without the "?"; "" where there is none.
        socket: The path of a Unix socket, or "". With one, the host is "localhost": what the server is told.
    """

    scheme: Scheme
    host: str
    port: int
    path: str
    query: str
    socket: str = ""
    # As text: it is asked for six times for each dial, and most dials are of a URL that was parsed before.
    _text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_text", f"{self.base}{self.resource}")

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.startswith("wss")

    @property
    def authority(self) -> str:
        """Host, in brackets if IPv6, and the port unless it is the scheme's: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"

    @property
    def resource(self) -> str:
        """Path and query as the request line sends them (RFC 6455 section 3)."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def segments(self) -> tuple[str, ...]:
        """What stands between the slashes of the path: ("",) for "/", ("a", "") for "/a/"."""
        return tuple(self.path[1:].split("/"))

    @property
    def ip(self) -> IPAddress | None:
        """The host as an address, or None where it is a name."""
        return address_in(self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is in 127/8, ::1, a mapped form of these, localhost or a name below it."""
        ip = self.ip
        if self.socket:
            return False
        if ip is None:
            return self.host == "localhost" or self.host.endswith(".localhost")
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return (mapped or ip).is_loopback

    @property
    def origin(self) -> tuple[Scheme, str, int]:
        """Scheme, host and port: credentials stay within one origin (RFC 6454 section 4)."""
        return self.scheme, self.socket or self.host, 0 if self.socket else self.port

    @property
    def origin_text(self) -> str:
        """The origin as text, with the port."""
        return self.base[:-1] if self.socket else f"{self.scheme}://{self.host}:{self.port}"

    @property
    def short_name(self) -> str:
        """What a connection is called that has no name of its own."""
        return socket_name(self.socket) if self.socket else f"{self.host}:{self.port}"

    @property
    def base(self) -> str:
        """All that stands before the path: scheme, and host and port or socket."""
        if self.socket:
            return f"{self.scheme}:{quote_socket(self.socket)}:"
        return f"{self.scheme}://{self.authority}"

    @property
    def masked(self) -> str:
        """The URL fit to be shown: known secrets and token-like query values are stars."""
        return mask(str(self))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"URL({self.masked!r})"


def parse(text: str) -> URL:
    """Return the canonical form of a WebSocket URL.

    Args:
        text: A ``ws://``, ``wss://``, ``ws+unix:`` or ``wss+unix:`` URL of at most 8192 characters.

    Raises:
        InvalidError: The URL is not one, has a part that WebSocket URLs don't have (RFC 6455 section 3), or
            can be read in more than one way.
    """
    if not isinstance(text, str):
        raise InvalidError(f"URL is of type {type(text).__name__}", hint="it must be a str")
    return _parse(text)


# A load test, a loop of reconnects and a notebook that is run again open the same URL many times.
@lru_cache(maxsize=64)
def _parse(text: str) -> URL:
    _check_text(text)
    if "#" in text and (_SCHEME.match(text) or split_unix(text.partition("#")[0])):
        _refuse("has a fragment", 'remove what follows "#", or write %23 for a "#" in the path or query')
    if unix := split_unix(text):
        _check_seen(text, before=0)
        return _with_socket(unix)
    scheme, rest = _split_scheme(text)
    authority, tail = _split_authority(rest)
    _check_seen(tail, before=len(text) - len(tail))
    path, _, query = tail.partition("?")
    host, port = _parse_authority(authority)
    url = URL(scheme, host, port or _DEFAULT_PORT[scheme], _canonical_path(path), _canonical_query(query))
    _check_length(str(url))
    return url


def _with_socket(unix: Parts) -> URL:
    path, _, query = unix.tail.partition("?")
    scheme = cast(Scheme, unix.scheme)
    port = _DEFAULT_PORT[scheme]
    url = URL(scheme, "localhost", port, _canonical_path(path), _canonical_query(query), unix.socket)
    _check_length(str(url))
    return url


def join(base: URL, location: str) -> URL:
    """Return where a redirect leads (RFC 9110 section 10.2.2), with http read as ws and https as wss.

    Args:
        base: The URL that answered with the redirect.
        location: The Location header, absolute or relative.

    Raises:
        InvalidError: The target is not a WebSocket URL that `parse` accepts.
    """
    _check_text(location)
    match = _SCHEME.match(location)
    if match:
        scheme = match[1].lower()
        if scheme.endswith("+unix"):
            _refuse("has a scheme that is not allowed", "a redirect may not lead to a Unix socket")
        return parse(f"{_WS_SCHEME.get(scheme, scheme)}://{location[match.end() :]}")
    if location.startswith("//"):
        return parse(f"{base.scheme}:{location}")
    return parse(f"{base.base}{_resolve(base, location)}")


def _resolve(base: URL, reference: str) -> str:
    if reference.startswith("/"):
        return reference
    if reference.startswith("?"):
        return base.path + reference
    if ":" in re.split(r"[/?]", reference, maxsplit=1)[0]:
        _refuse("has a scheme that is not allowed", "a redirect must lead to a ws, wss, http or https URL")
    return base.path[: base.path.rindex("/") + 1] + reference


def _refuse(what: str, hint: str = "") -> NoReturn:
    raise InvalidError(f"URL {what}", hint=hint)


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        _refuse(f"is longer than {MAX_LENGTH} characters", "send long data in a message or a header")


def _check_text(text: str) -> None:
    _check_length(text)
    if not text:
        _refuse("is empty", 'write it as in "wss://host/path"')
    for position, char in enumerate(text, 1):
        if char == "\\":
            _refuse(f"holds a backslash at character {position}", 'write "/" between path segments')
        if char.isspace():
            _refuse(f"holds white space at character {position}", "write %20 for a space")
        if char < " " or "\x7f" <= char <= "\x9f":
            _refuse(f"holds the control character U+{ord(char):04X} at character {position}", "remove it")
        if "\ud800" <= char <= "\udfff":
            _refuse(f"holds half a surrogate pair at character {position}", "remove it")


def _check_seen(tail: str, before: int) -> None:
    """Refuse what nobody sees in a path or query; of a host, IDNA says what becomes of it."""
    for position, char in enumerate(tail, before + 1):
        if char in _INVISIBLE:
            hint = f"remove it, or write {quote(char)}"
            _refuse(f"holds {name_character(char)} at character {position}", hint)


def _split_scheme(text: str) -> tuple[Scheme, str]:
    match = _SCHEME.match(text)
    if not match:
        _refuse('does not begin with "ws://" or "wss://"', 'write it as in "wss://host/path"')
    scheme = match[1].lower()
    if scheme == "http":
        _refuse("has the scheme http", "use wss://, or ws:// where the server has no TLS")
    if scheme == "https":
        _refuse("has the scheme https", "use wss://")
    if scheme not in _DEFAULT_PORT:
        _refuse("has a scheme that is not allowed", f"use wss:// or ws://, or {FORM} for a Unix socket")
    return cast(Scheme, scheme), text[match.end() :]


def _split_authority(rest: str) -> tuple[str, str]:
    end = next((index for index, char in enumerate(rest) if char in "/?"), len(rest))
    authority, tail = rest[:end], rest[end:]
    if "@" in authority:
        _refuse("holds user information", "use auth=(USER, PASSWORD)")
    if "%" in authority:
        _refuse('holds "%" in its host', "write the host itself; zone ids are not allowed")
    return authority, tail


def _parse_authority(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        match = _BRACKETED.fullmatch(authority)
        if not match:
            _refuse("has a broken IPv6 host", 'write it as in "ws://[::1]:8080/"')
        return canonical_ipv6(match[1]), _parse_port(match[2])
    host, separator, port = authority.partition(":")
    if ":" in port:
        _refuse(
            "has more than one colon in its host", 'write an IPv6 address in brackets: "ws://[::1]:8080/"'
        )
    return canonical_host(host), _parse_port(port if separator else None)


def _parse_port(port: str | None) -> int | None:
    if port is None:
        return None
    if not port:
        _refuse("has an empty port", 'remove the ":" or write a port after it')
    if not _PORT.fullmatch(port) or int(port) > _MAX_PORT:
        _refuse("has a port that is not allowed", f"1 to {_MAX_PORT} without leading zeros is allowed")
    return int(port)


def _canonical_path(path: str) -> str:
    _check_escapes(path)
    canonical = _ESCAPE.sub(_plain, quote(path or "/", safe=_KEPT_IN_PATH))
    if _DOT_SEGMENT.search(canonical):
        _refuse('has a "." or ".." segment in its path', "write the path that is meant")
    return canonical


def _canonical_query(query: str) -> str:
    _check_escapes(query)
    return quote(query, safe=_KEPT_IN_QUERY)


def _check_escapes(text: str) -> None:
    if _BAD_ESCAPE.search(text):
        _refuse('has a "%" without two hexadecimal digits after it', "write %25 for a percent sign")


def _plain(escape: re.Match[str]) -> str:
    """Undo an escape that isn't needed, so that ``/%61dmin`` is not another path than ``/admin``."""
    char = chr(int(escape[0][1:], 16))
    return char if char in _UNRESERVED else escape[0].upper()
