r"""Where a secret stands in a text, however it is spelled there.

JSON, URLs, HTML, shells and reprs spell all but letters and digits in ways of their own, one often within
another: ``+`` is also ``\u002B``, ``\\u002b``, ``%2B`` and ``&#43;``. So a secret is followed through a text
piece by piece. It is looked for by a piece that is spelled alike everywhere, which takes one search of the
text; the work is in proportion to the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Span = tuple[int, int]
"""Where a part of a text begins and ends."""

SHORTEST: Final = 4
"""Characters of a secret, or of what a cut left of it, that are looked for; fewer would hide words."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]+")  # what is spelled as it stands everywhere
_PIECE: Final = re.compile(rf"{_PLAIN.pattern}|\\+(?:[^A-Za-z0-9._~\\-]|)|[^\\]", re.DOTALL)
_SHORT: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}
_NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}

# What may be left of a character's spelling where the text is cut.
_BEGUN: Final = re.compile(
    r"(?:\\+[uUx]?[0-9A-Fa-f]{0,8})+|%[0-9A-Fa-f%]*|&[#A-Za-z0-9;]*|\\*'[\"'\\]*|[\udc80-\udcff]+"
)
_STARTING: Final = 4  # pieces that are looked for at once
_WIDEST: Final = 24  # characters that one may take, a longer row of backslashes aside


_SLICE: Final = 1 << 18
"""Characters that one search looks at before other threads may have their turn: `re` keeps them waiting."""


class _Odd(NamedTuple):
    """A character with many spellings, and the backslashes before it; "" where the secret ends in these."""

    backslashes: int
    char: str


_Piece = str | _Odd
_How = Literal["whole", "cut", "not"]


class Spelling:
    """One secret, to be looked for.

    Args:
        value: The secret: at least `SHORTEST` characters.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        pieces = [_piece(text) for text in _PIECE.findall(value)]
        self._forward = tuple(pieces)
        self._backward = tuple(piece[::-1] if isinstance(piece, str) else piece for piece in reversed(pieces))
        plain = [at for at, piece in enumerate(pieces) if isinstance(piece, str) and len(piece) >= SHORTEST]
        self._anchor = max(plain, key=lambda at: len(pieces[at]), default=-1)
        self._simple = len(pieces) == 1 and bool(plain)

    def find(self, text: str, escapes: bool) -> Iterator[Span]:
        """Yield where the secret stands.

        Args:
            text: The text.
            escapes: Whether the text may hold escapes at all; see `has_escapes`.
        """
        yield from _places(text, self._value, len(self._value))
        if escapes and not self._simple:
            yield from self._around_anchor(text) if self._anchor >= 0 else self._from_start(text)

    def _around_anchor(self, text: str) -> Iterator[Span]:
        anchor = self._forward[self._anchor]
        assert isinstance(anchor, str)  # it was chosen so
        before = self._backward[len(self._forward) - self._anchor :]
        after = self._forward[self._anchor + 1 :]
        reach = _WIDEST * sum(map(_length, before))
        for start, end in _places(text, anchor, 1):
            how, end = _follow(after, text, end, backward=False)
            if how == "whole":
                how, back = _follow(before, text[max(0, start - reach) : start][::-1], 0, backward=True)
                if how == "whole":
                    yield start - back, end

    def _from_start(self, text: str) -> Iterator[Span]:
        for match in in_slices(_start(self._forward[:_STARTING]), text, _WIDEST * _STARTING * _WIDEST):
            how, end = _follow(self._forward, text, match.start(), backward=False)
            if how == "whole":
                yield match.start(), end

    def begun_at_end(self, text: str) -> int:
        """Return where a first part of the secret begins that the text ends in, or -1."""
        return _begun(self._forward, text, len(self._value), backward=False)

    def ended_at_start(self, text: str) -> int:
        """Return where a last part of the secret ends that the text begins with, or -1."""
        back = text[: _WIDEST * len(self._value)][::-1]
        begun = _begun(self._backward, back, len(self._value), backward=True)
        return len(back) - begun if begun >= 0 else -1


def in_slices(
    pattern: re.Pattern[str], text: str, reach: int, ends: re.Pattern[str] | None = None
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern in a text, which is searched slice by slice.

    Args:
        pattern: It may end in a run of any length; what comes before that is bounded.
        text: The text.
        reach: Characters after which a match that has begun is complete, but for such a run.
        ends: What no match goes on behind, for a pattern that has a run of any length before its end: a
            slice ends there.
    """
    at, length = 0, len(text)
    while at < length:
        end = at + _SLICE
        if ends is not None and end < length:
            found = ends.search(text, end)
            end = found.start() if found else length
        sure = length if end >= length else end - reach  # what begins later is left to the next slice
        next_at = sure
        for match in pattern.finditer(text, at, min(end, length)):
            if match.start() >= sure:
                break
            if match.end() > sure:  # it may go on
                match = pattern.match(text, match.start()) or match
                yield match
                next_at = match.end()
                break
            yield match
        at = next_at


def has_escapes(text: str) -> bool:
    """Tell whether anything in a text may be spelled otherwise than as it stands."""
    return any(mark in text for mark in ("\\", "%", "&", "+", "'"))


def _piece(text: str) -> _Piece:
    if _PLAIN.match(text):
        return text
    backslashes = len(text) - len(text.lstrip("\\"))
    return _Odd(backslashes, text[backslashes:])


def _length(piece: _Piece) -> int:
    return len(piece) if isinstance(piece, str) else piece.backslashes + 1


def _places(text: str, part: str, step: int) -> Iterator[Span]:
    at = text.find(part)
    while at >= 0:
        yield at, at + len(part)
        at = text.find(part, at + step)


def _follow(pieces: Sequence[_Piece], text: str, at: int, *, backward: bool) -> tuple[_How, int]:
    """Follow the pieces from a place of the text on; return how far they go, and where that ends."""
    last, odd = len(pieces) - 1, at
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            if not text.startswith(piece, at):
                rest = text[at : at + len(piece)]
                if piece.startswith(rest):
                    return "cut", at + len(rest)
                return ("cut" if _is_begun(text, odd, backward) else "not"), at
            at += len(piece)
            continue
        match = _spellings(piece, backward, number == last).match(text, at)
        if match is None:
            return ("cut" if _is_begun(text, at, backward) or _is_begun(text, odd, backward) else "not"), at
        odd, at = at, match.end()
    return "whole", at


def _is_begun(text: str, at: int, backward: bool) -> bool:
    """Tell whether a text ends within the spelling of a character that begins at a place."""
    if len(text) - at > _WIDEST:
        return False
    rest = text[at:]
    # What is cut at its front has lost the mark that tells what it is.
    return not rest or (len(rest.split()) < 2 if backward else _BEGUN.fullmatch(rest) is not None)


def _begun(pieces: Sequence[_Piece], text: str, length: int, *, backward: bool) -> int:
    """Return where pieces begin that the text ends amid, or -1."""
    start = max(0, len(text) - _WIDEST * length)
    first = pieces[0]
    if isinstance(first, str) and len(first) >= SHORTEST:
        begins = (start + at for at, _ in _places(text[start:], first[:SHORTEST], 1))
    else:
        begins = (start + match.start() for match in _firsts(first, backward).finditer(text[start:]))
    for begin in begins:
        how, reached = _follow(pieces, text, begin, backward=backward)
        if how == "cut" and reached - begin >= SHORTEST:
            return begin
    return -1


# -- one character -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _start(pieces: tuple[_Piece, ...]) -> re.Pattern[str]:
    """Return what finds pieces in a text; it begins with one of a few characters, which makes it quick."""
    first, *rest = pieces
    after = "".join(
        re.escape(piece) if isinstance(piece, str) else f"(?:{_pattern(piece, False, False)})"
        for piece in rest
    )
    if isinstance(first, str):
        return re.compile(re.escape(first) + after, re.DOTALL)
    alternatives = ["".join(atoms) for atoms in _alternatives(first.char)]
    escaped = r"\\\\{0,15}+(?:u005[cC]|x5[cC])?" + f"(?:{'|'.join(alternatives)})"
    bare = ["".join(atoms) for atoms in _alternatives(first.char) if atoms[0] in _MARKS or len(atoms) == 1]
    begins = (
        [escaped, r"(?:%(?:25){0,3}5[cC])++" + f"(?:{'|'.join(alternatives)})"]
        if first.backslashes
        else [escaped, *bare]
    )
    return re.compile(f"(?:{'|'.join(begins)}){after}", re.DOTALL)


@lru_cache(maxsize=256)
def _firsts(piece: _Piece, backward: bool) -> re.Pattern[str]:
    """Return what finds the character that the spelling of a piece may begin with."""
    if isinstance(piece, str):
        return re.compile(re.escape(piece[:1]))
    place = -1 if backward else 0
    firsts = {atoms[place] for atoms in _alternatives(piece.char)}
    marks = (r"\\+", "[cC]" if backward else "%") if piece.backslashes else (r"\\+",)
    return re.compile("|".join((*marks, *sorted(firsts))))


@lru_cache(maxsize=4096)
def _spellings(piece: _Odd, backward: bool, last: bool) -> re.Pattern[str]:
    """Return what matches a character in whatever way it is spelled, with the backslashes before it."""
    return re.compile(_pattern(piece, backward, last), re.DOTALL)


def _pattern(piece: _Odd, backward: bool, last: bool) -> str:
    if not piece.char:
        return _backslashes(piece.backslashes, backward, last and not backward)
    char = "|".join("".join(_turned(atoms) if backward else atoms) for atoms in _alternatives(piece.char))
    before = _backslashes(piece.backslashes, backward, False) if piece.backslashes else r"\\*+"
    parts = (f"(?:{char})", before) if backward else (before, f"(?:{char})")
    return "".join(parts)


def _backslashes(count: int, backward: bool, last: bool) -> str:
    if last:  # one more may belong to what follows: a quotation mark that is escaped
        doubled = "|".join(rf"\\{{{count * times}}}" for times in (8, 4, 2, 1))
        return rf"(?:\\u005[cC]|\\x5[cC]|%(?:25){{0,3}}5[cC]){{{count}}}|{doubled}"
    if backward:
        return r"(?:(?:[cC]500u|[cC]5x)?\\++|[cC]5(?:52){0,3}%)++"
    return r"(?:\\++(?:u005[cC]|x5[cC])?|%(?:25){0,3}5[cC])++"


_MARKS: Final = ("%", "&", "'")
_AGAIN: Final = "(?:25){0,3}"  # a percent sign that was itself escaped
_AND_AGAIN: Final = "(?:amp;){0,3}"
_TURNED: Final = {_AGAIN: "(?:52){0,3}", _AND_AGAIN: "(?:;pma){0,3}"}


def _turned(atoms: Sequence[str]) -> list[str]:
    return [_TURNED.get(atom, atom) for atom in reversed(atoms)]


@lru_cache(maxsize=512)
def _alternatives(char: str) -> tuple[tuple[str, ...], ...]:
    r"""Return the spellings of a character, each as the patterns of its parts, without a backslash before it.

    The longest first: what is ``%2525`` must not be taken for a ``%`` with something behind it.
    """
    if not char:
        return ()
    code, raw = ord(char), char.encode("utf-8", "surrogatepass")
    units = char.encode("utf-16-be", "surrogatepass")
    words = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    spelled: list[tuple[str, ...]] = [
        tuple(atom for byte in raw for atom in ("%", _AGAIN, *_digits(f"{byte:02x}"))),
        tuple(atom for word in words for atom in (r"\\*", "u", *_digits(word)))[1:],
        ("u", r"\{", "0{0,4}", *_digits(f"{code:x}"), r"\}"),
        ("U", *_digits(f"{code:08x}")),
        tuple(atom for byte in raw for atom in (r"\\*", "x", *_digits(f"{byte:02x}")))[1:],
        ("&", _AND_AGAIN, "#", "0{0,4}", *str(code), ";"),
        ("&", _AND_AGAIN, "#", "[xX]", "0{0,4}", *_digits(f"{code:x}"), ";"),
    ]
    if code < 0x100:
        spelled.append(("x", *_digits(f"{code:02x}")))
    if char in _NAMED:
        spelled.append(("&", _AND_AGAIN, *_NAMED[char], ";"))
    if char == "'":  # as a shell takes it within such quotes
        # A repr or JSON around that has put backslashes before its quotation marks.
        spelled += [
            ("'", r"\\+", "'", r"\\*", "'"),
            ("'", r"\\*", '"', r"\\*", "'", r"\\*", '"', r"\\*", "'"),
        ]
    if char in _SHORT:
        spelled.append((_SHORT[char],))
    if char == " ":
        spelled.append((r"\+",))
    return (*spelled, (re.escape(char),))


def _digits(digits: str) -> tuple[str, ...]:
    return tuple(digit if digit.isdigit() else f"[{digit}{digit.upper()}]" for digit in digits)
