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

import difflib
import enum
from collections.abc import Iterable, Mapping
from typing import Any, Self

from ipyws.text.masking import mask, mask_deep
from ipyws.text.printable import visible

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


class _Facts(dict[str, Any]):
    """A dict that takes no secret in."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, mask_deep(value))

    def update(self, *facts: Any, **more: Any) -> None:
        super().update(mask_deep(dict(*facts, **more)))


class WebSocketError(Exception):
    """The root of all errors of ipyws.

    Args:
        message: What failed: a lower-case fragment without a full stop.
        hint: What the user can do about it, or "".
        details: Facts for programs: status, headers, phase, names that exist...
        kind: Overrides the kind of the class.
        retryable: Overrides whether trying the same again can help.

    Details:
        written: Of a recording that stopped: how many records are in the file.
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
        self.message = message
        self.hint = hint
        self.details = dict(details or {})
        if kind is not None:
            self.kind = kind
        if retryable is not None:
            self.retryable = retryable
        super().__init__(self.message)

    def within(self, where: str) -> Self:
        """Say in front of the message where it happened; return the error itself."""
        self.message = f"{where}: {self.message}"
        self.args = (self.message,)
        return self

    def because(self, why: str) -> Self:
        """Say behind the message why it happened, if that is known; return the error itself."""
        self.message = f"{self.message}: {why}" if why else self.message
        self.args = (self.message,)
        return self

    @property
    def message(self) -> str:
        """What failed, without secrets, whoever sets it."""
        return self._message

    @message.setter
    def message(self, text: str) -> None:
        self._message = visible(mask(text))

    @property
    def hint(self) -> str:
        """What to do about it, or ""; without secrets, whoever sets it."""
        return self._hint

    @hint.setter
    def hint(self, text: str) -> None:
        self._hint = visible(mask(text))

    @property
    def details(self) -> dict[str, Any]:
        """Facts for programs, without secrets, also those that are added later."""
        return self._details

    @details.setter
    def details(self, facts: Mapping[str, Any]) -> None:
        self._details = _Facts()
        self._details.update(facts)

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class PermissionDeniedError(WebSocketError, PermissionError):
    """The policy refuses the connection, or a message.

    Details:
        action: What was asked: "websocket.connect" or "websocket.connect.url".
        layer: The layer that decided, or None.
        file: The file that it stands in, or None.
        line: Where in it, or None.
        rule: Effect and URL of the rule that decided, or None.
    """

    kind = Kind.PERMISSION_DENIED


class InvalidError(WebSocketError, ValueError):
    """An option, a URL, a duration, a close code, a payload or a file is not what it must be.

    Details:
        file: Of a policy or a configuration: the file, or None.
        line: Where in it, or None.
        key: The key that is wrong.
        pointer: Of a contract: the part that is wrong, as a JSON Pointer.
        variable: Of a template: the variable of the environment that is not set.
        host: Of a demo server: where it can't listen.
        port: The port that it can't have.
        code: Of a close frame that breaks the protocol: its code.
        reason: Its reason.
    """

    kind = Kind.INVALID


class WaitTimeoutError(WebSocketError, TimeoutError):
    """Waiting for a message, a pong or a slow peer took longer than allowed."""

    kind = Kind.TIMEOUT
    retryable = True


class ConnectError(WebSocketError, ConnectionError):
    """The connection could not be opened; ``details["phase"]`` says how far it got.

    Details:
        phase: "dns", "tcp", "proxy", "tls", "handshake"; "dialect" where the server did not open the
            conversation; "credentials" where a function of yours that makes them or signs failed; or "open"
            for a connection that was lost.
        code: The close code that came in place of the dialect's answer.
        url: What was dialled, without secrets.
        addresses: What its name resolved to.
        address: The one that was dialled last.
        failures: Why each address was not reached, by address.
        proxy: The proxy, without its credentials.
        reply: What a SOCKS proxy replied: a number of RFC 1928, section 6, or of SOCKS 4.
        status: HTTP status of an answer that is not 101.
        reason: Its reason phrase.
        headers: Its headers, in order, secrets masked.
        body: Its first 2 KiB, as text.
        oddities: In words, in what its answer differs from what the standard has.
        redirects: The URLs that led there, first first.
        subprotocol: The one that the server chose, where it does not fit.
    """

    kind = Kind.INTERNAL
    retryable = True


class ClosedError(WebSocketError, ConnectionError):
    """The connection is closed.

    Details:
        code: The close code.
        reason: The reason given with it.
        initiator: Who closed first: "us", "peer", or "none" when the connection was lost.
    """

    kind = Kind.UNAVAILABLE
    retryable = True


class CanceledError(WebSocketError):
    """Our own close, or the shutdown of the core, ended the operation while it waited.

    Details:
        code: The close code, if the connection is closed already.
        reason: The reason given with it.
        initiator: "us".
    """

    kind = Kind.CANCELED
    retryable = True


class ReplyError(WebSocketError):
    """The server answered a request with an error; ``details`` has what it said.

    Details:
        code: Of JSON-RPC: the error's code; of MQTT the reason code.
        message: Its message.
        data: What else it carries; of GraphQL the data that came in spite of the errors; of STOMP the body.
        errors: Of GraphQL: the list of errors.
        namespace: Of Socket.IO: the namespace that was refused.
    """

    kind = Kind.UNKNOWN


class ContextError(WebSocketError, RuntimeError):
    """There is no core to do it.

    It is shut down, the call came from its own thread or from a forked process, or Python runs in a browser.
    """

    kind = Kind.INTERNAL


class UnknownConnectionError(WebSocketError, LookupError):
    """No connection has that name.

    Details:
        names: Those that exist.
    """

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


def closest(word: object, names: Iterable[str]) -> str:
    """Return the name that was probably meant, or ""; of a word that is longer than any name, none.

    The comparison takes the square of a word's length: nobody mistypes a name of a hundred characters.
    Dashes at the start, which make all options alike, don't count, and a letter is near to no other word.
    """
    text = str(word)
    if len(text) > _LONGEST:
        return ""
    bare, wanted = {name.lstrip("-"): name for name in names}, text.lstrip("-")
    words = [name for name in bare if len(name) > 1]
    near = [wanted] if wanted in bare else difflib.get_close_matches(wanted, words, n=1)
    return bare[near[0]] if near else ""


def suggestion(word: object, names: Iterable[str], otherwise: str) -> str:
    """Return the hint for a name that there is not: the one that was probably meant, or something else."""
    close = closest(word, names)
    return f"did you mean {close}?" if close else otherwise


def brief(value: object) -> str:
    """Return the repr of a user's value for an error message: cut to 60 characters, and it never fails."""
    try:
        # Before it is spelled and cut: half a secret is not known as one.
        text = mask(repr(mask(value) if type(value) is str else value))
    except Exception:  # a foreign __repr__, or an int with more digits than Python prints
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
