"""``%%ws`` below the first line of a cell, where IPython knows no cell magic."""

from __future__ import annotations

import tokenize
from typing import Any, Final, Self

from IPython.core.inputtransformer2 import TokenTransformBase

from ipyws.errors import InvalidError
from ipyws.notebook.source.aliases import means_ws

_LAYOUT: Final = (tokenize.INDENT, tokenize.DEDENT)
LINE_NAME: Final = "%ws"
"""The line magic that IPython takes it for."""


class MisplacedCell(TokenTransformBase):  # type: ignore[misc] # IPython has no types
    """Makes of such a cell one that says what is wrong: its body is no Python."""

    priority = 1
    shell: Any = None

    @classmethod
    def of(cls, shell: Any) -> type[Self]:
        """Return the class for a shell, whose aliases it knows."""
        return type(cls.__name__, (cls,), {"shell": shell})

    @classmethod
    def find(cls, tokens_by_line: list[list[Any]]) -> Self | None:
        """Return the first such line among those of a cell, or None."""
        for tokens in tokens_by_line:
            words = [token for token in tokens if token.type not in _LAYOUT][:4]
            named = [word.string for word in words[:2]] == ["%", "%"] and len(words) > 2
            asked = words[-1].string == "?"  # for help
            if named and not asked and means_ws(cls.shell, words[2].string):
                return cls(words[0].start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the call that raises, in place of the whole cell."""
        return [f"get_ipython().run_line_magic({LINE_NAME!r}, '')\n"]


def misplaced() -> InvalidError:
    """Return the error."""
    return InvalidError(
        "%%ws is not on the first line of the cell",
        hint="move what stands above it, comments too, into another cell: all below it is sent",
    )
