"""Options that change the request of the handshake: parameters of its URL, a signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from ipyws.core.options.credentials import texts_in
from ipyws.core.options.kinds import Field, OptionKind, refuse_unseen
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK, mask, remember_guessed
from ipyws.text.sensitive import is_sensitive


def pairs_in(name: str, value: Any) -> Iterable[Any]:
    """Return the pairs that an option of names and values was given as; none for None.

    Raises:
        InvalidError: It is neither a mapping nor something of pairs.
    """
    pairs = value.items() if isinstance(value, Mapping) else () if value is None else value
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise refuse_unseen(name, value, "a mapping or a list of (name, value) pairs")
    return pairs


class ParamsKind(OptionKind):
    """Parameters that are added to the query of the URL."""

    values = "mapping or pairs"
    annotation = "Mapping[str, object] | Iterable[tuple[str, object]] | Fresh | None"
    checked = "tuple[tuple[str, str], ...]"
    metavar = "NAME=VALUE"
    separator = "\n"
    field: Field = "lines"
    secret = True
    made = True

    def check(self, name: str, value: Any) -> tuple[tuple[str, str], ...]:
        checked = tuple(_parameter(name, pair) for pair in pairs_in(name, value))
        self.remember(checked)
        return checked

    def read(self, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            remember_guessed(text)
            raise InvalidError("a parameter lacks its name or its =", hint="write NAME=VALUE")
        return name.strip(), value

    def secrets_in(self, value: Any) -> list[str]:
        return [text for name, text in _parameters_in(value) if is_sensitive(name)]

    def remember(self, value: object) -> None:
        for text in self.secrets_in(value):
            remember_guessed(text)
            remember_guessed(quote_plus(text))

    def given(self, value: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return list(value)

    def show(self, value: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return [(name, MASK if is_sensitive(name) else mask(text)) for name, text in value]


def _parameter(option: str, pair: Any) -> tuple[str, str]:
    match tuple(pair) if isinstance(pair, (tuple, list)) else ():
        case (str(name), bool(flag)):
            return name, str(flag).lower()
        case (str(name), str() | int() | float() as value):
            return name, str(value)
    raise InvalidError(
        f"{option} holds something else than a name and a value", hint="a str, a number or a bool is a value"
    )


def _parameters_in(value: object) -> Iterator[tuple[str, str]]:
    pairs = value.items() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            yield from ((str(pair[0]), text) for text in texts_in(pair[1]))


class SignKind(OptionKind):
    """What signs the handshake."""

    values = "function of the request"
    annotation = checked = "Callable[[HandshakeRequest], Any] | None"
    metavar = "FUNCTION"
    in_form = False
    in_file = None

    def check(self, name: str, value: Any) -> Any:
        if value is not None and not callable(value):
            raise refuse_unseen(name, value, "a function of the request that returns headers, or a URL,")
        return value

    def show(self, value: Any) -> str | None:
        return None if value is None else str(getattr(value, "__name__", "function"))
