"""What ``%ws help`` says, made from the tables of verbs and options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ipyws.notebook.cell import OPTIONS
from ipyws.notebook.source.line import Flag
from ipyws.notebook.verbs.table import VAR, VERBS, Verb

CELL: Final = "cell"
"""The topic that tells of ``%%ws``."""

_OVERVIEW: Final = """A WebSocket client in the notebook.

%ws wss://…            connect (the same as %ws connect wss://…)
%ws VERB [options]     {verbs}, help
%%ws                   send the cell's body; === on a line of its own separates messages

{{{{ expression }}}} in a URL, a header or a payload is Python; {{{{env.TOKEN}}}} reads the environment.
Every verb returns its result: c = %ws connect …; -o VAR stores it.

{table}

%ws help VERB or %ws VERB -h tells more of a verb, %ws help cell of %%ws."""

_CELL: Final = """%%ws [URL-or-saved-name] [options]

send the cell's body, on the current connection or on one that is opened first

  ===                                         ends a message
  === wait [N] [TIMEOUT] [where EXPR]         wait for messages: one, for 10s, unless said otherwise
  === wait-for-server                         the same as === wait
  === expect EXPR [as NAME] [within TIMEOUT]  wait for a message that fulfils EXPR, keep it as NAME
  === sleep TIME                              do nothing for a time
  === ping                                    send a ping and wait for its pong
  === close [CODE [REASON]]                   close the connection
  === hex, === base64                         the next payload is written so
  === file PATH                               the payload is what the file holds

EXPR is Python over json (the payload parsed), msg (the message) and your own names; valid, or valid NAME, is
a message that keeps to the contract of the connection (--spec).
A time has its unit: 300ms, 5s, 1m30s.

{flags}
  and every option of %ws connect, if there is a URL

%%ws -c prices
{{"op": "subscribe", "channel": "BTC"}}
=== expect json["op"] == "subscribed" as reply within 2s
{{"op": "unsubscribe", "id": {{{{reply["id"]}}}}}}"""

_COMMAND: Final = """\
  the flags are those of {name}; what means nothing here is told, what can't be carried over is refused
  --as NAME names the connection, c = %ws {name} … stores it (there is no -o VAR)
  {{{{env.NAME}}}} and $NAME read the environment; nothing of the command is run
  %%ws {name} … takes a command of several lines, and below it messages, behind a line ==="""


def overview() -> str:
    """Return the help of ``%ws`` as a whole."""
    width = max(len(verb.form) for verb in VERBS.values())
    name = max(map(len, VERBS))
    table = "\n".join(f"  {verb.name:<{name}} {verb.form:<{width}}  {verb.about}" for verb in VERBS.values())
    return _OVERVIEW.format(verbs=", ".join(VERBS), table=table)


def help_of(verb: Verb) -> str:
    """Return the help of one verb."""
    head = f"%ws {verb.name} {verb.form}".rstrip()
    flags = _COMMAND.format(name=verb.name) if verb.command else _listed([*verb.flags, VAR])
    others = [f"in {name}:\n{_listed(its)}" for name, its in verb.in_dialects().items()]
    parts = [head, verb.about, flags, *others, "\n".join(verb.examples)]
    return "\n\n".join(filter(None, parts))


def help_of_cell() -> str:
    """Return the help of ``%%ws``."""
    return _CELL.format(flags=_listed(OPTIONS))


def _listed(flags: Sequence[Flag]) -> str:
    width = max(len(_spelling(flag)) for flag in flags)
    return "\n".join(f"  {_spelling(flag):<{width}}  {flag.about}" for flag in flags)


def _spelling(flag: Flag) -> str:
    return f"{', '.join(flag.names)} {flag.value}".rstrip()
