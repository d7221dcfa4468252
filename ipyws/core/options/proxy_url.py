"""The URL of a proxy, as people and their environments write it."""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?:https?|socks[45][ah]?)://(?:[^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?/?", re.ASCII
)
_BARE = re.compile(r"(?:[^/?#@]*@)?(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}/?", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
ALLOWED = "HOST:PORT, and http, https, socks4, socks4a, socks5 and socks5h URLs with a host are allowed"


def with_scheme(text: str, scheme: str = "http") -> str:
    """Return the URL that a text means, whether or not it is one of a proxy.

    ``host:3128`` is an HTTP proxy, as everywhere; ``socks://host:1080`` is what GNOME writes for SOCKS 5.

    Args:
        text: The text.
        scheme: The scheme where it has none.
    """
    found = _SCHEME.match(text)
    if found is None:
        return f"{scheme}://{text}" if _BARE.fullmatch(text) else text
    name = found[1].lower()
    return f"{'socks5h' if name == 'socks' else name}://{text[found.end() :]}"


def is_proxy_url(text: str) -> bool:
    """Tell whether a text is the URL of a proxy."""
    return _URL.fullmatch(text) is not None
