"""Places of a text that usually hold a credential: user information of a URL, token-like values of its query.

Every search takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ipyws.text.sensitive import is_sensitive
from ipyws.text.spelling import Span, in_slices

_MOST: Final = 50_000
_REACH: Final = 128  # characters: a name of 100, and the marks around it

# In a text, which may be JSON or HTML, a quotation mark ends a URL; in a URL itself it may stand.
_USER_INFORMATION: Final = re.compile(r":\\{0,8}/\\{0,8}/([^/?#\s\"<>]+)@")
_NO_USER_INFORMATION: Final = re.compile(r"[/?#\s\"<>]")
_BEGUN: Final = re.compile(r":\\{0,8}/\\{0,8}/([^/?#\s\"<>@]+)\Z")
_NAME_AND_VALUE: Final = (
    r"([^=&;#?\s\\]{1,100}+)(?:=|\\u003[dD])"
    r"((?:[^&;#\s\"'<>\\]++|\\++(?:/|u00(?!26)[0-9A-Fa-f]{2}))++)"
)
_PAIR: Final = re.compile(f"[?&;#]{_NAME_AND_VALUE}")
_PAIR_IN_JSON: Final = re.compile(rf"\\u0026{_NAME_AND_VALUE}")  # as some servers escape it, and "=" as well

_USER_INFORMATION_OF_URL: Final = re.compile(r"://([^/?#\s]+)@")
_PARAMETER: Final = re.compile(r"[?&;#]([^=&;#?]{1,100}+)=([^&#]+)")


def user_information(text: str) -> Iterator[Span]:
    """Yield where user information of URLs stands in a text; there is none without an @."""
    found = in_slices(_USER_INFORMATION, text, _REACH, _NO_USER_INFORMATION)
    yield from (match.span(1) for match in found)


def begun_user_information(text: str) -> int:
    """Return where what may be user information begins that a text was cut in, or -1."""
    match = _BEGUN.search(text, max(0, text.rfind("/") - 24))
    return match.start(1) if match else -1


def credentials(text: str) -> Iterator[Span]:
    """Yield where values of queries and fragments stand in a text whose names are those of credentials.

    There are none without an equals sign, which may be escaped as in JSON: ``=`` or ``\\u003d``.
    """
    for pattern in (_PAIR, _PAIR_IN_JSON):
        found = in_slices(pattern, text, _REACH)
        yield from (match.span(2) for match in found if is_sensitive(match[1]))


def user_information_of_url(url: str) -> list[str]:
    """Return the user information of a URL, which may be none that is allowed."""
    return _USER_INFORMATION_OF_URL.findall(url)


def credentials_of_url(url: str) -> list[str]:
    """Return the values of a URL that usually are credentials, by the names of their parameters."""
    return [value for name, value in _PARAMETER.findall(url) if is_sensitive(name)]


def bounded(spans: Iterator[Span], text: str) -> Iterator[Span]:
    """Yield parts of a text; what follows too many is one part: a server may send nothing but secrets."""
    for number, (start, end) in enumerate(spans):
        if number == _MOST:
            yield start, len(text)
            return
        yield start, end


def merged(spans: list[Span]) -> Iterator[Span]:
    """Yield parts of a text in order, those that overlap as one.

    Args:
        spans: At least one; it is sorted.
    """
    spans.sort()
    start, end = spans[0]
    for next_start, next_end in spans:
        if next_start >= end > start:
            yield start, end
            start = next_start
        end = max(end, next_end)
    yield start, end
