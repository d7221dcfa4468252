"""Names of environment variables for secrets, from the places where those stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from ipyws.core.options.credentials import credentials_among
from ipyws.text.masking import is_sensitive_header
from ipyws.text.places import credentials_of_url, user_information_of_url
from ipyws.text.sensitive import is_sensitive

_NO_PART: Final = re.compile(r"[^A-Z0-9]+")
_SCHEME: Final = re.compile(r"(?:bearer|token|jwt|apikey) +(?=\S)", re.IGNORECASE)
"""What stands before the credential in an Authorization header (RFC 9110 section 11.1)."""


def variable_name(place: str) -> str:
    """Return what a variable for the secret of a place is called: "x-api-key" becomes "X_API_KEY"."""
    name = _NO_PART.sub("_", place.upper()).strip("_")[:60]
    return name if name and not name[0].isdigit() else f"SECRET_{name}".rstrip("_")


def split_scheme(value: str) -> tuple[str, str]:
    """Return what stands before the credential of an Authorization header, and the credential."""
    found = _SCHEME.match(value)
    return ("", value) if found is None else (found[0], value[found.end() :])


def name_of_header(name: str, value: str) -> str:
    """Return what a variable for the credential in a header is called."""
    bare = name.lower() == "authorization" and split_scheme(value)[0]
    return "TOKEN" if bare else variable_name(name)


def secrets_in(url: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the secrets of a connection: the place of each in words, the name for a variable, the value."""
    for name, value in _parameters(url):
        yield f"{name} in the URL", variable_name(name), value
    for name, value in options.get("headers", ()):
        if value and is_sensitive_header(name):
            yield name, name_of_header(name, value), value
    if "auth" in options:
        yield "the password", "PASSWORD", options["auth"][1]
    for token in credentials_among(tuple(options.get("protocols", ()))):
        yield "a subprotocol", "PROTOCOL_TOKEN", token
    for userinfo in user_information_of_url(options.get("proxy") or ""):
        yield "the proxy's password", "PROXY_PASSWORD", userinfo.partition(":")[2]


def _parameters(url: str) -> Iterator[tuple[str, str]]:
    if not any(True for _ in credentials_of_url(url)):
        return
    try:
        query = urlsplit(url).query
    except ValueError:
        return
    yield from ((name, value) for name, value in parse_qsl(query) if is_sensitive(name))


def unique(name: str, taken: Mapping[str, str], value: str) -> str:
    """Return a name that no other value has.

    Args:
        name: The one that is wished for.
        taken: Values by names.
        value: What it is for.
    """
    number, wished = 2, name
    while taken.get(name, value) != value:
        name, number = f"{wished}_{number}", number + 1
    return name
