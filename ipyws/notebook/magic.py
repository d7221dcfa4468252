"""The ``%ws`` and ``%%ws`` magics: from a line and a body to a verb."""

from __future__ import annotations

import ast
import difflib
from typing import Any

from ipyws.core.message import Message
from ipyws.errors import InvalidError, WebSocketError
from ipyws.notebook import cell
from ipyws.notebook.failure import shorten
from ipyws.notebook.flags import check_variable
from ipyws.notebook.help import CELL, help_of, help_of_cell, overview
from ipyws.notebook.line import Parsed, first_word, parse
from ipyws.notebook.session import Session
from ipyws.notebook.table import VAR, VERBS, Verb

NAME = "ws"
_HELP_FLAGS = ("-h", "--help")


class Magic:
    """What IPython calls for ``%ws`` and ``%%ws``."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, line: str, body: str | None = None) -> Any:
        try:
            return self.line(line) if body is None else self.cell(line, body)
        except WebSocketError as error:
            shorten(error)
            raise

    def line(self, line: str) -> Any:
        """Run a line magic."""
        word, rest = first_word(line)
        if word in ("", "help", *_HELP_FLAGS):
            return self._help(rest)
        if word.endswith("?") and not rest:  # as in IPython, `%ws send?` asks for help
            return self._help(word)
        verb = VERBS.get(word)
        if verb is None:
            # `%ws wss://…` and `%ws {{url}}` connect; so does an option first, `%ws -k wss://…`.
            if "://" not in word and not word.startswith(("{{", "-")):
                raise _unknown(word)
            verb, rest = VERBS["connect"], line
        if first_word(rest)[0] in _HELP_FLAGS:
            return self._help(verb.name)
        return self._run(verb, rest)

    def _run(self, verb: Verb, line: str) -> Any:
        parsed = parse(line, (*verb.flags, VAR), self.session.evaluate, rest=verb.rest)
        variable = check_variable(parsed.take("o"))
        _check_words(verb, parsed)
        result = verb.run(self.session, parsed)
        self.session.store(variable, result)
        return result

    def cell(self, line: str, body: str) -> list[Message] | None:
        """Run a cell magic: send the body."""
        if first_word(line)[0] in _HELP_FLAGS:
            self._help(CELL)
            return None
        return cell.run(self.session, line, body)

    def _help(self, topic: str) -> None:
        print(_help_on(first_word(topic)[0].rstrip("?")))  # noqa: T201 - the help is the cell's output


def _help_on(topic: str) -> str:
    if not topic:
        return overview()
    if topic in (CELL, "%%ws"):
        return help_of_cell()
    if topic not in VERBS:
        raise _unknown(topic)
    return help_of(VERBS[topic])


def _unknown(word: str) -> InvalidError:
    close = difflib.get_close_matches(word, VERBS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the verbs are {', '.join(VERBS)}; a URL connects"
    return InvalidError(f"there is no verb {word!r:.60}", hint=hint)


def _check_words(verb: Verb, parsed: Parsed) -> None:
    least, most = verb.words
    if verb.rest or least <= len(parsed.words) <= most:
        return
    what = "too much is" if len(parsed.words) > most else "something is missing"
    stands = f"{what} given" if len(parsed.words) > most else what
    raise InvalidError(f"{stands} in %ws {verb.name}", hint=f"write %ws {verb.name} {verb.form}")


class HideResults(ast.NodeTransformer):
    """Keeps a bare ``%ws`` from adding to ``Out``: its view is its output.

    IPython shows the value of a cell's last statement if it is an expression, or an assignment where the user
    wants that; inside an ``if`` it is neither.
    """

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [self._hidden(statement) for statement in node.body]
        return node

    def _hidden(self, statement: ast.stmt) -> ast.stmt:
        if not (isinstance(statement, ast.Expr) and _is_ours(statement.value)):
            return statement
        wrapped = ast.If(test=ast.Constant(True), body=[statement], orelse=[])
        return ast.fix_missing_locations(ast.copy_location(wrapped, statement))


def ends_with_magic(cell: str) -> bool:
    """Tell whether the last statement of a cell, as IPython transformed it, is a bare ``%ws``."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        return False
    return bool(body) and isinstance(body[-1], ast.Expr) and _is_ours(body[-1].value)


def _is_ours(value: ast.expr) -> bool:
    """Tell whether this is ``get_ipython().run_line_magic("ws", …)`` or its cell sibling."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in ("run_line_magic", "run_cell_magic")
        and bool(value.args)
        and isinstance(value.args[0], ast.Constant)
        and value.args[0].value == NAME
    )
