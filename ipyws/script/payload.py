"""A payload as it is written in a cell, as what `send` takes."""

from __future__ import annotations

import base64
import json
import os
import re

from ipyws.core.codecs.formats.json import JsonText, describe_json_error
from ipyws.core.files import open_regular
from ipyws.errors import InvalidError
from ipyws.script.expression import Evaluate
from ipyws.script.steps import Encoding
from ipyws.script.template import expand

_TERMINATOR = "\x1e"
_LARGEST_FILE = 128 << 20


def read(
    text: str, encoding: Encoding, evaluate: Evaluate, *, raw: bool = False, plain: bool = False
) -> str | bytes:
    """Return what a payload says: str for a text message, bytes for a binary one.

    Args:
        text: As it stands in the cell; for "file" the path.
        encoding: How it is written.
        evaluate: Gives the value of a template's expression.
        raw: Leave templates as they are.
        plain: A payload that begins with { or [ need not be JSON.

    Raises:
        InvalidError: It is not what it claims to be, with the place; or a template can't be expanded.
    """
    value: str | bytes = text if raw else expand(text, evaluate, as_text=plain)
    if encoding == "text":
        if isinstance(value, str) and not plain and check_json(value):
            return JsonText(value)
        return value
    if isinstance(value, bytes):
        return value
    return {"hex": from_hex, "base64": from_base64, "file": from_file}[encoding](value)


def check_json(text: str) -> bool:
    """Tell whether a text is an object or a list of JSON; it may also be records that each end in U+001E.

    Raises:
        InvalidError: It begins like JSON and is none; says where.
    """
    if text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return False
    records = text.split(_TERMINATOR)[:-1] if text.endswith(_TERMINATOR) else [text]
    try:
        for record in records:
            json.loads(record, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidError(
            f"the payload is not JSON: {describe_json_error(error)}",
            hint="--text sends it as it stands",
        ) from None
    return not text.endswith(_TERMINATOR)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON")


def from_hex(text: str) -> bytes:
    """Return the bytes that hex digits say, white space and 0x aside.

    Raises:
        InvalidError: There is something else, or half a byte.
    """
    digits = re.sub(r"\b0[xX]|[\s:,]", "", text)
    if wrong := re.search(r"[^0-9a-fA-F]", digits):
        raise InvalidError(f"{wrong[0]!r} is not a hex digit", hint="write bytes as in 00 ff 1e")
    if len(digits) % 2:
        raise InvalidError(f"{len(digits)} hex digits are not whole bytes", hint="two digits make a byte")
    return bytes.fromhex(digits)


def from_base64(text: str) -> bytes:
    """Return the bytes that base64 says, white space aside; the URL-safe alphabet is understood too.

    Raises:
        InvalidError: It is not base64.
    """
    packed = re.sub(r"\s", "", text).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except ValueError as error:
        raise InvalidError(f"the payload is not base64: {str(error).lower()}", hint="check it") from None


def from_file(text: str) -> bytes:
    """Return what a file holds.

    Raises:
        InvalidError: It can't be read, or is larger than 128 MB.
    """
    path = os.path.expanduser(text.strip())
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_FILE + 1)  # it may grow
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidError(f"{path!r} can't be read: {reason.lower()}", hint="check the path") from None
    if len(data) > _LARGEST_FILE:
        raise InvalidError(f"{path!r} is larger than 128 MB", hint="send it in parts")
    return data
