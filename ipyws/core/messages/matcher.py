"""Judging messages: which of those that come is the one that somebody waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from ipyws.core.codecs.formats.json_encoder import simplified
from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.codecs.freeing import free, uncollected
from ipyws.core.codecs.looks import PLAIN, looks_like
from ipyws.core.messages.contract import SCHEMA, Contract, Violation, read_contract
from ipyws.core.messages.message import Message, preview
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import mask
from ipyws.text.printable import visible

_SHOWN = 200
_LAST_SHOWN = 200
_KEPT = 3
_OURS = ("auto", "json")
_OF_JSON = (str, int, float, dict, list, type(None))

Wanted = Callable[[Message], object] | Mapping[str, Any] | Contract | None
"""What `Client.expect` and `Client.request` wait for, by a function of the message, by what its JSON object
holds, by a contract or a JSON Schema that it keeps to, or None for whatever comes next."""


class Judge:
    """Tells whether a message is the one that is waited for, and keeps what to say if none was.

    Args:
        test: Says it. An exception means "no", only an unknown name is an error.
        words: What is waited for, in words.
        judged_by: What ``test`` is, in words; ``words`` unless given.

    Attributes:
        words: What is waited for, in words.
        refused: How many messages were not.
        last: The last of them.
        failure: What ``test`` raised the last time that it did, or "".
        failed: How often it did.
        opaque: The last of them of which `read` found no value, or None.
        reads: Whether it looks at nothing but the JSON, so that any thread may ask it.
    """

    reads = False

    def __init__(self, test: Callable[[Message], object], words: str, judged_by: str = "") -> None:
        self._test = test
        self._judged_by = judged_by or words
        self.words = words
        self.refused = self._opaque = 0
        self._hidden = False  # whether ``test`` raised where there was no JSON
        self.opaque: Message | None = None
        self.last: deque[Message] = deque(maxlen=_KEPT)
        self.failure = ""
        self.failed = 0
        self._made: list[Any] = []  # the last value, where it is large

    def __call__(self, message: Message, seen: Message | None = None) -> bool:
        """Tell whether ``message`` is the one.

        Args:
            message: The message.
            seen: What the test looks at in its place: the same, read already.

        Raises:
            InvalidError: The test has an unknown name.
        """
        if self.reads and _is_large(message):
            with uncollected():
                try:
                    return self._judge(message, message)
                finally:
                    free(self._made)
        return self._judge(message, seen or message)

    def _judge(self, message: Message, seen: Message) -> bool:
        try:
            fulfilled = bool(self._test(seen))
        except NameError as error:
            raise InvalidError(f"{self.words}: {error}", hint="define it first") from None
        except Exception as error:
            if isinstance(error, InvalidError) and "variable" in error.details:
                raise  # of the environment, and not set: as unknown as a name
            fulfilled = False
            if self.opaque is seen:  # it follows from there being no JSON
                self._hidden = True
            else:
                self.failed += 1
                self.failure = visible(mask(f"{type(error).__name__}: {error}"))[:_SHOWN]
        if not fulfilled:
            self.refused += 1
            self.last.append(message)
        return fulfilled

    def read(self, message: Message) -> Any:
        """Return a message's value for the test; None if it has none, of which `describe` tells."""
        decoded = message.read()
        if decoded.structured and decoded.problem is None:
            if self.reads and _is_large(message):
                self._made.append(decoded.value)
            return decoded.value
        self._opaque += 1
        self.opaque = message
        return None

    def cause(self) -> str:
        """Return in words why none was the one: it failed, there was nothing to read, or "" for neither."""
        failed = ""
        if self.failure:
            came = "1 message" if self.refused == 1 else f"{self.refused:,} messages"
            failed = f"{self._judged_by} failed on {self.failed:,} of {came}: {self.failure}"
        return "; ".join(filter(None, (failed, self._no_value())))

    def describe(self) -> str:
        """Return in words what came instead; "" if nothing did."""
        if not self.refused:
            return ""
        came = ", ".join([*map(preview, list(self.last)[:-1]), preview(self.last[-1], _LAST_SHOWN)])
        many = "the message" if self.refused == 1 else f"the {self.refused:,} messages"
        before = ", the last" if self.refused > len(self.last) else ""
        return f"{self.words} does not hold for {many} that came{before}: {came}"

    def _no_value(self) -> str:
        lacked, looks = "JSON", PLAIN
        if self.opaque is not None:
            problem = self.opaque.problem
            lacked = self.opaque.codec.name if problem else "JSON"
            looks = problem.message.partition(": ")[2] if problem else looks_like(self.opaque.data)
        if looks == PLAIN and not self._hidden:
            return ""  # it is there to be read
        if self._opaque < self.refused:
            has = "has" if self._opaque == 1 else "have"
            which = f"{self._opaque:,} of {self.refused:,} messages {has}"
        else:
            which = "the message has" if self.refused == 1 else f"the {self.refused:,} messages have"
        of = "" if self._opaque == 1 else "of the last, "
        return f"{which} no {lacked}: {of}{looks}"


class KeepingJudge(Judge):
    """Waits for a message that keeps to a contract.

    Args:
        contract: The contract.
        name: Which message; "" for any.
    """

    reads = True

    def __init__(self, contract: Contract, name: str = "") -> None:
        super().__init__(self._keeps, f"valid {name}".rstrip())
        if name:
            contract.judge(None, "in", name)  # is there such a message?
        self._contract = contract
        self._name = name
        self._wrong: tuple[Violation, ...] = ()

    def _keeps(self, message: Message) -> bool:
        judgement = self._contract.judge(self.read(message), message.direction, self._name)
        self._wrong = judgement.violations
        return bool(judgement)

    def cause(self) -> str:
        """Return what is wrong with the last of what came."""
        return super().cause() or (str(self._wrong[0]) if self._wrong else "")


def _is_large(message: Message) -> bool:
    """Tell whether a value may be large; only of what is known to be made anew each time that it is read."""
    data = message.data
    return message.codec.name in _OURS and (isinstance(data, bytes) or len(data) >= LARGE)


def make_judge(wanted: Wanted, what: str = "predicate") -> Judge | None:
    """Return what judges messages by ``wanted``; None if every message will do.

    Args:
        wanted: See `Wanted`. A mapping fits a JSON object that has the same items, its other items aside, and
            a list in which one does; what is in it is compared in the same way.
        what: The name of the parameter, for the error.

    Raises:
        InvalidError: ``wanted`` is nothing of these.
    """
    if wanted is None or isinstance(wanted, Judge):
        return wanted
    if isinstance(wanted, Mapping) and SCHEMA in wanted:
        wanted = read_contract(wanted)
    if isinstance(wanted, Contract):
        return KeepingJudge(wanted)
    if isinstance(wanted, Mapping):
        pattern = simplified(wanted)
        return judge_json(lambda value: holds(value, pattern), brief(dict(wanted)))
    if callable(wanted) and not iscoroutinefunction(wanted):
        return Judge(wanted, f"the {what}")
    raise InvalidError(
        f"{what} is a coroutine function"
        if callable(wanted)
        else f"{what} is of type {type(wanted).__name__}",
        hint="a function of the message, a mapping that its JSON must hold, or None is allowed",
    )


def parsed(message: Message) -> Any:
    """Return a message's value, or None if it has none that is like JSON."""
    decoded = message.read()
    return decoded.value if decoded.structured else None


def judge_json(test: Callable[[Any], object], words: str) -> Judge:
    """Return what judges messages by their JSON, which is None for one that has none."""
    judge: Judge = Judge(lambda message: test(judge.read(message)), words)
    judge.reads = True
    return judge


def holds(value: Any, wanted: Any) -> bool:
    """Tell whether a JSON value has all that ``wanted`` has; other items of objects don't matter.

    A list has it if it is like it, item by item, or if one of its items has it: servers send several of what
    is wanted together, and one alone in the same way.
    """
    if isinstance(value, list):
        if isinstance(wanted, (list, tuple)) and len(value) == len(wanted) and all(map(_fits, value, wanted)):
            return True
        return any(holds(item, wanted) for item in value)
    if isinstance(wanted, Mapping):
        return isinstance(value, dict) and all(
            key in value and holds(value[key], item) for key, item in wanted.items()
        )
    return _equal(value, wanted)


def _fits(item: Any, wanted: Any) -> bool:
    """Tell whether an item of a list is like that of the wanted one; for a scalar no list will do."""
    return holds(item, wanted) if isinstance(wanted, (Mapping, list, tuple)) else _equal(item, wanted)


def _equal(value: Any, wanted: Any) -> bool:
    if not isinstance(value, _OF_JSON):  # a time, a decimal: what is wanted of it has the form of JSON
        return bool(value == wanted) or bool(simplified(value) == wanted)
    # In Python True == 1, in JSON they differ.
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
