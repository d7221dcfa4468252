"""What a rule sends and what it answers, as written in a line: payloads with templates, expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipyws.core.messages.matcher import Judge, parsed
from ipyws.core.messages.message import Message
from ipyws.script.expression import check_names, make_evaluator
from ipyws.script.matching import make_predicate
from ipyws.script.payload import read
from ipyws.script.preflight import check_late, expressions_in
from ipyws.script.steps import Encoding, Send

_OF_A_MESSAGE = ("msg", "json")

Made = str | bytes | Callable[..., str | bytes]
"""A payload, or what makes it each time."""


def rule_payload(
    text: str,
    names: Mapping[str, Any],
    *,
    answers: bool = False,
    encoding: Encoding = "text",
    raw: bool = False,
    plain: bool = False,
) -> Made:
    """Return what a rule sends; where it has templates, what expands them each time.

    That happens on a thread of its own, with the names as they are then: the notebook's, ``env``, and of an
    answer ``msg`` and ``json``. They are read and never written.

    Args:
        text: The payload as it stands in the line.
        names: The notebook's names.
        answers: Whether it answers a message, which its templates see.
        encoding: How it is written.
        raw: Leave templates as they are.
        plain: A payload that begins with { or [ need not be JSON.

    Raises:
        InvalidError: It is not what it claims to be, or a template names what is not known.
    """
    step = Send(1, text, encoding)
    expressions = [] if raw else expressions_in(step)
    if not expressions:
        return read(text, encoding, make_evaluator(names), raw=raw, plain=plain)
    check_late(step, expressions, {*names, *(_OF_A_MESSAGE if answers else ())}, plain=plain)

    def beat() -> str | bytes:
        return read(text, encoding, make_evaluator(names), plain=plain)

    def answer(message: Message) -> str | bytes:
        known = {**names, "msg": message, "json": parsed(message)}
        return read(text, encoding, make_evaluator(known), plain=plain)

    return answer if answers else beat


def rule_judge(expression: str, names: Mapping[str, Any]) -> Judge:
    """Return what tells which messages an answer is for.

    Raises:
        InvalidError: It is no expression, or names what is not known.
    """
    check_names(expression, {*names, *_OF_A_MESSAGE})
    return make_predicate(expression, names)
