"""The names of the programs whose commands are read, and of the forms in which a connection is copied out."""

from __future__ import annotations

from typing import Final

TOOLS: Final = ("curl", "wscat", "websocat")
"""The programs whose commands are read."""
FORMS: Final = ("ws", "python", "websockets", "wscat", "websocat", "curl")
"""The forms that a connection is copied in, by the names that users give them."""
_OTHER_NAMES: Final = {"curl.exe": "curl"}
"""As Firefox writes it for Windows."""


def tool_called(word: str) -> str | None:
    """Return the program that a word calls, of those whose commands are read, or None."""
    name = _OTHER_NAMES.get(word, word)
    return name if name in TOOLS else None
