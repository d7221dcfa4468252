"""What our transformations of a cell's tokens have in common."""

from __future__ import annotations

import tokenize
from typing import Any, Final, Self

from IPython.core.inputtransformer2 import TokenTransformBase

LAYOUT: Final = (tokenize.INDENT, tokenize.DEDENT)
"""Tokens that say nothing but how a line is indented."""


class ShellTransform(TokenTransformBase):  # type: ignore[misc] # IPython has no types
    """A transformation that knows its shell: a class for each, since IPython makes the instances.

    Attributes:
        shell: The shell.
    """

    priority = 1  # before those of IPython, such as HelpEnd, which has 5
    shell: Any = None

    @classmethod
    def of(cls, shell: Any) -> type[Self]:
        """Return the class for a shell, whose aliases it knows."""
        return type(cls.__name__, (cls,), {"shell": shell})
