"""A recording as a script of another program, by the suffix of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from ipyws.capture.redact import make_redact
from ipyws.capture.story import Retraceable
from ipyws.core.codecs.auto import AUTO
from ipyws.core.connection.described import Described
from ipyws.core.connection.info import About
from ipyws.errors import InvalidError
from ipyws.handover import k6, locust
from ipyws.handover.scenario import Scenario, scenario, variable
from ipyws.snippets.description import Description, describe
from ipyws.snippets.secrets import Keeper, Text
from ipyws.text.masking import MASK
from ipyws.text.references import split_references

PROGRAMS: Final[Mapping[str, ModuleType]] = {".js": k6, ".py": locust}
"""What writes the scripts, by the suffixes of their files."""

_OF_THE_HANDSHAKE: Final = re.compile(
    r"(?i)host|upgrade|connection|sec-websocket-.*|user-agent|accept-encoding|content-length"
)


class Script(NamedTuple):
    """A script for another program.

    Attributes:
        text: Its text.
        notes: What was not carried over, and what has to be set first, in words.
    """

    text: str
    notes: list[str]


def write(
    records: Retraceable,
    about: About | None,
    name: str,
    redact: Iterable[str] = (),
) -> Script:
    """Return a script that does again what was done on a connection.

    Args:
        records: What passed.
        about: The connection, as a capture tells of it.
        name: The name of the file: ".js" is for k6, ".py" for Locust.
        redact: Names of keys whose values become stars.

    Raises:
        InvalidError: There is no URL, or the program can't connect to it.
    """
    program = PROGRAMS[Path(name).suffix.lower()]
    source = records.source
    described = _of_capture(about) if source is None else describe(source, (), ours=False)
    if described.unix is not None:
        raise InvalidError(f"{program.NAME} can't connect to a Unix socket", hint="save it as .jsonl")
    done = scenario(records, records.story, described.keeper, make_redact(redact))
    described.notes += [*done.notes, *_of_dialect(source, described)]
    if not done.actions:
        described.notes.append("nothing was sent: it connects, and closes again")
    return _written(program, described, done, Path(name).name)


def _written(program: ModuleType, described: Description, done: Scenario, name: str) -> Script:
    text, notes = program.write(described, done.actions, name)
    return Script(text, notes)


def _of_dialect(source: Described | None, described: Description) -> Iterable[str]:
    dialect = None if source is None else source.options.dialect
    if dialect is not None:
        yield f"{dialect.name}: what it sends by itself later, such as heartbeats, is not carried over"


def _of_capture(about: About | None) -> Description:
    """Return what a capture says of its connection."""
    if about is None or not about.url:
        raise InvalidError("the recording doesn't say where it was connected to", hint="save it as .jsonl")
    keeper = Keeper()
    notes: list[str] = []
    headers: list[tuple[str, Text]] = []
    for name, value in about.request_headers:
        if _OF_THE_HANDSHAKE.fullmatch(name):
            continue
        if MASK in value:
            notes.append(f"header {name} held a secret, which the recording doesn't have")
            continue
        headers.append((name, _header(keeper, name, value, about.refs)))
    options: dict[str, Any] = {"headers": headers} if headers else {}
    if about.subprotocol:
        options["protocols"] = [keeper.text(about.subprotocol, "the subprotocol", "PROTOCOL_TOKEN")]
    if "permessage-deflate" in about.extensions:
        options["compression"] = Text(("deflate",))
    return Description(about.url, options, [], AUTO, keeper, notes, about.refs)


def _header(keeper: Keeper, name: str, value: str, refs: Iterable[str]) -> Text:
    """Return the value of a header: what a capture declares as references are some, and nothing else is.

    The messages that were found in the log of a connection come with its headers as they were sent.
    """
    parts = list(split_references(value, refs))
    if len(parts) == 1:
        return keeper.named(name, value)
    made = Text(())
    for literal, reference in parts:
        made += keeper.text(literal, f"header {name}")
        made += Text((variable(reference),) if reference else ())
    return made
