"""``{{ expr }}`` in a URL, a header or a body: found, evaluated by a callback, and put in safely.

An expression ends at the first ``}}`` outside its own brackets and strings; ``{{{{`` stands for a literal
``{{``. No error text holds a value: what a template yields may be secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from ipyws.core.codecs.formats.json_encoder import dumps, plain
from ipyws.errors import InvalidError
from ipyws.script.expression import Evaluate, shown

_ESCAPED: Final = "{{{{"

# What decides where an expression ends: Python's strings as a whole, one without an end to where it would
# have to end (so that no text is scanned twice), and brackets.
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''(?:\\.|[^\\])*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*+"?'
    r"|'(?:\\.|[^'\\\n])*+'?"
    r"|[](){}[]",
    re.DOTALL,
)
_JSON_START: Final = re.compile(r"\s*(?:\[|\{(?!\{))")
_JSON_STRING_END: Final = re.compile(r'(?:[^"\\]+|\\.)*+"', re.DOTALL)
_PLACEHOLDER: Final = re.compile("\x00([0-9]+)\x00")


Place = Literal["whole", "value", "string", "text"]
"""Where in a body a template stands: it is all of it, a value of JSON, within a string of JSON, in a text."""


class Part(NamedTuple):
    """A stretch of a text with templates.

    Attributes:
        text: A literal as it is sent, or the source of an expression.
        is_expression: Which of the two it is.
        position: Where it begins in the text, counted from 0.
    """

    text: str
    is_expression: bool
    position: int


class Protected(NamedTuple):
    """A line whose templates are taken out, so that it can be split into words.

    Attributes:
        line: The line with a placeholder, free of white space and quotes, for each template.
        sources: The templates as they were written, ``{{{{`` among them.
    """

    line: str
    sources: tuple[str, ...]

    def source(self, text: str) -> str:
        """Return ``text``, a piece of the line, with its templates as they were written."""
        return _PLACEHOLDER.sub(lambda match: self.sources[int(match[1])], text)

    def restore(self, text: str, evaluate: Evaluate) -> str:
        """Return ``text``, a piece of the line, with its templates expanded as `expand_plain` does.

        Raises:
            InvalidError: As `expand_plain`.
        """
        return expand_plain(self.source(text), evaluate)


def find(text: str) -> list[Part]:
    """Return the literals and the expressions of ``text``, in order.

    Raises:
        InvalidError: A ``{{`` has no end, or nothing between it and its end.
    """
    parts: list[Part] = []
    position = 0
    for start, end in _spans(text):
        _add_literal(parts, text[position:start], position)
        if end is None:
            raise InvalidError(
                f"template at {_place(text, start)} has no end", hint='close it with "}}"; "{{{{" writes "{{"'
            )
        if text.startswith(_ESCAPED, start):
            parts.append(Part("{{", False, start))
        elif not text[start + 2 : end - 2].strip():
            raise InvalidError(
                f"template at {_place(text, start)} is empty", hint='write an expression; "{{{{" writes "{{"'
            )
        else:
            parts.append(Part(text[start + 2 : end - 2].strip(), True, start))
        position = end
    _add_literal(parts, text[position:], position)
    return parts


def expand(text: str, evaluate: Evaluate, *, as_text: bool = False) -> str | bytes:
    """Return a message body with its templates replaced by what they yield.

    * A template that is the whole body: a str as it is, bytes as a binary payload, anything else as JSON.
    * In a body that begins like JSON: as JSON where a value stands, escaped inside a JSON string.
    * In any other text: ``str()`` of the value.

    Args:
        text: The body.
        evaluate: Called once for each template, in order, after the whole body was found well-formed.
        as_text: The body is no JSON although it begins like it (``--text``).

    Raises:
        InvalidError: A template is broken, raises, or yields what has no form in its place.
    """
    parts = placed(text, as_text=as_text)
    if parts and parts[0][1] == "whole":
        return _whole(parts[0][0].text, evaluate(parts[0][0].text))
    return "".join(
        _SPELLED[place](part.text, evaluate(part.text)) if part.is_expression else part.text
        for part, place in parts
    )


def placed(text: str, *, as_text: bool = False) -> list[tuple[Part, Place]]:
    """Return the literals and the expressions of a body, in order, each with the place it stands in.

    Args:
        text: The body.
        as_text: The body is no JSON although it begins like it.

    Raises:
        InvalidError: A template is broken.
    """
    parts = find(text)
    solid = [part for part in parts if part.is_expression or part.text.strip()]
    if len(solid) == 1 and solid[0].is_expression:
        return [(solid[0], "whole")]
    if not as_text and _JSON_START.match(text):
        return list(_placed_in_json(parts))
    return [(part, "text") for part in parts]


def expand_plain(text: str, evaluate: Evaluate) -> str:
    """Return a URL, a header value or another option with its templates replaced by text.

    Raises:
        InvalidError: A template is broken, raises, or yields something other than a str, number or bool.
    """
    return "".join(
        _plain(part.text, evaluate(part.text)) if part.is_expression else part.text for part in find(text)
    )


def protect(line: str) -> Protected:
    """Take the templates out of a magic's line before it is split into words.

    Split ``.line``; then each word (or the rest of the line) goes through `Protected.restore` where templates
    count, or `Protected.source` where they don't (``--raw``) or count later (a body for `expand`). A template
    that is broken stays in the line, so that only its expansion is an error.

    Raises:
        InvalidError: The line holds U+0000, which marks the places.
    """
    if "\x00" in line:
        raise InvalidError(
            "line holds the control character U+0000", hint="{{chr(0)}} writes it; a %%ws cell takes it"
        )
    pieces: list[str] = []
    sources: list[str] = []
    position = 0
    for start, end in _spans(line):
        if end is None:
            break
        pieces += line[position:start], f"\x00{len(sources)}\x00"
        sources.append(line[start:end])
        position = end
    return Protected("".join(pieces) + line[position:], tuple(sources))


def _spans(text: str) -> Iterator[tuple[int, int | None]]:
    """Yield start and end of each template and each ``{{{{``; the end is None where there is none."""
    start = text.find("{{")
    while start >= 0:
        end = start + len(_ESCAPED) if text.startswith(_ESCAPED, start) else _end(text, start + 2)
        yield start, end
        if end is None:
            return
        start = text.find("{{", end)


def _end(text: str, position: int) -> int | None:
    depth = 0
    for match in _TOKEN.finditer(text, position):
        if not depth and text.startswith("}}", match.start()):
            return match.start() + 2
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth = max(0, depth - 1)
    return None


def _add_literal(parts: list[Part], text: str, position: int) -> None:
    if text:
        parts.append(Part(text, False, position))


def _place(text: str, position: int) -> str:
    before = text[:position]
    return f"line {before.count(chr(10)) + 1} column {position - before.rfind(chr(10))}"


def _whole(expression: str, value: object) -> str | bytes:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return _json(expression, value)


def _placed_in_json(parts: list[Part]) -> Iterator[tuple[Part, Place]]:
    in_string = False
    for part in parts:
        yield part, "string" if in_string else "value"
        if not part.is_expression:
            in_string = _ends_in_string(part.text, in_string)


def _ends_in_string(literal: str, in_string: bool) -> bool:
    position = 0
    while True:
        if in_string:
            match = _JSON_STRING_END.match(literal, position)
            if not match:
                return True
            position = match.end()
        position = literal.find('"', position) + 1
        if not position:
            return False
        in_string = True


def _json(expression: str, value: object) -> str:
    return dumps(value, f"{_template(expression)} has no JSON form", compact=False)


def _text(expression: str, value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        raise InvalidError(
            f"{_template(expression)} yields bytes inside text", hint="decode them, or send them alone"
        )
    return str(value)


def _text_in_json(expression: str, value: object) -> str:
    """Return a value inside of a JSON string: as it would be one alone, and otherwise as in any text."""
    alone = plain(value)
    return alone if isinstance(alone, str) else _text(expression, value)


def _in_string(expression: str, value: object) -> str:
    return _json(expression, _text_in_json(expression, value))[1:-1]


_SPELLED: Final[dict[Place, Callable[[str, object], str]]] = {
    "value": _json,
    "string": _in_string,
    "text": _text,
}


def _plain(expression: str, value: object) -> str:
    value = plain(value)
    if not isinstance(value, str | int | float):
        raise InvalidError(
            f"{_template(expression)} yields {type(value).__name__}",
            hint="a str, a number, a bool, a time, a UUID or a path is allowed here",
        )
    return str(value)


def _template(expression: str) -> str:
    return f"template {{{{{shown(expression)}}}}}"
