"""Completion of verbs, options, connection names and URLs after ``%ws`` and ``%%ws``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from ipyws.config.current import CURRENT
from ipyws.core.codecs.registry import codec_names
from ipyws.core.constants import SERVER_KINDS, Compression
from ipyws.core.messages.message import Message
from ipyws.core.offers import DIALECTS
from ipyws.errors import InvalidError
from ipyws.notebook.cell import FLAGS as CELL_FLAGS
from ipyws.notebook.expression_completion import expression_names
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Flag
from ipyws.notebook.verbs.help import CELL
from ipyws.notebook.verbs.policing import WORDS as POLICY_WORDS
from ipyws.notebook.verbs.table import VAR, VERBS
from ipyws.runtime.registry import REGISTRY
from ipyws.script.grammar import DIRECTIVES
from ipyws.snippets.programs import FORMS, tool_called
from ipyws.text.masking import holds_secret

_LOOKED = 20  # messages whose keys are offered
_CAPTURES = (".jsonl", ".har")
_PATHS = ("PATH", "PEM-FILE")  # what the help calls the value of an option that names a file
_DIRECTIVE = re.compile(r"===\s+(\S*)")
_OURS = re.compile(r"(?:^|=|;|%time(?:it)?\s)\s*(%{1,2})ws\s+(.*)$")


def make_matcher(session: Session) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Return the matcher to add to IPython's completer; it says nothing anywhere else than after ``%ws``."""

    @context_matcher(identifier="ipyws", priority=200)  # type: ignore[untyped-decorator]
    def ipyws_matcher(context: CompletionContext) -> Any:
        line = context.text_until_cursor.rsplit("\n", 1)[-1]
        found = _in_expression(context.full_text, line, session) or _offered(session, context.full_text, line)
        if found is None:
            return {"completions": [], "suppress": False}
        fragment, texts = found
        offered = [
            SimpleCompletion(text=text, type="magic option" if text.startswith("-") else "magic")
            for text in texts
            # What is inserted stays in the notebook: nothing that has a secret in it is offered.
            if text.startswith(fragment) and not holds_secret(text)
        ]
        return {"completions": offered, "matched_fragment": fragment, "suppress": True}

    result: Callable[[CompletionContext], SimpleMatcherResult] = ipyws_matcher
    return result


def _in_expression(cell: str, line: str, session: Session) -> tuple[str, Iterable[str]] | None:
    ours = cell.startswith("%%ws") or _OURS.search(line) is not None
    return expression_names(line, session.names, _newest) if ours else None


def _newest() -> list[Message]:
    """Return what came last on the connection that the magics use."""
    current = REGISTRY.current()
    newest = [] if current is None else current.log[-_LOOKED:]
    return [each for each in reversed(newest) if each.direction == "in" and each.type in ("text", "binary")]


def _offered(session: Session, cell: str, line: str) -> tuple[str, Iterable[str]] | None:
    """Return the word at the end of a line and what it may be; None where it is none of ours."""
    if (match := _OURS.search(line)) is not None:
        *before, fragment = re.split(r"\s+", match[2])
        return fragment, candidates(session, before, fragment, cell=match[1] == "%%")
    if (match := _DIRECTIVE.fullmatch(line)) is not None and cell.startswith("%%ws"):
        return match[1], DIRECTIVES
    return None


def candidates(session: Session, before: list[str], fragment: str, *, cell: bool = False) -> Iterable[str]:
    """Return what may stand at a place of the line.

    Args:
        session: What a connection is found in.
        before: The words before it, the verb first.
        fragment: What is there already.
        cell: Whether it is the line of ``%%ws``, which has no verb.
    """
    if cell and not (before and tool_called(before[0])):
        return _arguments(CELL_FLAGS, before, fragment, "connect")
    if not before and not fragment.startswith("-"):
        return [*VERBS, "help", *_urls()]
    if before[:1] == ["help"]:
        return [*VERBS, CELL]
    if before[:1] == ["policy"] and before[1:] and not fragment.startswith("-"):
        return _urls() if before[1:] == ["check"] else []
    if before and (tool := tool_called(before[0])) is not None:
        return _flags_of(tool) if fragment.startswith("-") else []
    verb = VERBS.get(before[0] if before else "", VERBS["connect"])
    flags = (*verb.flags, *verb.more(session, " ".join(before)), VAR)
    return _arguments(flags, before, fragment, verb.name)


def _flags_of(tool: str) -> list[str]:
    from ipyws.snippets.reading import flag_names

    return flag_names(tool)


def _arguments(flags: Iterable[Flag], before: list[str], fragment: str, verb: str) -> Iterable[str]:
    known = {name: flag for flag in flags for name in flag.names}
    if before and (last := known.get(before[-1])) is not None and last.value:
        return _values(last, fragment)
    if "--file" in before:
        return _files(fragment)
    return list(known) if fragment.startswith("-") else _words(verb, fragment)


def _values(flag: Flag, fragment: str) -> Iterable[str]:
    if flag.key in ("connection", "name"):
        return list(REGISTRY.all())
    if flag.key == "compression":
        return [mode.name.lower() for mode in Compression]
    if flag.key == "codec":
        return _codecs(fragment)
    if flag.key == "reconnect":
        return ["on"]
    if flag.key == "dialect":
        return list(DIALECTS)
    if flag.key == "replay":
        return _files(fragment, _CAPTURES)
    return _files(fragment) if flag.value in _PATHS else []


def _words(verb: str, fragment: str) -> Iterable[str]:
    if verb in ("close", "use", "log", "panel"):
        return list(REGISTRY.all())
    if verb == "serve":
        return SERVER_KINDS
    if verb in ("save", "replay"):
        return _files(fragment, _CAPTURES)
    if verb == "copy":
        return FORMS
    if verb == "policy":
        return POLICY_WORDS
    return [*_saved(), *_urls()] if verb == "connect" else []


def _codecs(fragment: str) -> list[str]:
    """Return the names of codecs, also behind ``+``; behind ``:`` what is in a folder."""
    name, colon, path = fragment.partition(":")
    if colon:
        return [f"{name}:{each}" for each in _files(path)]
    before = fragment[: fragment.rfind("+") + 1]
    return [f"{before}{name}" for name in codec_names()]


def _files(fragment: str, suffixes: Collection[str] = ()) -> list[str]:
    """Return what the folder of a path holds: folders, and files of these suffixes, or of any."""
    folder, name = fragment[: fragment.rfind("/") + 1], fragment[fragment.rfind("/") + 1 :]
    try:
        found = sorted(Path(folder).expanduser().iterdir())
    except (OSError, RuntimeError):  # there is no such folder, or no such user
        return []
    fits = (path for path in found if path.is_dir() or not suffixes or path.suffix.lower() in suffixes)
    shown = (path for path in fits if name.startswith(".") or not path.name.startswith("."))
    return [f"{folder}{path.name}{'/' if path.is_dir() else ''}" for path in shown]


def _saved() -> list[str]:
    try:
        return CURRENT.connections()
    except InvalidError:  # a broken file is told of when it counts
        return []


def _urls() -> list[str]:
    return list(dict.fromkeys(str(client.url) for client in REGISTRY.all().values()))
