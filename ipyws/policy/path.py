"""Comparing the path of a URL with that of a rule: narrowly to allow, broadly to deny.

Servers differ in whether they decode a path again, merge slashes, ignore case, drop dots and spaces at the
end of a name, and cut ";parameters" before or after that. What is allowed must be meant by none of them as
something else; what one of them may take for a denied path is denied. So is a path with dots that were
escaped twice, or with more escapes in escapes than anyone means: it can't be told where it leads.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

Segments = tuple[str, ...]

BELOW: Final = "*"
"""The last segment of a rule that means everything below."""

_DECODINGS: Final = 8
_PARAMETERS: Final = re.compile(r"[;?#\0].*", re.DOTALL)


def surely_fits(segments: Segments, wanted: Segments) -> bool:
    """Tell whether a path is that of a rule, segment by segment, and nobody resolves it to another."""
    if wanted[-1] == BELOW:
        above = wanted[:-1]
        same = len(segments) > len(above) and segments[: len(above)] == above
    else:
        same = segments == wanted
    return same and _leads_somewhere(_readings(segments))


def may_fit(segments: Segments, wanted: Segments) -> bool:
    """Tell whether some server may take a path for that of a rule."""
    readings = _readings(segments)
    if not _leads_somewhere(readings):
        return True
    if wanted[-1] != BELOW:
        plain = _named(_plain("/".join(wanted)))
        return any(_named(reading) == plain for reading in readings)
    plain = _named(_plain("/".join(wanted[:-1])))
    return any(len(found) > len(plain) and found[: len(plain)] == plain for found in readings)


def _leads_somewhere(readings: list[Segments]) -> bool:
    return bool(readings) and not any({".", ".."} & set(reading) for reading in readings)


@lru_cache(maxsize=64)
def _readings(segments: Segments) -> list[Segments]:
    """Return the ways to read a path; none if it is escaped so often that this can't be told."""
    path, found = "/".join(segments), []
    for _ in range(_DECODINGS):
        found.append(_plain(_without_parameters(path)))
        path, coded = unquote(path, errors="replace"), path
        if path == coded:
            return found
    return []


@lru_cache(maxsize=256)
def _plain(path: str) -> Segments:
    """Return a path without what a server may ignore; of empty segments only one at the end is kept."""
    for _ in range(_DECODINGS):
        path = unquote(path, errors="replace")
    parts = _without_parameters(path).casefold().split("/")
    return (*filter(None, parts[:-1]), parts[-1])


def _without_parameters(path: str) -> str:
    names = (_PARAMETERS.sub("", part) for part in path.replace("\\", "/").split("/"))
    return "/".join(name.rstrip(". ") or name.rstrip() for name in names)


def _named(segments: Segments) -> Segments:
    return tuple(filter(None, segments))
