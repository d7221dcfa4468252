"""The names of namespaces and events, and what we say of ourselves in a namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ipyws.core.options.credentials import remember_payload
from ipyws.errors import InvalidError, brief

_RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names that no event may have: a server breaks the connection off for them."""


def check_namespace(value: Any) -> str:
    """Return the name of a namespace.

    Raises:
        InvalidError: It is none.
    """
    if isinstance(value, str) and value.startswith("/") and "," not in value:
        return value
    raise InvalidError(f"namespace is {brief(value)}", hint='text such as "/chat" is allowed')


def check_event(name: Any) -> str:
    """Return the name of an event.

    Raises:
        InvalidError: It is none, or one that Socket.IO keeps for itself.
    """
    if not isinstance(name, str) or not name:
        raise InvalidError(f"the event is {brief(name)}", hint="a name is allowed")
    if name in _RESERVED:
        raise InvalidError(
            f"the event {name} is one that Socket.IO keeps for itself", hint="name it otherwise"
        )
    return name


def auth_of(arguments: Sequence[Any], otherwise: Any) -> Any:
    """Return what we say of ourselves in a namespace, masked from now on.

    Args:
        arguments: Those of the subscription.
        otherwise: What holds where there are none.

    Raises:
        InvalidError: They are not one mapping.
    """
    if not arguments:
        return otherwise
    if len(arguments) == 1 and isinstance(arguments[0], Mapping):
        remember_payload(arguments[0])
        return arguments[0]
    what = "a subscription of a namespace has one argument, which says who we are"
    raise InvalidError(what, hint='an object such as {"token": "…"} is allowed')
