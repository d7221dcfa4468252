"""The connections before one that was opened again: their messages stay in a panel, above its own.

Each has a log of its own, and ends with it; a user who reconnects wants to see what was before all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ipyws.core.connection.connection import Connection

MOST: Final = 3
"""Connections before one that are kept, the last; their logs are in the budget of all, and give way first."""


class Earlier:
    """What a panel keeps of connections that were opened again since it is watched."""

    def __init__(self) -> None:
        self._now: dict[str, Connection] = {}
        self._kept: dict[str, dict[str, Connection]] = {}
        self._number = 0

    def note(self, known: Mapping[str, Connection]) -> None:
        """Note the connections that there are now.

        Args:
            known: By their names; one that has the name and the URL of another follows on it.
        """
        for name, connection in known.items():
            before = self._now.get(name)
            if before is None or before is connection:
                continue
            kept = self._kept.pop(name, {})
            if before.target != connection.target:
                continue  # it only has the same name
            self._number += 1
            kept[f"{name} before {self._number}"] = before
            self._kept[name] = dict(list(kept.items())[-MOST:])
        self._now = dict(known)
        self._kept = {name: kept for name, kept in self._kept.items() if name in known}

    def before(self, shown: Mapping[str, Connection]) -> dict[str, Connection]:
        """Return the connections that are shown, and in front of one that is shown alone those before it."""
        if len(shown) != 1:
            return dict(shown)
        return {**self._kept.get(next(iter(shown)), {}), **shown}
