"""A rule that sends in intervals: a heartbeat."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.options.durations import format_duration, seconds
from ipyws.core.rules.openness import Openness
from ipyws.core.rules.rule import Ground, Rule, RulePayload
from ipyws.errors import InvalidError

SHORTEST: Final = 0.01
"""Seconds between two messages of a rule, at least."""


class Beat(Rule):
    """Sends each time that an interval has passed.

    While the connection is not open it pauses; when it is open again, it sends once, and goes on from there.

    Args:
        period: Seconds between two messages.
    """

    def __init__(
        self, ground: Ground, openness: Openness, number: int, period: float, payload: RulePayload
    ) -> None:
        super().__init__(ground, openness, number, f"every {format_duration(period)}", payload)
        self.period = period

    async def _live(self) -> Any:
        again = False
        while True:
            await self._openness.opened()
            if again:
                await self._send()
            again = True
            await self._beat()

    async def _beat(self) -> None:
        """Send in intervals until the connection is lost; what a slow function misses is not made up for."""
        clock = self._ground.loop.time
        due = clock() + self.period
        while not await self._openness.lost_within(max(0.0, due - clock())):
            due = max(due + self.period, clock())
            await self._send()


def check_period(name: str, value: Any) -> float:
    """Return the seconds between two messages of a rule.

    Raises:
        InvalidError: It is no duration, or too short.
    """
    period = seconds(value, name=name)
    if period < SHORTEST:
        raise InvalidError(f"{name} is shorter than 10ms", hint="send_all() sends many messages at once")
    return period
