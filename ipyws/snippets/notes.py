"""What stands as a comment beside a copied connection: what to set first, what was not carried over."""

from __future__ import annotations

from ipyws.snippets.description import Description
from ipyws.snippets.spelling import python
from ipyws.text.printable import visible


def notes_on(described: Description) -> list[str]:
    """Return the notes, a line each; options that are still there were not carried over."""
    notes = list(dict.fromkeys(described.notes))
    if described.options:
        left = ", ".join(f"{name}={python(value)}" for name, value in described.options.items())
        notes.append(f"not carried over: {left}")
    if described.keeper.needed:
        names = ", ".join(f"{name} ({place})" for name, place in described.keeper.needed.items())
        notes.insert(0, f"set in the environment first: {names}")
    return [visible(note) for note in notes]
