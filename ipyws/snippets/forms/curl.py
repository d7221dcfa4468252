"""The handshake of a connection as a command of curl."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from ipyws.core.options.durations import seconds
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Text
from ipyws.snippets.spelling import shell

OURS: Final = False
_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455: any 16 bytes will do."""
_HANDSHAKE: Final = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {_KEY}",
)
_GLOBS: Final = re.compile(r"[\[\]{}]")


def write(described: Description) -> str:
    """Return the command: it asks, shows the answer, and ends after the time that dialling may take."""
    words = ["curl", "--http1.1", "-i", "-N", "--max-time", _limit(described)]
    for header in _HANDSHAKE:
        words += ["-H", shell(header)]
    for text in _headers(described):
        words += ["-H", shell(text)]
    if (auth := described.take("auth")) is not None:
        words += ["-u", shell(auth[0] + ":" + auth[1])]
    words += ["-k"] if described.take("insecure") else []
    words += ["-L"] if described.take("follow_redirects") else []
    words += _files(described)
    words += _way(described)
    if described.payloads:
        described.notes.append(f"curl opens the handshake only: messages left out: {len(described.payloads)}")
    return "".join(f"# {note}\n" for note in notes_on(described)) + " ".join(words)


def _limit(described: Description) -> str:
    if "dial_timeout" not in described.options:
        return "10"
    given = described.take("dial_timeout")
    return "0" if given is None else f"{seconds(given.literal, name='dial_timeout'):g}"


def _headers(described: Description) -> list[Text | str]:
    headers: list[Text | str] = []
    for name, value in described.take_headers():
        headers.append(Text((f"{name}: ",)) + value if value.pieces != ("",) and value.pieces else f"{name};")
    if protocols := described.take("protocols"):
        line = Text(("Sec-WebSocket-Protocol: ",)) + protocols[0]
        for protocol in protocols[1:]:
            line += Text((", ",)) + protocol
        headers.append(line)
    if (origin := described.take("origin")) is not None:
        headers.append(Text(("Origin: ",)) + origin)
    if described.take("compression") is not None:
        headers.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    return headers


def _files(described: Description) -> list[str]:
    words = []
    for name, flag in (("ca", "--cacert"), ("cert", "--cert"), ("key", "--key")):
        given = described.options.get(name)
        if given is not None and given.literal is not None:
            words += [flag, shell(described.take(name))]
    return words


def _way(described: Description) -> list[str]:
    """Return the words about the way to the server, the URL last."""
    words = []
    if "proxy" in described.options:
        proxy = described.take("proxy")
        words += ["--noproxy", "'*'"] if proxy is None else ["-x", shell(proxy)]
    if (authority := described.take("connect_to")) is not None:
        words += ["--connect-to", shell(Text(("::",)) + authority)]
    address = described.address
    if (unix := described.unix) is not None:
        scheme, socket, path = unix
        words += ["--unix-socket", shell(unquote(socket))]
        host = described.take("server_hostname")
        address = f"{scheme}://{host.literal if host is not None else 'localhost'}{path}"
    if _GLOBS.search(address.partition("://")[2].partition("/")[2]):
        words.append("-g")
    return [*words, shell(described.take_url(f"http{address.removeprefix('ws')}"))]
