"""The rules of a connection."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ipyws.core.lock import LOCK
from ipyws.core.rules.beat import Beat, check_period
from ipyws.core.rules.openness import Openness
from ipyws.core.rules.planned import Answer, Timed
from ipyws.core.rules.reply import Reply
from ipyws.core.rules.rule import Ground, Rule, RulePayload
from ipyws.errors import InvalidError, WebSocketError

if TYPE_CHECKING:
    from ipyws.core.connection.state import State
    from ipyws.core.messages.matcher import Wanted
    from ipyws.core.options.durations import Duration
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL

MOST = 100
"""Rules of a connection that may be under way together."""


class Ruled(Ground, Protocol):
    """A connection that has rules."""

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error for whoever wants something of it once it is closed, else None."""

    def changed(self) -> None:
        """Tell all watchers."""


class Rules:
    """What a connection sends by itself.

    Args:
        connection: The connection.
        every: The option.
        reply: The option.

    Attributes:
        private: The names of these options where they are given: another origin gets nothing of them.
    """

    def __init__(self, connection: Ruled, every: Sequence[Timed] = (), reply: Sequence[Answer] = ()) -> None:
        self._planned: list[Timed | Answer] = [*every, *reply]
        self.private = (*(("every",) if every else ()), *(("reply",) if reply else ()))
        self._connection = connection
        self._openness = Openness()
        self._numbers = itertools.count(1)
        self._rules: tuple[Rule, ...] = ()

    # -- what a user does ----------------------------------------------------------------------------

    def every(self, period: Duration, payload: RulePayload) -> Rule:
        """Begin a rule that sends in intervals; see `AsyncClient.every`."""
        self._check()
        checked = check_period("the interval", period)
        return self._begin(Beat(self._connection, self._openness, next(self._numbers), checked, payload))

    def reply(self, wanted: Wanted, payload: RulePayload) -> Rule:
        """Begin a rule that answers what comes; see `AsyncClient.reply`."""
        self._check()
        number = next(self._numbers)
        return self._begin(Reply(self._connection, self._openness, number, wanted, payload))

    @property
    def listed(self) -> tuple[Rule, ...]:
        """Those under way, and those that an error stopped."""
        return tuple(rule for rule in self._rules if not rule.stopped or rule.error)

    def stop(self, numbers: list[int]) -> list[Rule]:
        """Stop the rules of these numbers, or all; return those that were under way.

        Raises:
            InvalidError: There is no such rule.
        """
        known = {rule.number: rule for rule in self._rules}
        for number in numbers:
            if number not in known:
                raise InvalidError(f"there is no rule {number}", hint="%ws rules lists them")
        chosen = [known[number] for number in numbers or known]
        under_way = [rule for rule in chosen if not rule.stopped]
        for rule in chosen:
            rule.stop()
        with LOCK:
            self._rules = tuple(rule for rule in self._rules if rule not in chosen)
        return under_way

    def _check(self) -> None:
        if error := self._connection.over(waited=False):
            raise error
        if sum(not rule.stopped for rule in self._rules) >= MOST:
            raise InvalidError(f"the connection has {MOST} rules", hint="stop some: rule.stop(), %ws rules")

    def _begin(self, rule: Rule) -> Rule:
        with LOCK:
            self._rules = (*(other for other in self._rules if not other.stopped or other.error), rule)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._connection.loop.call_soon_threadsafe(self._start, rule)
        return rule

    def _start(self, rule: Rule) -> None:
        if self._connection.state != "open":  # lost just when the first rule was made
            self._openness.end()
        rule.begin(self._connection.changed)

    # -- what the connection tells -------------------------------------------------------------------

    async def prepare(self, url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
        """Begin the rules of the options; before the first dial, so that nothing that comes is missed."""
        planned, self._planned = self._planned, []
        for plan in planned:
            if isinstance(plan, Timed):
                rule = self.every(timedelta(seconds=plan.period), plan.payload)
            else:
                rule = self.reply(plan.wanted, plan.payload)
            rule.private = True
        return url, options

    def greeted(self) -> None:
        """Note that what is sent on each open is sent; the last step of each opening."""
        self._openness.begin()

    def look(self) -> None:
        """Pause while the connection is not open; end with it."""
        state = self._connection.state
        if state != "open":
            self._openness.end()
        if state == "closed":
            for rule in self._rules:
                if not rule.stopped:
                    rule.end()
