"""The arguments of a word in a line of ``%ws``: each is JSON, or else text."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, Final, NamedTuple

from ipyws.core.options.literals import read_json_or_text
from ipyws.errors import InvalidError
from ipyws.script.expression import Evaluate
from ipyws.script.template import Protected, expand, find

# What decides where an object or a list ends: strings as a whole, and brackets.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[](){}[]', re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"(?=\s|$)', re.DOTALL)


class Value(NamedTuple):
    """What an argument means.

    Attributes:
        value: As JSON, or else as text.
        payload: As it is published: what is no object and no list stands for itself, so 1.50 remains 1.50.
    """

    value: Any
    payload: Any


class Argument(NamedTuple):
    """One argument as it stands in a line.

    Attributes:
        text: Without the quotes around it, its templates taken out.
        quoted: Whether it is a JSON string, so that what it holds is text and nothing else.
        end: Where it ends in the line.
    """

    text: str
    quoted: bool = False
    end: int = 0

    def read(self, protected: Protected, evaluate: Evaluate | None) -> Value:
        """Return what it means: a template alone is its value, anything else JSON, or text.

        Args:
            protected: The line, with its templates.
            evaluate: Gives the value of a template's expression; None to leave them as they stand.

        Raises:
            InvalidError: A template can't be expanded.
        """
        source = protected.source(self.text)
        if evaluate is not None and not self.quoted:
            parts = find(source)
            if len(parts) == 1 and parts[0].is_expression:
                value = evaluate(parts[0].text)
                return Value(value, value)
        text = source if evaluate is None else expand(source, evaluate, as_text=self.quoted)
        value = text if self.quoted or isinstance(text, bytes) else read_json_or_text(text)
        return Value(value, value if isinstance(value, dict | list) else text)


def argument_at(line: str, place: int) -> Argument | None:
    """Return the object, list or string of JSON that begins at a place of a line; None if none does.

    Raises:
        InvalidError: It has no end.
    """
    if line[place] == '"' and (found := _STRING.match(line, place)):
        with contextlib.suppress(ValueError):  # an escape that JSON has not: a shell may
            # Not strictly: the places of templates are marked by a control character.
            return Argument(json.loads(found[0], strict=False), True, found.end())
    if line[place] not in "{[":
        return None
    end = _end(line, place)
    if end is None:
        raise InvalidError(f"{line[place]} is not closed", hint="quote what is no JSON")
    return Argument(line[place:end], False, end) if line[end : end + 1].strip() == "" else None


def _end(line: str, place: int) -> int | None:
    depth = 0
    for token in _TOKEN.finditer(line, place):
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return None
