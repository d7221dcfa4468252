"""The values of some JSON keys, taken out of texts.

A text is not parsed for it, so that all else stays to the letter, and so that it works where JSON is only a
part of the text (``42["login", {…}]``, several objects in one message) or is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

from ipyws.errors import InvalidError, brief
from ipyws.text.masking import MASK

Redact = Callable[[str], str]
"""Returns a text without the values; `make_redact` makes one."""

_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_COLON: Final = re.compile(r"\s*:\s*")
_SCALAR: Final = re.compile(r'[^\s,:{}\[\]"]*')
_BRACKET: Final = re.compile(r'["{}\[\]]')
_WITHIN: Final = 3  # JSON in a string in JSON in a string: deeper, nobody looks


def make_redact(keys: Iterable[str] | str) -> Redact | None:
    """Return the function that puts stars for the values of JSON keys; None if there are no keys.

    Args:
        keys: Their names, in whatever case. The values go at any depth, also in JSON that is in a string.

    Raises:
        InvalidError: ``keys`` holds anything but names.
    """
    try:
        names = [keys] if isinstance(keys, str) else list(keys)
    except TypeError:
        raise InvalidError(f"redact is {brief(keys)}", hint="a list of JSON keys is allowed") from None
    for name in names:
        if not isinstance(name, str) or not name:
            raise InvalidError(f"redact holds {brief(name)}", hint="names of JSON keys are allowed")
    if not names:
        return None
    wanted = frozenset(name.casefold() for name in names)
    return lambda text: _redact(text, wanted, _WITHIN)


def _redact(text: str, wanted: frozenset[str], within: int) -> str:
    pieces = []
    done = reached = 0
    at = text.find('"')
    while at >= 0:
        string = _STRING.match(text, at)
        assert string is not None  # a quotation mark begins one
        end = string.end()
        colon = _COLON.match(text, end)
        new = None
        if colon and _read(string[0]).casefold() in wanted:
            at, end, new = colon.end(), _end_of_value(text, colon.end()), f'"{MASK}"'
        elif not colon and within and "\\" in string[0] and at >= reached:
            new = _redact_within(string[0], wanted, within - 1)
        reached = max(reached, end)
        if new is not None:
            pieces += [text[done:at], new]
            done = end
        # What ends a string may begin a key: after a stray quotation mark all others change their parts.
        at = text.find('"', max(at + 1, end - 1) if new is None else end)
    return "".join(pieces) + text[done:] if pieces else text


def _redact_within(string: str, wanted: frozenset[str], within: int) -> str | None:
    """Return a JSON string whose own text is JSON without the values; None if it has none of them."""
    text = _read(string)
    without = _redact(text, wanted, within)
    return None if without == text else json.dumps(without, ensure_ascii=False)


def _read(string: str) -> str:
    """Return what a JSON string spells; as it stands if it is broken."""
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string.strip('"')


def _end_of_value(text: str, start: int) -> int:
    """Return where the value that begins at ``start`` ends; the end of the text if it is cut off."""
    first = text[start : start + 1]
    if first == '"':
        string = _STRING.match(text, start)
        return string.end() if string else len(text)
    if first not in ("{", "["):
        scalar = _SCALAR.match(text, start)
        return scalar.end() if scalar else start
    depth, at = 0, start
    while bracket := _BRACKET.search(text, at):
        if bracket[0] == '"':
            string = _STRING.match(text, bracket.start())
            at = string.end() if string else len(text)
            continue
        at = bracket.end()
        depth += 1 if bracket[0] in "{[" else -1
        if depth == 0:
            return at
    return len(text)
