"""A connection as a cell: ``%%ws`` with its messages, or a line of ``%ws`` without any."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError
from ipyws.script import grammar
from ipyws.script.payload import check_json
from ipyws.script.request import parse_request
from ipyws.script.steps import Send
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Reference, Text
from ipyws.snippets.spelling import flags, template
from ipyws.text.masking import mask_bytes

OURS: Final = True
"""Whether the form is one of ipyws."""


def write(described: Description) -> str:
    """Return the cell."""
    words = [shlex.quote(template(described.url))]
    for name in [name for name, value in described.options.items() if _fits_on_a_line(name, value)]:
        option = BY_NAME[name]
        flag = option.short[0] if option.short else f"--{name.replace('_', '-')}"
        words += flags(name, option.kind, flag, described.take(name))
    line = " ".join(words)
    plain = any(
        isinstance(data, str) and not _is_as_written(data, described.codec) for data in described.payloads
    )
    bodies = [_body(described, data, plain) for data in described.payloads]
    notes = notes_on(described)
    if not bodies:
        return "".join(f"# {note}\n" for note in notes) + f"%ws {line}"
    head = "".join(f"=== // {note}\n" for note in notes)
    first, *others = bodies
    separated = [f"===\n{body}" if not body.startswith("===") else body for body in others]
    if head and not first.startswith("==="):
        head = f"{head}===\n"
    return f"%%ws{' --text' * plain} {line}\n{head}" + "".join(f"{body}\n" for body in (first, *separated))


def _fits_on_a_line(name: str, value: Any) -> bool:
    """Tell whether a flag can give an option: not bytes, and no mapping where it takes an expression."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return name != "reply" and all(_fits_on_a_line(name, item) for item in value)
    return not isinstance(value, bytes)


def _is_as_written(text: str, codec: Codec) -> bool:
    """Tell whether a text is sent as it is, although it may look like JSON: codecs write that their way."""
    try:
        return not check_json(text) or codec.from_json(text) == text
    except (InvalidError, ValueError):
        return False


def _body(described: Description, data: Data, plain: bool) -> str:
    """Return a message as it stands in a cell."""
    if isinstance(data, bytes):
        return _binary(described, data, plain)
    as_json = data.lstrip(" \t\r\n")[:1] in ("{", "[") and not plain
    text = described.keeper.text(data, "a message", filled_as_json=as_json)
    written = template(text)
    return written if _stands(written) else _expression(described.keeper.text(data, "a message"))


def _binary(described: Description, data: bytes, plain: bool) -> str:
    """Return bytes as the JSON that the codec makes them of, if it does, else in hexadecimal digits."""
    if not plain:
        decoded = described.codec.read(data)
        try:
            if decoded.problem is None and decoded.structured and isinstance(decoded.value, dict | list):
                text = JSON.encode(decoded.value)
                if described.codec.from_json(text) == data:
                    return _body(described, text, plain)
        except (InvalidError, ValueError):
            pass
    if not data:
        return "{{b''}}"
    hidden = mask_bytes(data)
    if hidden != data:
        described.notes.append("a binary message holds a secret, and is masked")
    return f"=== hex\n{hidden.hex(' ')}"


def _stands(written: str) -> bool:
    """Tell whether a text is a message of a body as it stands, and the whole of it."""
    try:
        request, body = parse_request(written)
        steps = grammar.parse(body)
    except InvalidError:
        return False
    # What a terminal would act upon is not text to print.
    prints = all(char.isprintable() or char in "\n\t" for char in written)
    return request is None and steps == [Send(1, written)] and written.strip() == written and prints


def _expression(text: Text) -> str:
    """Return a text as a template whose value it is: for what a body can't hold as it stands."""
    parts = [f"env.{p.name}" if isinstance(p, Reference) else repr(p) for p in text.pieces]
    return f"{{{{{' + '.join(parts) or repr('')}}}}}"
