"""A connection as a command of wscat (version 6.1)."""

from __future__ import annotations

from typing import Final

from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Text
from ipyws.snippets.spelling import shell

OURS: Final = False
_PATHS: Final = ("ca", "cert", "key")


def write(described: Description) -> str:
    """Return the command."""
    words = ["wscat", "-c", shell(described.take_url())]
    headers = described.take_headers()
    names = [name for name, _ in headers]
    if len({*names}) < len(names):
        described.notes.append("of headers with the same name wscat sends the last one")
    for name, value in headers:
        words += ["-H", shell(Text((f"{name}:",)) + value)]
    for protocol in described.take("protocols", []):
        words += ["-s", shell(protocol)]
    if (origin := described.take("origin")) is not None:
        words += ["-o", shell(origin)]
    if (auth := described.take("auth")) is not None:
        words += ["--auth", shell(auth[0] + ":" + auth[1])]
    words += _tls(described)
    words += ["-L"] if described.take("follow_redirects") else []
    words += _proxy(described)
    for data in described.payloads:
        if isinstance(data, str):
            words += ["-x", shell(described.keeper.text(data, "a message"))]
    if binary := sum(isinstance(data, bytes) for data in described.payloads):
        described.notes.append(f"wscat sends no binary messages: {binary} left out")
    described.take("compression")  # it offers permessage-deflate anyway
    return "".join(f"# {note}\n" for note in notes_on(described)) + " ".join(words)


def _tls(described: Description) -> list[str]:
    words = ["-n"] if described.take("insecure") else []
    for name in _PATHS:
        if name in described.options and described.options[name].literal is not None:
            words += [f"--{name}", shell(described.take(name))]
    return words


def _proxy(described: Description) -> list[str]:
    """Return the words about a proxy; wscat uses none by itself."""
    proxy = described.options.get("proxy")
    if proxy is None:
        described.take("proxy")
        return []
    first = proxy.pieces[0]
    if not isinstance(first, str) or not first.startswith("http"):
        return []
    return ["--proxy", shell(described.take("proxy"))]
