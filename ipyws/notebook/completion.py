"""Completion of verbs, options, connection names and URLs after ``%ws`` and ``%%ws``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from ipyws.bridge.registry import REGISTRY
from ipyws.config.current import CURRENT
from ipyws.core.constants import SERVER_KINDS, Compression
from ipyws.errors import InvalidError
from ipyws.notebook.cell import FLAGS as CELL_FLAGS
from ipyws.notebook.line import Flag
from ipyws.notebook.policing import WORDS as POLICY_WORDS
from ipyws.notebook.session import Session
from ipyws.notebook.table import VAR, VERBS

_OURS = re.compile(r"(?:^|=|;)\s*(%{1,2})ws\s+(.*)$")


def make_matcher(session: Session) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return the matcher to add to IPython's completer; it says nothing anywhere else than after ``%ws``."""

    @context_matcher(identifier="ipyws", priority=200)  # type: ignore[untyped-decorator]
    def ipyws_matcher(context: CompletionContext) -> Any:
        line = context.text_until_cursor.rsplit("\n", 1)[-1]
        match = _OURS.search(line)
        if not match:
            return {"completions": [], "suppress": False}
        *before, fragment = re.split(r"\s+", match[2])
        found = [
            SimpleCompletion(text=text, type="magic option" if text.startswith("-") else "magic")
            for text in candidates(before, fragment, cell=match[1] == "%%")
            if text.startswith(fragment)
        ]
        return {"completions": found, "matched_fragment": fragment, "suppress": True}

    result: Callable[[CompletionContext], SimpleMatcherResult] = ipyws_matcher
    return result


def candidates(before: list[str], fragment: str, *, cell: bool = False) -> Iterable[str]:
    """Return what may stand at a place of the line.

    Args:
        before: The words before it, the verb first.
        fragment: What is there already.
        cell: Whether it is the line of ``%%ws``, which has no verb.
    """
    if cell:
        return _arguments(CELL_FLAGS, before, fragment, "connect")
    if not before and not fragment.startswith("-"):
        return [*VERBS, "help", *_urls()]
    if before[:1] == ["help"]:
        return list(VERBS)
    verb = VERBS.get(before[0] if before else "", VERBS["connect"])
    return _arguments((*verb.flags, VAR), before, fragment, verb.name)


def _arguments(flags: Iterable[Flag], before: list[str], fragment: str, verb: str) -> Iterable[str]:
    known = {name: flag for flag in flags for name in flag.names}
    if before and (last := known.get(before[-1])) is not None and last.value:
        return _values(last)
    return list(known) if fragment.startswith("-") else _words(verb)


def _values(flag: Flag) -> Iterable[str]:
    if flag.key in ("connection", "name"):
        return list(REGISTRY.all())
    if flag.key == "compression":
        return [mode.name.lower() for mode in Compression]
    return []


def _words(verb: str) -> Iterable[str]:
    if verb in ("close", "use", "log", "panel"):
        return list(REGISTRY.all())
    if verb == "serve":
        return SERVER_KINDS
    if verb == "replay":
        return sorted(str(path) for pattern in ("*.jsonl", "*.har") for path in Path().glob(pattern))
    if verb == "policy":
        return POLICY_WORDS
    return [*_saved(), *_urls()] if verb == "connect" else []


def _saved() -> list[str]:
    try:
        return CURRENT.connections()
    except InvalidError:  # a broken file is told of when it counts
        return []


def _urls() -> list[str]:
    return list(dict.fromkeys(str(client.url) for client in REGISTRY.all().values()))
