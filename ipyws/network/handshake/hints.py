"""What to do about a refused handshake: said only where the facts support it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipyws.errors import brief
from ipyws.policy.url import URL
from ipyws.text.places import credentials_of_url


@dataclass(frozen=True, slots=True)
class Asked:
    """What a handshake was refused to.

    Attributes:
        url: Where it went.
        sent: Names of the headers that were sent, in lower case.
        cert: Whether a client certificate was at hand.
        tokens: Whether a subprotocol carried a token.
        moved: Whether a redirect to another origin took the credentials away.
        following: Whether redirects are followed.
    """

    url: URL
    sent: frozenset[str] = frozenset()
    cert: bool = False
    tokens: bool = False
    moved: bool = False
    following: bool = False

    @property
    def credentials(self) -> str:
        """What was sent that may be refused, in words; "" for nothing."""
        if "authorization" in self.sent:
            return "the Authorization that was sent"
        if credentials_of_url(str(self.url)):
            return "the token in the URL"
        if self.tokens:
            return "the token among the subprotocols"
        if self.sent & _KEYS:
            return "the key that was sent"
        return "the cookies that were sent" if "cookie" in self.sent else ""


@dataclass(frozen=True, slots=True)
class Answered:
    """How it was refused.

    Attributes:
        status: HTTP status.
        headers: By their names in lower case.
        text: The start of the body.
        line: What it says, in one line, or "".
        wait: For how long the server asks to wait, in words, or "".
    """

    status: int
    headers: Mapping[str, str]
    text: str
    line: str = ""
    wait: str = ""


_KEYS = frozenset({"x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token"})

_PLAIN_TO_TLS = re.compile(
    r"plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL|HTTP request to an HTTPS server"
    r"|combination of host and port requires TLS|requires? (?:TLS|HTTPS)\b",
    re.IGNORECASE,
)
_NO_CERTIFICATE = re.compile(
    r"no required (?:SSL|TLS) certificate|client certificate (?:is )?required", re.IGNORECASE
)
_BAD_CERTIFICATE = re.compile(r"(?:SSL|TLS|client) certificate (?:error|is not valid|verif)", re.IGNORECASE)
_SCHEMES = re.compile(r"(?:^|,)\s*([a-z][a-z0-9-]*)(?=[\s,]|$)")
"""Schemes of WWW-Authenticate (RFC 9110 section 11.6.1), in lower case; its parameters have a "=" behind."""

_TLS_STATUSES = (400, 403, 426, 495, 496, 497)

REDIRECTS = (301, 302, 303, 307, 308)
"""Statuses that lead elsewhere (RFC 9110 section 15.4)."""

FINAL = frozenset({501, 505, 506, 510, 511})
"""Statuses of 500 and above that another try does not change (RFC 9110 section 15.6)."""

_NO_ENDPOINT = "is this a WebSocket endpoint? check the path of the URL"
_OUT_OF_ORDER = "the server or its gateway is out of order: try later"


def hint(asked: Asked, answer: Answered) -> str:
    """Return what to do about a refusal, or "" where nothing is known."""
    if about_tls := _about_tls(asked, answer):
        return about_tls
    status = answer.status
    if by_status := _BY_STATUS.get(status):
        return by_status(asked, answer)
    if status < 300:
        return _NO_ENDPOINT
    if status in REDIRECTS:
        return "it redirects and does not say where, so that follow_redirects=True can't follow"
    if answer.wait or status in FINAL or not 500 <= status < 600:
        return _waiting(answer)
    return _OUT_OF_ORDER


def _about_tls(asked: Asked, answer: Answered) -> str:
    if answer.status not in _TLS_STATUSES:
        return ""
    if _PLAIN_TO_TLS.search(answer.text) and not asked.url.secure:
        return "the server wants TLS: use wss://"
    if not asked.url.secure:
        return ""
    if _NO_CERTIFICATE.search(answer.text):
        refused = "the server accepts none of the client certificates it got: check cert= and key="
        return refused if asked.cert else "the server wants a client certificate: give cert= and key="
    if _BAD_CERTIFICATE.search(answer.text) and asked.cert:
        return "the server does not accept the client certificate: check cert= and key="
    return ""


def _bad_request(asked: Asked, answer: Answered) -> str:
    if versions := _other_versions(answer):
        return versions
    if len(answer.line.split()) > 1:  # the server says itself what it is
        return ""
    return (
        "check the URL"
        if asked.url.secure
        else "check the URL; a TLS server answers 400 to ws://, then use wss://"
    )


def _unauthorized(asked: Asked, answer: Answered) -> str:
    if asked.moved:
        return "a redirect to another origin carries no credentials: connect there directly"
    if asked.credentials:
        return f"the server does not accept {asked.credentials}: is it right, and not expired?"
    schemes = _SCHEMES.findall(answer.headers.get("www-authenticate", "").lower())
    if "basic" in schemes:
        return "give auth=(USER, PASSWORD)"
    if "bearer" in schemes:
        return 'give headers={"Authorization": "Bearer TOKEN"}'
    scheme = schemes[0] if schemes else ""
    if re.fullmatch(r"[a-z][a-z0-9-]{1,30}", scheme):
        return f'the server asks for {scheme}: give headers={{"Authorization": "{scheme.title()} …"}}'
    return 'give auth=(USER, PASSWORD), or headers={"Authorization": "Bearer TOKEN"}'


def _forbidden(asked: Asked, _: Answered) -> str:
    if asked.moved:
        return "a redirect to another origin carries no credentials: connect there directly"
    credentials = f"check {asked.credentials}" if asked.credentials else "check credentials"
    origin = "the origin= that was sent" if "origin" in asked.sent else "origin= where it checks the Origin"
    return f"the server forbids it: {credentials}, and {origin}"


def _upgrade_required(asked: Asked, answer: Answered) -> str:
    if versions := _other_versions(answer):
        return versions
    other = answer.headers.get("upgrade", "")
    if "websocket" in other.lower():
        return "a gateway in between may have taken the Upgrade header away"
    if other:
        return f"the server wants another protocol: {brief(other)}"
    return _about_subprotocol(asked, answer)


def _other_versions(answer: Answered) -> str:
    versions = answer.headers.get("sec-websocket-version", "")
    if not versions or "13" in re.split(r"[, ]+", versions):
        return ""
    return f"the server speaks WebSocket version {versions[:40]}, and ipyws 13"


def _about_subprotocol(asked: Asked, _: Answered) -> str:
    if "sec-websocket-protocol" in asked.sent:
        return "the server may want another subprotocol: check protocols="
    return "the server may want a subprotocol: give protocols="


def _not_implemented(asked: Asked, answer: Answered) -> str:
    return f"check the path of the URL; {_about_subprotocol(asked, answer)}"


def _not_modified(asked: Asked, _: Answered) -> str:
    conditions = sorted(asked.sent & {"if-none-match", "if-modified-since"})
    return f"leave out the header {' and '.join(conditions)}" if conditions else _NO_ENDPOINT


def _of_proxy(_: Asked, __: Answered) -> str:
    return "a proxy in between wants credentials: put them into the URL of proxy="


def _waiting(answer: Answered) -> str:
    return f"the server asks to wait {answer.wait}" if answer.wait else ""


_BY_STATUS: Mapping[int, Callable[[Asked, Answered], str]] = {
    304: _not_modified,
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: lambda _, __: "check the path of the URL",
    405: lambda _, __: _NO_ENDPOINT,
    407: _of_proxy,
    426: _upgrade_required,
    429: lambda _, answer: _waiting(answer) or "wait before you try again",
    501: _not_implemented,
    505: lambda _, __: _NO_ENDPOINT,
    511: lambda _, __: "the network wants a login: open a web page in a browser first",
}
