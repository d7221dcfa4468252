"""The ``%ws`` and ``%%ws`` magics: from a line and a body to a verb."""

from __future__ import annotations

from functools import partial
from typing import Any

from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError, WebSocketError, brief
from ipyws.notebook import cell
from ipyws.notebook.session import Session
from ipyws.notebook.source.aliases import means_ws
from ipyws.notebook.source.line import Parsed, first_word, parse
from ipyws.notebook.source.misplaced import misplaced
from ipyws.notebook.source.place import place_in_cell
from ipyws.notebook.source.scope import calling_frame, names_at
from ipyws.notebook.tracebacks import shorten
from ipyws.notebook.verbs.connect import is_url
from ipyws.notebook.verbs.flags import check_variable
from ipyws.notebook.verbs.help import CELL, help_of, help_of_cell, overview
from ipyws.notebook.verbs.table import VAR, VERBS, Verb
from ipyws.runtime.registry import REGISTRY
from ipyws.snippets.programs import tool_called

_HELP_FLAGS = ("-h", "--help")
# How DevTools copy a request besides.
_ELSEWHERE = ("invoke-webrequest", "$session", "await")


class Magic:
    """What IPython calls for ``%ws`` and ``%%ws``."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, line: str, body: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        frame, shell = calling_frame(), self.session.shell
        names = names_at(frame, shell.user_ns, local_ns)
        call = Magic(self.session.within(names))
        try:
            return call.line(line) if body is None else call.cell(line, body)
        except WebSocketError as error:
            _explain(error, line, alone=body is None)
            where = place_in_cell(frame, shell, partial(means_ws, shell)) if body is None else ""
            if where:
                error.within(where)
            shorten(error)
            raise
        finally:
            call.session.settle()

    def line(self, line: str) -> Any:
        """Run a line magic."""
        word, rest = first_word(line)
        if word in ("", "help", *_HELP_FLAGS):
            return self._help(rest)
        if word.endswith("?") and not rest and not _is_url(word):  # as in IPython, `%ws send?` asks for help
            return self._help(word)
        verb = VERBS.get(tool_called(word) or word)
        if verb is None:
            # `%ws wss://…` and `%ws {{url}}` connect; so does an option first, `%ws -k wss://…`.
            if not _is_url(word) and not word.startswith("-"):
                raise _unknown(word)
            verb, rest = VERBS["connect"], line
        if first_word(rest)[0] in _HELP_FLAGS:
            return self._help(verb.name)
        return self._run(verb, rest)

    def _run(self, verb: Verb, line: str) -> Any:
        parsed = Parsed(rest=line) if verb.command else self._parse(verb, line)
        variable = check_variable(parsed.take("o"))
        _check_words(verb, parsed)
        result = verb.run(self.session, parsed)
        self.session.store(variable, result)
        return result

    def _parse(self, verb: Verb, line: str) -> Parsed:
        flags = (*verb.flags, *verb.more(self.session, line), VAR)
        before = verb.words[0] if verb.rest else 0
        return parse(line, flags, self.session.evaluate, rest=verb.rest, before=before, values=verb.values)

    def cell(self, line: str, body: str) -> list[Message] | None:
        """Run a cell magic: send the body."""
        if first_word(line)[0] in _HELP_FLAGS:
            self._help(CELL)
            return None
        return cell.run(self.session, line, body)

    def misplaced(self, line: str) -> None:
        """Say that ``%%ws`` stands where it is no cell magic."""
        raise shorten(misplaced())

    def _help(self, topic: str) -> None:
        print(_help_on(first_word(topic)[0].rstrip("?")))  # noqa: T201 - the help is the cell's output


def _is_url(word: str) -> bool:
    return is_url(word) or word.startswith("{{")


def _help_on(topic: str) -> str:
    if topic in ("", "help"):
        return overview()
    if topic in (CELL, "%%ws"):
        return help_of_cell()
    if topic not in VERBS:
        raise _unknown(topic)
    return help_of(VERBS[topic])


def _explain(error: WebSocketError, line: str, *, alone: bool) -> None:
    """Say an error in the words of a line, and what in a line magic's may have caused it."""
    # What explains errors is loaded where there is one.
    from ipyws.notebook.source.advice import advise
    from ipyws.notebook.source.mistyped import name_flags

    name_flags(error, line)
    if alone:
        advise(error, line)


def _unknown(word: str) -> InvalidError:
    from ipyws.notebook.source.mistyped import unknown_verb

    if word.lower() in _ELSEWHERE or word.startswith("fetch("):
        return InvalidError(f"{brief(word)} is not read", hint='%ws curl reads DevTools\' "Copy as cURL"')
    return unknown_verb(word, VERBS, REGISTRY.all())


def _check_words(verb: Verb, parsed: Parsed) -> None:
    least, most = verb.words
    if verb.rest or least <= len(parsed.words) <= most:
        return
    from ipyws.notebook.source.mistyped import unexpected

    usage = f"%ws {verb.name} {verb.form}".rstrip()
    if len(parsed.words) < least:
        raise InvalidError(f"something is missing in %ws {verb.name}", hint=f"write {usage}")
    surplus = parsed.words[most:]
    if verb.name == "connect":  # the URL may stand anywhere
        url = next((word for word in parsed.words if is_url(word)), parsed.words[0])
        surplus = [word for word in parsed.words if word is not url]
    raise unexpected(surplus, parsed.options.get("headers", []), usage)
