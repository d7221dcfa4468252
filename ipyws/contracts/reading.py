"""Reading a contract from a file, whatever kind it is of, or from a schema in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ipyws.contracts.asyncapi import read_asyncapi
from ipyws.contracts.contract import ApiContract, MessageType
from ipyws.contracts.references import Files
from ipyws.contracts.schema import Schema, constants
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.messages.contract import Contract
from ipyws.errors import InvalidError, brief


def contract(source: str | PathLike[str] | Mapping[str, Any] | Contract) -> Contract:
    """Read a contract: an AsyncAPI document (3.x, 2.x) or a JSON Schema (2020-12 unless it names a draft).

    Args:
        source: The file, YAML or JSON; what it refers to is read too, below its folder only. Or a JSON Schema
            as a dict.

    Returns:
        The contract; one that is given, as it is.

    Raises:
        InvalidError: It can't be read or understood; names the file, the line or the place, and what.
    """
    if isinstance(source, Contract):
        return source
    if isinstance(source, Mapping):
        return _compiled(_read_schema(Files(None, JSON.decode(JSON.encode(dict(source))))))
    try:
        path = Path(source)
        read = _read_document(Files(path.expanduser()))
    except TypeError:
        hint = "a path, or a JSON Schema as a dict, is allowed"
        raise InvalidError(f"the contract is {brief(source)}", hint=hint) from None
    return _compiled(replace(read, path=str(path)))


def _read_document(files: Files) -> ApiContract:
    root = files.root
    if isinstance(root.value, dict) and "asyncapi" in root.value:
        return read_asyncapi(files)
    if not isinstance(root.value, (dict, bool)):
        raise root.error("is neither an AsyncAPI document nor a JSON Schema", hint="both are mappings")
    return _read_schema(files)


def _compiled(read: ApiContract) -> ApiContract:
    for message in read.messages:
        if message.schema is not None:
            message.schema.compile()
    return read


def _read_schema(files: Files) -> ApiContract:
    root = files.root
    given = root.value if isinstance(root.value, dict) else {}
    title = given.get("title")
    examples = given.get("examples")
    message = MessageType(
        name=title if isinstance(title, str) and title else "message",
        schema=Schema(root, files),
        examples=tuple(examples) if isinstance(examples, list) else (),
        constants=tuple(constants(root.value).items()),
    )
    file = root.document.file
    return ApiContract(file, message.name, "", "JSON Schema", (), (), (), (message,))
