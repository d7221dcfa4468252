"""The options of a command: read by tables, as the programs themselves read theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ipyws.errors import InvalidError, brief, suggestion
from ipyws.snippets.draft import Draft, read_auth, read_seconds

Act = Callable[[Draft, str, str], None]
"""Takes the draft, the flag as it was written and its value, "" for a switch."""


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of a program.

    Attributes:
        names: How it is written.
        act: Notes it.
        value: Whether it takes a value.
        optional: Whether that may be missing.
    """

    names: tuple[str, ...]
    act: Act
    value: bool = True
    optional: bool = False


def read_flags(draft: Draft, words: Sequence[str], flags: Iterable[Flag]) -> list[str]:
    """Note the options among the words of a command; return the others.

    Short ones may stand together, ``-kL``, and before their value, ``-HName: x``.

    Raises:
        InvalidError: One is unknown, lacks its value, or can't be carried over.
    """
    return _Reader(draft, words, flags).read()


class _Reader:
    def __init__(self, draft: Draft, words: Sequence[str], flags: Iterable[Flag]) -> None:
        self._draft = draft
        self._words = list(words)
        self._by_name = {name: flag for flag in flags for name in flag.names}
        self._others: list[str] = []

    def read(self) -> list[str]:
        while self._words:
            word = self._words.pop(0)
            if word == "--":
                self._others += self._words
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and len(word) > 1:
                self._short(word)
            else:
                self._others.append(word)
        return self._others

    def _long(self, word: str) -> None:
        name, equals, value = word.partition("=")
        flag = self._find(name)
        if equals and not flag.value:
            raise InvalidError(f"{name} takes no value", hint="write it alone")
        flag.act(self._draft, name, value if equals else self._value(flag, name))

    def _short(self, word: str) -> None:
        for place in range(1, len(word)):
            name = f"-{word[place]}"
            flag = self._find(name)
            attached = word[place + 1 :]
            if flag.value and attached:
                flag.act(self._draft, name, attached.removeprefix("="))
                return
            flag.act(self._draft, name, self._value(flag, name))

    def _value(self, flag: Flag, name: str) -> str:
        if not flag.value or (flag.optional and (not self._words or self._words[0].startswith("-"))):
            return ""
        if not self._words:
            raise InvalidError(f"{name} lacks its value", hint=f"write it behind {name}")
        return self._words.pop(0)

    def _find(self, name: str) -> Flag:
        flag = self._by_name.get(name)
        if flag is None:
            tool = self._draft.tool
            hint = suggestion(name, self._by_name, "connect with %ws URL and its own options")
            raise InvalidError(f"{brief(name)} of {tool} is not known here", hint=hint)
        return flag


def option(name: str, *names: str, value: Any = None) -> Flag:
    """Return a flag that is an option of `ipyws.connect`.

    Args:
        name: The option.
        names: How the flag is written.
        value: What it is then, for a switch; None for the flag's value.
    """

    def act(draft: Draft, _: str, text: str) -> None:
        draft.options[name] = text if value is None else value

    return Flag(names, act, value=value is None)


def duration(name: str, *names: str) -> Flag:
    """Return a flag that is a number of seconds."""

    def act(draft: Draft, flag: str, text: str) -> None:
        draft.options[name] = read_seconds(text, flag)

    return Flag(names, act)


def ignored(*names: str, value: bool = False, optional: bool = False) -> Flag:
    """Return a flag that changes nothing about the connection."""

    def act(draft: Draft, flag: str, _: str) -> None:
        draft.ignored.append(flag)

    return Flag(names, act, value, optional)


def refused(why: str, hint: str, *names: str, value: bool = False, optional: bool = False) -> Flag:
    """Return a flag that is known, and can't be carried over."""

    def act(draft: Draft, flag: str, _: str) -> None:
        raise InvalidError(f"{flag}: {why}", hint=hint)

    return Flag(names, act, value, optional)


HEADER = Flag(("-H", "--header"), lambda draft, _, text: draft.take_header(text))
NAME = option("name", "--as")
"""Not of the programs: names the connection, as everywhere in ``%ws``."""


def auth(*names: str) -> Flag:
    """Return a flag that gives a user and a password."""
    return Flag(names, lambda draft, flag, text: read_auth(draft, text, flag))
