"""What all logs of a process may hold together.

A notebook that stays open for a day opens many connections; their logs share one budget, and the logs of
closed connections give way first.
"""

from __future__ import annotations

import sys
import weakref
from typing import Protocol, Self

from ipyws.core.constants import MB
from ipyws.core.lock import LOCK
from ipyws.errors import InvalidError, brief
from ipyws.text.numbers import is_whole

DEFAULT_BUDGET = 256 * MB


class Evictable(Protocol):
    """A log, as far as the budget knows it."""

    @property
    def bytes(self) -> int:
        """What it holds."""

    def evict_oldest(self) -> bool: ...


class Account(weakref.ref[Evictable]):
    """What one log has of the budget; the reference to that log, which settles once it is gone.

    A reference and not an object with one: `weakref.finalize` and what it takes was 4 µs of each connection.

    Attributes:
        budget: The budget.
        held: Bytes that the log holds.
        closed: Whether it gives way before others.
    """

    __slots__ = ("budget", "closed", "held")

    def __new__(cls, log: Evictable, budget: Budget) -> Self:
        return super().__new__(cls, log, _settle_nothing)

    def __init__(self, log: Evictable, budget: Budget) -> None:
        self.budget = budget
        self.held = 0
        self.closed = False

    def settle(self, held: int) -> None:
        """Tell how many bytes the log holds now; other logs, or this one, may have to evict."""
        budget = self.budget
        budget.total = total = budget.total + held - self.held
        self.held = held
        if total > budget.limit:
            budget.make_room(self)

    def close(self) -> None:
        """Let this log give way before those of open connections."""
        self.closed = True

    def forget(self) -> None:
        """Give back what a log held that is gone."""
        with LOCK:
            self.settle(0)
            self.budget.accounts.discard(self)


def _settle_nothing(account: weakref.ref[Evictable]) -> None:
    if isinstance(account, Account) and not sys.is_finalizing():
        account.forget()


class Budget:
    """A limit in bytes on all logs together."""

    def __init__(self, limit: int = DEFAULT_BUDGET) -> None:
        self.limit = limit
        self.total = 0
        self.accounts: set[Account] = set()

    def open(self, log: Evictable) -> Account:
        """Give a new log its account."""
        with LOCK:
            account = Account(log, self)
            self.accounts.add(account)
            return account

    def make_room(self, asking: Account | None = None) -> None:
        """Evict until the limit holds: closed logs first, then the largest, the asking one last."""
        # Sorting copies: a log collected as garbage meanwhile gives its account back in this very thread.
        order = sorted(self.accounts, key=lambda each: (each is asking, not each.closed, -each.held))
        for account in order:
            log = account()
            while log is not None and self.total > self.limit and log.evict_oldest():
                self.total += log.bytes - account.held
                account.held = log.bytes

    def resize(self, limit: int) -> None:
        """Set the limit and evict at once what exceeds it.

        Raises:
            InvalidError: ``limit`` is not a positive number of bytes.
        """
        if not is_whole(limit, 1):
            raise InvalidError(f"log budget is {brief(limit)}", hint="a positive number of bytes is allowed")
        with LOCK:
            self.limit = limit
            self.make_room()


BUDGET = Budget()


def set_log_budget(size: int) -> None:
    """Limit what the logs of all connections keep together; the logs of closed ones give way first.

    Args:
        size: Bytes, counted as ``log_bytes`` does: what is held; 256 MiB unless set.

    Raises:
        InvalidError: ``size`` is not a positive number of bytes.
    """
    BUDGET.resize(size)
