"""Texts whose secrets are references: what is copied says where a secret comes from, and never what it is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ipyws.snippets.names import split_scheme, unique, variable_name
from ipyws.text.masking import is_sensitive_header, references, secret_spans
from ipyws.text.places import merged
from ipyws.text.printable import visible
from ipyws.text.sensitive import is_sensitive

_KEY: Final = re.compile(r"([A-Za-z][\w.-]{0,60})[\"']?\s*[=:]\s*[\"']?(?:bearer )?$", re.IGNORECASE)
"""The name that stands before a secret in a text: of a parameter, of a key."""
_LONG: Final = 8
"""Characters from which on a cookie may be a credential, and an equal variable is no accident."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for the value of a variable of the environment.

    Attributes:
        name: The variable.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text in pieces.

    Attributes:
        pieces: What stands there as it is, and references.
    """

    pieces: tuple[str | Reference, ...]

    def __add__(self, other: Text | str) -> Text:
        return Text(tuple(_joined((*self.pieces, *([other] if isinstance(other, str) else other.pieces)))))

    @property
    def literal(self) -> str | None:
        """The text, where it has no reference."""
        plain = [piece for piece in self.pieces if isinstance(piece, str)]
        return "".join(plain) if len(plain) == len(self.pieces) else None


class Keeper:
    """Takes the secrets out of texts, and finds names for them.

    Attributes:
        needed: The variables that have to be set first: where the secret of each stands.
    """

    def __init__(self) -> None:
        self.needed: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._held = {value: name for name, value in os.environ.items() if len(value) >= _LONG}

    def text(self, value: str, place: str, wish: str = "SECRET", *, filled_as_json: bool = False) -> Text:
        """Return a text with references in place of its secrets.

        Args:
            value: The text.
            place: Where it stands, for who has to set a variable.
            wish: How a variable may be called where no key stands before the secret.
            filled_as_json: The text is JSON, and a value is spelled as there when it is put in.
        """
        return Text(tuple(self._pieces(value, place, wish, filled_as_json)))

    def whole(self, value: str, place: str, wish: str) -> Text:
        """Return a text that is a secret as a whole; what of it came by reference stays that."""
        known = list(_by_reference(value, False))
        if any(isinstance(piece, Reference) for piece in known):
            return Text(tuple(known))
        return Text((self._reference(value, place, wish),) if value else ())

    def named(self, name: str, value: str, kind: str = "header") -> Text:
        """Return the value of a header, or of another value that has a name.

        Args:
            name: The name; it says whether the value is a secret.
            value: The value.
            kind: What it is, for who has to set a variable.
        """
        if name.lower() == "cookie":
            return self.cookies(value)
        if not is_sensitive_header(name):
            return self.text(value, f"{kind} {name}", variable_name(name))
        scheme, credential = split_scheme(value) if name.lower() == "authorization" else ("", value)
        wish = "TOKEN" if scheme else variable_name(name)
        return Text((scheme,) if scheme else ()) + self.whole(credential, f"{kind} {name}", wish)

    def cookies(self, value: str) -> Text:
        """Return the value of a Cookie header; each cookie has a variable of its own."""
        made = Text(())
        for number, part in enumerate(value.split(";")):
            name, equals, item = part.partition("=")
            made += (";" if number else "") + name + equals
            made += self.cookie(name.strip(), item)
        return made

    def cookie(self, name: str, value: str) -> Text:
        """Return the value of a cookie."""
        if len(value) < _LONG and not is_sensitive(name):
            return self.text(value, f"cookie {name}", variable_name(name))
        return self.whole(value, f"cookie {name}", variable_name(name))

    def _pieces(self, value: str, place: str, wish: str, as_json: bool) -> Iterator[str | Reference]:
        before = ""
        for piece in _by_reference(value, as_json):
            if isinstance(piece, Reference):
                yield piece
                before = ""
                continue
            done = 0
            spans = secret_spans(piece)
            for start, end in merged(spans) if spans else ():
                if start > done:
                    yield piece[done:start]
                key = _KEY.search(before + piece[:start])
                secret = _unspelled(piece[start:end]) if as_json else piece[start:end]
                yield self._reference(secret, place, variable_name(key[1]) if key else wish)
                done = end
            if piece[done:]:
                yield piece[done:]
            before = piece

    def _reference(self, value: str, place: str, wish: str) -> Reference:
        if value in self._held:
            return Reference(self._held[value])
        for name, kept in self._values.items():
            if kept == value:
                return Reference(name)
        # A variable that holds something else already is not to be replaced.
        wished = wish if os.environ.get(wish, value) == value else f"WS_{wish}"
        name = unique(wished, {**os.environ, **self._values}, value)
        self._values[name] = value
        self.needed[name] = visible(place)
        return Reference(name)


def _unspelled(text: str) -> str:
    """Return what a piece of a JSON string means."""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _by_reference(value: str, as_json: bool) -> Iterator[str | Reference]:
    """Yield a text in pieces, with references for the values that came by reference."""
    known = references(as_json)
    if not known:
        yield value
        return
    pattern = "|".join(re.escape(each) for each in sorted(known, key=len, reverse=True))
    done = 0
    for found in re.finditer(pattern, value):
        if found.start() > done:
            yield value[done : found.start()]
        yield Reference(known[found[0]].removeprefix("env."))
        done = found.end()
    if value[done:] or not value:
        yield value[done:]


def _joined(pieces: Iterable[str | Reference]) -> Iterator[str | Reference]:
    literal = ""
    for piece in pieces:
        if isinstance(piece, str):
            literal += piece
            continue
        if literal:
            yield literal
        yield piece
        literal = ""
    if literal:
        yield literal
