"""How a connection ended: code, reason and who closed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipyws.errors import InvalidError, WebSocketError, brief
from ipyws.text.masking import mask
from ipyws.text.numbers import is_whole
from ipyws.text.printable import visible

Initiator = Literal["us", "peer", "none"]
"""Who closed first; "none" where the connection was lost."""

REASON_LIMIT = 123
"""Bytes of UTF-8: a control frame holds 125, the code takes two (RFC 6455 section 5.5)."""

_SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
_MEANINGS = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1004: "reserved",
    1005: "no status code",
    1006: "connection lost, no close frame",
    1007: "invalid payload",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake failed",
}


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended.

    Attributes:
        code: The close code; 1005 where the frame had none, 1006 where there was no close frame.
        reason: The reason given with it.
        initiator: Who closed first: "us", "peer", or "none" when the connection was lost.
        error: What made us close, or how the connection was lost; None for an ordinary close.
        clean: Whether both sides sent a close frame.
    """

    code: int
    reason: str = ""
    initiator: Initiator = "none"
    error: WebSocketError | None = None
    clean: bool = True

    @property
    def meaning(self) -> str:
        """The meaning of the code, in words."""
        return close_meaning(self.code)

    @property
    def shown_reason(self) -> str:
        """The reason, or "" where it would repeat ``error``, for which we closed."""
        return "" if self.initiator == "us" and self.error else self.reason

    def describe(self) -> str:
        """Return in words how the connection ended."""
        why = f" ({self.error.message})" if self.error else ""
        if self.initiator == "none":
            return f"closed: the connection was lost without a close frame{why}"
        who = "by us" if self.initiator == "us" else "by the server"
        how = code_in_words(self.code, mask(self.shown_reason))
        unanswered = "" if self.clean else ", unanswered"
        return f"closed {who}: {how}{unanswered}{why}"

    def __repr__(self) -> str:
        return f"<Close {self.describe()}>"


def close_meaning(code: int) -> str:
    """Return what a close code means, in words (RFC 6455 section 7.4)."""
    if meaning := _MEANINGS.get(code):
        return meaning
    if 3000 <= code <= 3999:
        return "defined by a library"
    if 4000 <= code <= 4999:
        return "application-defined"
    return "not a valid close code"


def code_in_words(code: int | None, reason: str) -> str:
    """Return a close code with its meaning, behind the reason that was given, which says more."""
    if code is None:
        return f"no status code “{visible(reason)}”" if reason else "no status code"
    meaning = close_meaning(code)
    return f"{code} “{visible(reason)}” ({meaning})" if reason else f"{code} {meaning}"


def check_close(code: object, reason: object) -> tuple[int, str]:
    """Check what a close frame of ours is to carry (RFC 6455 sections 5.5 and 7.4).

    Raises:
        InvalidError: The code may not be sent, or the reason exceeds 123 bytes of UTF-8.
    """
    if not is_whole(code) or code not in _SENDABLE:
        raise InvalidError(
            f"close code {brief(code)} may not be sent",
            hint="1000-1003, 1007-1014 and 3000-4999 are allowed",
        )
    if not isinstance(reason, str):
        raise InvalidError(f"close reason is of type {type(reason).__name__}", hint="a str is allowed")
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise InvalidError(
            f"close reason holds a lone surrogate at position {error.start}",
            hint="only text that UTF-8 can encode is allowed",
        ) from None
    if size > REASON_LIMIT:
        raise InvalidError(
            f"close reason has {size} bytes of UTF-8", hint=f"at most {REASON_LIMIT} are allowed"
        )
    return code, reason


def describe(close: Close | None, state: str = "open") -> str:
    """Return in words how a connection ended; its state if it has not."""
    return state if close is None else close.describe()
