"""A WebSocket request in the notation of JetBrains' HTTP client, as people paste it.

::

    ### a name
    WEBSOCKET wss://example.com/socket
    Authorization: Bearer {{env.TOKEN}}

    {"op": "subscribe"}
    === wait-for-server
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ipyws.errors import InvalidError
from ipyws.script.grammar import with_line_feeds

_REQUEST: Final = re.compile(r"WEBSOCKET(?:\s+(.*))?")
_NAME: Final = re.compile(r"###(?:\s+(.*))?")
_COMMENT: Final = re.compile(r"(?://|#).*")
# A comment may follow a value, but no // inside a template is one.
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)(?:(?<!\S)//(?!.*\}\}).*)?")


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What stands above the body of a pasted request; templates are left as they are.

    Attributes:
        name: What follows ``###``, or "".
        url: What follows ``WEBSOCKET``.
        headers: Names and values in their order.
        body_line: The number of the line on which the body begins, for `ipyws.script.grammar.parse`.
    """

    name: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body_line: int


def parse_request(body: str) -> tuple[Request | None, str]:
    """Split a pasted request from the body that follows it.

    Args:
        body: The body of a ``%%ws`` cell.

    Returns:
        The request and the rest; None and the whole body if it does not begin with a request.

    Raises:
        InvalidError: The request has no URL, a line among its headers is none, or a second request follows.
    """
    body = with_line_feeds(body)
    lines = body.split("\n")
    name, index = _preamble(lines)
    match = _REQUEST.fullmatch(lines[index].strip()) if index < len(lines) else None
    if match is None:
        return None, body
    if not match[1]:
        raise _bad(index, "WEBSOCKET has no URL", "write it as: WEBSOCKET wss://host/path")
    headers, start = _headers(lines, index + 1)
    return Request(name, match[1], headers, start + 1), "\n".join(_only_request(lines, start))


def _preamble(lines: list[str]) -> tuple[str, int]:
    """Return the name, and the index of the first line that is neither blank nor comment."""
    name = ""
    for index, line in enumerate(lines):
        text = line.strip()
        if match := _NAME.fullmatch(text):
            name = match[1] or ""
        elif text and not _COMMENT.fullmatch(text):
            return name, index
    return name, len(lines)


def _headers(lines: list[str], start: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """Return the headers and the index of the first line behind the empty line that ends them."""
    headers: list[tuple[str, str]] = []
    for index in range(start, len(lines)):
        text = lines[index].strip()
        if not text:
            return tuple(headers), index + 1
        if _COMMENT.fullmatch(text):
            continue
        match = _HEADER.fullmatch(text)
        if not match:
            raise _bad(index, "not a header", 'write "Name: value"; an empty line ends the headers')
        headers.append((match[1], match[2].rstrip()))
    return tuple(headers), len(lines)


def _only_request(lines: list[str], start: int) -> list[str]:
    """Return the lines of the body without the ``###`` that may end it."""
    for index in range(start, len(lines)):
        if _NAME.fullmatch(lines[index].rstrip()):
            if any(line.strip() for line in lines[index + 1 :]):
                raise _bad(index, "a second request begins", "put each request into its own cell")
            return lines[start:index]
    return lines[start:]


def _bad(index: int, what: str, hint: str) -> InvalidError:
    return InvalidError(f"line {index + 1}: {what}", hint=hint)
