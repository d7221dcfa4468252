"""``websocat``: its options (version 1.13) as those of a connection, in its simple mode."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ipyws.errors import InvalidError, brief
from ipyws.policy.unix_url import quote_socket
from ipyws.snippets.draft import Draft
from ipyws.snippets.flags import HEADER, NAME, Flag, auth, duration, ignored, option, refused

_STDIO: Final = ("-", "stdio:", "asyncstdio:")
_THROUGH: Final = re.compile(
    r"(?:ws-c|ws-connect|c-ws|ws-client):((?:ssl|tls|ssl-connect):)?(tcp|unix|uds):(.*)"
)
_MODE: Final = "ipyws is one connection, and no pipe between two addresses"


def _read_limit(draft: Draft, _: str, text: str) -> None:
    draft.options["read_limit"] = int(text) if text.isascii() and text.isdigit() else text


def _version(draft: Draft, flag: str, text: str) -> None:
    if text != "13":
        raise InvalidError(f"{flag} {text:.10}: only version 13 is spoken here", hint="leave it out")


def _note(name: str, value: bool, *names: str) -> Flag:
    return Flag(names, lambda draft, _, text: draft.facts.update({name: text or True}), value=value)


FLAGS: Final[tuple[Flag, ...]] = (
    HEADER,
    option("origin", "--origin"),
    Flag(("--protocol",), lambda draft, _, text: draft.headers.append(("Sec-WebSocket-Protocol", text))),
    auth("--basic-auth"),
    option("insecure", "-k", "--insecure", value=True),
    duration("ping_interval", "--ping-interval"),
    duration("ping_timeout", "--ping-timeout"),
    Flag(("--socks5",), lambda draft, _, text: draft.options.update(proxy=f"socks5h://{text}")),
    option("server_hostname", "--tls-domain"),
    Flag(("--max-ws-message-length",), _read_limit),
    Flag(("--websocket-version",), _version),
    Flag(("-p", "--preamble"), lambda draft, _, text: draft.payloads.append(text)),
    _note("uri", True, "--ws-c-uri"),
    _note("binary", False, "-b", "--binary"),
    _note("null", False, "-0", "--null-terminated"),
    _note("strip", False, "--linemode-strip-newlines"),
    _note("whole", False, "--no-line"),
    NAME,
    refused("it makes websocat a server", "%ws serve echo starts one", "-s", "--server-mode"),
    refused("it writes calls of JSON-RPC", "%ws URL --dialect jsonrpc, then %ws call", "--jsonrpc"),
    refused(
        "certificates and keys are PEM files here",
        "--cert and --key of %ws URL",
        "--client-pkcs12-der",
        value=True,
    ),
    refused(
        "certificates and keys are PEM files here",
        "--cert and --key of %ws URL",
        "--client-pkcs12-passwd",
        value=True,
    ),
    refused(
        "payloads are not compressed by hand",
        "--codec gzip+json reads such ones",
        "--compress-gzip",
        "--compress-zlib",
        "--compress-deflate",
    ),
    ignored(
        *("-n", "--no-close", "-t", "--text", "-1", "--one-message", "-q", "-v", "-E", "--exit-on-eof"),
        *("-S", "--strict", "--async-stdio", "--no-async-stdio"),
        *("--print-ping-rtts", "--base64", "--base64-text", "-u", "--unidirectional", "-U"),
        *("--unidirectional-reverse", "--no-fixups", "--no-exit-on-zeromsg", "--websocket-ignore-zeromsg"),
        *("--uncompress-gzip", "--uncompress-zlib", "--uncompress-deflate"),
    ),
    ignored(
        *("-B", "--buffer-size", "--close-status-code", "--close-reason", "--max-messages"),
        *("--max-messages-rev", "--max-ws-frame-length", "-P", "--preamble-reverse"),
        value=True,
    ),
)


def finish(draft: Draft, words: list[str]) -> None:
    """Read the address, and what is fed to it.

    Raises:
        InvalidError: There is not exactly one, or it is of another kind.
    """
    for word in words:
        if word not in _STDIO:
            _take(draft, word)
    draft.read_scheme()
    fed = draft.facts.get("fed")
    if fed is not None:
        draft.payloads += _messages(fed, draft.facts)
    if draft.facts.get("binary"):
        draft.payloads[:] = [text.encode() if isinstance(text, str) else text for text in draft.payloads]


def _messages(fed: str, facts: Mapping[str, Any]) -> list[str]:
    """Return the messages that a text is: its lines, each with its end, as websocat sends them."""
    text = f"{fed}\n"  # <<< adds one
    if "whole" in facts:
        return [text]
    end = "\0" if "null" in facts else "\n"
    pieces = [f"{piece}{end}" for piece in text.split(end)[:-1]]
    return [piece.removesuffix(end) for piece in pieces] if "strip" in facts else pieces


def _take(draft: Draft, word: str) -> None:
    if draft.url:
        raise InvalidError(f"the websocat command has two addresses: {_MODE}", hint="keep the URL alone")
    if found := _THROUGH.fullmatch(word):
        _through(draft, found)
    elif word.startswith("autoreconnect:"):
        draft.options["reconnect"] = {}
        draft.url = word.removeprefix("autoreconnect:")
    elif re.match(r"wss?://", word, re.IGNORECASE):
        draft.url = word
    else:
        kind = word.partition(":")[0]
        raise InvalidError(
            f"address {brief(kind)} of websocat is not known here: {_MODE}", hint="ws:// and wss:// are known"
        )


def _through(draft: Draft, found: re.Match[str]) -> None:
    """Read a WebSocket over another address, ``--ws-c-uri=ws://name/path ws-c:tcp:10.1.2.3:80``."""
    uri = str(draft.facts.get("uri", "ws://0.0.0.0/"))
    scheme, _, rest = uri.partition("://")
    secure = "wss" if found[1] or scheme == "wss" else "ws"
    if found[2] == "tcp":
        draft.options["connect_to"] = found[3]
        draft.url = f"{secure}://{rest}"
    else:
        path = re.search(r"[/?].*", rest, re.DOTALL)
        draft.url = f"{secure}+unix:{quote_socket(found[3])}:{path[0] if path else '/'}"
