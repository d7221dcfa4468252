"""The messages of the panel have the same names and fields on both sides."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from ipyws.widget import assets, protocol

FRONT = Path(assets.__file__).parent / "front"

_WORDS = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null"}


def shape(hint: Any) -> str:
    """Return a type of Python as one of TypeScript."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _WORDS:
        return _WORDS[hint]
    if is_typeddict(hint):
        return str(hint.__name__)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(map(shape, arguments))
    if origin is tuple:
        return f"[{', '.join(map(shape, arguments))}]"
    if origin is list:
        return f"{shape(arguments[0])}[]"
    assert origin is dict, hint
    return f"Record<{shape(arguments[0])}, {shape(arguments[1])}>"


def fields(message: Any) -> list[str]:
    """Return the fields of a message as TypeScript has them."""
    declared = []
    for name, hint in get_type_hints(message, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        mark = "?" if optional or name in message.__optional_keys__ else ""
        declared.append(f"{name}{mark}: {shape(get_args(hint)[0] if optional else hint)};")
    return declared


def declarations() -> str:
    """Return what ``types.d.ts`` has to say."""
    lines = [
        "/* The messages between kernel and panel, as in ipyws/widget/protocol/; a test compares. */",
        "declare namespace protocol {",
    ]
    for name, value in vars(protocol).items():
        if name.startswith("_"):
            continue
        if is_typeddict(value):
            lines += ["", f"  interface {name} {{", *(f"    {field}" for field in fields(value)), "  }"]
        elif get_origin(value) is types.UnionType:
            lines += ["", f"  type {name} = {shape(value)};"]
    return "\n".join([*lines, "}", ""])


def test_both_sides_have_the_same_messages_with_the_same_fields() -> None:
    assert (FRONT / "types.d.ts").read_text("utf-8") == declarations()
