"""Canonical host names and addresses, for URLs and for the rules of a policy.

A host is mapped by UTS #46 and checked by IDNA 2008 first and looked at as an address second: a full-width
"１２７.0.0.1" must not pass as a name and arrive as an address. What is numeric is never rewritten.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import idna

from ipyws.errors import InvalidError

MAX_HOST: Final = 253
"""Longest name: characters (RFC 1035 section 2.3.4)."""

_ASCII_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def canonical_host(text: str) -> str:
    """Return a host name in lower-case ASCII without a trailing dot, or IPv4 text as it is.

    Args:
        text: A name or an IPv4 address; the result has at most 253 characters (RFC 1035 section 2.3.4).

    Raises:
        InvalidError: The text is no host name, or is numeric and not four canonical decimal numbers.
    """
    labels = _map(text).removesuffix(".").split(".")
    if labels == [""]:
        raise InvalidError("host is empty", hint='write a host, as in "wss://host/path"')
    host = ".".join(_canonical_label(label) for label in labels)
    if len(host) > MAX_HOST:
        raise _too_long()
    if _NUMERIC_LABEL.fullmatch(labels[-1]) and not _is_ipv4(text):
        raise InvalidError(
            "numeric host is not an IPv4 address", hint="write four decimal numbers, as in 127.0.0.1"
        )
    return host


def canonical_ipv6(text: str) -> str:
    """Return an IPv6 address, given without brackets, as RFC 5952 writes it.

    Raises:
        InvalidError: The text is not an IPv6 address, or has a zone id.
    """
    try:
        ip = IPv6Address(text)
    except ValueError:
        ip = None
    if ip is None or ip.scope_id is not None:
        raise InvalidError(
            "host in brackets is not an IPv6 address", hint='write it as in "ws://[::1]:8080/"'
        )
    # str() of a mapped address differs between Python versions.
    return f"::ffff:{ip.ipv4_mapped}" if ip.ipv4_mapped else str(ip)


def _map(text: str) -> str:
    if len(text) > MAX_HOST + 1:
        raise _too_long()
    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError:
        raise InvalidError("host holds a character that no name may hold") from None


def _canonical_label(label: str) -> str:
    if not label:
        raise InvalidError("host has an empty label", hint="write one dot between labels")
    if not label.isascii() or label.startswith("xn--"):
        return _encoded_label(label)
    if not _ASCII_LABEL.fullmatch(label):
        raise InvalidError(
            "host has a label that is not allowed",
            hint='letters, digits, "_" and, inside, "-" are allowed, at most 63 characters in a label',
        )
    return label


def _encoded_label(label: str) -> str:
    try:
        encoded = idna.alabel(idna.ulabel(label)).decode("ascii")
    except idna.IDNAError:
        encoded = ""
    # Not every version of idna refuses a second spelling of a label, such as "xn--a-" for "a".
    if not encoded or (label.isascii() and encoded != label):
        raise InvalidError(
            "host has a label that is not a valid international name",
            hint="IDNA 2008 (RFC 5892) says what is",
        )
    return encoded


def _is_ipv4(text: str) -> bool:
    try:
        return str(IPv4Address(text)) == text
    except ValueError:
        return False


def _too_long() -> InvalidError:
    return InvalidError("host is too long", hint=f"at most {MAX_HOST} characters are allowed")
