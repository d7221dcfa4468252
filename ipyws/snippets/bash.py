"""A command as bash reads it, as far as words go: nothing is run, and what would run something is refused.

Quotes, ``$'…'``, escapes and continued lines are bash's (Bash Reference Manual, section 3.1.2 "Quoting").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from ipyws.errors import InvalidError
from ipyws.snippets.references import variable

_BLANK: Final = " \t\r\xa0"  # a browser's or a chat's non-breaking space is meant as one
_PLAIN: Final = re.compile(r"[^\s\xa0\\'\"$`;|&<>()#]+|#")
_NAME: Final = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_RUNS: Final = {"$(": "$( )", "`": "a backtick", "<(": "<( )", ">(": ">( )"}
_SIMPLE: Final = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))
# A byte, or a character (the lengths are bash's), or one of the above.
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)


@dataclass(slots=True)
class Command:
    """A command, read into words.

    Attributes:
        words: Its words; a variable stands in them as `references` has it.
        fed: The text that ``<<<`` gives it to read, or None.
        rest: What follows the end of its last line.
    """

    words: list[str] = field(default_factory=list)
    fed: str | None = None
    rest: str = ""


def read_bash(text: str) -> Command:
    """Read a command up to the end of its line, where that is neither quoted nor continued.

    Raises:
        InvalidError: A quotation is not closed, something would be run, or another command follows.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._word: str | None = None
        self._feeds = False
        self._command = Command()

    def read(self) -> Command:
        while self._place < len(self._text) and not self._ends():
            self._next()
        self._end_word()
        if self._feeds:
            _refuse("<<< has no text", "write it behind")
        self._command.rest = self._text[self._place :]
        return self._command

    def _ends(self) -> bool:
        """Tell whether the command ends here; a ``;`` may stand behind it if nothing follows."""
        if self._text[self._place] == "\n":
            self._place += 1
            return True
        if self._text[self._place] == ";" and not self._text[self._place + 1 :].strip():
            self._place = len(self._text)
            return True
        return False

    def _next(self) -> None:
        char = self._text[self._place]
        if char in _BLANK:
            self._end_word()
            self._place += 1
        elif char == "#" and self._word is None:
            end = self._text.find("\n", self._place)
            self._place = len(self._text) if end < 0 else end
        elif self._text.startswith("<<<", self._place) and self._command.fed is None:
            self._end_word()
            self._place += 3
            self._feeds = True
        elif char in ";|&<>()":
            self._refuse_operator()
        else:
            self._add()

    def _add(self) -> None:
        text, place = self._text, self._place
        if found := _PLAIN.match(text, place):
            self._take(found[0], found.end())
        elif text[place] == "\\":
            self._escaped()
        elif text[place] == "'":
            end = self._end_of("'", place + 1)
            self._take(text[place + 1 : end], end + 1)
        elif text.startswith("$'", place):
            self._ansi(place + 2)
        elif text[place] == '"' or text.startswith('$"', place):
            self._double(text.index('"', place) + 1)
        elif text[place] in "$`":
            self._variable()
        else:  # white space of another kind
            self._take(text[place], place + 1)

    def _take(self, piece: str, place: int) -> None:
        self._word = (self._word or "") + piece
        self._place = place

    def _end_word(self) -> None:
        if self._word is None:
            return
        if self._feeds:
            self._command.fed, self._feeds = self._word, False
        else:
            self._command.words.append(self._word)
        self._word = None

    def _escaped(self) -> None:
        """Take the character behind a backslash; a line break behind it is none."""
        found = re.compile(r"\\(?:\r?\n|\Z)").match(self._text, self._place)
        if found:
            self._place = found.end()
        else:
            self._take(self._text[self._place + 1], self._place + 2)

    def _double(self, place: int) -> None:
        self._take("", place)
        while self._text[self._place : self._place + 1] != '"':
            at = self._place
            if at >= len(self._text):
                _refuse_open('"')
            if found := re.compile(r'\\(?:([$`"\\])|\r?\n)').match(self._text, at):
                self._take(found[1] or "", found.end())
            elif self._text[at] in "$`":
                self._variable()
            else:
                self._take(self._text[at], at + 1)
        self._place += 1

    def _ansi(self, place: int) -> None:
        r"""Take what stands in ``$'…'``: bytes given as ``\x`` or in octal are UTF-8 together."""
        found = re.compile(r"((?:[^\\']|\\.)*)'", re.DOTALL).match(self._text, place)
        if found is None:
            _refuse_open("$'")
        text = _ESCAPE.sub(_unescaped, found[1])
        raw = text.encode("utf-8", "surrogateescape")
        # Bytes that are not UTF-8 stay what they are: a header may hold them.
        self._take(raw.decode("utf-8", "surrogateescape"), found.end())

    def _variable(self) -> None:
        at = self._place
        for begin, words in _RUNS.items():
            if self._text.startswith(begin, at):
                _refuse_run(words, self._text)
        found = _NAME.match(self._text, at)
        if found:
            self._take(variable(found[1] or found[2]), found.end())
        elif re.compile(r"\$[\w{*@#?!$-]").match(self._text, at):
            _refuse("a $ stands for something that only a shell knows", "$NAME is the environment's NAME")
        else:
            self._take("$", at + 1)

    def _end_of(self, quote: str, place: int) -> int:
        end = self._text.find(quote, place)
        return end if end >= 0 else _refuse_open(quote)

    def _refuse_operator(self) -> NoReturn:
        pair = self._text[self._place : self._place + 2]
        if pair in _RUNS:
            _refuse_run(_RUNS[pair], self._text)
        char = self._text[self._place]
        hint = f"paste one command; a {char} that belongs to a word is quoted: '…'"
        _refuse(f"an unquoted {char} ends the command, and something follows", hint)


def _unescaped(match: re.Match[str]) -> str:
    octal, byte, *characters, control, other = match.groups()
    if octal or byte:
        code = int(octal, 8) & 0xFF if octal else int(byte, 16)
        char = chr(code) if code < 0x80 else chr(0xDC00 + code)
    elif code_point := next(filter(None, characters), None):
        char = _character(int(code_point, 16))
    elif control:
        char = "\x7f" if control == "?" else chr(ord(control) & 0x1F)
    else:
        char = _SIMPLE.get(other, f"\\{other}")
    if char == "\0":
        _refuse("$'…' holds the control character U+0000", "remove it")
    return char


def _character(code: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        _refuse(f"$'…' holds U+{code:04X}, which is no character", "remove it")
    return chr(code)


def _refuse_run(what: str, text: str) -> NoReturn:
    if what == "a backtick" and re.search(r"\s`[ \t]*\r?$", text, re.MULTILINE):
        _refuse(
            "the lines end in backticks, as those of PowerShell", "copy it as cURL (bash) or as cURL (cmd)"
        )
    _refuse(
        f"{what} would run something, and nothing of a pasted command is run",
        "put what it gives into a variable: {{env.NAME}}",
    )


def _refuse_open(quote: str) -> NoReturn:
    _refuse(
        f"a quotation that begins with {quote} has no end", "close it; below %%ws it may have several lines"
    )


def _refuse(what: str, hint: str) -> NoReturn:
    raise InvalidError(what, hint=hint)
