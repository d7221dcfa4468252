"""A command as cmd.exe of Windows and the C runtime behind it read it: DevTools' "Copy as cURL (cmd)".

First cmd.exe takes the ``^`` away; then the program splits what is left into words by its own rules
("Parsing C command-line arguments" of the C runtime).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from ipyws.errors import InvalidError
from ipyws.snippets.bash import Command
from ipyws.snippets.references import variable

_VARIABLE: Final = re.compile(r"%([A-Za-z_]\w*)%", re.ASCII)
_LINE_END: Final = re.compile(r"\r?\n")
_BACKSLASHES: Final = re.compile(r'(\\*)(")?')
_BLANK: Final = " \t"


def is_cmd(text: str) -> bool:
    """Tell whether a command is written for cmd.exe: its first quotation or the ends of its lines tell."""
    lines = [line.rstrip() for line in text.splitlines()]
    continued = any(line.endswith("^") for line in lines) and not any(line.endswith("\\") for line in lines)
    return continued or re.match(r"[^'\"\\]*\^\"", text) is not None


def read_cmd(text: str) -> Command:
    """Read a command up to the end of its line, where no ``^`` continues that.

    Raises:
        InvalidError: A quotation is not closed, or another command follows.
    """
    command = Command()
    line = "".join(_without_carets(text, command))
    command.words = list(_words(line))
    return command


def _without_carets(text: str, command: Command) -> Iterator[str]:
    place, quoted = 0, False
    while place < len(text):
        char = text[place]
        if found := _VARIABLE.match(text, place):
            # cmd.exe leaves one that is not set as it stands: %41bc%20 is of a URL.
            yield variable(found[1]) if found[1] in os.environ else found[0]
            place = found.end()
            continue
        if char == "^" and not quoted:
            continued = _LINE_END.match(text, place + 1)
            place = continued.end() if continued else place + 1
            yield text[place : place + 1]
        elif char == "\n":
            break
        else:
            if char in "&|<>" and not quoted:
                _refuse(
                    f"an unquoted {char} ends the command, and something follows",
                    f"paste one command; a {char} that belongs to a word is quoted",
                )
            quoted ^= char == '"'
            yield char
        place += 1
    command.rest = text[place + 1 :]


def _words(line: str) -> Iterator[str]:
    place, quoted = 0, False
    word: str | None = None
    while place < len(line):
        char = line[place]
        if char in '\\"':
            found = _BACKSLASHES.match(line, place)
            assert found is not None
            place = found.end()
            slashes, quote = found[1], found[2] is not None
            word = (word or "") + ("\\" * (len(slashes) // 2) if quote else slashes)
            if quote and len(slashes) % 2:
                word += '"'
            elif quote and quoted and line.startswith('"', place):  # "" is one, within a quotation
                word, place = f'{word}"', place + 1
            elif quote:
                quoted = not quoted
            continue
        if char in _BLANK and not quoted:
            if word is not None:
                yield word
            word = None
        else:
            word = (word or "") + char
        place += 1
    if quoted:
        _refuse('a quotation that begins with " has no end', "close it")
    if word is not None:
        yield word


def _refuse(what: str, hint: str) -> NoReturn:
    raise InvalidError(what, hint=hint)
