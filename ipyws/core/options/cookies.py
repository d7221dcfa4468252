"""The cookies of a connection: given as names and values, or as the jar of an HTTP client (RFC 6265)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipyws.errors import InvalidError, brief
from ipyws.text.masking import MASK, remember_guessed
from ipyws.text.printable import name_character

if TYPE_CHECKING:
    from http.cookiejar import Cookie

ALLOWED: Final = 'a mapping such as {"lang": "en"}, a text such as "a=1; b=2", or a jar of requests or httpx'

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REFUSED = re.compile(r"[^\x20-\x3a\x3c-\x7e]")


@dataclass(frozen=True, slots=True, repr=False)
class Cookies:
    """Cookies to send.

    Attributes:
        pairs: Names and values, for wherever the connection goes.
        jar: Those of a jar, each for its domain, path and scheme.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    jar: tuple[Cookie, ...] = ()

    def header(self, url: str) -> str:
        """Return the value of the Cookie header for a URL, or "" for none."""
        given = [f"{name}={value}" for name, value in self.pairs]
        return "; ".join(filter(None, [*given, _matching(self.jar, url)]))

    def __repr__(self) -> str:
        names = [*(name for name, _ in self.pairs), *(cookie.name for cookie in self.jar)]
        return f"Cookies({', '.join(f'{name}={MASK}' for name in names)})"


def check_cookies(option: str, value: Any) -> Cookies | None:
    """Return cookies as they are sent; a jar as it is now.

    Raises:
        InvalidError: It is neither, or a cookie can't be sent.
    """
    if value is None:
        return None
    from http.cookiejar import CookieJar

    jar = getattr(value, "jar", value)  # httpx wraps one
    if isinstance(jar, CookieJar):
        cookies = tuple(jar)
        for cookie in cookies:
            _check(cookie.name, cookie.value or "")
        return Cookies(jar=cookies)
    pairs = tuple(_pairs(option, value))
    for name, text in pairs:
        _check(name, text)
    return Cookies(pairs) if pairs else None


def remember_cookies_given(value: Any) -> None:
    """Mask the values of cookies before any of it is checked."""
    items = value.items() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for item in items:
        if isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[1], str):
            remember_guessed(item[1])
    for text in [value, *items]:
        if isinstance(text, str):
            for part in text.split(";"):
                remember_guessed(part.partition("=")[2].strip())


def _pairs(option: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from map(_split, filter(None, map(str.strip, value.split(";"))))
        return
    items = value.items() if isinstance(value, Mapping) else value
    if isinstance(items, bytes) or not isinstance(items, Iterable):
        raise InvalidError(f"{option} is of type {type(value).__name__}", hint=f"{ALLOWED} is allowed")
    for item in items:
        if isinstance(item, str):
            yield from _pairs(option, item)
            continue
        pair = tuple(item) if isinstance(item, (tuple, list)) else ()
        match [pair[0], getattr(pair[1], "coded_value", pair[1])] if len(pair) == 2 else []:
            case [str(name), str(text)]:
                yield name, text
            case _:
                raise InvalidError(
                    f"{option} holds something else than a name and a value", hint="both are str"
                )


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidError('a cookie lacks its "="', hint="write NAME=VALUE")
    return name.strip(), value.strip()


def _check(name: str, value: str) -> None:
    remember_guessed(value)
    if not _NAME.fullmatch(name):
        raise InvalidError(
            "the name of a cookie is not a token", hint="letters, digits and !#$%&'*+-.^_`|~ are allowed"
        )
    if bad := _REFUSED.search(value):
        where = f"{name_character(bad[0])} at character {bad.start() + 1}"
        hint = "remove it, or encode it as the server expects"
        raise InvalidError(f"the value of cookie {brief(name)} holds {where}", hint=hint)


def _matching(jar: tuple[Cookie, ...], url: str) -> str:
    """Return those that an HTTP client would send to a URL, by the rules of the standard library."""
    if not jar:
        return ""
    from http.cookiejar import CookieJar, DefaultCookiePolicy
    from urllib.request import Request

    strictly = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
    request = Request("http" + url.removeprefix("ws"))
    copied = CookieJar(strictly)  # matching throws expired cookies out, and this jar is the user's
    for cookie in jar:
        if not cookie.domain:  # requests and httpx mean any
            cookie = copy(cookie)
            cookie.domain_specified = True
        copied.set_cookie(cookie)
    copied.add_cookie_header(request)
    return request.get_header("Cookie", "")
