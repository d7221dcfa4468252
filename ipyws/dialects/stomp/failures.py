"""What a server refused or broke, as errors that say what it said."""

from __future__ import annotations

from typing import Any

from ipyws.core.dialects.dialect import Broken
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.stomp.frames import Frame, MalformedError
from ipyws.errors import ConnectError, InvalidError, ReplyError


def malformed(error: MalformedError) -> Broken:
    """Return that the server broke the protocol."""
    what = f"the server does not keep to STOMP: {error}"
    return Broken(InvalidError(what, hint="the log has what it sent"), 1002, "not STOMP")


def refused(frame: Frame) -> ConnectError:
    """Return the error for an ERROR frame that came instead of CONNECTED."""
    details = {"phase": "dialect", "reason": _words(frame)}
    hint = 'auth=("user", "password") logs in, the setting host says which virtual host'
    return ConnectError(
        f"the server refused the connection: {_words(frame)}", hint=hint, details=details, retryable=False
    )


def failed(frame: Frame) -> ReplyError:
    """Return the error for an ERROR frame."""
    return ReplyError(f"the server answered with an error: {_words(frame)}", details=_details(frame))


def _details(frame: Frame) -> dict[str, Any]:
    return {"message": frame.headers.get("message", ""), "data": _body(frame)}


def _words(frame: Frame) -> str:
    """Return what an ERROR frame says: its message, then its body."""
    said = [frame.headers.get("message", "").strip(), " ".join(_body(frame).split())]
    unique = dict.fromkeys(text for text in said if text)  # some say the same twice
    return quoted(": ".join(unique)) or "it does not say why"


def _body(frame: Frame) -> str:
    return frame.body[:4096].decode("utf-8", "replace")
