"""What goes wrong in the words of a server, as errors."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.dialects.quoted import quoted
from ipyws.errors import ClosedError, ConnectError, ReplyError, brief

_PHASE: Final = {"phase": "dialect"}


def refused(namespace: str, facts: Any) -> ReplyError:
    """Return the error for a namespace that the server does not let us in."""
    given = facts if isinstance(facts, dict) else {"message": facts}
    message = given.get("message")
    return ReplyError(
        f"the server refused namespace {brief(namespace)}: {quoted(message)}",
        details={"message": message, "data": given.get("data"), "namespace": namespace},
    )


def disconnected(namespace: str) -> ClosedError:
    """Return the error for a namespace that the server put us out of."""
    what = f"the server disconnected us from namespace {brief(namespace)}"
    return ClosedError(what, details={"initiator": "peer"}, retryable=False)


def closed() -> ClosedError:
    """Return the error for a server that ends the whole conversation: it shuts down, or misses our pongs."""
    return ClosedError("the server closed the conversation", details={"initiator": "peer"})


def no_server() -> ConnectError:
    """Return the error for what does not begin as a server of Engine.IO does."""
    what = "what answers there does not speak Socket.IO: its first message is not an open packet"
    return ConnectError(
        what, hint="is its path another one than /socket.io/?", details=_PHASE, retryable=False
    )


def old_server() -> ConnectError:
    """Return the error for a server of the protocol's revision 4, which agrees without an id."""
    what = "the server speaks Socket.IO 2"
    return ConnectError(
        what, hint="the dialect is that of version 3 and later", details=_PHASE, retryable=False
    )
