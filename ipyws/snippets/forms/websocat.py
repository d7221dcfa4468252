"""A connection as a command of websocat (version 1.13)."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import unquote

from ipyws.core.options.durations import seconds
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Text
from ipyws.snippets.spelling import shell

OURS: Final = False
_SOCKS: Final = ("socks5h://", "socks5://")


def write(described: Description) -> str:
    """Return the command; its messages are fed to it by a here-string of bash or zsh."""
    fed = _fed(described)
    # Without -n it closes the connection once the messages are sent, and the replies are lost.
    words = ["websocat", *(["-n", "-t"] if fed is not None else ["-t"])]
    for name, value in described.take_headers():
        words.append(f"-H={shell(Text((f'{name}: ',)) + value)}")
    if protocols := described.take("protocols"):
        joined = protocols[0]
        for protocol in protocols[1:]:
            joined += ", " + protocol if isinstance(protocol, str) else Text((", ",)) + protocol
        words.append(f"--protocol={shell(joined)}")
    if (origin := described.take("origin")) is not None:
        words.append(f"--origin={shell(origin)}")
    if (auth := described.take("auth")) is not None:
        words.append(f"--basic-auth={shell(auth[0] + ':' + auth[1])}")
    words += ["-k"] if described.take("insecure") else []
    words += _pings(described)
    words += _proxy(described)
    if "read_limit" in described.options:
        words += ["--max-ws-message-length", str(described.take("read_limit"))]
    words += _address(described)
    command = " ".join([*words, *([f"<<< {shell(fed)}"] if fed is not None else [])])
    return "".join(f"# {note}\n" for note in notes_on(described)) + command


def _fed(described: Description) -> Text | None:
    """Return the lines to send, or None for none."""
    lines = [
        line for data in described.payloads if isinstance(data, str) and (line := _line(data)) is not None
    ]
    if left := len(described.payloads) - len(lines):
        described.notes.append(f"only lines of text can be fed to websocat: messages left out: {left}")
    if not lines:
        return None
    described.notes.append("websocat adds a line feed to each message")
    fed = described.keeper.text(lines[0], "a message")
    for line in lines[1:]:
        fed += Text(("\n",)) + described.keeper.text(line, "a message")
    return fed


def _line(text: str) -> str | None:
    """Return a message as a line: JSON may lose its line feeds, which are never a part of its strings."""
    if "\n" not in text and text:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text.replace("\n", " ")


def _pings(described: Description) -> list[str]:
    words = []
    for name in ("ping_interval", "ping_timeout"):
        if name not in described.options:
            continue
        given = described.options[name]
        span = 0.0 if given is None else seconds(given.literal, name=name)
        if span == int(span):
            described.take(name)
            words += [f"--{name.replace('_', '-')}", f"{span:.0f}"] if span else []
    return words


def _proxy(described: Description) -> list[str]:
    """Return the words about a proxy; websocat uses none by itself, and SOCKS 5 without a login only."""
    proxy = described.options.get("proxy")
    if proxy is None:
        described.take("proxy")
        return []
    url = proxy.literal or ""
    scheme = next((scheme for scheme in _SOCKS if url.startswith(scheme)), None)
    if scheme is None or "@" in url:
        return []
    described.take("proxy")
    return ["--socks5", shell(url.removeprefix(scheme).rstrip("/"))]


def _address(described: Description) -> list[str]:
    """Return where it goes: the URL, or another address over which the URL is asked for."""
    unix, authority = described.unix, described.take("connect_to")
    if unix is not None:
        scheme, socket, path = unix
        uri = described.take_url(f"ws://localhost{path}")
        return [f"--ws-c-uri={shell(uri)}", *_over(described, scheme, f"unix:{unquote(socket)}")]
    if authority is None:
        return [shell(described.take_url())]
    scheme, _, rest = described.address.partition("://")
    uri = described.take_url(f"ws://{rest}")
    return [f"--ws-c-uri={shell(uri)}", *_over(described, scheme, f"tcp:{authority.literal}")]


def _over(described: Description, scheme: str, through: str) -> list[str]:
    if scheme == "ws":
        return ["-", shell(f"ws-c:{through}")]
    host = described.take("server_hostname") or Text(
        (described.address.partition("://")[2].split("/")[0].split(":")[0],)
    )
    return ["--tls-domain", shell(host), "-", shell(f"ws-c:ssl-connect:{through}")]
