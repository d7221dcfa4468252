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
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeGuard
from urllib.parse import unquote, unquote_plus

from ipyws.text.places import (
    begun_user_information,
    bounded,
    credentials,
    credentials_of_url,
    merged,
    user_information,
    user_information_of_url,
)
from ipyws.text.sensitive import is_sensitive
from ipyws.text.spelling import SHORTEST, Span, Spelling, has_escapes

MASK = "***"

# Guessed from its place, a shorter value may as well be a word: masking it would cripple every text.
_SHORTEST_GUESSED = 8

_CUT = re.compile(r"(\.\.\.|…)")
_REFERENCE = re.compile(r"env\.[A-Za-z_][A-Za-z0-9_]*")
_WRITTEN_REFERENCES = re.compile(rf"(?:\{{\{{{_REFERENCE.pattern}\}}\}})+")

_LOCK = threading.Lock()

# Longest first: what is a part of another comes after it.
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
    """Mask ``value`` in everything shown from now on, however it is spelled there.

    Args:
        value: The secret text. One of fewer than 4 characters is passed over.
        reference: Where it came from, such as "env.TOKEN", for files that are to be used again.
    """
    global _known
    value = str(value)
    if len(value) < SHORTEST:
        return
    with _LOCK:
        if value not in _known:
            _known = tuple(sorted((*_known, value), key=len, reverse=True))
        if is_reference(reference):
            _references[value] = _references_in_json[in_json(value)] = reference


def known() -> tuple[str, ...]:
    """Return all secrets of this process, the longest first."""
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


def remember_guessed(value: str) -> None:
    """Mask a value that is a secret only by the look of the place it stands in.

    Only if it is long enough to be one: masking the "true" of ``X-Session: true`` would cripple every text.
    """
    if len(value) >= _SHORTEST_GUESSED:
        remember(value)


def remember_parameters(text: str) -> None:
    """Mask the token-like values of a URL, wherever they turn up."""
    for value in credentials_of_url(text):
        for part in (value, value.partition(";")[0]):
            remember_guessed(part)
            remember_guessed(unquote_plus(part))


def remember_userinfo(url: str) -> None:
    """Mask the credentials in front of a URL's host: as they stand there, as meant, and as they are sent."""
    for userinfo in user_information_of_url(url):
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
    return is_sensitive(name) and not name.lower().startswith("sec-websocket-")


def mask(text: str) -> str:
    """Return ``text`` with secrets replaced: known values, URL user information, token-like query values.

    What is masked is data as it came or as a user gave it. Spell it, and cut it, afterwards: half a secret,
    and one in hexadecimal digits, is not recognised.
    """
    spans = secret_spans(text)
    return _starred(text, spans) if spans else text


def mask_bytes(data: bytes) -> bytes:
    """Return bytes with the secrets in them replaced, those that stand there in UTF-8."""
    return mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def mask_start(data: str | bytes, window: int) -> Any:
    """Return what of a payload is to be shown, fit to be spelled and cut further.

    Args:
        data: The whole payload.
        window: How many characters or bytes of it are looked at.
    """
    start, cut = data[:window], len(data) > window
    if isinstance(start, str):
        return mask_head(start, cut)
    return mask_head(start.decode("utf-8", "surrogateescape"), cut).encode("utf-8", "surrogateescape")


def mask_head(text: str, cut: bool) -> str:
    """Return the first part of a text fit to be shown: if it is cut, without the start of a secret there."""
    spans = secret_spans(text)
    if cut:
        begun = [_spelling(value).begun_at_end(text) for value in _known]
        begun.append(begun_user_information(text))
        spans += [(start, len(text)) for start in begun if start >= 0]
    return _starred(text, spans) if spans else text


def mask_cut(text: str) -> str:
    """Return ``text`` without what is left of a known value beside the dots of a repr that was cut."""
    pieces = _CUT.split(text)
    for before, after in zip(range(0, len(pieces), 2), range(2, len(pieces), 2), strict=False):
        for value in _known:
            if (start := _spelling(value).begun_at_end(pieces[before])) >= 0:
                pieces[before] = pieces[before][:start] + MASK
            if (end := _spelling(value).ended_at_start(pieces[after])) >= 0:
                pieces[after] = MASK + pieces[after][end:]
    return "".join(pieces)


def secret_spans(text: str) -> list[Span]:
    """Return where a text holds what `mask` replaces; parts may overlap."""
    return [*(known_spans(text) if _known else ()), *place_spans(text)]


def holds_secret(text: str) -> bool:
    """Tell whether there is anything in a text that `mask` replaces."""
    return any(True for _ in known_spans(text)) or any(True for _ in place_spans(text))


def known_spans(text: str, leaving_out: Iterable[str] = ()) -> Iterator[Span]:
    """Yield where a text holds known values, however they are spelled.

    Args:
        text: The text.
        leaving_out: Values not to be looked for.
    """
    values = [value for value in _known if value not in leaving_out] if leaving_out else _known
    if not values:
        return
    escapes = has_escapes(text)
    for value in values:
        yield from bounded(_spelling(value).find(text, escapes), text)


def place_spans(text: str) -> Iterator[Span]:
    """Yield where a text holds what is secret by its place: user information, token-like query values."""
    # Most texts have none of these signs, and every row is masked.
    if "@" in text:
        yield from bounded(user_information(text), text)
    if "=" in text or "\\u003" in text:
        for span in bounded(credentials(text), text):
            if not only_references(text[slice(*span)]):
                yield span


@lru_cache(maxsize=1024)
def _spelling(value: str) -> Spelling:
    return Spelling(value)


def _starred(text: str, spans: list[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in merged(spans):
        pieces += (text[done:start], MASK)
        done = end
    return "".join((*pieces, text[done:]))


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
        return {_mask_deep(key): _mask_deep(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_deep(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_mask_deep(item) for item in value)
    return value


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
