"""What ``%ws plot`` does."""

from __future__ import annotations

from typing import Any

from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.script.plotting import split_last


def plot(session: Session, parsed: Parsed) -> Any:
    expression, last = parsed.rest or "", parsed.take("last")
    expression, behind = split_last(expression)
    if behind is not None:
        if last is not None:
            raise InvalidError("--last is given twice", hint="one of them is allowed")
        last = behind
    if not expression.strip():
        raise InvalidError("there is nothing to plot", hint="%ws plot EXPR [by EXPR] [--last DURATION]")
    client = session.client(parsed.take("connection"))
    return session.plot(client, expression, last)
