"""What stands for a value in a pasted command: ``{{env.TOKEN}}``, ``$TOKEN`` of a shell, a notebook's name.

A pasted command may come from anywhere, and is data: a reference names a value. An expression that would do
something is refused, as ``$(…)`` is.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from ipyws.errors import InvalidError
from ipyws.script.expression import Evaluate, shown
from ipyws.script.template import Protected, expand_plain

_ESCAPED: Final = "{{{{"
# Neither can stand in a command: a line with U+0000 is refused.
_MARK: Final = re.compile("\x00(?:([0-9]+)|[$]([A-Za-z_][A-Za-z0-9_]*))\x00")


def variable(name: str) -> str:
    """Return what stands in a word for a variable of the environment."""
    return f"\x00${name}\x00"


class References:
    """Puts values in place of references.

    Args:
        protected: The command, its templates taken out.
        evaluate: Gives the value of an expression.

    Attributes:
        values: Those that were put in.
    """

    def __init__(self, protected: Protected, evaluate: Evaluate) -> None:
        self._protected = protected
        self._evaluate = evaluate
        self.values: set[str] = set()

    def fill(self, word: str) -> str:
        """Return a word with the values of its references.

        Raises:
            InvalidError: One would do more than name a value, or its value is not there or no text.
        """
        return _MARK.sub(self._value, word)

    def _value(self, match: re.Match[str]) -> str:
        source = self._protected.sources[int(match[1])] if match[1] else f"{{{{env.{match[2]}}}}}"
        if source == _ESCAPED:
            return "{{"
        expression = source[2:-2].strip()
        if not _names_a_value(expression):
            raise InvalidError(
                f"{{{{{shown(expression)}}}}} would run something, and nothing of a pasted command is run",
                hint='{{env.TOKEN}} and {{name["key"]}} name a value; "{{{{" writes "{{"',
            )
        value = expand_plain(source, self._evaluate)
        self.values.add(value)
        return value


def _names_a_value(expression: str) -> bool:
    try:
        node: ast.expr = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    while True:
        match node:
            case ast.Name():
                return True
            case ast.Attribute(value=inner, attr=name) if not name.startswith("_"):
                node = inner
            case ast.Subscript(value=inner, slice=ast.Constant()):
                node = inner
            case _:
                return False
