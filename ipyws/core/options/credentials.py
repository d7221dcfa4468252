"""The credentials among the options of a connection: masked from the moment they are given, in whatever form.

A form may be wrong (one text for all headers, "user:password" for a pair), and what is refused is shown by a
traceback as well. So nothing here depends on a check, and nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from ipyws.text.masking import (
    is_sensitive_header,
    known,
    known_spans,
    remember,
    remember_basic,
    remember_cookies,
    remember_guessed,
    remember_parameters,
    remember_userinfo,
)
from ipyws.text.sensitive import is_sensitive

_BEARER: Final = re.compile(r"bearer|token|key|secret", re.IGNORECASE)
_LONG_TOKEN: Final = 32
_MARKERS: Final = ("bearer", "authorization", "access_token", "token", "jwt")
_HEADER_LINE: Final = re.compile(r"\s*([^\s:]+)\s*[:=\s]\s*(.*)", re.DOTALL)
_SCHEME: Final = re.compile(r"[A-Za-z0-9+.-]*:?/+")
_DEEPEST: Final = 8


def remember_headers(value: object) -> None:
    """Mask the credentials among headers: a mapping, pairs, lines, one text, or one pair that is no list."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            _remember_pair(str(name), texts_in(item))
        return
    if not isinstance(value, (list, tuple)):
        for text in texts_in(value):
            _remember_lines(text)
        return
    texts = list(value)
    if len(texts) > 1 and all(isinstance(text, (str, bytes)) for text in texts):
        name, *items = texts_in(texts)
        _remember_pair(name, items)
    for item in texts:
        remember_headers(item)


def _remember_pair(name: str, values: Iterable[str]) -> None:
    _remember_lines(name)  # the value may stand in the name
    for value in values:
        remember_header(name.rstrip(" :"), value.strip(" \t"))


def _remember_lines(text: str) -> None:
    for line in text.splitlines():
        if match := _HEADER_LINE.match(line):
            remember_header(match[1], match[2])


def remember_header(name: str, value: str) -> None:
    """Mask the credential of a header, with the word before it and without."""
    for line in value.splitlines():  # one, unless the value is to be refused
        if is_sensitive_header(name):
            remember_credential(line)
        if name.lower() == "cookie":
            remember_cookies(line)


def remember_credential(text: str) -> None:
    """Mask a credential, with the word before it and without."""
    for credential in (text, text.partition(" ")[2], text.rpartition(" ")[2]):
        remember_guessed(credential)


def remember_auth(value: object) -> None:
    """Mask the credentials of Basic authentication: a pair, one text, or a mapping."""
    texts = list(texts_in(value))
    if isinstance(value, Mapping):
        for name, item in value.items():
            if is_sensitive(str(name)):
                for text in texts_in(item):
                    remember(text)
    elif len(texts) == 1:
        user, colon, password = texts[0].partition(":")
        remember_basic(user, password) if colon else remember_guessed(texts[0])
    elif texts:
        remember_basic(texts[0], texts[1])
        for text in texts[1:]:
            remember(text)


def remember_payload(value: object) -> None:
    """Mask the credentials in what a login says: those with a telling name, or all if there are none."""
    found = list(_named_secrets(value, False, 0))
    for text in found:
        remember(text)
        remember(text.partition(" ")[2].strip())  # what follows the scheme: Bearer, Basic
    if not found:
        for text in texts_in(value):
            remember_guessed(text)


def _named_secrets(value: object, sensitive: bool, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for name, item in value.items():
            yield from _named_secrets(item, sensitive or is_sensitive(str(name)), depth + 1)
    elif isinstance(value, (list, tuple)) and depth < _DEEPEST:
        for item in value:
            yield from _named_secrets(item, sensitive, depth + 1)
    elif sensitive and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def remember_in_url(text: str) -> None:
    """Mask the credentials of the URL of a server or a proxy, also where its scheme is wrong or missing."""
    remember_userinfo(text)
    remember_parameters(text)
    before, at, _ = text.partition("?")[0].rpartition("@")
    if at:
        user, _, password = _SCHEME.sub("", before, count=1).partition(":")
        remember_basic(user, password)
        remember_basic(unquote(user), unquote(password))


def remember_host(given: str, host: str) -> None:
    """Mask a secret in a host also as it is looked up: in lower case, or in the ASCII form of IDNA.

    Args:
        given: The URL as it was given.
        host: Its host as it is dialled.
    """
    if not known():
        return
    named = re.split(r"[/?#:]", given.partition("://")[2], maxsplit=1)[0]
    labels, looked_up = re.split(r"[.\u3002\uff0e\uff61]", named.rstrip(".")), host.split(".")
    if len(labels) != len(looked_up):
        labels, looked_up = [named], [host]
    for label, shown in zip(labels, looked_up, strict=True):
        if any(True for _ in known_spans(label)):
            remember(shown)


def remember_pem(text: str) -> None:
    """Mask a PEM text, as a whole and without the lines around its data."""
    if is_pem(text):
        remember(text)
        remember(text.strip())
        for block in re.findall(r"-----BEGIN [^-]*PRIVATE KEY-----(.*?)(?:-----END|\Z)", text, re.DOTALL):
            remember(block.strip())
            for line in re.split(r"\s+|\\n", block):
                remember_guessed(line)


def is_pem(text: str) -> bool:
    """Tell whether a text is a certificate or a key itself, and not the path of one (RFC 7468)."""
    return "-----BEGIN " in text or ("\n" in text.strip() and len(text) > _LONG_TOKEN)


def remember_protocols(offered: tuple[str, ...]) -> None:
    """Mask the tokens among subprotocols."""
    for credential in credentials_among(offered):
        remember(credential)
        remember_guessed(credential.rpartition(".")[2])


def credentials_among(offered: tuple[str, ...]) -> frozenset[str]:
    """Return the subprotocols that carry a token, as browser clients send it for want of headers.

    By their look: long ones, such as ``base64url.bearer.authorization.…``, and what follows a ``bearer``.
    """
    by_look = (name for name in offered if len(name) >= _LONG_TOKEN or ("." in name and _BEARER.search(name)))
    by_place = (name for marker, name in pairwise(offered) if marker.lower() in _MARKERS)
    return frozenset((*by_look, *by_place))


def texts_in(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a value, also as bytes; of a mapping its values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, (Mapping, list, tuple, set, frozenset)) and depth < _DEEPEST:
        items: Iterable[object] = value.values() if isinstance(value, Mapping) else value
        for item in items:
            yield from texts_in(item, depth + 1)
