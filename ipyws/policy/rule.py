"""A rule of a policy: which URLs it means, read from text like ``wss://*.example.com/stream/*``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Literal

from ipyws.errors import InvalidError
from ipyws.policy.address import AddressClass, IPAddress, classify, embedded
from ipyws.policy.host import MAX_HOST
from ipyws.policy.path import may_fit, surely_fits
from ipyws.policy.url import URL, Scheme, parse

Effect = Literal["allow", "deny"]

_UNIX: Final = re.compile(r"wss?\+unix:[^:]*(?::.*)?", re.IGNORECASE | re.DOTALL)
_RULE: Final = re.compile(r"([A-Za-z]+://)(\*\.)?([^/?#]*?)(:\*)?(/[^?#]*)?", re.DOTALL)
_FORM: Final = 'write it as in "wss://*.example.com/stream/*"'


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy says about some URLs.

    Attributes:
        effect: "allow" or "deny".
        url: The rule's URLs as they were written.
        scheme: "ws" or "wss".
        host: A canonical name or address, of which ``subdomains`` may be meant instead.
        subdomains: Whether names below the host are meant, by whole labels, and not the host itself.
        port: The port, or None for any.
        segments: The path between its slashes, the last "*" for everything below; None for any path.
        layer: The name of the layer it belongs to.
        file: The file it stands in, or "".
        line: The line it begins on, or None.
        socket: The path of a Unix socket, or ``/folder/*`` for all below, or "".
    """

    effect: Effect
    url: str
    scheme: Scheme
    host: str
    subdomains: bool
    port: int | None
    segments: tuple[str, ...] | None
    layer: str = ""
    file: str = ""
    line: int | None = None
    socket: str = ""

    def matches(self, url: URL) -> bool:
        """Tell whether the rule is about a URL: an allow rule is read narrowly, a deny rule broadly."""
        return (
            url.scheme == self.scheme
            and self.port in (None, url.port)
            and self._matches_host(url)
            and self._matches_path(url)
        )

    def denies_address(self, url: URL, ip: IPAddress) -> bool:
        """Tell whether a deny rule names the address that a URL leads to, whatever the URL's host is."""
        if self.effect == "allow" or self.subdomains:
            return False
        named = self.host == "localhost" and classify(ip) is AddressClass.LOOPBACK
        if (own := _address(self.host)) is not None:
            named = not {own, *embedded(own)}.isdisjoint({ip, *embedded(ip)})
        return named and self.matches(replace(url, host=self.host))

    def _matches_host(self, url: URL) -> bool:
        if self.socket or url.socket:
            return bool(url.socket) and self._matches_socket(url.socket)
        if self.subdomains:
            return url.ip is None and url.host.endswith(f".{self.host}")
        return url.host == self.host

    def _matches_socket(self, socket: str) -> bool:
        """Compare sockets: an allow rule by the path that is written, a deny rule by where links lead too."""
        own = {self.socket}
        asked = {socket}
        if self.effect == "deny":
            folder, star = self.socket.removesuffix("/*"), "/*" if self.socket.endswith("/*") else ""
            own.add(os.path.realpath(folder or "/") + star)
            asked.add(os.path.realpath(socket))
        return any(
            path == one or (one.endswith("/*") and path.startswith(one[:-1])) for one in own for path in asked
        )

    def _matches_path(self, url: URL) -> bool:
        if self.segments is None:
            return True
        fits = may_fit if self.effect == "deny" else surely_fits
        return fits(url.segments, self.segments)

    def __str__(self) -> str:
        where = self.file or self.layer
        place = f" ({where}{f', line {self.line}' if self.line else ''})" if where else ""
        return f"{self.effect} {self.url}{place}"


def read_rule(effect: Effect, text: str) -> Rule:
    """Read the URLs that a rule is about.

    Args:
        effect: What the rule does.
        text: ``scheme://host[:port][/path]``; the host may begin with ``*.``, the port be ``*`` for any, the
            path end in ``/*`` for everything below. Without a port the scheme's is meant, without a path any.

    Raises:
        InvalidError: The text is none, or could never match.
    """
    if _UNIX.fullmatch(text):
        return _read_unix(effect, text)
    match = _RULE.fullmatch(text)
    if match is None:
        raise InvalidError("has a rule that is not scheme, host, port and path", hint=_FORM)
    scheme, below, host, any_port, path = match.groups()
    if "*" in host:
        raise InvalidError('has a rule with "*" inside its host', hint='only a leading "*." is allowed')
    if "*" in (path or "").removesuffix("/*"):
        raise InvalidError('has a rule with "*" inside its path', hint='only "/*" at its end is allowed')
    url = parse(f"{scheme}{host}{path or ''}")
    if any_port and ":" in host.rpartition("]")[2]:
        raise InvalidError("has a rule with two ports", hint=_FORM)
    segments = None if path is None else url.segments
    if effect == "allow" and segments and not surely_fits(segments, segments):
        raise InvalidError("has a rule whose path never matches", hint="write its dots out")
    if below and (url.ip is not None or len(url.host) > MAX_HOST - 2):
        raise InvalidError("has a rule for names below a host that has none, which never matches", hint=_FORM)
    return Rule(
        effect=effect,
        url=text,
        scheme=url.scheme,
        host=url.host,
        subdomains=bool(below),
        port=None if any_port else url.port,
        segments=segments,
    )


def _read_unix(effect: Effect, text: str) -> Rule:
    head, _, path = text.partition(":")[2].partition(":")
    below = head.endswith("/*")
    if "*" in head.removesuffix("/*"):
        raise InvalidError(
            'has a rule with "*" inside its socket\'s path', hint='only "/*" at its end is allowed'
        )
    if "*" in path.removesuffix("/*"):
        raise InvalidError('has a rule with "*" inside its path', hint='only "/*" at its end is allowed')
    url = parse(f"{text.partition(':')[0]}:{head[:-1] + 'x' if below else head}:{path}")
    if url.query:
        raise InvalidError("has a rule with a query, which never counts", hint="leave it out")
    segments = url.segments if path else None
    if effect == "allow" and segments and not surely_fits(segments, segments):
        raise InvalidError("has a rule whose path never matches", hint="write its dots out")
    socket = url.socket[:-1] + "*" if below else url.socket
    return Rule(effect, text, url.scheme, url.host, False, None, segments, socket=socket)


def _address(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
