"""Which message an expression means: ``json["type"] == "tick"`` over `msg`, `json` and the notebook."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from ipyws.core.message import Message
from ipyws.errors import InvalidError
from ipyws.printable import visible
from ipyws.script.expression import Environment, compile_expression, shown
from ipyws.secrets import mask

_SHOWN = 120


class Predicate:
    """Tells whether a message fulfils an expression; made by `make_predicate`.

    Attributes:
        refused: How many messages did not fulfil it.
        failure: What the expression raised for the last message it could not judge, or "".
    """

    def __init__(self, expression: str, namespace: Mapping[str, Any]) -> None:
        self._expression = expression
        self._code = compile_expression(expression)
        self._namespace = namespace
        self.refused = 0
        self.failure = ""

    def __call__(self, message: Message) -> bool:
        """Tell whether ``message`` fulfils the expression.

        Raises:
            InvalidError: The expression has an unknown name.
        """
        known = {**self._namespace, "env": Environment(), "msg": message, "json": parsed(message)}
        try:
            fulfilled = bool(eval(self._code, {"__builtins__": builtins, **known}))
        except NameError as error:
            raise InvalidError(
                f"{shown(self._expression)!r}: name {error.name!r} is not defined",
                hint="msg, json and the notebook's own names are",
            ) from None
        except InvalidError:
            raise
        except Exception as error:
            fulfilled = False
            self.failure = visible(mask(f"{type(error).__name__}: {error}"))[:_SHOWN]
        self.refused += not fulfilled
        return fulfilled

    def describe(self) -> str:
        """Return in words how many messages did not fulfil the expression, and why not; "" if none."""
        if not self.refused:
            return ""
        why = f"; the expression raised {self.failure}" if self.failure else ""
        return f"{self.refused:,} came for which {shown(self._expression)!r} does not hold{why}"


def make_predicate(expression: str, namespace: Mapping[str, Any]) -> Predicate:
    """Return the function that tells whether a message fulfils ``expression``.

    In it ``msg`` is the message, ``json`` its parsed payload or None, and the rest are the notebook's names.
    An exception such as KeyError means "no"; an unknown name is an error.

    Raises:
        InvalidError: ``expression`` is not a Python expression.
    """
    return Predicate(expression, namespace)


def parsed(message: Message) -> Any:
    """Return a message's payload as parsed JSON, or None if it is none."""
    try:
        return message.json()
    except InvalidError:
        return None
