"""Commands of other programs as lines of ``%ws``, and the way back: `curl`, `wscat`, `websocat`, `copy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.notebook.verbs.connect import open_at
from ipyws.runtime.client import Client

if TYPE_CHECKING:
    from ipyws.snippets.reading import Pasted


def read_pasted(session: Session, tool: str, text: str) -> Pasted:
    """Read what follows the name of a program, and say what became of it.

    Raises:
        InvalidError: Something in it can't be read or carried over.
    """
    from ipyws.snippets.reading import read_words_of

    pasted = read_words_of(tool, text, session.evaluate)
    for note in pasted.notes():
        session.say(note)
    return pasted


def connect_as(tool: str) -> Callable[[Session, Parsed], Client]:
    """Return what connects as a command of a program would, and sends what that would send."""

    def connect(session: Session, parsed: Parsed) -> Client:
        pasted = read_pasted(session, tool, parsed.rest or "")
        if pasted.rest.strip():
            raise InvalidError(
                f"something follows the {tool} command", hint=f"%%ws {tool} … takes messages below it"
            )
        client = open_at(pasted.url, pasted.options)
        for payload in pasted.payloads:
            client.send(payload)
        session.greet(client)
        return client

    return connect


def copy(session: Session, parsed: Parsed) -> str:
    from ipyws.snippets.writing import copy_as

    client = session.client(parsed.take("connection"))
    text = copy_as(parsed.words[0] if parsed.words else "ws", client)
    # Its secrets are references already, and in a shell's quotes masking would take those for secrets.
    print(text)  # noqa: T201 - the text is the cell's output
    return text
