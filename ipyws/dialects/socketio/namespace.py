"""A namespace of Socket.IO in one conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ipyws.core.dialects.dialect import Payload


@dataclass(slots=True)
class Namespace:
    """One that was connected to, or is being.

    Attributes:
        name: Its name.
        auth: What we say of ourselves there.
        connected: Whether the server has agreed.
        waiting: What is sent once it has.
        readers: The keys of its subscriptions, each with the name of the event, None for all of them.
        kept: Whether it stays without any.
    """

    name: str
    auth: Any
    connected: bool = False
    waiting: list[Payload] = field(default_factory=list)
    readers: dict[int, str | None] = field(default_factory=dict)
    kept: bool = False
