"""Signing a handshake by a function of the user's: the option ``sign``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Request

from ipyws.core.functions import call
from ipyws.core.options.handshake_request import HandshakeRequest
from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError
from ipyws.policy.url import URL, parse
from ipyws.text.masking import remember_parameters

_ALLOWED = "a mapping of headers, a URL, or None is allowed"


async def sign(asked: Request, url: URL, function: Callable[[HandshakeRequest], Any]) -> URL:
    """Have a request signed; put its headers in, and return the URL that it goes to.

    Args:
        asked: The request as it would be sent.
        url: Where it goes.
        function: Gets the request; returns headers to add or to put in place of others, or the URL with a
            signature in its query, or None for nothing.

    Raises:
        WebSocketError: The function raised.
        InvalidError: It returned something else, a header that can't be sent, or a URL of another origin.
    """
    headers = {name: ", ".join(asked.headers.get_all(name)) for name, _ in asked.headers.raw_items()}
    returned = await call(function, HandshakeRequest("GET", str(url), headers), what="the function of sign")
    if returned is None:
        return url
    if isinstance(returned, str):
        return _signed_url(returned, url)
    if not isinstance(returned, Mapping):
        raise InvalidError(f"sign returned something of type {type(returned).__name__}", hint=_ALLOWED)
    _put_in(asked.headers, returned)
    return url


def _signed_url(text: str, url: URL) -> URL:
    remember_parameters(text)
    signed = parse(text)
    if signed.origin != url.origin:
        raise InvalidError(
            f"sign returned a URL of another origin: {signed.origin_text}",
            hint="it may change path and query only",
        )
    return signed


def _put_in(headers: Headers, returned: Mapping[Any, Any]) -> None:
    kind = BY_NAME["headers"].kind
    kind.remember(returned)
    given = {name: value for name, value in returned.items() if str(name).lower() != "host"}
    for name, value in kind.check("what sign returned", given):
        if name in headers:
            del headers[name]
        headers[name] = value
