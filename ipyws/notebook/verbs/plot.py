"""What ``%ws plot`` does."""

from __future__ import annotations

import re
from typing import Any, Final

from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed

_BEHIND: Final = re.compile(r"\s--last[\s=]+(\S+)\s*$")


def plot(session: Session, parsed: Parsed) -> Any:
    expression, last = parsed.rest or "", parsed.take("last")
    if found := _BEHIND.search(f" {expression}"):
        if last is not None:
            raise InvalidError("--last is given twice", hint="one of them is allowed")
        expression, last = expression[: max(0, found.start() - 1)], found[1]
    if not expression.strip():
        raise InvalidError("there is nothing to plot", hint="%ws plot EXPR [by EXPR] [--last DURATION]")
    client = session.client(parsed.take("connection"))
    return session.plot(client, expression, last)
