"""``%ws spec``: what a contract says, and cells that begin with it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ipyws import api
from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed

if TYPE_CHECKING:
    from ipyws.contracts.contract import ApiContract

WORDS = ("cell",)
"""What may follow ``%ws spec``."""


def spec(session: Session, parsed: Parsed) -> ApiContract | str:
    from ipyws.contracts.describe import describe

    file = parsed.take("file")
    word, *rest = parsed.words or [""]
    if word == "cell":
        return _cell(session, parsed, rest, file)
    if word:
        if rest or file is not None:
            raise InvalidError("%ws spec takes one file", hint="%ws spec FILE, or %ws spec cell OPERATION")
        file = word
    found = _contract(session, parsed, file)
    session.say("\n".join(describe(found)), lines=True)
    return found


def _cell(session: Session, parsed: Parsed, names: list[str], file: str | None) -> str:
    """Write a cell for an operation below this one."""
    from ipyws.contracts.describe import cell_of, head_of

    if len(names) != 1:
        raise InvalidError("%ws spec cell takes the name of an operation", hint="%ws spec lists them")
    found = _contract(session, parsed, file)
    head = "%%ws"
    if file is not None and found.servers:
        head = head_of(found.servers[0], f"--spec {shlex.quote(file)}")
    text = cell_of(found.operation(names[0]), head)
    session.shell.set_next_input(text, replace=False)
    return text


def _contract(session: Session, parsed: Parsed, file: str | None) -> ApiContract:
    from ipyws.contracts.contract import ApiContract

    name = parsed.take("connection")
    found = api.contract(file) if file is not None else session.client(name).log.contract
    if found is None:
        raise InvalidError("the connection has no contract", hint="%ws URL --spec FILE, or %ws spec FILE")
    if not isinstance(found, ApiContract):
        raise InvalidError(
            "the contract is neither an AsyncAPI document nor a JSON Schema", hint="%ws spec FILE"
        )
    return found
