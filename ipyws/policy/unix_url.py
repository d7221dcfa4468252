"""URLs of Unix sockets, as Node's ws writes them: ``ws+unix:/run/app.sock:/path?query``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn
from urllib.parse import quote, unquote_to_bytes

from ipyws.errors import InvalidError

FORM: Final = '"ws+unix:/run/app.sock:/path"'
MAX_SOCKET: Final = 107
"""Bytes of the longest path that a Unix socket may have on Linux; macOS allows 103."""

_FORM: Final = re.compile(r"(wss?\+unix):(?://(?=/))?([^:]*)(?::(.*))?", re.IGNORECASE | re.DOTALL)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")
_KEPT: Final = "/@!$&'()*+,;="


class Parts(NamedTuple):
    """A URL of a Unix socket, taken apart.

    Attributes:
        scheme: "ws+unix" or "wss+unix".
        socket: The canonical path of the socket.
        tail: Path and query, which begin with "/".
    """

    scheme: str
    socket: str
    tail: str


def split_unix(text: str) -> Parts | None:
    """Return the parts of a URL of a Unix socket, or None where it is of another kind.

    Raises:
        InvalidError: The path of its socket has more than one reading, or is none.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    tail = match[3] or "/"
    if not tail.startswith("/"):
        _refuse('has something else than a path after its socket\'s ":"', f"write it as in {FORM}")
    return Parts(match[1].lower(), _socket(match[2]), tail)


def quote_socket(socket: str) -> str:
    """Return the path of a socket as it stands in a URL."""
    return quote(socket, safe=_KEPT)


def socket_name(socket: str) -> str:
    """Return what a connection to a socket is called: the name of its file, as far as it can be a name."""
    name = _NOT_IN_NAME.sub("_", socket.rpartition("/")[2])
    return (name if name[0].isalnum() else f"_{name}")[:100]


def _socket(written: str) -> str:
    if not written.startswith("/"):
        _refuse("has a Unix socket without an absolute path", f"write it as in {FORM}")
    if "?" in written:
        _refuse(
            'has a "?" in its socket\'s path', f"write %3F for it; a query stands behind the path: {FORM}"
        )
    if _BAD_ESCAPE.search(written):
        _refuse('has a "%" without two hexadecimal digits after it', "write %25 for a percent sign")
    try:
        socket = unquote_to_bytes(written).decode()
    except UnicodeDecodeError:
        _refuse("has a socket whose path is not UTF-8", "rename it")
    if any(char < " " or "\x7f" <= char <= "\x9f" for char in socket):
        _refuse("has a control character in its socket's path", "remove it")
    if not {"", ".", ".."}.isdisjoint(socket.split("/")[1:]):
        _refuse('has an empty, "." or ".." segment in its socket\'s path', "write the path that is meant")
    if len(socket.encode()) > MAX_SOCKET:
        _refuse(f"has a socket whose path is longer than {MAX_SOCKET} bytes", "systems allow no longer one")
    return socket


def _refuse(what: str, hint: str) -> NoReturn:
    raise InvalidError(f"URL {what}", hint=hint)
