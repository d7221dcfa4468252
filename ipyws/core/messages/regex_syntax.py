"""From the syntax of `re` to that of RE2."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

# What stands inside of the brackets of a class.
ASCII: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t-\r\x1c-\x20"}
UNICODE: Final = {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": r"\t-\r\x1c-\x20\x85\p{Z}"}

_TOKEN: Final = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|0[0-7]{0,2}|[0-3][0-7]{2}|[1-9][0-9]?|.)"
    r"|\[\^?\]?|\{,[0-9]*\}|.",
    re.DOTALL,
)
# What may take the line break that "$" stands before, or looks at the place where it stands.
_AFTER_END: Final = re.compile(
    r"\n|\\(?:[nsWDAbB]|x0a|u000a|U0000000a|0?12)|\^|\[\^.*|\[.*(?:\n|\\[nsWD]).*", re.ASCII | re.DOTALL
)
_NEXT_TO_WORD: Final = re.compile(r"\\b(?=\\w|\w)")
_WORD_AT_END: Final = re.compile(r"(?s:.*)(?<!\\)(?:\\w\+?|\w\+?)\\b")


def with_outer_boundaries(pattern: str) -> str:
    r"""Return a pattern whose ``\b`` at its ends know all letters: there they may take a character."""
    if _WORD_AT_END.fullmatch(pattern):
        pattern = pattern[: -len(r"\b")] + r"(?:\W|\Z)"
    if _NEXT_TO_WORD.match(pattern):
        pattern = r"(?:\A|\W)" + pattern[len(r"\b") :]
    return pattern


def translate(pattern: str, multiline: bool, classes: dict[str, str]) -> str:
    """Return a pattern as RE2 spells it.

    Args:
        pattern: A pattern of `re`, for which `goes_on_after_end` is false unless it is multiline.
        multiline: Whether it has the flag m.
        classes: What the classes of characters hold: `ASCII` or `UNICODE`.
    """
    pieces: list[str] = []
    within = False
    for match in _TOKEN.finditer(pattern):
        token = match[0]
        if within:
            within = token != "]"
            pieces.append(_in_class(token, classes))
        elif token[0] == "[":
            within = True
            # A bracket that closes at once stands for itself.
            pieces.append(token.replace("]", r"\]"))
        else:
            pieces.append(_outside(token, multiline, classes))
    return "".join(pieces)


def _atoms(pattern: str) -> Iterator[str]:
    """Yield the tokens of a pattern, a class as one."""
    held = ""
    for token in _TOKEN.findall(pattern):
        if held or token[0] == "[":
            held += token
            if token != "]":
                continue
        yield held or token
        held = ""


def goes_on_after_end(pattern: str) -> bool:
    """Tell whether something follows a ``$`` for which it must not have taken the last line break."""
    atoms = list(_atoms(pattern))
    return any(
        atom == "$" and any(_AFTER_END.fullmatch(each) for each in _following(atoms, place))
        for place, atom in enumerate(atoms)
    )


def _following(atoms: list[str], place: int) -> Iterator[str]:
    """Yield what may follow an atom in a match: not the alternatives to it."""
    depth = 0
    skipped = None  # the depth of the group whose other alternatives are passed
    for token in atoms[place + 1 :]:
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            if skipped is not None and depth < skipped:
                skipped = None
        elif token == "|" and skipped is None and depth <= 0:
            skipped = depth
        elif skipped is None:
            yield token


def _outside(token: str, multiline: bool, classes: dict[str, str]) -> str:
    if token == "$" and not multiline:
        return r"(?:\n?\z)"  # before a last line break too
    if token == r"\Z":
        return r"\z"
    if token[0] == "\\" and token[1:].lower() in classes:
        return f"[{'^' if token[1].isupper() else ''}{classes[token[1].lower()]}]"
    if token.startswith("{,"):
        return "{0" + token[1:]
    return _escape(token)


def _in_class(token: str, classes: dict[str, str]) -> str:
    if token[0] == "[":
        return token.replace("[", r"\[")
    if token == r"\b":
        return r"\x08"
    if token[0] == "\\" and token[1:].lower() in classes:
        content = classes[token[1].lower()]
        return _complement(token[1], classes is ASCII) if token[1].isupper() else content
    return _escape(token)


def _escape(token: str) -> str:
    """Return an escape as RE2 spells it; it refuses those that it does not know."""
    if token[0] != "\\" or len(token) < 2:
        return token
    first = token[1]
    if first in "xuU":
        return rf"\x{{{token[2:]}}}"
    if first == "N" and len(token) > 2:
        return rf"\x{{{ord(unicodedata.lookup(token[3:-1])):x}}}"
    if first == "0" or (first.isdigit() and len(token) == 4):
        return rf"\x{{{int(token[1:], 8):x}}}"
    return token if first.isascii() else first


@cache
def _complement(kind: str, ascii_only: bool) -> str:
    r"""Return ``\W``, ``\D`` or ``\S`` as ranges, for a class that holds other things too."""
    if ascii_only:
        letters, rest = "".join(map(chr, range(0x80))), r"\x{80}-\x{10ffff}"
    else:
        letters, rest = "".join(map(chr, range(0x110000))), ""
    ranges = [(ord(run[0][0]), ord(run[0][-1])) for run in re.finditer(rf"\{kind}+", letters)]
    return "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ranges) + rest
