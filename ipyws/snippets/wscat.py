"""``wscat``: its options (version 6.1) as those of a connection."""

from __future__ import annotations

from typing import Final

from ipyws.core.options.proxy_url import with_scheme
from ipyws.errors import InvalidError
from ipyws.snippets.draft import Draft
from ipyws.snippets.flags import HEADER, NAME, Flag, auth, ignored, option, refused


def _version(draft: Draft, flag: str, text: str) -> None:
    if text != "13":
        raise InvalidError(f"{flag} {text:.10}: only version 13 is spoken here", hint="leave it out")
    draft.ignored.append(flag)


def _proxy(draft: Draft, _: str, text: str) -> None:
    draft.options["proxy"] = with_scheme(text if "://" in text else f"http://{text}")


FLAGS: Final[tuple[Flag, ...]] = (
    Flag(("-c", "--connect"), lambda draft, _, text: draft.take_url(text)),
    HEADER,
    Flag(("-s", "--subprotocol"), lambda draft, _, text: draft.protocols.append(text)),
    option("origin", "-o", "--origin"),
    auth("--auth"),
    option("ca", "--ca"),
    option("cert", "--cert"),
    option("key", "--key"),
    option("insecure", "-n", "--no-check", value=True),
    option("follow_redirects", "-L", "--location", value=True),
    Flag(("--proxy",), _proxy),
    Flag(("-x", "--execute"), lambda draft, _, text: draft.payloads.append(text)),
    Flag(("--host",), lambda draft, _, text: draft.headers.append(("Host", text))),
    Flag(("-p", "--protocol"), _version),
    NAME,
    refused("it makes wscat a server", "%ws serve echo starts one", "-l", "--listen", value=True),
    refused(
        "keys with a pass phrase are not taken",
        "decrypt the key first",
        "--passphrase",
        value=True,
        optional=True,
    ),
    ignored("--slash", "-P", "--show-ping-pong", "--no-color"),
    ignored("-w", "--wait", value=True),
    ignored("--max-redirects", value=True, optional=True),
)


def finish(draft: Draft, words: list[str]) -> None:
    """Read the URL.

    Raises:
        InvalidError: There is not exactly one.
    """
    for word in words:
        draft.take_url(word)
    draft.read_scheme()
