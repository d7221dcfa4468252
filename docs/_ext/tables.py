"""The reference of options, magics and errors, made from the tables that the code itself works by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ipyws import errors
from ipyws.core.options.table import OPTIONS, Option
from ipyws.notebook.source.line import Flag
from ipyws.notebook.verbs.flags import connect_flags
from ipyws.notebook.verbs.help import help_of_cell
from ipyws.notebook.verbs.table import VAR, VERBS, Verb


class Generated(SphinxDirective):
    """Parses the Markdown that `lines` gives as if it stood in the page."""

    def lines(self) -> Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class Options(Generated):
    """Every option of a connection: in Python, in a line of ``%ws``, in a file."""

    def lines(self) -> Iterator[str]:
        for option, flag in zip(OPTIONS, connect_flags(), strict=True):
            yield f"```{{confval}} {option.name}\n\n{_sentence(option.about)}\n"
            yield f":values: {_markdown(option.kind.values)}"
            yield f":default: `{option.in_python}`"
            yield f":`%ws connect`: {_spelling(flag)}{'; may be repeated' if flag.many else ''}"
            yield f":in a file: {_in_a_file(option)}\n```\n"


class Verbs(Generated):
    """Every verb of ``%ws``, a section each."""

    def lines(self) -> Iterator[str]:
        for verb in VERBS.values():
            yield f"## {verb.name}\n"
            yield f"```text\n%ws {verb.name} {verb.form}".rstrip()
            yield f"```\n\n{_sentence(verb.about)}\n"
            if verb.command:
                yield f"The flags are those of {verb.name}: [Paste in, copy out](../paste.md).\n"
            else:
                yield from _table(_own_flags(verb))
            for name, flags in verb.in_dialects().items():
                yield f"\nIn [{name}](../dialects/{name}.md):\n"
                yield from _table(flags)
            if verb.name == "connect":
                yield "\nAnd every [option of a connection](options.md).\n"
            if verb.examples:
                yield "\n```text\n" + "\n".join(verb.examples) + "\n```\n"


class Cell(Generated):
    """What stands in a cell of ``%%ws``."""

    def lines(self) -> Iterator[str]:
        yield f"```text\n{help_of_cell()}\n```\n"


class Tree(Generated):
    """The classes of errors, with what holds unless one of them says otherwise."""

    def lines(self) -> Iterator[str]:
        yield "| error | kind | retryable | also a |\n|---|---|---|---|"
        for name in sorted(errors.__all__, key=lambda name: (name != "WebSocketError", name)):
            kind = getattr(errors, name)
            if isinstance(kind, type) and issubclass(kind, errors.WebSocketError):
                ours = (errors.WebSocketError, Exception)
                also = [f"`{base.__name__}`" for base in kind.__bases__ if base not in ours]
                facts = f"`{kind.kind}` | {'yes' if kind.retryable else 'no'} | {', '.join(also)}"
                yield f"| {{py:exc}}`~ipyws.errors.{name}` | {facts} |"


class Kinds(Generated):
    """The names of the kinds."""

    def lines(self) -> Iterator[str]:
        yield ", ".join(f"`{kind}`" for kind in errors.Kind)


def _own_flags(verb: Verb) -> Iterable[Flag]:
    """Return the flags of a verb; those of `connect` that are options have a page of their own."""
    options = {flag.key for flag in connect_flags()}
    own = verb.flags if verb.name != "connect" else [flag for flag in verb.flags if flag.key not in options]
    return [*own, VAR]


def _table(flags: Iterable[Flag]) -> Iterator[str]:
    bar = "\\|"  # in a cell of a table
    yield "| option | what it does |\n|---|---|"
    for flag in flags:
        yield f"| {_spelling(flag).replace('|', bar)} | {_markdown(flag.about)} |"


def _spelling(flag: Flag) -> str:
    *others, last = flag.names
    return ", ".join(f"`{name}`" for name in (*others, f"{last} {flag.value}".rstrip()))


def _in_a_file(option: Option) -> str:
    more = option.kind.in_file
    return "NAME of its table, `[connections.NAME]`" if more is None else f"`{option.name}`{more}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{_markdown(text[1:])}."


def _markdown(text: str) -> str:
    """Return plain text as Markdown that shows it."""
    for character in "\\`*_{}[]<>|":
        text = text.replace(character, f"\\{character}")
    return text


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("ws-options", Options)
    app.add_directive("ws-verbs", Verbs)
    app.add_directive("ws-cell", Cell)
    app.add_directive("ws-errors", Tree)
    app.add_directive("ws-kinds", Kinds)
    return {"parallel_read_safe": True}
