"""A ``%ws`` line that holds a character at which Python, and so IPython, ends a line.

``str.splitlines`` takes U+001E, the terminator of SignalR's records, U+0085, U+2028 and others for ends of a
line: the payload would end there, and the rest of it be run as Python.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"(?P<before>\s*(?:[\w., ]+=\s*)?)%ws[ \t]+(?P<rest>\S.*)", re.DOTALL)
_ENDS = ("\n", "\r")


def join_lines(lines: list[str]) -> list[str]:
    """Return the lines of a cell with each cut ``%ws`` line as one call of the magic."""
    if lines and lines[0].startswith("%%"):
        return lines
    joined: list[str] = []
    pieces: list[str] = []
    for number, line in enumerate(lines):
        pieces.append(line)
        if not line.endswith(_ENDS) and number + 1 < len(lines):
            continue
        joined += _whole(pieces)
        pieces = []
    return joined


def _whole(pieces: list[str]) -> list[str]:
    """Return the pieces of one line, as a call of the magic if IPython would cut or strip it."""
    text = "".join(pieces)
    found = _LINE.fullmatch(text)
    bare = text.rstrip("\r\n")
    if found is None or (len(pieces) == 1 and bare.rstrip() == bare.rstrip(" \t")):
        return pieces
    rest = found["rest"].rstrip(" \t\r\n")
    return [f"{found['before']}get_ipython().run_line_magic('ws', {rest!r})\n"]
