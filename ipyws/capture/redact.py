"""The values of some keys, taken out of payloads.

A text is not parsed for it, so that all else stays to the letter, and so that it works where JSON is only a
part of the text (``42["login", {…}]``, several objects in one message) or is broken. A payload in a binary
format is read by its codec, and written again without the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipyws.core.codecs.codec import Data, Decoded
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError, WebSocketError, brief
from ipyws.text.masking import MASK

_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_COLON: Final = re.compile(r"\s*:\s*")
_SCALAR: Final = re.compile(r'[^\s,:{}\[\]"]*')
_BRACKET: Final = re.compile(r'["{}\[\]]')
_AS_IT_STANDS: Final = ("json", "text", "raw")  # what such bytes say is there to be read
_WITHIN: Final = 3  # JSON in a string in JSON in a string: deeper, nobody looks


class Redact:
    """Puts stars for the values of some keys.

    Args:
        wanted: The keys, in folded case.
    """

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted

    def __call__(self, text: str) -> str:
        """Return a text without the values."""
        return _redact(text, self._wanted, _WITHIN)

    def payload(self, message: Message) -> Data:
        """Return the payload of a message without the values."""
        data = message.data
        if not isinstance(data, str) or message.codec.name not in ("auto", *_AS_IT_STANDS):
            read = message.read()
            shown = read.format in _AS_IT_STANDS or (read.label and isinstance(data, str))
            if read.problem is None and not shown:
                return self._written_again(message, read)
        if isinstance(data, str):
            return self(data)
        return self(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _written_again(self, message: Message, read: Decoded) -> Data:
        try:
            without = self._value(read.value)
            if without == read.value:
                return message.data
            if read.label:  # a value is not all that a packet holds
                return _as(message.data, MASK)
            return _as(message.data, message.codec.rewrite(message.data, without))
        except (WebSocketError, ValueError, TypeError, RecursionError):
            return _as(message.data, MASK)  # rather than with the values

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: MASK if self._is_wanted(key) else self._value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(item) for item in value]
        return self(value) if isinstance(value, str) else value

    def _is_wanted(self, key: object) -> bool:
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        return isinstance(text, str) and text.casefold() in self._wanted


def _as(data: Data, written: Data) -> Data:
    """Return what is written in place of a payload as text or as bytes, as that was."""
    if isinstance(data, bytes):
        return written.encode("utf-8", "surrogatepass") if isinstance(written, str) else written
    return written if isinstance(written, str) else MASK


def make_redact(keys: Iterable[str] | str) -> Redact | None:
    """Return what puts stars for the values of JSON keys; None if there are no keys.

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
    return Redact(frozenset(name.casefold() for name in names))


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
