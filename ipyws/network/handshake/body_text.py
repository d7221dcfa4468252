"""The body of a refusal as text, and the line of it that says why.

All of it is hostile: bounded, decoded by nothing but well-known encodings, never rendered.
"""

from __future__ import annotations

import codecs
import html
import http
import json
import re
from collections.abc import Iterator
from typing import Any

LONGEST_LINE = 200
"""Characters of the line that an error quotes."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_TEXT_ENCODING = re.compile(
    r"utf_?(8|16|32).*|ascii|iso8859.*|cp\d+|koi8.*|gb.*|big5.*|euc.*|shift_?jis.*|iso2022.*|mac.*|tis_?620"
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_HIDDEN = re.compile(
    r"<(script|style|svg|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_TITLE = re.compile(r"<title\b[^>]{0,200}>([^<]{0,1000})", re.IGNORECASE)
_INLINE = re.compile(r"</?(?:a|abbr|b|code|em|font|i|small|span|strong|tt|u)\b[^<>]{0,1000}>", re.IGNORECASE)
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]{0,2000}>")
_MARKUP = re.compile(r"\s*<(?:!|\?|[a-zA-Z])")
_STATUS_WORDS = re.compile(r"\b(?:http|status|error|code|\d{3})\b|[\W_]+", re.IGNORECASE)
_SERVER = re.compile(
    r"[A-Za-z][\w.-]{0,40}/\d[\w.() ,-]{0,40}|nginx|openresty|cloudflare|varnish", re.IGNORECASE
)

# Where servers put their reason, first what it is and then what there is to say about it.
_KEYS = (
    "error",
    "errors",
    "title",
    "error_description",
    "message",
    "msg",
    "detail",
    "details",
    "description",
    "reason",
)
_DEEPEST = 4


def decode(body: bytes, content_type: str) -> str:
    """Return a body as text.

    Args:
        body: Its start.
        content_type: The header, or "".
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    named = _CHARSET.search(content_type)
    meta = _META_CHARSET.search(body[:1024])
    name = named[1] if named else meta[1].decode("ascii", "replace") if meta else "utf-8"
    return body.decode(_text_encoding(name), "replace")


def _text_encoding(name: str) -> str:
    """Return the encoding of that name; UTF-8 where it is none of text."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return "utf-8"
    return known if _TEXT_ENCODING.fullmatch(known.replace("-", "_")) else "utf-8"


def line_of(text: str, status: int, reason: str) -> str:
    """Return the first readable line of a body that says more than the status line does, or "".

    Of JSON what its keys for errors hold, of HTML its title or its text.
    """
    told = {_bare(reason), _bare(_phrase(status)), ""}
    for line in _lines(text):
        line = " ".join(line.split())
        if _bare(line) not in told and _is_readable(line):
            return _without_status(line, status)
    return ""


def _lines(text: str) -> Iterator[str]:
    if text.lstrip().startswith(("{", "[", '"')):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            yield from text.splitlines()
            return
        said = list(dict.fromkeys(_said(value, 0)))
        yield ": ".join(said[:3]) or text
    elif _MARKUP.match(text):
        yield from _lines_of_html(text)
    else:
        yield from text.splitlines()


def _said(value: Any, depth: int) -> Iterator[str]:
    """Yield the texts of a JSON value that are about an error."""
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif depth < _DEEPEST and isinstance(value, dict):
        lowered = {str(key).lower(): item for key, item in value.items()}
        for key in _KEYS:
            yield from _said(lowered.get(key), depth + 1)
    elif depth < _DEEPEST and isinstance(value, list):
        for item in value[:2]:
            yield from _said(item, depth + 1)


def _lines_of_html(text: str) -> Iterator[str]:
    if title := _TITLE.search(text):
        yield html.unescape(title[1])
    body = _HIDDEN.sub(" ", text)
    body = _TITLE.sub("<title>", body)
    flowing = _INLINE.sub("", " ".join(body.split()))
    for line in _TAG.sub("\n", flowing).split("\n"):
        line = html.unescape(line).strip()
        if not _SERVER.fullmatch(line):  # "nginx/1.22.1" below a rule
            yield line


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _bare(line: str) -> str:
    """Return what a line says beside its status, to compare it with others."""
    return _STATUS_WORDS.sub("", line).lower()


def _without_status(line: str, status: int) -> str:
    return re.sub(rf"^(?:HTTP )?(?:Status |Error )?{status}\b[\s:–—-]*(?=\w)", "", line, flags=re.IGNORECASE)


def _is_readable(line: str) -> bool:
    """Tell whether a line is text, and not what a decoder made of something else."""
    odd = sum(char == "\N{REPLACEMENT CHARACTER}" or (char < " " and char != "\t") for char in line)
    return bool(line) and odd * 3 <= len(line)
