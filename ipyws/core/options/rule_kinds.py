"""Options that say what a connection sends by itself."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ipyws.core.codecs.codec import Codec
from ipyws.core.messages.matcher import make_judge
from ipyws.core.messages.payload import encode
from ipyws.core.options.durations import format_duration
from ipyws.core.options.kinds import Field, OptionKind, refuse_unseen
from ipyws.core.rules.beat import check_period
from ipyws.core.rules.planned import Answer, Timed
from ipyws.errors import InvalidError

Planned = TypeVar("Planned", Timed, Answer)


class RuleKind(OptionKind):
    """Pairs that each make a rule."""

    separator = "\n"
    field: Field = "lines"
    example: str

    def check(self, name: str, value: Any) -> Any:
        if value is None:
            return ()
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise refuse_unseen(name, value, self.example)
        return tuple(self._check_pair(name, pair) for pair in value)

    def _check_pair(self, name: str, pair: Any) -> Timed | Answer:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InvalidError(f"{name} holds something else than a pair", hint=f"{self.example} is allowed")
        return self.make(name, *pair)

    @abstractmethod
    def make(self, name: str, first: Any, payload: Any) -> Timed | Answer:
        """Return what a pair says.

        Raises:
            InvalidError: It can't be used.
        """

    def read(self, *texts: str) -> tuple[str, ...]:
        return texts

    def show(self, value: Any) -> list[str]:
        return [repr(planned) for planned in value]


class EveryKind(RuleKind):
    """What is sent in intervals."""

    values = "pairs of duration and payload"
    annotation = "Iterable[tuple[Duration, RulePayload]] | None"
    checked = "tuple[Timed, ...]"
    metavar = "DURATION PAYLOAD"
    example = 'a list of pairs such as [("20s", "ping")]'
    in_file = ', such as `[["20s", "ping"]]`'

    def make(self, name: str, first: Any, payload: Any) -> Timed:
        return Timed(check_period(f"the interval of {name}", first), payload)

    def given(self, value: tuple[Timed, ...]) -> list[tuple[str, Any]]:
        if any(callable(timed.payload) for timed in value):
            raise ValueError("its payload is made by a function")
        return [(format_duration(timed.period), timed.payload) for timed in value]

    def read_field(self, text: str) -> list[tuple[str, ...]]:
        lines = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
        if any(not payload for _, _, payload in lines):
            raise InvalidError("every lacks a payload", hint="write a line such as: 20s ping")
        return [(period, payload.strip()) for period, _, payload in lines]

    def show(self, value: tuple[Timed, ...]) -> list[str]:
        return [f"every {format_duration(timed.period)}" for timed in value]


class ReplyKind(RuleKind):
    """What is answered, and with what."""

    values = "pairs of what is wanted and payload"
    annotation = "Iterable[tuple[Wanted, RulePayload]] | None"
    checked = "tuple[Answer, ...]"
    metavar = "EXPR PAYLOAD"
    example = 'a list of pairs such as [({"op": "ping"}, {"op": "pong"})]'
    in_file = ', such as `[[{op = "ping"}, {op = "pong"}]]`: an expression stands in no file'

    def make(self, name: str, first: Any, payload: Any) -> Answer:
        make_judge(first, f"what {name} waits for")
        return Answer(first, payload)

    def given(self, value: tuple[Answer, ...]) -> list[tuple[Any, Any]]:
        given = []
        for answer in value:
            if callable(answer.payload) or not isinstance(answer.wanted, Mapping):
                raise ValueError("it has a function or an expression")
            given.append((dict(answer.wanted), answer.payload))
        return given

    def read_field(self, text: str) -> list[tuple[Any, str]]:
        return [_read_json_pair(line.strip()) for line in text.splitlines() if line.strip()]

    def check_saved(self, name: str, value: Any, folder: Path) -> None:
        self.check(name, value)


def _read_json_pair(line: str) -> tuple[Any, str]:
    """Return the JSON object that a line begins with, and the payload behind it."""
    try:
        wanted, end = json.JSONDecoder().raw_decode(line)
    except (ValueError, RecursionError):
        wanted, end = None, 0
    payload = line[end:].strip()
    if not isinstance(wanted, dict) or not payload:
        raise InvalidError(
            "reply lacks the JSON object that is answered, or its payload",
            hint='write a line such as: {"op": "ping"} {"op": "pong"}',
        )
    return wanted, payload


def written(name: str, planned: tuple[Planned, ...], codec: Codec) -> tuple[Planned, ...]:
    """Return rules whose payloads are as they are sent; what makes them is left.

    Args:
        name: The option.
        planned: Its checked value.
        codec: The connection's.

    Raises:
        InvalidError: A payload can't be sent.
    """
    made: list[Planned] = []
    for number, rule in enumerate(planned, 1):
        try:
            payload = rule.payload if callable(rule.payload) else encode(rule.payload, codec=codec)[0]
        except InvalidError as error:
            raise error.within(f"{name}: payload {number}") from None
        made.append(replace(rule, payload=payload))
    return tuple(made)
