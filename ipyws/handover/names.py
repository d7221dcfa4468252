"""The names that an expression of a cell may have in a script: what is known there too."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from typing import Final

from ipyws.script.expression import valid_message
from ipyws.text.masking import mask

KNOWN: Final = frozenset({"msg", "json", "env"})
"""Names that every expression may use: the message, its JSON, the variables of the environment."""


class UntranslatableError(ValueError):
    """An expression that has no equal in a script; the message says why."""


def read(expression: str, kept: Collection[str]) -> ast.expr:
    """Return the tree of an expression whose names a script has too.

    Args:
        expression: As it stands in the cell.
        kept: Names of values that steps before it keep.

    Raises:
        UntranslatableError: It names something of the notebook, is of a contract, or holds a secret.
    """
    if valid_message(expression) is not None:
        raise UntranslatableError("a contract is not carried over")
    if mask(expression) != expression:
        raise UntranslatableError("it holds a secret")
    tree = ast.parse(expression.strip(), mode="eval").body
    nodes = list(ast.walk(tree))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id not in bound | KNOWN | set(kept):
            if not hasattr(builtins, node.id):
                raise UntranslatableError(f"{node.id} is a name of the notebook")
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise UntranslatableError(f"it uses {node.attr}")
    return tree
