"""What passed, as a file: JSON lines, CSV or text, with secrets masked."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from typing import Final

from ipyws.core.message import Message
from ipyws.errors import InvalidError
from ipyws.secrets import mask

_COLUMNS: Final = ("seq", "time", "direction", "type", "size", "data")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export(what: str, messages: list[Message]) -> str:
    """Return messages as text, one a line.

    Args:
        what: "jsonl", "csv" or "text".
        messages: The messages, in the order in which they are written.

    Raises:
        InvalidError: There is no such form.
    """
    if what not in _FORMS:
        raise InvalidError(f"there is no export {what!r:.40}", hint=f"the forms are {', '.join(_FORMS)}")
    return _FORMS[what](messages)


def _jsonl(messages: list[Message]) -> str:
    return "".join(json.dumps(_record(message)) + "\n" for message in messages)


def _csv(messages: list[Message]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for message in messages:
        data = message.data
        cell = mask(data) if isinstance(data, str) else _masked(data).hex(" ")
        # A spreadsheet would run what begins like a formula: the server wrote it, not the user.
        harmless = f"'{cell}" if cell.startswith(_FORMULA) else cell
        writer.writerow((message.seq, message.time, message.direction, message.type, message.size, harmless))
    return out.getvalue()


def _text(messages: list[Message]) -> str:
    return "".join(f"{mask(repr(message))}\n" for message in messages)


def _record(message: Message) -> dict[str, object]:
    data = message.data
    text = isinstance(data, str)
    return {
        "seq": message.seq,
        "time": message.time,
        "direction": message.direction,
        "type": message.type,
        "size": message.size,
        "data" if text else "base64": mask(data) if isinstance(data, str) else _base64(data),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(_masked(data)).decode("ascii")


def _masked(data: bytes) -> bytes:
    return mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


_FORMS: Final[dict[str, Callable[[list[Message]], str]]] = {"jsonl": _jsonl, "csv": _csv, "text": _text}
