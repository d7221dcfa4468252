"""Secrets: a string that is sent as it is and masked wherever it is shown.

Two mechanisms, because each misses what the other catches:

* values that were declared secret (`secret`, ``{{env.X}}``, ``auth``, sensitive headers) are remembered and
  replaced in every text that passes `mask`;
* places that usually hold a secret (``Authorization``, ``?token=``) are masked by their name.

A file that is to be used again says instead where a value came from: ``{{env.TOKEN}}``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard
from urllib.parse import quote, quote_plus, unquote, unquote_plus

MASK = "***"

# Shorter values would turn ordinary words of a message into stars and give the secret away by its place.
_SHORTEST = 4
_SHORTEST_GUESSED = 8

_SENSITIVE_HEADER = re.compile(
    r"authorization|cookie|token|secret|password|passwd|api[-_]?key|signature|credential|session|^x-amz-security|-key$",
    re.IGNORECASE,
)
_SENSITIVE_PARAMETER = re.compile(
    r"token|secret|passw|api[-_.]?key|^key$|auth|signature|^sig$|credential|session|jwt|ticket|^code$",
    re.IGNORECASE,
)
_CUT = re.compile(r"(\.\.\.|…)")
_QUERY_PAIR = re.compile(r"([?&;#])([^=&;#\s]{1,100})=([^&;#\s\"'<>]+)")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]+(?=@)")
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_REFERENCE = re.compile(r"env\.[A-Za-z_][A-Za-z0-9_]*")
_WRITTEN_REFERENCES = re.compile(rf"(?:\{{\{{{_REFERENCE.pattern}\}}\}})+")

# Longest first, so that a secret that holds another is replaced as a whole.
_known: tuple[str, ...] = ()

# Where a value came from, by the value as it is and as JSON spells it.
_references: dict[str, str] = {}
_references_in_json: dict[str, str] = {}


class Secret(str):
    """A string that shows as ``***`` in a repr; formatting and sending use the real value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"secret({MASK!r})"


def secret(value: str) -> Secret:
    """Return ``value`` as a string that ipyws masks wherever it shows it, and sends as it is.

    Args:
        value: The secret text. Values of fewer than 4 characters are only masked in their own repr.
    """
    remember(value)
    return Secret(value)


def remember(value: str, reference: str | None = None) -> None:
    """Mask ``value`` in everything shown from now on; also as it stands in a URL, in JSON and in a repr.

    Args:
        value: The secret text. One of fewer than 4 characters is passed over.
        reference: Where it came from, such as "env.TOKEN", for files that are to be used again.
    """
    global _known
    if len(value) < _SHORTEST:
        return
    if value not in _known:
        _known = tuple(sorted({*_known, *_spellings(str(value))}, key=len, reverse=True))
    if is_reference(reference):
        _references[str(value)] = _references_in_json[in_json(value)] = reference


def known() -> tuple[str, ...]:
    """Return all secrets of this process, in every spelling, the longest first."""
    return _known


def references(spelled_in_json: bool) -> Mapping[str, str]:
    """Return where secrets came from, by the secrets as they are, or as JSON spells them."""
    return _references_in_json if spelled_in_json else _references


def is_reference(name: object) -> TypeGuard[str]:
    """Tell whether ``name`` says where a secret comes from, as "env.TOKEN" does."""
    return isinstance(name, str) and _REFERENCE.fullmatch(name) is not None


def only_references(text: str) -> bool:
    """Tell whether ``text`` is nothing but references: it gives no secret away."""
    return _WRITTEN_REFERENCES.fullmatch(text) is not None


def in_json(value: str) -> str:
    """Return a text as JSON spells it, without the quotes."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _spellings(value: str) -> set[str]:
    in_url = {quote(value, safe=safe, errors="surrogatepass") for safe in ("/", "")}
    in_url.add(quote_plus(value, errors="surrogatepass"))
    in_url |= {_PERCENT.sub(lambda escape: escape[0].lower(), text) for text in in_url}
    in_json = {json.dumps(value, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    in_bytes = repr(value.encode("utf-8", "surrogatepass"))[2:-1]
    spelled = {value, *in_url, *in_json, in_bytes}
    # What a message or a line of source holds is spelled once more in its own repr.
    return spelled | {repr(text)[1:-1] for text in spelled}


def remember_guessed(value: str) -> None:
    """Mask a value that is a secret only by the look of the place it stands in.

    Only if it is long enough to be one: masking the "true" of ``X-Session: true`` would cripple every text.
    """
    if len(value) >= _SHORTEST_GUESSED:
        remember(value)


def sensitive_parameters(text: str) -> list[str]:
    """Return the values of a URL that usually are credentials, by the names of their parameters."""
    return [value for _, name, value in _QUERY_PAIR.findall(text) if _SENSITIVE_PARAMETER.search(name)]


def remember_parameters(text: str) -> None:
    """Mask the token-like values of a URL, wherever they turn up."""
    for value in sensitive_parameters(text):
        remember_guessed(value)
        remember_guessed(unquote_plus(value))


def remember_userinfo(url: str) -> None:
    """Mask the credentials in front of a URL's host: as they stand there, as meant, and as they are sent."""
    for userinfo in _USERINFO.findall(url):
        user, _, password = userinfo.partition(":")
        remember_basic(user, password)
        remember_basic(unquote(user), unquote(password))


def remember_basic(user: str, password: str) -> None:
    """Mask the credentials of Basic authentication (RFC 7617), also as they are sent."""
    remember(password)
    remember(base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogatepass")).decode())
    if not password:  # an API key may take the place of the user
        remember_guessed(user)


def remember_cookies(value: str) -> None:
    """Mask the values of a Cookie header, wherever they turn up."""
    for cookie in value.split(";"):
        remember_guessed(cookie.partition("=")[2].strip())


def is_sensitive_header(name: str) -> bool:
    """Tell whether a header of this name usually carries a credential."""
    return _SENSITIVE_HEADER.search(name) is not None and not name.lower().startswith("sec-websocket-")


def mask(text: str) -> str:
    """Return ``text`` with secrets replaced: known values, URL user information, token-like query values."""
    text = mask_places(text)
    for value in _known:
        if value in text:
            text = text.replace(value, MASK)
    return text


def mask_places(text: str) -> str:
    """Return ``text`` without what is secret by its place: user information, token-like query values."""
    if "://" in text:
        text = _USERINFO.sub(MASK, text)
    if "=" in text:
        text = _QUERY_PAIR.sub(_mask_pair, text)
    return text


def mask_cut(text: str) -> str:
    """Return ``text`` without what is left of a known value beside the dots of a repr that was cut."""
    pieces = _CUT.split(text)
    for before, after in zip(range(0, len(pieces), 2), range(2, len(pieces), 2), strict=False):
        for value in _known:
            pieces[before] = _without_start(pieces[before], value)
            pieces[after] = _without_start(pieces[after][::-1], value[::-1])[::-1]
    return "".join(pieces)


def mask_head(text: str, cut: bool) -> str:
    """Return the first part of a text fit to be shown: if it is cut, without the start of a secret there."""
    text = mask(text)
    for value in _known if cut else ():
        text = _without_start(text, value)
    return text


def _without_start(text: str, value: str) -> str:
    """Return ``text`` with stars where it ends in the start of ``value``."""
    tail = text[-len(value) :]
    place = tail.find(value[:_SHORTEST])
    while place >= 0:
        if value.startswith(tail[place:]):
            return text[: len(text) - len(tail) + place] + MASK
        place = tail.find(value[:_SHORTEST], place + 1)
    return text


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return header pairs fit to be shown."""
    return [(name, MASK if is_sensitive_header(name) else mask(value)) for name, value in headers]


def mask_deep(value: Any) -> Any:
    """Return ``value`` with every text in its mappings, lists and tuples masked.

    What is nested too deeply to be looked through becomes stars.
    """
    try:
        return _mask_deep(value)
    except RecursionError:
        return dict.fromkeys(value, MASK) if isinstance(value, Mapping) else MASK


def _mask_deep(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes):
        return mask(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {key: _mask_deep(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_deep(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_mask_deep(item) for item in value)
    return value


def _mask_pair(match: re.Match[str]) -> str:
    separator, name, value = match.groups()
    if not _SENSITIVE_PARAMETER.search(name) or only_references(value):
        return match[0]
    return f"{separator}{name}={MASK}"


def conceal_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return header pairs whose values are exact as text and show without secrets in a repr."""
    return tuple(
        (name, Secret(value) if is_sensitive_header(name) else ShownText(value)) for name, value in headers
    )


class ShownText(str):
    """A text, such as a URL, that is exact as text and shows without its secrets in a repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(mask(str(self)))
