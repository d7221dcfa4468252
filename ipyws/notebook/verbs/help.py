"""What ``%ws help`` says, made from the tables of verbs and options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ipyws.core.options.groups import GROUPS
from ipyws.notebook.cell import OPTIONS
from ipyws.notebook.source.line import Flag
from ipyws.notebook.verbs.columns import columns, width_of, wrapped
from ipyws.notebook.verbs.table import VAR, VERBS, Verb

CELL: Final = "cell"
"""The topic that tells of ``%%ws``."""

_OVERVIEW: Final = """A WebSocket client in the notebook.

  %ws wss://…         connect, the same as %ws connect wss://…
  %ws VERB [options]  do something with a connection: the verbs are below
  %%ws                send the cell's body; a line === separates messages

{{{{ expression }}}} in a URL, a header or a payload is Python; {{{{env.TOKEN}}}} reads
the environment. Every verb returns its result: c = %ws connect …; -o VAR stores
it.

{table}

%ws help VERB, or %ws VERB -h, tells more of a verb; %ws help cell of %%ws."""

_VERBS: Final = {
    "Connections": ("connect", "curl", "wscat", "websocat", "ls", "use", "close"),
    "Messages": ("send", "recv", "ping", "every", "reply", "rules"),
    "Dialects (Socket.IO, MQTT, GraphQL …)": ("call", "emit", "subscribe", "publish"),
    "Look and keep": ("log", "plot", "panel", "save", "copy", "replay"),
    "Contracts, policy, servers": ("spec", "policy", "serve"),
}
_OTHERS: Final = "Others"

_DIRECTIVES: Final = (
    ("===", "ends a message"),
    ("=== wait [N] [TIMEOUT] [where EXPR]", "wait for messages: one, for 10s, unless given"),
    ("=== wait-for-server", "the same as === wait"),
    (
        "=== expect EXPR [as NAME] [within TIMEOUT]",
        "wait for a message for which EXPR holds, and keep its value as NAME",
    ),
    ("=== sleep TIME", "do nothing for a time"),
    ("=== ping", "send a ping and wait for its pong"),
    ("=== close [CODE [REASON]]", "close the connection"),
    ("=== hex, === base64", "the next payload is written in hex or base64"),
    ("=== file PATH", "the payload is what the file holds"),
)

_CELL: Final = """%%ws [URL-or-saved-name] [options]

send the cell's body, on the current connection or on one that is opened first

{directives}

EXPR is Python over json (the payload parsed), msg (the message) and your own
names; valid, or valid NAME, is a message that keeps to the contract of the
connection (--spec). A time has its unit: 300ms, 5s, 1m30s.

{flags}
  and every option of %ws connect, if there is a URL

%%ws -c prices
{{"op": "subscribe", "channel": "BTC"}}
=== expect json["op"] == "subscribed" as reply within 2s
{{"op": "unsubscribe", "id": {{{{reply["id"]}}}}}}"""

_COMMAND: Final = """\
  the flags are those of {name}; what means nothing here is told, and what
  can't be carried over is refused
  --as NAME names the connection; c = %ws {name} … stores it (no -o VAR)
  {{{{env.NAME}}}} and $NAME read the environment; nothing of the command is run
  %%ws {name} … takes a command of several lines, and messages below it,
  behind a line ==="""


def overview() -> str:
    """Return the help of ``%ws`` as a whole."""
    rest = [name for name in VERBS if not any(name in names for names in _VERBS.values())]
    groups = {**_VERBS, _OTHERS: (*rest, "help")}
    width = width_of(VERBS)
    tables = (f"{title}\n{_verbs(names, width)}" for title, names in groups.items())
    return _OVERVIEW.format(table="\n\n".join(tables))


def help_of(verb: Verb) -> str:
    """Return the help of one verb."""
    head = f"%ws {verb.name} {verb.form}".rstrip()
    flags = _COMMAND.format(name=verb.name) if verb.command else _flags([*verb.flags, VAR])
    others = [f"in {name}:\n{_listed(its)}" for name, its in verb.in_dialects().items()]
    parts = [head, wrapped(verb.about), flags, *others, "\n".join(verb.examples)]
    return "\n\n".join(filter(None, parts))


def help_of_cell() -> str:
    """Return the help of ``%%ws``."""
    return _CELL.format(directives=columns(_DIRECTIVES), flags=_listed(OPTIONS))


def _verbs(names: Iterable[str], width: int) -> str:
    about = {"help": "this; %ws help VERB for one of them"}
    return columns(((name, about.get(name) or VERBS[name].about) for name in names), width)


def _flags(flags: Sequence[Flag]) -> str:
    """Return flags, those that are options of a connection in their groups."""
    by_key = {flag.key: flag for flag in flags}
    if not all(name in by_key for names in GROUPS.values() for name in names):
        return _listed(flags)
    width = width_of(map(_spelling, flags))
    groups = [(title, [by_key.pop(name) for name in names]) for title, names in GROUPS.items()]
    groups.append((_OTHERS, list(by_key.values())))
    return "\n\n".join(f"{title}\n{_listed(its, width)}" for title, its in groups)


def _listed(flags: Iterable[Flag], width: int = 0) -> str:
    return columns(((_spelling(flag), flag.about) for flag in flags), width)


def _spelling(flag: Flag) -> str:
    return f"{', '.join(flag.names)} {flag.value}".rstrip()
