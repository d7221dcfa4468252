"""``%%ws`` below the first line of a cell, where IPython knows no cell magic."""

from __future__ import annotations

from typing import Any, Final, Self

from ipyws.errors import InvalidError
from ipyws.notebook.source.aliases import means_ws
from ipyws.notebook.source.transform import LAYOUT, ShellTransform

LINE_NAME: Final = "%ws"
"""The line magic that IPython takes it for."""


class MisplacedCell(ShellTransform):
    """Makes of such a cell one that says what is wrong: its body is no Python."""

    @classmethod
    def find(cls, tokens_by_line: list[list[Any]]) -> Self | None:
        """Return the first such line among those of a cell, or None."""
        for tokens in tokens_by_line:
            words = [token for token in tokens if token.type not in LAYOUT][:4]
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
