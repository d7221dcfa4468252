"""Why a conversation was not opened: the error of a connect call, or of an attempt at a reconnect."""

from __future__ import annotations

from ipyws.core.connection.closing import close_meaning
from ipyws.core.constants import CloseCode
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.line import Line
from ipyws.core.options.durations import format_duration
from ipyws.errors import ConnectError, WaitTimeoutError, WebSocketError
from ipyws.text.masking import mask


class OtherSubprotocolsError(ConnectError):
    """The server closed before the conversation was open, and showed that it wants other subprotocols.

    Attributes:
        offer: These; who connects dials once more, so that nobody else sees this error.
    """

    offer: tuple[str, ...] = ()


def in_silence(dialect: Dialect) -> WaitTimeoutError:
    """Return the error for a server that says nothing."""
    passed = format_duration(dialect.open_timeout or 0)
    hint = f"does the server speak {dialect.title}?"
    return WaitTimeoutError(f"{dialect.opens_with} did not come: {passed} passed", hint=hint)


def by_closing(line: Line, dialect: Dialect, otherwise: WebSocketError | None) -> WebSocketError | None:
    """Return the error for a connection that ended before its conversation was open.

    Args:
        line: The connection.
        dialect: What was to be spoken.
        otherwise: The error of who still waits on it.
    """
    closed = line.closed
    if closed is not None and closed.initiator == "us":
        return closed.error or otherwise
    code, reason = line.last_close
    how = "lost" if code == CloseCode.ABNORMAL_CLOSURE else f"closed: {code} {close_meaning(code)}"
    said = f" {mask(reason)!r}" if reason else ""
    offer = dialect.instead(line.offered, line.subprotocol, code)
    error = (OtherSubprotocolsError if offer else ConnectError)(
        f"the connection was {how}{said}, before {dialect.opens_with} came",
        hint=dialect.advice or f"does the server speak {dialect.title}, and are the credentials right?",
        details={"phase": "dialect", "code": code, "reason": reason},
        retryable=code not in (CloseCode.POLICY_VIOLATION, CloseCode.PROTOCOL_ERROR),
    )
    if isinstance(error, OtherSubprotocolsError):
        error.offer = offer
    return error
