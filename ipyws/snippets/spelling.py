"""Texts with references, as shells, Python and lines of ``%ws`` write them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.options.kinds import OptionKind
from ipyws.snippets.secrets import Reference, Text

_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "'": "\\'"}
# A shell doesn't take these from a word; braces that are templates for ipyws are none for a shell.
_SAFE: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_BRACE: Final = "\\x7b"
_BRACES: Final = re.compile(r"\{(?=\{)")


def shell(text: Text | str) -> str:
    """Return a word of bash or zsh.

    What could be taken for something else by a terminal stands there in ``$'…'``.
    """
    pieces = (text,) if isinstance(text, str) else text.pieces
    return (
        "".join(f'"${piece.name}"' if isinstance(piece, Reference) else _shell(piece) for piece in pieces)
        or "''"
    )


def _shell(text: str) -> str:
    if _SAFE.fullmatch(text):
        return text
    if text.isprintable():
        # Of {{ the first brace gets quotes of its own: pasted into a cell, it is no template.
        return _BRACES.sub("{''", shlex.quote(text))
    spelled = "".join(map(_escaped, text))
    return f"$'{_BRACES.sub(lambda _: _BRACE, spelled)}'"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not text
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def python(value: Any) -> str:
    """Return an expression of Python; variables are read from ``os.environ``."""
    if isinstance(value, Text):
        parts = [f'os.environ["{p.name}"]' if isinstance(p, Reference) else repr(p) for p in value.pieces]
        return " + ".join(parts) or "''"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{python(key)}: {python(item)}' for key, item in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(python, value))})"
    if isinstance(value, list):
        return f"[{', '.join(map(python, value))}]"
    return repr(value)


def template(text: Text | str) -> str:
    """Return a text with templates, for a line or a body of ``%ws``."""
    pieces = (text,) if isinstance(text, str) else text.pieces
    written = ""
    for number, piece in enumerate(pieces):
        if isinstance(piece, Reference):
            written += f"{{{{env.{piece.name}}}}}"
            continue
        literal = piece.replace("{{", "{{{{")
        odd = (len(piece) - len(piece.rstrip("{"))) % 2
        if odd and number + 1 < len(pieces):  # it would be a part of the template behind it
            literal = literal[:-1] + "{{'{'}}"
        written += literal
    return written


_BETWEEN: Final = {"headers": ": ", "params": "=", "auth": ":"}
"""What stands between the two parts of an option's value on a line."""


def flags(name: str, kind: OptionKind, flag: str, value: Any) -> Iterable[str]:
    """Yield the words by which a line of ``%ws`` gives an option.

    Args:
        name: The option.
        kind: What kind of option it is.
        flag: How the flag is written.
        value: The option's value, its texts as `Text`.
    """
    if not kind.metavar:
        yield flag
        return
    items: Iterable[Any] = [value]
    if isinstance(value, list):
        items = value
    elif isinstance(value, Mapping) and kind.separator:
        items = [Text((f"{name}=",)) + item for name, item in value.items()]
    for item in items:
        if isinstance(item, tuple) and name not in _BETWEEN:  # of rules: the flag takes two words
            yield f"{flag} {' '.join(_value(_on_a_line(part)) for part in item)}"
        else:
            yield f"{flag} {_value(_on_a_line(item, _BETWEEN.get(name, '')))}"


def _value(text: Text | str) -> str:
    """Return a value as a word that is taken for no flag."""
    word = shlex.quote(template(text))
    return f"'{word}'" if word.startswith("-") else word


def _on_a_line(value: Any, between: str = "") -> Text | str:
    if isinstance(value, Text):
        return value
    if isinstance(value, tuple):  # a header, or a user and a password
        first, second = value
        pair: Text = (Text((first,)) if isinstance(first, str) else first) + between + second
        return pair
    if isinstance(value, Mapping):
        return _json(value)
    return "none" if value is None else str(value)


def _json(value: Any) -> Text:
    """Return the JSON of a mapping, with the references in its texts."""
    found: list[Reference] = []

    def mark(item: Any) -> Any:
        if isinstance(item, Text):
            return "".join(piece if isinstance(piece, str) else _mark(piece) for piece in item.pieces)
        if isinstance(item, Mapping):
            return {key: mark(each) for key, each in item.items()}
        return list(map(mark, item)) if isinstance(item, list | tuple) else item

    def _mark(reference: Reference) -> str:
        found.append(reference)
        return f"\x00{len(found) - 1}\x00"

    written = dumps(mark(value), "it can't be written on a line")
    pieces = re.split(r"\\u0000(\d+)\\u0000", written)
    return Text(
        tuple(found[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces) if piece)
    )
