"""What can be known to be wrong with a body before any of it is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from ipyws.core.messages.contract import Contract
from ipyws.errors import InvalidError
from ipyws.script import steps, template
from ipyws.script.expression import Evaluate, check_names, valid_message
from ipyws.script.matching import make_predicate
from ipyws.script.payload import read

Payload = str | bytes

WAITING: Final = (steps.Wait, steps.Expect, steps.Sleep, steps.Ping)
"""Steps that take their time: templates behind them are expanded when their message is sent."""

# What most values fit in the place of: text may be a key of an object, a number may follow a sign.
_STAND_INS: Final = ("", 0)


def read_payloads(
    script: Sequence[steps.Step], names: Mapping[str, Any], evaluate: Evaluate, *, raw: bool, plain: bool
) -> dict[steps.Step, Payload]:
    """Check a whole body; return the payloads that can be read already.

    A payload whose templates stand behind a step that waits is left out: read it when it is sent, it may
    speak of what came meanwhile. Only that its names will be known, and that it will be JSON where it begins
    like it, is checked here.

    Args:
        script: The steps, in their order.
        names: The notebook's names.
        evaluate: Gives the value of a template's expression.
        raw: Leave templates as they are.
        plain: A payload that begins with { or [ need not be JSON.

    Raises:
        InvalidError: Something is wrong; says on which line.
    """
    payloads: dict[steps.Step, Payload] = {}
    known = set(names)
    waited = False
    for step in script:
        try:
            if isinstance(step, steps.Send):
                if waited and not raw and (expressions := expressions_in(step)):
                    check_late(step, expressions, known, plain=plain)
                else:
                    payloads[step] = read(step.payload, step.encoding, evaluate, raw=raw, plain=plain)
            elif (judged := _judged(step)) and valid_message(judged) is None:
                check_names(judged, known | {"msg", "json"})
        except InvalidError as error:
            raise at(step, error) from None
        waited = waited or isinstance(step, WAITING)
        known |= {step.name} if isinstance(step, steps.Expect) and step.name else set()
    return payloads


def check_contract(script: Sequence[steps.Step], contract: Contract | None) -> None:
    """Check, before anything is sent, that what is to be valid is of a message of a contract.

    Raises:
        InvalidError: There is no contract, or no such message; says on which line.
    """
    for step in script:
        judged = _judged(step)
        if judged is not None and valid_message(judged) is not None:
            try:
                make_predicate(judged, {}, contract)
            except InvalidError as error:
                raise at(step, error) from None


def at(step: steps.Step, error: InvalidError) -> InvalidError:
    """Return an error that says which step of a body is wrong."""
    return InvalidError(f"{place(step)}: {error.message}", hint=error.hint)


def place(step: steps.Step) -> str:
    """Return where in the cell a step stands."""
    return f"message on line {step.line}" if isinstance(step, steps.Send) else f"line {step.line}"


def expressions_in(step: steps.Send) -> list[str]:
    """Return the expressions of the templates in a message."""
    return [part.text for part in template.find(step.payload) if part.is_expression]


def check_late(step: steps.Send, expressions: Sequence[str], known: Collection[str], *, plain: bool) -> None:
    """Check what can be known of a payload whose templates can't be expanded yet.

    Args:
        step: The message.
        expressions: Those of its templates.
        known: Names that there will be.
        plain: A payload that begins with { or [ need not be JSON.

    Raises:
        InvalidError: A name will not be known, or it will be no JSON though it begins like it.
    """
    for expression in expressions:
        check_names(expression, known)
    if step.encoding == "text":
        errors = [error for value in _STAND_INS if (error := _error_with(step, value, plain=plain))]
        if len(errors) == len(_STAND_INS):
            raise errors[0]


def _error_with(step: steps.Send, value: object, *, plain: bool) -> InvalidError | None:
    """Return what is wrong with a payload if its templates yield ``value``."""
    try:
        read(step.payload, step.encoding, lambda _: value, plain=plain)
    except InvalidError as error:
        return error
    return None


def _judged(step: steps.Step) -> str | None:
    if isinstance(step, steps.Expect):
        return step.expression
    return step.where if isinstance(step, steps.Wait) else None
