"""What the writers of scripts have in common: which actions there are, and what becomes a comment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ipyws.handover.names import UntranslatableError
from ipyws.handover.scenario import Action, Answers, Expression, Pause, Piece, Say
from ipyws.script import steps
from ipyws.script.expression import shown
from ipyws.script.steps import DEFAULT_TIMEOUT
from ipyws.script.template import Place
from ipyws.snippets.secrets import Reference
from ipyws.text.masking import mask
from ipyws.text.printable import visible


def comment(text: str) -> str:
    """Return a text that can't end the comment that it stands in."""
    return visible(text)


class Spelling(ABC):
    """Writes actions as lines of a program.

    Args:
        notes: What is not carried over is added to them.

    Attributes:
        JSON: The function that spells a value as JSON.
        notes: What is not carried over.
        kept: The names of values that steps have kept.
        remarks: What stands above the next line.
        number: Of the action that is written, counted from 1.
    """

    JSON: str

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.kept: set[str] = set()
        self.remarks: list[str] = []
        self.number = 0

    def lines(self, action: Action) -> Iterator[str]:
        """Yield the lines of an action, comments first."""
        self.number += 1
        written = list(self._written(action))
        yield from map(self.comment, self.remarks)
        self.remarks.clear()
        yield from written

    def _written(self, action: Action) -> Iterator[str]:
        match action:
            case Say():
                yield self.send(self._payload(action))
            case Answers(count, label):
                many = f"the {count} messages" if count > 1 else "the message"
                yield self.wait(self._named(f"{many} after {label}"), count, DEFAULT_TIMEOUT, "")
            case Pause(seconds, recorded):
                if recorded:
                    self.remarks.append(f"it was {recorded:.0f} s")
                yield self.pause(seconds)
            case steps.Sleep(_, seconds):
                yield self.pause(seconds)
            case steps.Ping():
                yield self.ping(self._named("ping"))
            case _:
                yield from self._awaited(action)

    def _awaited(self, action: steps.Wait | steps.Expect | steps.Close) -> Iterator[str]:
        match action:
            case steps.Wait(_, count, timeout, where):
                test = "" if where is None else self._condition(action, where)
                yield self.wait(self._named(_words(action)), count, timeout, test)
            case steps.Expect(_, expression, name, timeout):
                yield self.expect(
                    self._named(_words(action)), timeout, self._condition(action, expression), name
                )
                self.kept |= {name} if name else set()
            case steps.Close():
                yield from self.close(replace(action, reason=mask(action.reason)))

    def _payload(self, action: Say) -> str:
        """Return the expression of a message; as it was sent, where it can't be made again."""
        if action.note:
            self.remarks.append(f"message {action.label}: {action.note}")
            self.notes.append(self.remarks[-1])
        try:
            return self._joined(action.payload)
        except UntranslatableError as error:
            self.remarks.append(f"message {action.label} is what it was when it was sent: {error}")
            self.notes.append(self.remarks[-1])
            return self._joined(action.recorded)

    def _joined(self, payload: Sequence[Piece] | bytes) -> str:
        if isinstance(payload, bytes):
            return self.binary(payload)
        return " + ".join(map(self.value, payload)) or self.literal("")

    def _condition(self, step: steps.Wait | steps.Expect, expression: str) -> str:
        """Return the function that accepts a message; "" where it can't be carried over."""
        try:
            return self.condition(expression)
        except UntranslatableError as error:
            note = (
                f"step {self.number}: {shown(expression)} is not carried over, any message will do: {error}"
            )
            self.notes.append(note)
            self.remarks.append(note)
            return ""

    def value(self, piece: Piece) -> str:
        """Return the expression of a stretch of a payload."""
        match piece.what:
            case Reference(name):
                written = self.variable(name)
                return f"spelled({written})" if piece.place in ("string", "value") else written
            case Expression(source):
                return f"{self._spells(piece.place)}({self.expression(source)})"
            case str(text):
                return self.literal(text)

    def _named(self, words: str) -> str:
        """Return the name by which a step is counted."""
        return visible(f"step {self.number}: {words}")

    def _spells(self, place: Place) -> str:
        """Return the function of the kits that spells a value where it stands."""
        return {"value": self.JSON, "string": "spelled", "text": "text", "whole": "whole"}[place]

    @abstractmethod
    def send(self, payload: str) -> str:
        """Return the line that sends a message."""

    @abstractmethod
    def wait(self, name: str, count: int, seconds: float, condition: str) -> str:
        """Return the line that waits for messages."""

    @abstractmethod
    def expect(self, name: str, seconds: float, condition: str, keep: str | None) -> str:
        """Return the line that waits for a message and keeps what it holds."""

    @abstractmethod
    def pause(self, seconds: float) -> str:
        """Return the line that does nothing."""

    @abstractmethod
    def ping(self, name: str) -> str:
        """Return the line that sends a ping and waits for its pong."""

    @abstractmethod
    def close(self, action: steps.Close) -> Iterable[str]:
        """Yield the lines that close the connection."""

    @abstractmethod
    def condition(self, expression: str) -> str:
        """Return a function of a message and its JSON."""

    @abstractmethod
    def expression(self, source: str) -> str:
        """Return an expression of Python in the other language."""

    @abstractmethod
    def literal(self, text: str) -> str:
        """Return a text."""

    @abstractmethod
    def variable(self, name: str) -> str:
        """Return a variable of the environment."""

    @abstractmethod
    def binary(self, data: bytes) -> str:
        """Return bytes."""

    @abstractmethod
    def comment(self, text: str) -> str:
        """Return a line that says something."""


def _words(step: steps.Wait | steps.Expect) -> str:
    """Return what a step waits for."""
    if isinstance(step, steps.Expect):
        return f"expect {shown(step.expression)}"
    return f"wait {step.count}" + (f" where {shown(step.where)}" if step.where else "")
