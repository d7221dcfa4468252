"""Functions in a cell keep the names that a magic in them speaks of."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import chain
from typing import Final

_WORD: Final = re.compile(r"[^\W\d]\w*")
_RUN: Final = ("run_line_magic", "run_cell_magic")


def magic_call(node: ast.AST) -> tuple[str, ...] | None:
    """Return the name and the texts of a magic's call, as IPython writes it; None if this is none."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _RUN):
        return None
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return tuple(texts) or None


class KeepNames(ast.NodeTransformer):
    """Puts the names of a ``%ws`` line beside it, where it stands in a function.

    A function keeps of the functions around it only the names that its own code has, and a magic's line is a
    string to it: once they have returned, the line would mean a global of the same name. The names stand in a
    ``lambda`` that is never called.

    Args:
        means_ws: Tells whether a magic of this name is ours.
    """

    def __init__(self, means_ws: Callable[[str], bool]) -> None:
        self._means_ws = means_ws
        self._bound: list[set[str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._visit_function(node)

    def _visit_function(self, node: ast.AST) -> ast.AST:
        self._bound.append(_bound_in(node))
        self.generic_visit(node)
        self._bound.pop()
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        call = magic_call(node) if self._bound else None
        if call is None or not (self._means_ws(call[0]) or any("%ws" in text for text in call[1:])):
            return node
        words = {word for text in call[1:] for word in _WORD.findall(text)}
        names = sorted(words & set(chain(*self._bound)))
        return _beside(node, names) if names else node


def _bound_in(function: ast.AST) -> set[str]:
    """Return the names that a function binds, with those of the functions in it: too many do no harm."""
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
    return found


def _beside(call: ast.Call, names: list[str]) -> ast.expr:
    """Return ``(call, lambda: (names…))[0]``."""
    kept = ast.parse(f"lambda: ({', '.join(names)},)", mode="eval").body
    both = ast.Tuple([call, kept], ast.Load())
    return ast.fix_missing_locations(
        ast.copy_location(ast.Subscript(both, ast.Constant(0), ast.Load()), call)
    )
