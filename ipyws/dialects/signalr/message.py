"""The messages of SignalR's hub protocol, whatever they are encoded in (HubProtocol.md of ASP.NET Core)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

Kind = Literal[
    "invocation",
    "stream item",
    "completion",
    "stream invocation",
    "cancel",
    "ping",
    "close",
    "ack",
    "sequence",
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""The types of messages, by their numbers from 1 on."""

NUMBERS: Final[Mapping[Kind, int]] = {kind: number for number, kind in enumerate(KINDS, 1)}


class HubMessage(NamedTuple):
    """A message.

    Attributes:
        kind: What it is.
        id: The invocation that it is of; None if it is of none, or is not to be answered.
        target: What is invoked, or "".
        value: The arguments, the item, the result, or the number in a sequence.
        error: What went wrong, in the words of who sent it, or None.
        again: Of a close: whether the connection may be opened again by itself.
    """

    kind: Kind
    id: str | None = None
    target: str = ""
    value: Any = None
    error: str | None = None
    again: bool = False


def checked(message: HubMessage) -> HubMessage:
    """Return a message of the other end, if its fields are what they must be.

    Raises:
        ValueError: They are not.
    """
    kind, id, target, value, error, _ = message
    invokes = kind in ("invocation", "stream invocation")
    if invokes and not (isinstance(target, str) and isinstance(value, list)):
        raise ValueError(f"the {kind} has no target, or no arguments")
    if id is None and kind in ("stream item", "completion", "stream invocation", "cancel"):
        raise ValueError(f"the {kind} is of no invocation")
    if not isinstance(id, str | None) or not isinstance(error, str | None):
        raise ValueError(f"the id or the error of the {kind} is not text")
    return message


def kind_of(number: Any) -> Kind:
    """Return the kind of message that a number is.

    Raises:
        ValueError: It is none.
    """
    if type(number) is not int or not 0 < number <= len(KINDS):
        raise ValueError("it is not a message of the hub protocol")
    return KINDS[number - 1]
