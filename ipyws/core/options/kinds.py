"""The kinds of options: each knows what its values may be, how they are written, what of them is secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from ipyws.core.constants import Compression
from ipyws.core.options.durations import format_duration, seconds
from ipyws.core.options.fresh import stand_in
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import mask_deep
from ipyws.text.numbers import is_whole, read_whole
from ipyws.text.sizes import read_size, show_size

_CREDENTIAL: Final = re.compile(r"@|\b(?:basic|bearer|token|digest)\s", re.IGNORECASE)
Field = Literal["bool", "choice", "headers", "lines", "list", "text"]
"""How the form of the panel draws an option."""

_SWITCHES: Final = {"true": True, "false": False}


def refuse(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error that names the option, its value and what is allowed."""
    return InvalidError(f"{name} is {shown(value)}", hint=f"{allowed} is allowed")


def shown(value: object) -> str:
    """Return a wrong value in words; of one that looks as if it had a credential in it, its type only."""
    collections = (bytes, bytearray, Mapping, list, tuple, set, frozenset)
    private = isinstance(value, collections) or (isinstance(value, str) and holds_credential(value))
    return f"of type {type(value).__name__}" if private else brief(value)


def holds_credential(text: str) -> bool:
    """Tell whether a text looks like a URL with a user, or like the value of an Authorization header."""
    return _CREDENTIAL.search(text) is not None


def refuse_unseen(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error for an option that may hold a credential: it names the type of its value only."""
    return InvalidError(f"{name} is of type {type(value).__name__}", hint=f"{allowed} is allowed")


def or_none(text: str) -> str | None:
    """Return the text, or None where it says "none": as switched off."""
    return None if text.lower() == "none" else text


class OptionKind:
    """What an option may be, for everybody who reads, checks or shows it.

    Attributes:
        values: What it may be, in the words of the docs.
        annotation: Its type in a signature.
        checked: The type of what `check` returns.
        metavar: What stands for it in the help of ``%ws``; "" for a switch.
        separator: What stands between its values in a field of the form; "" where there is only one. A line
            gives an option several times instead.
        field: How the form draws it.
        choices: What the form offers.
        secret: Whether a form must not show it.
        names_file: Whether it names a file of this machine.
        text_as_in_line: Whether text in a file is read as that in a line, and doesn't stand for itself.
        made: Whether functions may make it, or values in it, at each dial.
        in_form: Whether the panel's form has it.
        in_file: What the docs say of it in a file, after its key; None where a file has no such key.
    """

    values: str
    annotation: str
    checked: str
    separator = ""
    field: Field = "text"
    choices: tuple[str, ...] = ()
    secret = False
    names_file = False
    text_as_in_line = False
    made = False
    in_form = True
    in_file: str | None = ""

    @property
    def metavar(self) -> str:
        return self.values.upper().replace(" ", "-")

    def check(self, name: str, value: Any) -> Any:
        """Return a value as it is used.

        Raises:
            InvalidError: It is none of this kind.
        """
        raise NotImplementedError

    def opens_file(self, value: Any) -> bool:
        """Tell whether a value of it names a file of this machine."""
        return self.names_file and bool(value)

    def stand_in(self, value: Any) -> Any:
        """Return a value to be checked now, where it is made, or one in it, at each dial; see `fresh`."""
        return stand_in(value)

    def read(self, text: str) -> Any:
        """Return what the text of a line means; of an option that has several values, one of them.

        Raises:
            InvalidError: It can't be read.
        """
        return text

    def read_field(self, text: str) -> Any:
        """Return what was typed into a field of the form means.

        Raises:
            InvalidError: It can't be read.
        """
        if not self.separator:
            return self.read(text.strip())
        return [self.read(part.strip()) for part in text.split(self.separator) if part.strip()]

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        """Return what a value in a file means.

        Args:
            name: The option.
            value: What TOML holds.
            folder: That of the file.

        Raises:
            InvalidError: It can't be read.
        """
        return self.read(value) if self.text_as_in_line and isinstance(value, str) else value

    def check_saved(self, name: str, value: Any, folder: Path) -> None:
        """Check a value where it stands in a file, as far as that can be done before it is used.

        Raises:
            InvalidError: It is none of this kind.
        """
        self.check(name, self.read_saved(name, value, folder))

    def secrets_in(self, value: Any) -> list[str]:
        """Return what stands in a file and looks like a secret."""
        return []

    def remember(self, value: object) -> None:
        """Mask the credentials in a value, also in one of a wrong form: before it is checked."""

    def runs_code(self, value: Any) -> bool:
        """Tell whether a value has Python in it, which a file and an untrusted panel may not give."""
        return False

    def show(self, value: Any) -> Any:
        """Return a checked value to be shown, without its credentials."""
        return mask_deep(value)

    def given(self, value: Any) -> Any:
        """Return a checked value as it may be given again: of what Python, JSON and TOML can write.

        Raises:
            ValueError: It has no such form.
        """
        if value is None or isinstance(value, str | int | float):
            return value
        raise ValueError("it can't be written down")

    def show_default(self, value: Any) -> str:
        """Return a default in words."""
        return str(value)


class DurationKind(OptionKind):
    """A duration; None switches it off."""

    values = "duration"
    annotation = "Duration | None"
    checked = "float | None"
    text_as_in_line = True

    def check(self, name: str, value: Any) -> float | None:
        return seconds(value, name=name, allow_none=True)

    def read(self, text: str) -> str | None:
        return or_none(text)

    def given(self, value: float | None) -> str | None:
        return None if value is None else format_duration(value)


class WholeKind(OptionKind):
    """A whole number in a range."""

    annotation = checked = "int"
    metavar = "COUNT"

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.values = f"{low}-{high}"
        self.allowed = f"a whole number from {low} to {high}"

    def check(self, name: str, value: Any) -> int:
        if not is_whole(value, self.low, self.high):
            raise refuse(name, value, self.allowed)
        return value

    def read(self, text: str) -> int:
        return read_whole(text)

    def show_default(self, value: int) -> str:
        return f"{value:,}"


class SizeKind(WholeKind):
    """A number of bytes in a range."""

    metavar = "SIZE"
    text_as_in_line = True
    in_file = ', a number of bytes, or text such as `"64kB"`'

    def __init__(self, low: int, high: int, values: str) -> None:
        super().__init__(low, high)
        self.values = values
        self.allowed += f" bytes ({values.rpartition('-')[2]})"

    def read(self, text: str) -> int:
        return read_size(text)

    def show_default(self, value: int) -> str:
        return show_size(value)


class SwitchKind(OptionKind):
    """True or False, and nothing that merely looks like it."""

    values = "True/False"
    annotation = checked = "bool"
    metavar = ""
    field: Field = "bool"

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise refuse(name, value, "True or False")
        return value

    def read_field(self, text: str) -> Any:
        return _SWITCHES.get(text.strip(), text)


class ChoiceKind(OptionKind):
    """One of some words."""

    checked = "str"

    def __init__(self, *words: str) -> None:
        self.words = words
        self.values = " or ".join(words)
        quoted = [f'"{word}"' for word in words]
        self.annotation = f"Literal[{', '.join(quoted)}]"
        self.allowed = " or ".join(quoted)

    @property
    def metavar(self) -> str:
        return "|".join(self.words)

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise refuse(name, value, self.allowed)
        return str(value)


class CompressionKind(OptionKind):
    """A mode of permessage-deflate: its number, name or enum."""

    choices = tuple(mode.name.lower() for mode in Compression)
    values = '0, 1, 2 or "disabled", "context_takeover", "no_context"'
    annotation = 'Compression | Literal[0, 1, 2, "disabled", "context_takeover", "no_context"]'
    checked = "Compression"
    metavar = "MODE"
    field: Field = "choice"

    def check(self, name: str, value: Any) -> Compression:
        if isinstance(value, str) and value in self.choices:
            return Compression[value.upper()]
        if is_whole(value, min(Compression), max(Compression)):
            return Compression(value)
        raise refuse(name, value, self.values)

    def read(self, text: str) -> int | str:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text

    def given(self, value: Compression) -> str:
        return value.name.lower()

    def show_default(self, value: int) -> str:
        return self.choices[value]
