"""A connection as Python with ipyws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ipyws.core.codecs.codec import Data
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.spelling import python

OURS: Final = True


def write(described: Description) -> str:
    """Return the program."""
    options = "".join(f", {name}={python(described.take(name))}" for name in list(described.options))
    opening = f"with ipyws.connect({python(described.url)}{options}) as client:\n"
    sends = "".join(f"    client.send({payload(described, data)})\n" for data in described.payloads)
    body = f"{opening}{sends}    print(client.recv('10s'))\n"
    return program(described, body, "import ipyws")


def payload(described: Description, data: Data) -> str:
    """Return the expression of a message."""
    if isinstance(data, str):
        return python(described.keeper.text(data, "a message"))
    text = described.keeper.text(data.decode("utf-8", "surrogateescape"), "a message")
    if text.literal is not None:
        return repr(data)
    return f'({python(text)}).encode("utf-8", "surrogateescape")'


def program(described: Description, body: str, library: str, modules: Iterable[str] = ()) -> str:
    """Return a program.

    Args:
        described: Has its notes.
        body: What it does.
        library: The line that imports the library it uses.
        modules: Modules of Python that it may use, besides os.
    """
    used = sorted(name for name in ("os", *modules) if f"{name}." in body)
    standard = "".join(f"import {name}\n" for name in used)
    notes = "".join(f"# {note}\n" for note in notes_on(described))
    return f"{notes}{standard}{standard and chr(10)}{library}\n\n{body}"
