"""Regular expressions whose work grows with the payload and no faster: RE2 searches, not `re`.

`re` backtracks: on a text that a server chose, an ordinary pattern such as ``price.*cancelled`` takes
minutes, and holds the interpreter lock meanwhile. RE2 makes one pass, without the lock. What it can't do in
one pass (look-around, back-references) is refused. The syntax is that of `re`: each pattern is checked by
`re` first, and then rewritten where RE2 spells it differently.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.messages.regex_syntax import (
    ASCII,
    UNICODE,
    goes_on_after_end,
    translate,
    with_outer_boundaries,
)
from ipyws.errors import InvalidError, brief
from ipyws.runtime.threads import start_thread

try:
    import re2
except ImportError:  # there is no wheel for every platform
    re2 = None

LARGE: Final = 1 << 18
"""Bytes of a payload from which a search is made on a thread of its own: an interrupt ends the wait."""

_MEMORY: Final = 8 << 20
_MEMORY_UNICODE: Final = 2 << 20  # its classes are large: more would take long to compile
_POLL: Final = 0.05  # seconds

Find = Callable[[str], Iterator[tuple[int, int]]]
"""Yields the places of what is searched in a text, where each begins and ends."""

Test = Callable[[Data], bool]
"""Tells whether a payload holds what is searched, without regard to case; bytes are read as Latin-1."""


@lru_cache(maxsize=64)
def compile_regex(pattern: str) -> Test:
    """Return the test of a regular expression of `re`, searched in the whole payload.

    ``\\b`` and ``\\B`` know only ASCII letters, digits and _, unless ``\\b`` begins or ends the pattern.

    Raises:
        InvalidError: It is none, or one that can't be searched in a single pass.
    """
    flags = _check(pattern)
    if re2 is None:
        return _without_re2(pattern)
    if flags & re.VERBOSE:
        raise _refusal(pattern, "it has the flag x")
    multiline = bool(flags & re.MULTILINE)
    if not multiline and goes_on_after_end(pattern):
        raise _refusal(pattern, 'something follows its "$"')
    in_ascii = _compile(pattern, translate(pattern, multiline, ASCII), _MEMORY)
    translated = translate(with_outer_boundaries(pattern), multiline, UNICODE)
    test = _test(in_ascii, _compile(pattern, translated, _MEMORY_UNICODE))
    return test if _SPECIAL.search(pattern) or not pattern.isascii() else _quick(pattern, test)


@lru_cache(maxsize=64)
def compile_text(text: str) -> Test:
    """Return the test of a text that is searched as it stands."""
    if re2 is None:
        return _folded(text)
    try:
        found = _compile(text, re.escape(text), _MEMORY)
    except InvalidError:  # a lone surrogate
        return _folded(text)
    return _test(found, found)


@lru_cache(maxsize=64)
def finder(wanted: str, *, regex: bool) -> Find:
    """Return what finds the places of a text, or of a regular expression that `compile_regex` takes.

    It is for what is shown of a payload: the places of a regular expression may be a character off from what
    `compile_regex` finds, where ``\\b`` stands beside letters that are not ASCII.
    """
    if not regex or re2 is None:
        literal = re.compile(re.escape(wanted), re.IGNORECASE)
        return lambda text: (match.span() for match in literal.finditer(text) if match[0])
    multiline = bool(_check(wanted) & re.MULTILINE)
    engine = _compile(wanted, translate(wanted, multiline, ASCII), _MEMORY)

    def find(text: str) -> Iterator[tuple[int, int]]:
        raw = text.encode("utf-8", "surrogatepass")
        for match in engine.finditer(raw):
            start, end = match.span()
            if start < end:
                before = len(raw[:start].decode("utf-8", "surrogatepass"))
                yield before, before + len(raw[start:end].decode("utf-8", "surrogatepass"))

    return find


def _check(pattern: str) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "possible nested set": it may be, in some later Python
            return re.compile(pattern, re.IGNORECASE).flags
    except (re.error, RecursionError, OverflowError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidError(f"{brief(pattern)} is not a regular expression: {why}") from None


def _test(in_ascii: Any, in_unicode: Any) -> Test:
    def test(data: Data) -> bool:
        engine = in_ascii if data.isascii() else in_unicode
        return _run(engine, data) if len(data) < LARGE else _run_aside(engine, data)

    return test


def _quick(text: str, test: Test) -> Test:
    """Return the same test of a plain text, for a tenth of the time where a small payload is ASCII too."""
    lower = text.lower()
    raw = lower.encode()

    def quick(data: Data) -> bool:
        if len(data) >= LARGE or not data.isascii():
            return test(data)
        return lower in data.lower() if isinstance(data, str) else raw in data.lower()

    return quick


def _run(engine: Any, data: Data) -> bool:
    if isinstance(data, bytes):
        raw = data if data.isascii() else data.decode("latin-1").encode()
    else:
        raw = data.encode("utf-8", "surrogatepass")
    return engine.search(raw) is not None


def _run_aside(engine: Any, data: Data) -> bool:
    """Search on another thread: Python handles an interrupt between two looks at it."""
    found: list[bool] = []
    searching = start_thread(lambda: found.append(_run(engine, data)), "ipyws-search")
    while searching.is_alive():
        searching.join(_POLL)
    return bool(found and found[0])


# -- without RE2 ---------------------------------------------------------------------------------------


def _folded(text: str) -> Test:
    wanted = text.casefold()
    return lambda data: wanted in (data if isinstance(data, str) else data.decode("latin-1")).casefold()


def _without_re2(pattern: str) -> Test:
    """Search a pattern that is plain text; Python has nothing that searches others in bounded time."""
    if re.escape(pattern).replace("\\", "") == pattern and not _SPECIAL.search(pattern):
        return _folded(pattern)
    raise InvalidError(
        f"{brief(pattern)} needs the package google-re2, which is not installed",
        hint="pip install google-re2, or search for plain text",
    )


_SPECIAL: Final = re.compile(r"[\\.^$*+?{}\[\]|()]")

# -- compiling -------------------------------------------------------------------------------------------

_REFUSED: Final = (
    (("(?=", "(?!", "(?<"), "it has a look-ahead or a look-behind"),
    (("(?>",), "it has an atomic group"),
    (("(?(",), "it has a condition"),
    (("(?#",), "it has a comment"),
    (("(?P", "invalid escape sequence"), "it has a back-reference, or an escape that RE2 does not know"),
    (("invalid perl operator",), "it has a flag that RE2 does not know"),
    (("bad repetition operator",), "it has a possessive quantifier, or two quantifiers"),
    (("invalid repetition size",), "it repeats something more than 1,000 times"),
    (("too large",), "it is too large"),
    (("surrogates",), "it has a lone surrogate"),
)


def _compile(pattern: str, translated: str, memory: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = memory
    try:
        return re2.compile(translated, options)
    except (re2.error, UnicodeEncodeError) as error:
        said = str(error)
        why = next((words for signs, words in _REFUSED if any(sign in said for sign in signs)), "")
        raise _refusal(pattern, why or "RE2 does not know its syntax") from None


def _refusal(pattern: str, why: str) -> InvalidError:
    return InvalidError(
        f"{brief(pattern)} can't be searched in bounded time: {why}",
        hint="search for less, and look through what is found with Python's re",
    )
