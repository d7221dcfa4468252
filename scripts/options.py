"""Write what follows from the table of options: signatures, docstrings, `ConnectOptions`, the overview.

    python scripts/options.py

A test compares; this is what to run after an option was added, changed or taken out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ipyws.core.options.option import Option
from ipyws.core.options.table import OPTIONS

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 102
"""Of a line of a docstring, without its indentation."""

# What stands before and after each part, and the lines between.
_SIGNATURE = re.compile(r"(?<=\n)( *)# The options, as in their table\.\n.*?(?= *\*\*unknown:)", re.DOTALL)
_ARGUMENTS = re.compile(r"(?<=``wss://`` URL\.\n)( +)headers: .*?\n(?=\n)", re.DOTALL)
_FIELDS = re.compile(r'(?<=as `OPTIONS`\."""\n\n)( +)headers: .*?\n(?=\n)', re.DOTALL)
_TABLE = re.compile(r"(?<=<!-- options -->\n)().*?(?=<!-- /options -->)", re.DOTALL)


def signature() -> Iterator[str]:
    """Yield the parameters of a function that connects."""
    yield "# The options, as in their table."
    for option in OPTIONS:
        yield f"{option.name}: {option.kind.annotation} = {option.in_python},"


def arguments() -> Iterator[str]:
    """Yield the options as its docstring describes them."""
    for option in OPTIONS:
        about = f"{option.name}: {option.about[0].upper()}{option.about[1:]}."
        yield from textwrap.wrap(about, WIDTH, subsequent_indent="    ", break_long_words=False)


def checked() -> Iterator[str]:
    """Yield the fields of the checked options."""
    return (f"{option.name}: {option.kind.checked}" for option in OPTIONS)


def table() -> Iterator[str]:
    """Yield the table of docs/overview.md."""
    yield "| option | values | default | what it is |"
    yield "|---|---|---|---|"
    for option in OPTIONS:
        yield f"| `{option.name}` | {option.kind.values} | {_default(option)} | {option.about} |"


def _default(option: Option) -> str:
    value = option.default
    return "none" if value is None else f"{value:,}" if type(value) is int else str(value)


PARTS = {
    "ipyws/api.py": ((_SIGNATURE, signature), (_ARGUMENTS, arguments)),
    "ipyws/dialects/graphql/connect.py": ((_SIGNATURE, signature),),
    "ipyws/core/options/table.py": ((_FIELDS, checked),),
    "docs/overview.md": ((_TABLE, table),),
}


def written(name: str) -> str:
    """Return the text of a file as it should be."""
    text = (ROOT / name).read_text("utf-8")
    for pattern, lines in PARTS[name]:
        text = pattern.sub(partial(_indented, list(lines())), text)
    return text


def _indented(lines: list[str], found: re.Match[str]) -> str:
    return "".join(f"{found[1]}{line}\n" for line in lines)


if __name__ == "__main__":
    for changed in PARTS:
        (ROOT / changed).write_text(written(changed), "utf-8")
