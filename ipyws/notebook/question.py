"""A question mark at the end of a ``%ws`` line is a part of it."""

from __future__ import annotations

import re
import tokenize
from typing import Any, Self

from IPython.core.inputtransformer2 import TokenTransformBase

_LINE = re.compile(r"(?P<before>\s*(?:[^%=]+=\s*)?)%ws\s+(?P<rest>\S.*?)\s*")
_LAYOUT = (tokenize.INDENT, tokenize.DEDENT)


class QuestionLine(TokenTransformBase):  # type: ignore[misc] # IPython has no types
    """Calls the magic where IPython would look up help on the last word: ``%ws send how are you?``.

    ``%ws?`` is left to IPython.
    """

    priority = 1  # before IPython's HelpEnd, which has 5

    @classmethod
    def find(cls, tokens_by_line: list[list[Any]]) -> Self | None:
        """Return the first such line among those of a cell, or None."""
        for tokens in tokens_by_line:
            if len(tokens) > 2 and tokens[-2].string == "?":
                first = next(token for token in tokens if token.type not in _LAYOUT)
                if first.start[0] == tokens[-2].start[0] and _LINE.fullmatch(first.line):
                    return cls(first.start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell with the one that was found as Python."""
        found = _LINE.fullmatch(lines[self.start_line])
        if found is None:
            raise SyntaxError(lines[self.start_line])  # IPython asks the next one
        call = f"{found['before']}get_ipython().run_line_magic('ws', {found['rest']!r})\n"
        return [*lines[: self.start_line], call, *lines[self.start_line + 1 :]]
