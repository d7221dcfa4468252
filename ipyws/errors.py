"""Every error that ipyws raises, in one tree.

::

    WebSocketError                     kind, retryable, message, details, hint
    ├── PermissionDeniedError          PERMISSION_DENIED   also a PermissionError
    ├── InvalidError                   INVALID             also a ValueError
    ├── WaitTimeoutError               TIMEOUT             also a TimeoutError
    ├── ConnectError                   INTERNAL            also a ConnectionError
    ├── ClosedError                    UNAVAILABLE         also a ConnectionError
    ├── CanceledError                  CANCELED
    ├── ReplyError                     UNKNOWN, or as the server's code says
    ├── ContextError                   INTERNAL            also a RuntimeError
    └── UnknownConnectionError         INTERNAL            also a LookupError

A message says what failed, in lower case and without a full stop; the hint says what to do next.
Secrets are masked and controls written out here, where an error is made, so that no path to a screen or a
file can forget it. ``details`` are masked only: they are data.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Self

from ipyws.printable import visible
from ipyws.secrets import mask, mask_deep

__all__ = [
    "ALREADY_EXISTS",
    "CANCELED",
    "CONFLICT",
    "INTERNAL",
    "INVALID",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "RATE_LIMITED",
    "TIMEOUT",
    "UNAVAILABLE",
    "UNKNOWN",
    "CanceledError",
    "ClosedError",
    "ConnectError",
    "ContextError",
    "InvalidError",
    "Kind",
    "PermissionDeniedError",
    "ReplyError",
    "UnknownConnectionError",
    "WaitTimeoutError",
    "WebSocketError",
    "is_kind",
]

_LONGEST = 60  # characters of a user's value in a message


class Kind(enum.StrEnum):
    """What sort of failure it is; decide on this, not on the text of a message."""

    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    INVALID = "INVALID"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    CANCELED = "CANCELED"
    CONFLICT = "CONFLICT"
    TIMEOUT = "TIMEOUT"
    RATE_LIMITED = "RATE_LIMITED"
    UNKNOWN = "UNKNOWN"


NOT_FOUND = Kind.NOT_FOUND
ALREADY_EXISTS = Kind.ALREADY_EXISTS
INVALID = Kind.INVALID
PERMISSION_DENIED = Kind.PERMISSION_DENIED
UNAVAILABLE = Kind.UNAVAILABLE
INTERNAL = Kind.INTERNAL
CANCELED = Kind.CANCELED
CONFLICT = Kind.CONFLICT
TIMEOUT = Kind.TIMEOUT
RATE_LIMITED = Kind.RATE_LIMITED
UNKNOWN = Kind.UNKNOWN


class WebSocketError(Exception):
    """The root of all errors of ipyws.

    Args:
        message: What failed: a lower-case fragment without a full stop.
        hint: What the user can do about it, or "".
        details: Facts for programs: status, headers, phase, names that exist...
        kind: Overrides the kind of the class.
        retryable: Overrides whether trying the same again can help.
    """

    kind: Kind = Kind.UNKNOWN
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: Mapping[str, Any] | None = None,
        kind: Kind | None = None,
        retryable: bool | None = None,
    ) -> None:
        self.message = visible(mask(message))
        self.hint = visible(mask(hint))
        self.details: dict[str, Any] = mask_deep(dict(details or {}))
        if kind is not None:
            self.kind = kind
        if retryable is not None:
            self.retryable = retryable
        super().__init__(self.message)

    def within(self, where: str) -> Self:
        """Say in front of the message where it happened; return the error itself."""
        self.message = visible(mask(f"{where}: {self.message}"))
        self.args = (self.message,)
        return self

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class PermissionDeniedError(WebSocketError, PermissionError):
    """The policy refuses the connection."""

    kind = Kind.PERMISSION_DENIED


class InvalidError(WebSocketError, ValueError):
    """An option, a URL, a duration, a close code, a payload or a file is not what it must be."""

    kind = Kind.INVALID


class WaitTimeoutError(WebSocketError, TimeoutError):
    """Waiting for a message, a pong or a slow peer took longer than allowed."""

    kind = Kind.TIMEOUT
    retryable = True


class ConnectError(WebSocketError, ConnectionError):
    """The connection could not be opened; ``details["phase"]`` says how far it got."""

    kind = Kind.INTERNAL
    retryable = True


class ClosedError(WebSocketError, ConnectionError):
    """The connection is closed; ``details`` holds code, reason and initiator."""

    kind = Kind.UNAVAILABLE
    retryable = True


class CanceledError(WebSocketError):
    """Our own close, or the shutdown of the core, ended the operation while it waited."""

    kind = Kind.CANCELED
    retryable = True


class ReplyError(WebSocketError):
    """The server answered a request with an error; ``details`` has what it said."""

    kind = Kind.UNKNOWN


class ContextError(WebSocketError, RuntimeError):
    """There is no core to do it: shut down, or a synchronous call from the core's own thread."""

    kind = Kind.INTERNAL


class UnknownConnectionError(WebSocketError, LookupError):
    """No connection has that name; ``details["names"]`` lists those that exist."""

    kind = Kind.INTERNAL


def is_kind(error: BaseException | None, kind: Kind | str) -> bool:
    """Tell whether ``error`` is of ``kind``; False for exceptions that are not ours.

    Args:
        error: Any exception, or None.
        kind: A member of `Kind` or its name.

    Raises:
        InvalidError: ``kind`` names no kind.
    """
    try:
        wanted = Kind(kind)
    except ValueError:
        raise InvalidError(f"kind is {brief(kind)}", hint=f"one of {', '.join(Kind)} is allowed") from None
    return isinstance(error, WebSocketError) and error.kind is wanted


def brief(value: object) -> str:
    """Return the repr of a user's value for an error message: cut to 60 characters, and it never fails."""
    try:
        text = mask(repr(value))  # before it is cut: half a secret is not known as one
    except Exception:  # a foreign __repr__, or an int with more digits than Python prints
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
