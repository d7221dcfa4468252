"""What in a line of ``%ws`` leads to an error elsewhere: habits of Python, shells and other magics."""

from __future__ import annotations

import re
from typing import Final

from ipyws.errors import InvalidError, UnknownConnectionError, WebSocketError

_EXPANDED_ELSEWHERE: Final = re.compile(r"\$[A-Za-z_]\w*|(?<!\{)\{[A-Za-z_][\w.]*\}")
_COMMENT: Final = re.compile(r"(?:^|\s)#")
_PAYLOAD: Final = ("send", "ping")
"""Verbs whose line ends in text that may hold anything."""
_URLS: Final = ("connect", "policy")
"""Verbs whose line may end in the "?" of a URL."""
_COMMANDS: Final = ("curl", "curl.exe", "wscat", "websocat")
"""Verbs whose line is written for a shell."""

SEMICOLON: Final = "leave out the ; at the end"


def advise(error: WebSocketError, line: str) -> None:
    """Add to an error what in its line may have caused it.

    Args:
        error: What was wrong with the line.
        line: What follows ``%ws``.
    """
    if not isinstance(error, InvalidError | UnknownConnectionError):
        return
    words = line.split()
    verb = words[0].rstrip(";") if words else ""
    if verb in _COMMANDS:
        return
    found = []
    expected = _EXPANDED_ELSEWHERE.search(line)
    if expected and (verb != "send" or "JSON" in error.message or expected[0] in error.message):
        found.append("{{name}} stands for the value of a name; $name and {name} do not")
    if verb not in _PAYLOAD and _COMMENT.search(line):
        found.append("# does not begin a comment in the line of a magic")
    if line.rstrip().endswith(";") and verb != "send":
        found.append(SEMICOLON)
    if line.rstrip().endswith("?") and verb not in (*_PAYLOAD, *_URLS) and len(words) > 1:
        found.append("leave out the ? at the end; behind a verb alone it asks for help")
    error.hint = "; ".join(filter(None, (error.hint, *found)))
