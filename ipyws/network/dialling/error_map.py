"""Foreign exceptions as ours: the one border where `websockets`, ssl and the OS are translated.

Whether trying again can help is decided here too, as a pure function of the failure.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    PayloadTooBig,
    ProxyError,
)
from websockets.http11 import Response

from ipyws.core.messages.message import Control
from ipyws.errors import ConnectError, InvalidError, WebSocketError, brief
from ipyws.network.dialling.proxy_failure import SocksError, describe_proxy
from ipyws.network.handshake.answer import AnswerError, Head, NoAnswerError, NotHTTPError
from ipyws.network.handshake.hints import Asked
from ipyws.network.handshake.status import status_error, status_line, worth_retrying
from ipyws.policy.url import URL
from ipyws.text.masking import mask, mask_headers

# The ports that mybinder.org lets out; others are dropped silently and end in a timeout.
_BINDER_PORTS = (80, 443)

_TLS_RECORDS = (b"\x15", b"\x16")  # an alert, a handshake
_START_SHOWN = 200
_TOO_BIG = "read_limit= and the policy's max_message set the limit"


def dial_error(error: BaseException, phase: str, asked: Asked, facts: Mapping[str, Any]) -> WebSocketError:
    """Return the `ConnectError` for a dial that failed.

    Args:
        error: What was raised.
        phase: How far it got: "dns", "tcp", "proxy", "tls" or "handshake".
        asked: What was dialled, and what was sent.
        facts: More for ``details``, such as the address.
    """
    url = asked.url
    details = {"phase": phase, "url": url.masked, **facts}
    if isinstance(error, InvalidStatus):
        return status_error(error.response, asked, details)
    if isinstance(error, AnswerError):
        details |= _seen(error.head)
        return ConnectError(error.what, hint=error.hint, details=details, retryable=False)
    if isinstance(error, InvalidProxyStatus):
        return _proxy_status_error(error.response, details)
    if isinstance(error, ssl.SSLError):
        # With TLS 1.3 a server may refuse the client's certificate only after the client's own handshake.
        details["phase"] = "proxy" if phase == "proxy" else "tls"
    if isinstance(error, SocksError) and error.code is not None:
        details["reply"] = error.code
    if url.socket and phase == "tcp" and isinstance(error, OSError):
        message, hint, retryable = _describe_socket(error, mask(url.socket))
    else:
        message, hint, retryable = _describe(error, url, phase, str(facts.get("proxy", "")))
    if isinstance(error, NoAnswerError) and "sec-websocket-protocol" in asked.sent and not error.has_begun:
        hint = f"a server that knows none of the subprotocols may do so: check protocols=; {hint}"
    return ConnectError(message, hint=hint, details=details, retryable=retryable)


def _seen(head: Head | None) -> dict[str, Any]:
    """Return what ``details`` say of an answer that is no agreement."""
    if head is None:
        return {}
    headers = mask_headers(head.headers)
    return {"status": head.status, "reason": head.reason, "headers": headers, "oddities": head.oddities}


def _proxy_status_error(response: Response, details: Mapping[str, Any]) -> ConnectError:
    status = response.status_code
    shown = details["proxy"]
    no = f"ask whoever runs {shown}; proxy=None connects directly"
    return ConnectError(
        f"the proxy answered {status_line(response)}",
        hint=f"give the proxy's credentials in its URL: {shown}" if status == 407 else no,
        details={**details, "phase": "proxy", "status": status},
        retryable=worth_retrying(status),
    )


def timeout_error(phase: str, url: URL, waited: str, facts: Mapping[str, Any]) -> ConnectError:
    """Return the error for a dial that took longer than ``dial_timeout``."""
    hint = "dial_timeout= sets the limit"
    if phase == "proxy":
        hint = f"check the proxy {facts['proxy']}; {hint}"
    if phase == "tls":
        hint = f"a server without TLS may stay silent: try ws://; {hint}"
    if "BINDER_SERVICE_HOST" in os.environ and url.port not in _BINDER_PORTS:
        hint = f"Binder lets out only a few ports, such as 80 and 443, and this is port {url.port}"
    doing = {
        "dns": f"resolving {url.host}",
        "tcp": "connecting",
        "proxy": "connecting through the proxy",
        "tls": "the TLS handshake",
        "credentials": "signing the handshake",
    }.get(phase, "waiting for the server's answer to the handshake")
    details = {"phase": phase, "url": url.masked, **facts}
    return ConnectError(f"{doing} took too long: {waited} passed", hint=hint, details=details, retryable=True)


def close_error(error: BaseException | None, breach: Control | None = None) -> WebSocketError | None:
    """Return why the protocol made us close the connection, or None if it did not.

    Args:
        error: What the parser says.
        breach: The record of the frame that it is about.
    """
    if error is None or isinstance(error, EOFError):  # the peer only ended what we had closed
        return None
    if isinstance(error, PayloadTooBig):
        return InvalidError(f"the server sent too big a message: {error}", hint=_TOO_BIG)
    what = breach.breach if breach else str(error)
    if breach is not None and breach.code is not None:
        said = f"{breach.code} {mask(breach.reason)!r}" if breach.reason else f"{breach.code}"
        return InvalidError(
            f"the server closed with {said}, which breaks the WebSocket protocol: {what}",
            hint=_FAULT,
            details={"code": breach.code, "reason": breach.reason},
        )
    hint = _NOT_UTF8 if isinstance(error, UnicodeDecodeError) else _FAULT
    if "decompression" in what:
        hint = _INFLATING
    return InvalidError(f"the server broke the WebSocket protocol: {what}", hint=hint)


_FAULT = "the fault is the server's; the log has what came, as a breach"
_INFLATING = "the fault is the server's; another mode of compression=, or none, may do"
_NOT_UTF8 = 'the fault is the server\'s; text_errors="replace" goes on with U+FFFD in place of such bytes'


def _why(error: OSError) -> str:
    """Return what the system said: asyncio and the SOCKS library put texts of their own in its place."""
    if isinstance(error, (socket.gaierror, ssl.SSLError)) or not error.errno:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


def _describe(error: BaseException, url: URL, phase: str, proxy: str) -> tuple[str, str, bool]:
    """Return message, hint and whether trying again can help."""
    if phase == "proxy" and isinstance(error, (SocksError, OSError)):
        return describe_proxy(error, proxy, _why)
    if isinstance(error, socket.gaierror):
        return (
            f"the name {url.host!r} can't be resolved: {error.strerror}",
            "check its spelling and the network",
            True,
        )
    if isinstance(error, ssl.SSLError):
        return _describe_tls(error)
    if isinstance(error, InvalidHandshake):
        return _describe_handshake(error, url, proxy)
    if isinstance(error, ImportError):
        return "a SOCKS proxy needs the package python-socks", "pip install 'python-socks[asyncio]>=3'", False
    if isinstance(error, ConnectionRefusedError):
        return f"{url.authority} refused the connection", "is the server running, and this its port?", True
    if isinstance(error, ConnectionError):
        if phase == "tls":
            what = "the server dropped the connection during the TLS handshake"
            return what, f"a server without TLS may do so: try ws://; {_dropped_hint(url)}", True
        return "the server dropped the connection before the handshake was complete", _dropped_hint(url), True
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return f"the network failed: {_why(error)} ({name})", "check network and VPN", True
    return f"{type(error).__name__}: {error}", "", False


def _describe_tls(error: ssl.SSLError) -> tuple[str, str, bool]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate is not trusted: {error.verify_message.rstrip('.')}",
            "ca= names the authority to trust; insecure=True skips the check",
            False,
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason or "record layer" in reason:
        return f"the server does not speak TLS: {reason}", "try ws:// instead of wss://", False
    return (
        f"the TLS handshake failed: {reason}",
        "the server may want a client certificate: cert=, key=",
        False,
    )


def _describe_socket(error: OSError, path: str) -> tuple[str, str, bool]:
    if isinstance(error, FileNotFoundError):
        return f"there is no socket {path}", "is the server running? check the path", True
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at the socket {path}", "is the server running? check the path", True
    hint = "its owner and its group may open it" if isinstance(error, PermissionError) else "check the path"
    return f"the socket {path} can't be opened: {_why(error)}", hint, False


def _dropped_hint(url: URL) -> str:
    if url.secure:
        return "a server that wants a client certificate may do so: give cert= and key="
    return "check the port; a TLS server may hang up on ws://, then use wss://"


def _describe_handshake(error: InvalidHandshake, url: URL, proxy: str) -> tuple[str, str, bool]:
    if isinstance(error, NoAnswerError) and error.has_begun:
        return "the server dropped the connection within its answer to the handshake", "try later", True
    if isinstance(error, NoAnswerError):
        what = "the server dropped the connection before it answered the handshake"
        return what, _dropped_hint(url), True
    if isinstance(error, NotHTTPError):
        return _describe_foreign(error.start, url)
    if isinstance(error, ProxyError):
        hung_up = isinstance(getattr(error.__cause__, "__cause__", None) or error.__cause__, EOFError)
        return f"the proxy failed: {error.__cause__ or error}", f"check the proxy's URL: {proxy}", hung_up
    return f"the server's handshake breaks the protocol: {error}", "the fault is the server's", False


def _describe_foreign(start: bytes, url: URL) -> tuple[str, str, bool]:
    """Return what is said of an answer that is no HTTP."""
    if start[:1] in _TLS_RECORDS and start[1:2] == b"\x03":
        if url.secure:
            return "the server's answer is not HTTP but TLS, within TLS", "is a proxy in between?", False
        return "the server's answer is not HTTP but TLS", "use wss://", False
    line = start[:_START_SHOWN].decode("utf-8", "replace").splitlines()
    what = (
        f"the server's answer is not HTTP: it begins {brief(line[0])}"
        if line
        else "the server's answer is not HTTP"
    )
    return what, "is it the right port, and a web server?", False


def lost_error(error: Exception | None) -> ConnectError:
    """Return why an open connection is gone without a closing handshake."""
    if error is None:
        return ConnectError("the server ended the TCP connection", details={"phase": "open"})
    why = _why(error) if isinstance(error, OSError) else error
    return ConnectError(f"the network failed: {why}", details={"phase": "open"})
