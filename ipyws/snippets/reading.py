"""A command of curl, wscat or websocat as the connection that it would open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from ipyws.core.options.credentials import remember_headers, remember_in_url
from ipyws.core.options.table import remember_credentials
from ipyws.errors import InvalidError
from ipyws.script.expression import Evaluate, make_evaluator
from ipyws.script.template import protect
from ipyws.snippets import curl, websocat, wscat
from ipyws.snippets.bash import Command, read_bash
from ipyws.snippets.cmd import is_cmd, read_cmd
from ipyws.snippets.draft import Draft
from ipyws.snippets.flags import read_flags
from ipyws.snippets.names import secrets_in, unique
from ipyws.snippets.programs import TOOLS, tool_called
from ipyws.snippets.references import References
from ipyws.text.masking import mask

_MODULES: Final[Mapping[str, ModuleType]] = dict(zip(TOOLS, (curl, wscat, websocat), strict=True))


@dataclass(frozen=True, slots=True, repr=False)
class Pasted:
    """What a pasted command says.

    Attributes:
        tool: The program it is for.
        url: The URL to connect to.
        options: Options of `ipyws.connect`.
        payloads: What is to be sent once the connection is open.
        left_out: Headers, and other parts, that ipyws makes itself or can't give.
        ignored: Flags that change nothing about a connection.
        exposed: Where secrets are written out in it: places, and names of variables that could hold them.
        rest: What follows the command.
    """

    tool: str
    url: str
    options: Mapping[str, Any]
    payloads: tuple[str | bytes, ...] = ()
    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    exposed: Mapping[str, str] = field(default_factory=dict)
    rest: str = ""

    def notes(self) -> list[str]:
        """Return what somebody who pastes it should know, in lines."""
        notes = []
        if self.left_out:
            notes.append(f"left out, since ipyws makes its own: {_listed(self.left_out)}")
        if self.ignored:
            notes.append(f"of no use here: {_listed(self.ignored)}")
        if self.exposed:
            names = ", ".join(f"{{{{env.{name}}}}}" for name in self.exposed.values())
            places = _listed(self.exposed)
            notes.append(
                f"secrets stand in this cell ({places}); keep them in the environment: write {names}"
            )
        return notes

    def __repr__(self) -> str:
        return f"<Pasted {self.tool} {mask(self.url)} with {', '.join(self.options) or 'no options'}>"


def read_command(text: str, evaluate: Evaluate | None = None) -> Pasted:
    """Read a command; nothing is run and nothing is dialled.

    Args:
        text: The command, the name of its program first: "curl 'https://…' -H …".
        evaluate: Gives the value of the expression of a template; None knows the environment alone.

    Raises:
        InvalidError: It is of another program, something in it is not known, or it would run something.
    """
    word, _, rest = text.lstrip().partition(" ")
    tool = tool_called(word.strip())
    if tool is None:
        raise InvalidError("this is no command that can be read", hint=f"it begins with {', '.join(TOOLS)}")
    return read_words_of(tool, rest, evaluate or make_evaluator({}))


def flag_names(tool: str) -> list[str]:
    """Return how the options of a program are written."""
    return [name for flag in _MODULES[tool].FLAGS for name in flag.names]


def read_words_of(tool: str, text: str, evaluate: Evaluate) -> Pasted:
    """Read what follows the name of a program.

    Raises:
        InvalidError: As `read_command`.
    """
    protected = protect(text.replace("\r\n", "\n"))
    references = References(protected, evaluate)
    reader: Callable[[str], Command] = read_cmd if is_cmd(protected.line) else read_bash
    command = reader(protected.line)
    draft = Draft(tool)
    words = [references.fill(word) for word in command.words]
    if command.fed is not None:
        if tool != "websocat":
            raise InvalidError(f"<<< feeds nothing to {tool}", hint="leave it out")
        draft.facts["fed"] = references.fill(command.fed)
    program = _MODULES[tool]
    _remember(words)
    program.finish(draft, read_flags(draft, words, program.FLAGS))
    url, options = draft.finish()
    remember_credentials(url, options)
    return Pasted(
        tool,
        url,
        options,
        tuple(draft.payloads),
        tuple(dict.fromkeys(draft.left_out)),
        tuple(dict.fromkeys(draft.ignored)),
        _exposed(url, options, references.values),
        protected.source(command.rest),
    )


def _remember(words: Iterable[str]) -> None:
    """Mask what looks like a credential, whatever the words come to mean."""
    for word in words:
        remember_headers(word)
        if "://" in word and " " not in word:
            remember_in_url(word)


def _exposed(url: str, options: Mapping[str, Any], referred: Iterable[str]) -> dict[str, str]:
    """Return where secrets are written out, and the names of variables for them."""
    values = [value for value in referred if value]
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, name, secret in secrets_in(url, options):
        if not any(value in secret for value in values):
            name = unique(name, names, secret)
            names[name] = secret
            places[place] = name
    return places


def _listed(things: Iterable[str]) -> str:
    return mask(", ".join(things))
