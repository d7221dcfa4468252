"""What ``%ws help`` says, made from the tables of verbs and options."""

from __future__ import annotations

from ipyws.notebook.line import Flag
from ipyws.notebook.table import VAR, VERBS, Verb

_OVERVIEW = """A WebSocket client in the notebook.

%ws wss://…            connect (the same as %ws connect wss://…)
%ws VERB [options]     {verbs}, help
%%ws                   send the cell's body; === on a line of its own separates messages

{{{{ expression }}}} in a URL, a header or a payload is Python; {{{{env.TOKEN}}}} reads the environment.
Every verb returns its result: c = %ws connect …; -o VAR stores it.

{table}

%ws help VERB or %ws VERB -h tells more."""


def overview() -> str:
    """Return the help of ``%ws`` as a whole."""
    table = "\n".join(f"  {verb.name:<8} {verb.form:<34} {verb.about}" for verb in VERBS.values())
    return _OVERVIEW.format(verbs=", ".join(VERBS), table=table)


def help_of(verb: Verb) -> str:
    """Return the help of one verb."""
    flags = [*verb.flags, VAR]
    width = max(len(_spelling(flag)) for flag in flags)
    lines = [f"  {_spelling(flag):<{width}}  {flag.about}" for flag in flags]
    return f"%ws {verb.name} {verb.form}\n\n{verb.about}\n\n" + "\n".join(lines)


def _spelling(flag: Flag) -> str:
    return f"{', '.join(flag.names)} {flag.value}".rstrip()
