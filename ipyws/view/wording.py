"""Advice in the form of the place where it is read: in Python, on a line of ``%ws``, in the panel.

Hints name options as Python does, ``auth=(USER, PASSWORD)``, since they are made where nobody knows who reads
them. On a line that is ``--auth USER:PASSWORD``, in the panel a field of the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ipyws.core.options.durations import ALLOWED
from ipyws.core.options.groups import label
from ipyws.core.options.table import BY_NAME

_ARGUMENTS: Final = ("anywhere", "overwrite", "replay", "port")
"""Arguments that are no options of a connection, and flags of a verb."""

_GIVEN: Final = re.compile(
    rf"(?P<give>\b[Gg]ive )?\b(?P<name>{'|'.join((*BY_NAME, *_ARGUMENTS))})="
    r"(?P<value>\([^()]*\)|\[[^][]*\]|\{[^{}]*\}|\"[^\"]*\"|[A-Za-z0-9_.]+)?"
)
_SAID: Final = (
    (f"; {ALLOWED}, or None to switch it off", ""),
    (f"; {ALLOWED}", ""),
    (ALLOWED, "write a time such as 300ms, 5s or 1m30s"),
    ("client.log has them", "%ws log shows them"),
)
_QUOTES: Final = re.compile(r"[\"'()\[\]{}]")


def on_line(hint: str) -> str:
    """Return a hint with its options as flags of ``%ws``: ``--auth USER:PASSWORD``."""
    for python, line in _SAID:
        hint = hint.replace(python, line)
    return _GIVEN.sub(_flag, hint)


def in_panel(hint: str) -> str:
    """Return a hint with its options as fields of the panel's form: fill in “Auth” (USER:PASSWORD)."""
    return _GIVEN.sub(_field, hint)


def flagged(message: str, given: Iterable[str]) -> str:
    """Return a message that begins with an option, as it was given on a line: ``--dial-timeout 5 has…``."""
    given = set(given)
    name = _first(message, given)
    if not name:
        return message
    rest = message[len(name) :]
    other = _first(rest.removeprefix(" and "), given) if rest.startswith(" and ") else ""
    return _spelled(name) + (f" and {_spelled(other)}{rest[5 + len(other) :]}" if other else rest)


def titled(message: str) -> str:
    """Return a message that begins with an option, with the title that this has in the panel's form."""
    name = _first(message, BY_NAME)
    return label(name) + message[len(name) :] if name else message


def _first(message: str, names: Iterable[str]) -> str:
    word = re.match(r"\w*", message)
    return word[0] if word and word[0] in names else ""


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _flag(found: re.Match[str]) -> str:
    name = found["name"]
    short = BY_NAME[name].short[:1] if name in BY_NAME else ()
    flag = short[0] if short else _spelled(name)
    words = _typed(found)
    quoted = f"'{words}'" if re.search(r"[\s{]", words) else words
    return f"{found['give'] or ''}{flag} {quoted}".rstrip()


def _field(found: re.Match[str]) -> str:
    if found["name"] not in BY_NAME:
        return found[0]
    words = _typed(found)
    title = f"“{label(found['name'])}”"
    if found["give"]:
        done = f"{'tick' if found['value'] == 'True' else 'fill in'} {title}"
        return f"{done} ({words})" if words else done
    return f"{title} {words}".rstrip()


def _typed(found: re.Match[str]) -> str:
    """Return a value of Python as it is typed: a pair with a colon, None as "none"; "" for a switch."""
    name, value = found["name"], found["value"] or ""
    if value in ("", "True"):
        return ""
    if value == "None":
        return "none"
    if value.startswith("{") and name != "headers":
        return value if len(value) > len("{}") else "on"
    between = ":" if value.startswith("(") else ", "
    return _QUOTES.sub("", value).replace(", ", between)
