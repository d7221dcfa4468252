"""Which message an expression means: ``json["type"] == "tick"`` over `msg`, `json` and the notebook."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from ipyws.core.message import Message
from ipyws.errors import InvalidError
from ipyws.script.expression import Environment, compile_expression, shown

Predicate = Callable[[Message], bool]


def make_predicate(expression: str, namespace: Mapping[str, Any]) -> Predicate:
    """Return the function that tells whether a message fulfils ``expression``.

    In it ``msg`` is the message, ``json`` its parsed payload or None, and the rest are the notebook's names.
    An exception such as KeyError means "no"; an unknown name is an error.

    Raises:
        InvalidError: At once for a syntax error, when called for an unknown name.
    """
    code = compile_expression(expression)

    def fulfils(message: Message) -> bool:
        known = {**namespace, "env": Environment(), "msg": message, "json": parsed(message)}
        try:
            return bool(eval(code, {"__builtins__": builtins, **known}))
        except NameError as error:
            raise InvalidError(
                f"{shown(expression)!r}: name {error.name!r} is not defined",
                hint="msg, json and the notebook's own names are",
            ) from None
        except InvalidError:
            raise
        except Exception:
            return False

    return fulfils


def parsed(message: Message) -> Any:
    """Return a message's payload as parsed JSON, or None if it is none."""
    try:
        return message.json()
    except InvalidError:
        return None
