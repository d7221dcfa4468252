"""A bare ``%ws`` adds nothing to ``Out``: its view is its output."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ipyws.notebook.source.closures import magic_call

MeansWs = Callable[[str], bool]
"""Tells whether a magic of this name is ours."""


class HideResults(ast.NodeTransformer):
    """Keeps a bare ``%ws`` from adding to ``Out``.

    IPython shows the value of a cell's last statement if it is an expression, or an assignment where the user
    wants that; inside an ``if`` it is neither.
    """

    def __init__(self, means_ws: MeansWs) -> None:
        self._means_ws = means_ws

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [self._hidden(statement) for statement in node.body]
        return node

    def _hidden(self, statement: ast.stmt) -> ast.stmt:
        if not _is_bare(statement, self._means_ws):
            return statement
        wrapped = ast.If(test=ast.Constant(True), body=[statement], orelse=[])
        return ast.fix_missing_locations(ast.copy_location(wrapped, statement))


def ends_with_magic(cell: str, means_ws: MeansWs) -> bool:
    """Tell whether the last statement of a cell, as IPython transformed it, is a bare ``%ws``."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        return False
    return bool(body) and _is_bare(body[-1], means_ws)


def _is_bare(statement: ast.stmt, means_ws: MeansWs) -> bool:
    call = magic_call(statement.value) if isinstance(statement, ast.Expr) else None
    return call is not None and means_ws(call[0])
