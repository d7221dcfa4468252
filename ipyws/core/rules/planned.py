"""Rules that a connection is to have from the start, by its options ``every`` and ``reply``."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipyws.core.messages.matcher import Wanted
from ipyws.core.rules.rule import RulePayload


@dataclass(frozen=True, slots=True)
class Timed:
    """Something to send in intervals.

    Attributes:
        period: Seconds between two messages.
        payload: What is sent, or what makes it.
    """

    period: float
    payload: RulePayload = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Something to answer with.

    Attributes:
        wanted: Which messages are answered.
        payload: What is sent, or what makes it of the message.
    """

    wanted: Wanted = field(repr=False)
    payload: RulePayload = field(repr=False)
