"""A contract: the channels, operations and messages of an API, and whether a message keeps to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ipyws.contracts.document import Pointer, written
from ipyws.contracts.schema import Schema
from ipyws.core.messages.contract import Contract, Judgement, Violation
from ipyws.core.messages.message import Direction
from ipyws.errors import InvalidError, brief, suggestion
from ipyws.text.printable import visible
from ipyws.text.rich import Rich, Table

_T = TypeVar("_T")

_NAMED: Final = 8  # messages that a violation names


@dataclass(frozen=True, slots=True)
class MessageType:
    """A message of the API.

    Attributes:
        name: Its name.
        about: What it is for, in a line, or "".
        schema: What its payload has to be, or None for anything.
        unread: Why its payload is not judged though the document says what it is, or "".
        examples: Payloads that the document gives.
        constants: Properties that are always one text: what tells it from others.
        correlation: Where in it stands what a reply repeats, or None.
    """

    name: str
    about: str = ""
    schema: Schema | None = None
    unread: str = ""
    examples: tuple[Any, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    correlation: Pointer | None = None


@dataclass(frozen=True, slots=True)
class ApiChannel:
    """Where messages go.

    Attributes:
        name: Its name in the document.
        address: A path, a topic, with parameters in braces; or "".
        about: What it is for, in a line, or "".
        messages: What may pass there.
    """

    name: str
    address: str
    about: str = ""
    messages: tuple[MessageType, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client does, or what the server does.

    Attributes:
        name: Its name.
        direction: "out" if the client sends its messages, "in" if the server does.
        channel: Where.
        about: What it is for, in a line, or "".
        messages: What is sent.
        replies: What comes back.
    """

    name: str
    direction: Direction
    channel: ApiChannel
    about: str = ""
    messages: tuple[MessageType, ...] = ()
    replies: tuple[MessageType, ...] = ()


class _Choice:
    """The messages that may pass one way, by what tells them apart."""

    def __init__(self, messages: Sequence[MessageType]) -> None:
        self.messages = messages
        names = [name for message in messages for name, _ in message.constants]
        self._key = max(set(names), key=lambda name: (names.count(name), name), default="")
        self._by_text: dict[str, list[MessageType]] = {}
        self._others: list[MessageType] = []
        for message in messages:
            text = dict(message.constants).get(self._key)
            (self._others if text is None else self._by_text.setdefault(text, [])).append(message)

    def candidates(self, value: Any) -> Sequence[MessageType]:
        """Return the messages that a value may be, those first that it most likely is."""
        if not self._key or not isinstance(value, dict) or self._key not in value:
            return self.messages  # what it lacks may not be required
        likely = [*self._by_text.get(_text(value[self._key]), ()), *self._others]
        return likely or self.messages  # then their schemas say what is wrong

    def unknown(self, value: Any) -> Violation | None:
        """Return what is wrong with a value that is of no message by what tells them apart, or None."""
        if len(self._by_text) < 2 or not isinstance(value, dict) or self._key not in value:
            return None
        found = value[self._key]
        if _text(found) in self._by_text:
            return None
        return Violation(written((self._key,)), f"{brief(found)} is none of {_listed([*self._by_text])}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, repr=False)
class ApiContract(Contract, Rich):
    """What an API promises.

    Attributes:
        file: The document, as errors and views name it.
        title: What the API is called.
        version: Its version, or "".
        kind: "AsyncAPI 3.0.0" or "JSON Schema".
        servers: URLs that it can be reached at, as far as the document says.
        channels: Its channels.
        operations: What is done on them.
        messages: All messages, by name, each once.
        path: The file that it was read from, as it was given, or None.
    """

    file: str
    title: str
    version: str
    kind: str
    servers: tuple[str, ...]
    channels: tuple[ApiChannel, ...]
    operations: tuple[Operation, ...]
    messages: tuple[MessageType, ...]
    path: str | None = None
    _choices: dict[Direction, _Choice] = field(default_factory=dict, compare=False)

    def _shown_as(self) -> Table:
        rows: list[tuple[str, ...]] = [
            (
                operation.channel.address or operation.channel.name,
                "you send" if operation.direction == "out" else "you get",
                operation.name,
                _listed([message.name for message in operation.messages]),
                _listed([message.name for message in operation.replies]),
            )
            for operation in self.operations
        ]
        if rows:
            return Table(repr(self)[1:-1], rows, ("channel", "who", "operation", "messages", "replies"))
        messages = [(message.name, message.about) for message in self.messages]
        return Table(repr(self)[1:-1], messages, ("message", "about"))

    def __repr__(self) -> str:
        title = " ".join(filter(None, (self.title, self.version)))
        count = len(self.messages)
        return f"<{self.kind} {visible(title)!r}, {count} message{'s' * (count != 1)}, {self.file}>"

    def judge(self, value: Any, direction: Direction, name: str = "") -> Judgement:
        """Tell whether a decoded message keeps to the contract; see `Contract.judge`."""
        if name:
            schema = self.message(name).schema
            return Judgement(name, () if schema is None else schema.violations(value))
        choice = self._choices.get(direction)
        if choice is None:
            choice = self._choices[direction] = _Choice(self.passing(direction))
        candidates = choice.candidates(value)
        for message in candidates:
            if message.schema is None or message.schema.is_valid(value):
                return Judgement(message.name)
        if unknown := choice.unknown(value):
            return Judgement("", (unknown,))
        if not candidates:
            whose = "the server sends" if direction == "in" else "a client sends"
            return Judgement("", (Violation("", f"the contract has no message that {whose}"),))
        judged = [(message, message.schema.violations(value)) for message in candidates if message.schema]
        closest, violations = min(judged, key=lambda each: _distance(each[1]))
        return Judgement(closest.name, violations)

    def passing(self, direction: Direction) -> tuple[MessageType, ...]:
        """Return the messages that may pass one way; all of a document that has no operations."""
        found: dict[str, MessageType] = {}
        for operation in self.operations:
            same_way = operation.messages if operation.direction == direction else operation.replies
            found.update((message.name, message) for message in same_way)
        return tuple(found.values()) if self.operations else self.messages

    def message(self, name: str) -> MessageType:
        """Return a message by its name.

        Raises:
            InvalidError: There is none.
        """
        return _named("message", name, {message.name: message for message in self.messages})

    def operation(self, name: str) -> Operation:
        """Return an operation by its name.

        Raises:
            InvalidError: There is none.
        """
        return _named("operation", name, {operation.name: operation for operation in self.operations})


def _named(what: str, name: str, known: dict[str, _T]) -> _T:
    if name not in known:
        hint = suggestion(name, known, f"there are {_listed([*known])}")
        raise InvalidError(f"the contract has no {what} {brief(name)}", hint=hint)
    return known[name]


def _distance(violations: Sequence[Violation]) -> tuple[int, int]:
    shallow = sum(violation.path.count("/") < 2 for violation in violations)
    return len(violations), shallow


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
