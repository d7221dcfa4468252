"""What a ``%%ws`` body does, step by step: the result of `ipyws.script.grammar.parse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ipyws.core.options.durations import format_duration

Encoding = Literal["text", "hex", "base64", "file"]

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds that `Wait` and `Expect` wait unless the body says otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a body does.

    Attributes:
        line: The line it stands on, counted from 1; for a message the first line of its payload.
    """

    line: int


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send a message.

    Attributes:
        payload: The text as it stands, templates and all; for "file" the path.
        encoding: How the payload says what is sent.
    """

    payload: str
    encoding: Encoding = "text"


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Wait for messages of the server.

    Attributes:
        count: How many, at least 1.
        timeout: Seconds for all of them.
        where: The expression that a message must fulfil to count, or None.
    """

    count: int = 1
    timeout: float = DEFAULT_TIMEOUT
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Wait for a message that fulfils an expression.

    Attributes:
        expression: What it must fulfil.
        name: The notebook's variable that keeps what came, parsed if it is JSON; or None.
        timeout: Seconds to wait.
    """

    expression: str
    name: str | None = None
    timeout: float = DEFAULT_TIMEOUT


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """Do nothing for ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ping(Step):
    """Send a ping and wait for its pong."""


@dataclass(frozen=True, slots=True)
class Close(Step):
    """Close the connection with ``code`` and ``reason``."""

    code: int = 1000
    reason: str = ""


def describe(step: Step) -> str:
    """Return a step as a body has it; of a message only that it is sent."""
    match step:
        case Send(_, payload, encoding):
            return f"file {payload}" if encoding == "file" else "send"
        case Wait(_, count, timeout, where):
            condition = f" where {where}" if where else ""
            return f"wait {count} {format_duration(timeout)}{condition}"
        case Expect(_, expression, name, timeout):
            kept = f" as {name}" if name else ""
            return f"expect {expression}{kept} within {format_duration(timeout)}"
        case Sleep(_, seconds):
            return f"sleep {format_duration(seconds)}"
        case Close(_, code, reason):
            return f"close {code} {reason}".rstrip()
    return "ping"
