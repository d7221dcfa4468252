"""The seam to contracts: whether messages keep to what an API promises; `ipyws.contracts` reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ipyws.core.messages.message import Direction, Message

SCHEMA: Final = "$schema"
"""The key by which a mapping is a JSON Schema, and not what a message has to hold."""

READERS: Final[list[Callable[[Any], Contract]]] = []
"""What reads a contract from a file or a schema: one function, which `ipyws.api` puts there."""

_DATA: Final = ("text", "binary")


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a message breaks a contract.

    Attributes:
        path: Where in the message, as a JSON Pointer (RFC 6901); "" for the whole.
        what: What is wrong there, without secrets.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" if self.path else self.what


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a message keeps to a contract: true if it does.

    Attributes:
        message: The name of the message that it is, or comes closest to; "" if it is none.
        violations: What is wrong with it; none if it keeps to the contract.
    """

    message: str
    violations: tuple[Violation, ...] = ()

    def __bool__(self) -> bool:
        return not self.violations


class Contract(ABC):
    """What an API promises of its messages.

    Attributes:
        path: The file that it was read from, or None.
    """

    path: str | None = None

    @abstractmethod
    def judge(self, value: Any, direction: Direction, name: str = "") -> Judgement:
        """Tell whether a decoded message keeps to the contract; on any thread.

        Args:
            value: What it means: `Message.value`.
            direction: Which way it passed.
            name: Which message it has to be; "" for any that may pass that way.

        Raises:
            InvalidError: There is no such message.
        """


def read_contract(source: Any) -> Contract:
    """Return the contract that a file or a JSON Schema is.

    Raises:
        InvalidError: It can't be read or understood, or a library is not installed.
    """
    return READERS[0](source)


def judge_message(contract: Contract, message: Message) -> Judgement | None:
    """Return whether a message of a log keeps to a contract; None for a control frame, which has none."""
    if message.type not in _DATA:
        return None
    decoded = message.read()
    if decoded.problem is not None:
        return Judgement("", (Violation("", decoded.problem.message),))
    return contract.judge(decoded.value, message.direction)
