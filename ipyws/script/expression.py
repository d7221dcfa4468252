"""Python expressions of a notebook: those in templates and those that a ``%%ws`` body waits for."""

from __future__ import annotations

import ast
import builtins
import os
import re
from collections.abc import Callable, Container, Mapping
from types import CodeType
from typing import Any, Final

from ipyws.errors import InvalidError
from ipyws.text.masking import Secret, mask, remember

Evaluate = Callable[[str], object]
"""Returns the value of a Python expression; `make_evaluator` makes one."""

_ASSIGNS: Final = re.compile(r"(?<![=!<>:])=(?!=)")
_VALID: Final = re.compile(r"valid(?:\s+([^\s=<>!()\[\],]+))?")
_SHOWN_EXPRESSION: Final = 60
_SHOWN_REASON: Final = 200


class Environment:
    """Reads environment variables: ``env.TOKEN``, ``env["TOKEN"]``. What is read is masked from then on."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Secret:
        """Return a variable's value.

        Raises:
            InvalidError: The variable is not set.
        """
        return self[name]

    def __getitem__(self, name: str) -> Secret:
        """Return a variable's value.

        Raises:
            InvalidError: The variable is not set.
        """
        value = os.environ.get(name)
        if value is None:
            raise InvalidError(
                f"environment variable {name!r} is not set",
                hint="set it before the kernel starts, or in os.environ",
                details={"variable": name},
            )
        remember(value, f"env.{name}")
        return Secret(value)


def valid_message(text: str) -> str | None:
    """Return the message that ``valid NAME`` means, "" for any of a contract; None for an expression."""
    match = _VALID.fullmatch(text.strip())
    return None if match is None else match[1] or ""


def compile_expression(source: str) -> CodeType:
    """Return the code of a Python expression.

    Raises:
        InvalidError: The text is not one Python expression.
    """
    return _read(source)[1]


def _read(source: str) -> tuple[ast.Expression, CodeType]:
    """Return the tree of an expression and its code: of a deep one, the tree alone may be too deep."""
    try:
        tree = ast.parse(source.strip(), "<ipyws>", "eval")
        return tree, compile(tree, "<ipyws>", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        hint = "== compares" if _ASSIGNS.search(source) else ""
        raise InvalidError(f"{shown(source)!r} is not a Python expression: {reason}", hint=hint) from None


def compile_condition(source: str) -> CodeType:
    """Return the code of an expression that a message may fulfil or not.

    An object, a list or a text counts as true whatever comes, so a test that "expects" one could not fail.

    Raises:
        InvalidError: The text is not one Python expression, or it is such a value.
    """
    tree, code = _read(source)
    if _is_fixed(tree.body):
        raise InvalidError(
            f"{shown(source)!r} is no condition: it is the same whatever comes",
            hint='compare, as in json["op"] == "login" or "ready" in msg.data',
        )
    return code


def _is_fixed(node: ast.expr) -> bool:
    match node:
        case ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.Constant(value=str() | bytes()):
            return True
        case ast.Dict():
            return None not in node.keys  # **other may hold nothing
        case ast.List() | ast.Tuple() | ast.Set():
            return not any(isinstance(item, ast.Starred) for item in node.elts)
    return False


def check_names(source: str, known: Container[str]) -> None:
    """Refuse an expression that names what will not be there when it runs.

    Raises:
        InvalidError: The text is not one Python expression, a name in it is neither known nor a builtin, or
            it reads an environment variable that is not set.
    """
    nodes = list(ast.walk(_read(source)[0]))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "env":
            Environment()[node.attr]
        elif isinstance(node, ast.Name) and not (
            node.id in bound or node.id == "env" or node.id in known or hasattr(builtins, node.id)
        ):
            raise unknown_name(repr(shown(source)), node.id)


def unknown_name(where: str, name: str) -> InvalidError:
    """Return the error for a name that is not defined."""
    return InvalidError(f"{where}: name {name!r} is not defined", hint="define it in a cell first")


def make_evaluator(namespace: Mapping[str, Any]) -> Evaluate:
    """Return the function that evaluates the expression of a template with the names of a notebook.

    Its errors are `InvalidError` for whatever goes wrong, and stand alone: the traceback of the cause could
    show a secret.

    Args:
        namespace: The names, looked up when an expression runs; builtins are known too, and ``env`` always is
            the `Environment`. An expression can't assign to it.
    """

    def evaluate(expression: str) -> object:
        code = compile_expression(expression)
        try:
            return eval(code, {"__builtins__": builtins, **namespace, "env": Environment()})
        except InvalidError:
            raise
        except Exception as error:
            raise _failure(expression, error) from None

    return evaluate


def shown(expression: str) -> str:
    """Return an expression fit for an error message: masked and not too long."""
    text = mask(expression.strip())
    return text if len(text) <= _SHOWN_EXPRESSION else text[: _SHOWN_EXPRESSION - 1] + "…"


def _failure(expression: str, error: Exception) -> InvalidError:
    template = f"template {{{{{shown(expression)}}}}}"
    if isinstance(error, NameError) and error.name:
        return unknown_name(template, error.name)
    reason = mask(str(error))[:_SHOWN_REASON]
    return InvalidError(f"{template} raised {type(error).__name__}: {reason}")
