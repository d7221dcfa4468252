"""Text from the network made safe to look at: nothing invisible, nothing that acts on a terminal."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_RANGES = (
    # Controls: they move a terminal's cursor.
    r"\x00-\x1f\x7f-\x9f"
    # Bidirectional marks and line separators: they reorder what is read.
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    # No width, or as empty as a space: they hide text in text.
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0e"
    r"\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Lone surrogates, which no encoder takes, and noncharacters.
    r"\ud800-\udfff\ufdd0-\ufdef"
)
_NO_LAYOUT = str.maketrans("", "", "\n\t")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PLANE_ENDS = "".join(f"\\U{plane:04x}fffe-\\U{plane:04x}ffff" for plane in range(17))


def visible(text: str, keep_newlines: bool = False) -> str:
    r"""Return ``text`` with every character that can't be seen, or that acts, written as an ASCII escape.

    Controls, bidirectional marks, zero-width characters, surrogates and noncharacters become ``\xNN``,
    ``\uNNNN`` or ``\UNNNNNNNN``; line feed, return and tab become ``\n``, ``\r`` and ``\t``. The result can
    always be encoded as UTF-8 and printed on a terminal.

    Args:
        text: Any text. A backslash in it stays as it is.
        keep_newlines: Let line feeds and tabs through, for text that is shown on several lines.
    """
    # Most are ASCII: the search for all that Unicode hides takes ten times as long.
    if text.isascii() and (
        text.isprintable() or (keep_newlines and text.translate(_NO_LAYOUT).isprintable())
    ):
        return text
    return _hidden(keep_newlines).sub(_escape, text)


@cache
def _hidden(keep_newlines: bool) -> re.Pattern[str]:
    but_layout = "(?![\n\t])" if keep_newlines else ""
    return re.compile(f"{but_layout}[{_RANGES}{_PLANE_ENDS}]")


def name_character(char: str) -> str:
    """Return code point and name of a character, for a message about one that can't be used or seen."""
    code = f"U+{ord(char):04X}"
    category = unicodedata.category(char)
    if category == "Cc":
        return f"the control character {code}"
    if category == "Cs":
        return f"half a surrogate pair, {code}"
    return f"{code} {unicodedata.name(char, 'without a name')}"


def _escape(match: re.Match[str]) -> str:
    if short := _SHORT.get(match[0]):
        return short
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
