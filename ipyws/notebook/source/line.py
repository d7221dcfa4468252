"""The line of a magic: split into words by shlex's POSIX rules, its options by a table of flags.

Not argparse: the rest of a `send` line is the payload, quotes and all, so that the parser has to know where
in the line a word ends; and what is wrong with an option is our error, in one line.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from ipyws.core.options.fresh import Again
from ipyws.errors import InvalidError, brief, suggestion
from ipyws.notebook.source.arguments import Argument, Value, argument_at
from ipyws.script.expression import Evaluate
from ipyws.script.template import Protected, protect

Convert = Callable[..., Any]

# Not all that Unicode calls space: U+001E ends the records of SignalR, and is a part of the payload.
_SPACE = " \t\r\n\xa0"
_FIRST = re.compile(rf"[{_SPACE}]*(\S+)[{_SPACE}]*(.*)", re.DOTALL)


class Flag(NamedTuple):
    """An option of a verb.

    Attributes:
        names: How it is written, the long name last: ("-H", "--headers").
        about: A line for the help.
        value: What it takes ("URL", "DURATION"), or "" for a switch.
        convert: Makes of the text what the API takes.
        many: Whether it may be repeated; its values are then a list.
        verbatim: Whether its value is Python, in which templates are not expanded, or are later; unless it is
            quoted as a whole, the quotes in it are Python's.
        words: How many words its value has: ``convert`` takes as many texts.
        again: Whether a value with templates can be made again later; it is then an `Again`.
    """

    names: tuple[str, ...]
    about: str
    value: str = ""
    convert: Convert = str
    many: bool = False
    verbatim: bool = False
    words: int = 1
    again: bool = False

    @property
    def key(self) -> str:
        """The name under which its value is found."""
        return self.names[-1].lstrip("-").replace("-", "_")


@dataclass(slots=True)
class Parsed:
    """What a line says.

    Attributes:
        options: The values of the flags that were given, by key.
        words: The words that are not options, templates expanded.
        again: What expands these words again, None for one that has no templates.
        rest: The payload of a verb whose line ends in one, as it stands; None if there is none.
        values: What follows the first word of a verb that takes arguments, each as JSON or else as text.
    """

    options: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    rest: str | None = None
    values: list[Value] = field(default_factory=list)
    again: list[Callable[[], str] | None] = field(default_factory=list)

    def take(self, key: str, default: Any = None) -> Any:
        """Remove an option and return its value."""
        return self.options.pop(key, default)


def first_word(line: str) -> tuple[str, str]:
    """Return the first word of a line, as it stands, and what follows it."""
    found = _FIRST.match(line)
    return (found[1], found[2].strip(_SPACE)) if found else ("", "")


def parse(
    line: str,
    flags: Sequence[Flag],
    evaluate: Evaluate,
    *,
    rest: bool = False,
    before: int = 0,
    values: bool = False,
) -> Parsed:
    """Read the line of a verb.

    Args:
        line: What follows the verb.
        flags: The verb's options.
        evaluate: Gives the value of a template's expression.
        rest: Whether the line ends in a payload: options stand before it, ``--`` ends them.
        before: How many words stand before that payload; they are left as they stand.
        values: Whether a first word and arguments are what stands beside the options.

    Raises:
        InvalidError: A quote is not closed, an option is unknown, lacks its value or has a wrong one, or a
            template can't be expanded.
    """
    return _Reader(line, flags, evaluate, rest, before, values).read()


class _Reader:
    def __init__(
        self,
        line: str,
        flags: Sequence[Flag],
        evaluate: Evaluate,
        rest: bool,
        before: int,
        values: bool,
    ) -> None:
        self._protected: Protected = protect(line)
        self._text = self._protected.line
        self._by_name = {name: flag for flag in flags for name in flag.names}
        self._given: list[tuple[Flag, str, list[str]]] = []
        self._words: list[str] = []
        self._evaluate = evaluate
        self._rest = rest
        self._before = before
        self._with_values = values
        self._values: list[Argument] = []
        self._place = 0
        self._parsed = Parsed()

    def read(self) -> Parsed:
        options_ended = False
        while self._skip_space():
            if not self._at_option() or options_ended:
                if self._with_values:
                    found = argument_at(self._text, self._place)
                    self._values.append(found or Argument(self._word()))
                    self._place = found.end if found else self._place
                    continue
                if self._rest and len(self._words) >= self._before:
                    self._parsed.rest = self._protected.source(self._text[self._place :])
                    break
                self._words.append(self._word())
                continue
            start, word = self._place, self._word()
            if word == "--":
                options_ended = True
            else:
                self._option(word, self._text[start : self._place])
        self._convert()
        return self._parsed

    def _at_option(self) -> bool:
        text, place = self._text, self._place
        negative = self._with_values and text[place + 1 : place + 2].isdigit()
        return text[place] == "-" and not negative

    def _skip_space(self) -> bool:
        while self._place < len(self._text) and self._text[self._place] in _SPACE:
            self._place += 1
        return self._place < len(self._text)

    def _word(self) -> str:
        stream = io.StringIO(self._text[self._place :])
        lexer = shlex.shlex(stream, posix=True, punctuation_chars=False)
        lexer.whitespace_split = True
        lexer.commenters = ""
        try:
            word = lexer.get_token()
        except ValueError as error:
            raise InvalidError(
                f"the line can't be split into words: {str(error).lower()}", hint="close the quotation"
            ) from None
        self._place += stream.tell()
        return word or ""

    def _option(self, word: str, source: str) -> None:
        """Take an option.

        Args:
            word: It, with what it has behind a "=".
            source: The same, its quotes included.
        """
        name, separator, attached = word.partition("=") if word.startswith("--") else (word, "", "")
        flag = self._by_name.get(name)
        if flag is None:
            raise self._unknown(name)
        if separator and not flag.value:
            raise InvalidError(f"{name} takes no value", hint="write it alone")
        if flag.verbatim:
            attached = _python(attached, source.partition("=")[2])
        texts = [attached] if separator else []
        while flag.value and len(texts) < flag.words:
            if not self._skip_space() or self._next_is_flag():
                what = "a part of its value" if texts else "its value"
                raise InvalidError(f"{name} lacks {what}", hint=f"{name} {flag.value}")
            start, text = self._place, self._word()
            texts.append(_python(text, self._text[start : self._place]) if flag.verbatim else text)
        self._given.append((flag, name, texts))

    def _next_is_flag(self) -> bool:
        return self._text[self._place :].split(maxsplit=1)[0] in self._by_name

    def _convert(self) -> None:
        """Expand and convert what was given; last, because ``--raw`` may stand anywhere."""
        options = self._parsed.options
        self._raw = any(flag.key == "raw" for flag, _, _ in self._given)
        as_written = self._protected.source
        words = as_written if self._before else self._expand
        self._parsed.words = [words(word) for word in self._words]
        self._parsed.again = [self._expander(word) for word in self._words]
        if self._values:
            evaluate = None if self._raw else self._evaluate
            first, *others = self._values
            self._parsed.words = [self._expand(first.text)]
            self._parsed.values = [each.read(self._protected, evaluate) for each in others]
        for flag, name, texts in self._given:
            value: Any = True
            if flag.value:
                value = flag.convert(*map(as_written if flag.verbatim else self._expand, texts))
                if flag.again and (expand := self._expander(texts[0])):
                    value = Again(value, _chained(expand, flag.convert))
            if flag.many:
                options.setdefault(flag.key, []).append(value)
            elif flag.key in options and flag.value:
                raise InvalidError(f"{name} is given twice", hint="once is enough")
            else:
                options[flag.key] = value

    def _expander(self, text: str) -> Callable[[], str] | None:
        """Return what expands a piece of the line again; None where it has no templates."""
        has_templates = not self._raw and self._protected.source(text) != text
        return partial(self._expand, text) if has_templates else None

    def _unknown(self, name: str) -> InvalidError:
        hint = suggestion(name, self._by_name, f"the options are {', '.join(self._by_name) or 'none'}")
        if self._rest:
            hint += "; -- ends the options before a payload that begins with -"
        return InvalidError(f"there is no option {brief(self._protected.source(name))}", hint=hint)

    def _expand(self, text: str) -> str:
        if self._raw:
            return self._protected.source(text)
        return self._protected.restore(text, self._evaluate)


def _python(word: str, source: str) -> str:
    """Return a word of Python: what is not quoted as a whole keeps its quotes, as ``json["price"]>3``."""
    source = source.strip(_SPACE)
    return word if source[:1] in ('"', "'") or "\\" in source else source


def _chained(expand: Callable[[], str], convert: Convert) -> Callable[[], Any]:
    return lambda: convert(expand())
