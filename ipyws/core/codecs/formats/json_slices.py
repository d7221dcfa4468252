"""JSON in slices: a large text is parsed piece by piece, so that other threads get their turn between two.

`json` holds the interpreter lock from the first character to the last, more than a second for 16 MB, and the
background loop with all its connections waits. Here no call of it sees more than a slice, unless it is one
string or number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.decoder import WHITESPACE  # type: ignore[attr-defined]
from typing import Any, Final

from ipyws.core.codecs.freeing import free, keep, uncollected

LARGE: Final = 128 * 1024
"""Characters, or bytes, from which a text is parsed in slices."""

DEEPEST: Final = 900
"""Containers around each other that are larger than a slice."""

_SLICE: Final = 32 * 1024
_UNSURE: Final = 4  # characters at the end of a slice: a number that seems to end there may go on

_OPENED: Final = object()
_CLOSING: Final = {"[": "]", "{": "}"}
_CUTS: Final = ("},", "],", ",")

_decoder: Final = json.JSONDecoder()
_scan: Final[Any] = _decoder.scan_once  # type: ignore[attr-defined]
_blank: Final = WHITESPACE.match


def parse_json(data: str | bytes) -> Any:
    """Return the value of JSON, as `json.loads` does.

    Raises:
        ValueError: It is none, or bytes that are no text.
        RecursionError: It is nested too deeply.
    """
    if len(data) < LARGE:
        return _parse_small(data)
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    if text.startswith("\ufeff"):
        return json.loads(text)  # which says what is wrong
    with uncollected():
        return keep(_parse_large(text))


def _parse_large(text: str) -> Any:
    parser = _Parser(text)
    try:
        return parser.parse()
    except (ValueError, RecursionError) as error:
        error.__traceback__ = error.__context__ = None  # whose frames hold what was made so far
        free(parser.unfinished)
        raise


def _parse_small(data: str | bytes) -> Any:
    """Do what `json.loads` does; in half the time where nothing stands around the value of a text."""
    if isinstance(data, str):
        try:
            value, end = _scan(data, 0)
            if end == len(data):
                return value
        except (StopIteration, ValueError, RecursionError):
            pass  # json.loads says what is wrong, if anything is
    return json.loads(data)


def parse_texts(texts: Iterable[str]) -> Iterator[Any]:
    """Yield the value of each text: of JSON, or the text itself where it is none."""
    for text in texts:
        if len(text) < LARGE:
            try:
                value, end = _scan(text, 0)
                if end == len(text):
                    yield value
                    continue
            except (StopIteration, ValueError, RecursionError):
                pass  # it may have white space around it
        try:
            yield parse_json(text)
        except (ValueError, RecursionError):
            yield text


class _Parser:
    """Goes through the containers that are larger than a slice, and gives what they hold to `json`."""

    def __init__(self, text: str, size: int = _SLICE) -> None:
        self._text = text
        self._size = size
        self.unfinished: list[Any] = []  # open containers, the outermost first
        self._keys: list[str] = []  # the keys that the values in them are for; "" in a list

    def parse(self) -> Any:
        value, place = self._value(self._skip(0))
        while self.unfinished:
            container = self.unfinished[-1]
            place = self._skip(place)
            if value is not _OPENED:
                self._add(container, value)
            if self._text[place : place + 1] == ("]" if isinstance(container, list) else "}"):
                value, place = self.unfinished.pop(), place + 1
                self._keys.pop()
                continue
            if value is not _OPENED:
                place = self._pass(",", place)
            place = self._take_many(container, place)
            if isinstance(container, dict):
                self._keys[-1], place = self._key(place)
            value, place = self._value(place)
        if (end := self._skip(place)) != len(self._text):
            self.unfinished.append(value)
            raise self._wrong("Extra data", end)
        return value

    def _add(self, container: Any, value: Any) -> None:
        if isinstance(container, list):
            container.append(value)
        else:
            container[self._keys[-1]] = value

    def _skip(self, place: int) -> int:
        while (end := int(_blank(self._text, place, place + self._size).end())) == place + self._size:
            place = end
        return end

    def _wrong(self, why: str, place: int) -> json.JSONDecodeError:
        return json.JSONDecodeError(why, self._text, place)

    def _pass(self, character: str, place: int) -> int:
        """Return where something begins behind a character that has to stand at a place."""
        if self._text[place : place + 1] != character:
            raise self._wrong(f"Expecting '{character}' delimiter", place)
        return self._skip(place + 1)

    def _key(self, place: int) -> tuple[str, int]:
        if self._text[place : place + 1] != '"':
            raise self._wrong("Expecting property name enclosed in double quotes", place)
        key, end = _scan(self._text, place)
        return key, self._pass(":", self._skip(end))

    def _value(self, place: int) -> tuple[Any, int]:
        """Return the value at a place and where it ends; `_OPENED` and its inside for a large container."""
        piece = self._text[place : place + self._size]
        try:
            value, end = _scan(piece, 0)
            if end + _UNSURE < len(piece) or place + len(piece) == len(self._text):
                return value, place + end
        except (StopIteration, ValueError, RecursionError):
            pass  # it is wrong, or goes on behind the slice
        if piece[:1] in _CLOSING:
            return self._open([] if piece[0] == "[" else {}), place + 1
        try:
            value, end = _scan(self._text, place)
        except StopIteration:
            raise self._wrong("Expecting value", place) from None
        return value, end

    def _open(self, container: Any) -> Any:
        if len(self.unfinished) >= DEEPEST:
            raise RecursionError
        self.unfinished.append(container)
        self._keys.append("")
        return _OPENED

    # -- what ends within a slice --------------------------------------------------------------------------

    def _take_many(self, container: Any, place: int) -> int:
        """Take the items from a place on that end within slices; return where the next one begins."""
        while place + self._size < len(self._text):
            piece = self._text[place : place + self._size]
            taken = self._take_at_once(container, piece) or self._take_each(container, piece)
            if not taken:
                break
            place = self._skip(place + taken)
        return place

    def _take_at_once(self, container: Any, piece: str) -> int:
        """Take the items of a slice up to its last comma in one go, if that one stands between two items."""
        around = "[]" if isinstance(container, list) else "{}"
        for cut in _CUTS:
            if (end := piece.rfind(cut) + len(cut) - 1) <= 0 or cut not in piece:
                continue
            inside = f"{around[0]}{piece[:end]}{around[1]}"
            try:
                items, stop = _scan(inside, 0)
            except (StopIteration, ValueError, RecursionError):
                continue
            if stop == len(inside) and items:
                container.extend(items) if isinstance(container, list) else container.update(items)
                return end + 1
        return 0

    def _take_each(self, container: Any, piece: str) -> int:
        """Take the items of a slice one by one, as far as they end in it."""
        taken = place = 0
        try:
            while True:
                key = ""
                if isinstance(container, dict):
                    if piece[place] != '"':
                        break
                    key, place = _scan(piece, place)
                    place = _blank(piece, place).end()
                    if piece[place] != ":":
                        break
                    place = _blank(piece, place + 1).end()
                value, place = _scan(piece, place)
                place = _blank(piece, place).end()
                if piece[place] != ",":
                    break
                container.append(value) if isinstance(container, list) else container.__setitem__(key, value)
                taken = place = _blank(piece, place + 1).end()
        except (StopIteration, ValueError, RecursionError, IndexError):
            pass
        return taken
