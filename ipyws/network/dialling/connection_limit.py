"""How many connections are open in this process, on whichever loop: what ``max_connections`` limits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from weakref import WeakSet

from ipyws.config.enforcement import check_count
from ipyws.policy.policy import Policy


class _Place:
    """The place of one connection; called, it is given back."""

    __slots__ = ("__weakref__", "_taken")

    def __init__(self, taken: WeakSet[_Place]) -> None:
        self._taken = taken

    def __call__(self) -> None:
        self._taken.discard(self)


class Slots:
    """The connections that are open or being opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: WeakSet[_Place] = WeakSet()

    def take(self, policy: Policy) -> Callable[[], None]:
        """Count one more connection.

        Returns:
            What gives its place back, also by being forgotten; may be called twice.

        Raises:
            PermissionDeniedError: The policy allows no more.
        """
        with self._lock:
            place = _Place(self._taken)
            check_count(policy, len(self._taken) + 1)
            self._taken.add(place)
        return place

    def check(self, policy: Policy) -> None:
        """Ask whether as many as there are may be open.

        Raises:
            PermissionDeniedError: The policy allows fewer.
        """
        with self._lock:
            check_count(policy, len(self._taken))

    def start_again(self) -> None:
        """Count nothing, in a forked child: what is open is the parent's."""
        self._lock = threading.Lock()
        self._taken = WeakSet()


SLOTS = Slots()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SLOTS.start_again)
