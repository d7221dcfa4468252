"""A connection, and what was sent on it, as something to paste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final

from ipyws.core.connection.described import Described
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError, brief, suggestion
from ipyws.snippets.description import describe
from ipyws.snippets.forms import curl, python, websocat, websockets, ws, wscat
from ipyws.snippets.programs import FORMS

_MODULES: Final[Mapping[str, ModuleType]] = dict(
    zip(FORMS, (ws, python, websockets, wscat, websocat, curl), strict=True)
)


def copy_as(form: str, client: Any, messages: Iterable[Message] | None = None) -> str:
    """Return a connection as a text to paste.

    Secrets are references to the environment; which variables have to be set first stands in a comment, as
    does what the form can't carry over.

    Args:
        form: "ws" for a cell, "python", "websockets" for Python with that library, "wscat", "websocat", or
            "curl" for the handshake.
        client: The connection.
        messages: What is sent on it; None for the last 20 messages that were.

    Raises:
        InvalidError: There is no such form.
    """
    if form not in FORMS:
        hint = suggestion(str(form), FORMS, f"the forms are {', '.join(FORMS)}")
        raise InvalidError(f"there is no form {brief(form)}", hint=hint)
    connection: Described = getattr(client, "connection", client)
    module = _MODULES[form]
    text: str = module.write(describe(connection, messages, ours=module.OURS))
    return text
