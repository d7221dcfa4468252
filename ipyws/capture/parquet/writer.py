"""Writing messages as a table: fixed columns, and columns of what their values hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from ipyws.capture.jsonl.schema import to_header, to_json, to_record
from ipyws.capture.masking import masked_value
from ipyws.capture.parquet.arrow import KEY, fixed_fields, library
from ipyws.capture.parquet.path import ValuePath
from ipyws.capture.redact import Redact
from ipyws.core.connection.info import About
from ipyws.core.constants import MB, CloseCode
from ipyws.core.messages.message import Message

_ROWS: Final = 1 << 16
_BYTES: Final = 32 * MB
"""Of a row group: what a reader has to hold at once."""

_DATA: Final = ("text", "binary")
_LARGEST: Final = 1 << 63


def write(
    stream: BinaryIO,
    messages: Iterable[Message],
    about: About | None,
    evicted: int,
    redact: Redact | None,
    columns: Sequence[ValuePath] = (),
) -> None:
    """Write messages to a file of Parquet, compressed by zstd, group by group.

    Args:
        stream: The file.
        messages: The messages; with columns they are gone through twice.
        about: The connection.
        evicted: How many messages are missing before them.
        redact: Takes out the values of keys, if given.
        columns: Places in the values that become columns: bool, int64, double or string where all that stands
            there is of such a type, else string that holds JSON.

    Raises:
        InvalidError: pyarrow is not installed.
        OSError: The file can't be written.
    """
    arrow, parquet = library()
    kinds = _kinds(messages, columns, redact)
    types = {"bool": arrow.bool_(), "int": arrow.int64(), "float": arrow.float64()}
    extra = [(path.text, types.get(kind, arrow.string())) for path, kind in kinds.items()]
    schema = arrow.schema([*fixed_fields(), *extra])
    refs: dict[str, None] = {}
    masked = False
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(messages, redact, kinds):
            refs.update(dict.fromkeys(name for row in group for name in row.pop("refs")))
            masked = sum(row.pop("masked") for row in group) > 0 or masked
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))
        header = to_header(about, evicted) | {"columns": [path.text for path in columns]}
        notes = {"message_refs": list(refs), "message_masked": masked}
        writer.add_key_value_metadata({KEY: to_json({**header, **notes}).encode()})


def _groups(
    messages: Iterable[Message], redact: Redact | None, kinds: dict[ValuePath, str]
) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    held = 0
    for message in messages:
        group.append(_row(message, redact, kinds))
        held += message.size
        if len(group) == _ROWS or held >= _BYTES:
            yield group
            group, held = [], 0
    yield group


def _row(message: Message, redact: Redact | None, kinds: dict[ValuePath, str]) -> dict[str, Any]:
    record = to_record(message, redact)
    text, binary = _payload(record)
    row: dict[str, Any] = {
        **{name: record[name] for name in ("seq", "direction", "type", "size")},
        "time": round(record["time"] * 1e6),
        "text": text,
        "binary": binary,
        "refs": record.get("refs", ()),
        "masked": record.get("masked", False),
    }
    if kinds:
        value = _value(message, text, binary)
        row.update((path.text, _typed(path.of(value), kind)) for path, kind in kinds.items())
    return row


def _payload(record: dict[str, Any]) -> tuple[str | None, bytes | None]:
    """Return what stands in the columns text and binary: of a close frame also its whole payload."""
    data = base64.b64decode(record["base64"]) if "base64" in record else None
    if record["type"] == "text":
        text: str = record["data"]
        return text.encode("utf-8", "replace").decode(), None
    if record["type"] == "close":
        code, reason = record["code"], record.get("reason", "")
        said = b"" if code == CloseCode.NO_STATUS else code.to_bytes(2) + reason.encode("utf-8", "replace")
        return reason or None, said
    return record.get("reason") or record.get("breach") or None, data


def _value(message: Message, text: str | None, binary: bytes | None) -> Any:
    """Return what a payload means, after what was to be hidden was taken out of it."""
    if message.type not in _DATA:
        return None
    decoded = message.codec.read((text or "") if message.type == "text" else (binary or b""))
    return masked_value(decoded.value) if decoded.structured and decoded.problem is None else None


def _kinds(
    messages: Iterable[Message], columns: Sequence[ValuePath], redact: Redact | None
) -> dict[ValuePath, str]:
    """Return of which kind each column is: of the one kind that all its values have."""
    found: dict[ValuePath, set[str]] = {path: set() for path in columns}
    for message in messages if columns else ():
        value = _value(message, *_payload(to_record(message, redact)))
        for path, kinds in found.items():
            kinds.add(_kind(path.of(value)))
    return {path: _common(kinds - {""}) for path, kinds in found.items()}


def _kind(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -_LARGEST <= value < _LARGEST else "json"
    if isinstance(value, float):
        return "float"
    return "text" if isinstance(value, str) else "json"


def _common(kinds: set[str]) -> str:
    if len(kinds) <= 1:
        return next(iter(kinds), "text")
    return "float" if kinds == {"int", "float"} else "json"


def _typed(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value, ensure_ascii=False, default=str)
    return float(value) if kind == "float" else value
