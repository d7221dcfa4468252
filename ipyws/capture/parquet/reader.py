"""Reading a table of messages back: group by group, so that it may be larger than memory."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, Final

from ipyws.capture.capture import Capture
from ipyws.capture.jsonl.jsonl import Span
from ipyws.capture.jsonl.schema import Recorded, from_header, from_record
from ipyws.capture.jsonl.values import parse_object
from ipyws.capture.parquet.arrow import KEY, fixed_fields, library
from ipyws.core.codecs.codec import Codec
from ipyws.core.constants import MB, CloseCode
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK

_AT_ONCE: Final = 1024
_LARGEST_GROUP: Final = 1024 * MB
_MOST_ROWS: Final = 10_000_000


class ParquetCapture(Capture):
    """The messages of a Parquet file; made by `ipyws.load`."""

    def __init__(self, path: Path, file: BinaryIO, codec: Codec | None = None) -> None:
        arrow, parquet = library()
        try:
            self._table = parquet.ParquetFile(file)
        except (arrow.ArrowException, OSError) as error:
            raise InvalidError(f"it is not Parquet: {str(error)[:200]}") from None
        header = _header(self._table)
        about, evicted = from_header(header)
        self._refs = [name for name in header.get("message_refs", ()) if isinstance(name, str)]
        self._is_masked = header.get("message_masked") is True
        metadata = self._table.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        if any(group.num_rows > _MOST_ROWS or group.total_byte_size > _LARGEST_GROUP for group in groups):
            raise InvalidError("a group of its rows is larger than 1 GB", hint="write it in smaller groups")
        self._starts: list[int] = [0, *accumulate(group.num_rows for group in groups)]
        super().__init__(path, file, Span(about, evicted), codec=codec)

    def __len__(self) -> int:
        return self._starts[-1]

    def _read(self, first: int) -> Iterator[Message]:
        arrow, _ = library()
        try:
            yield from self._rows(first)
        except (arrow.ArrowException, OSError, ValueError) as error:
            if isinstance(error, InvalidError):
                raise
            raise InvalidError(f"{self.path} can't be read: {str(error)[:200]}") from None

    def _rows(self, first: int) -> Iterator[Message]:
        if first >= len(self):
            return
        group = bisect_right(self._starts, first) - 1
        number = self._starts[group]
        groups = list(range(group, len(self._starts) - 1))
        names = [name for name, _ in fixed_fields()]
        if self._file.closed:
            raise InvalidError(f"{self._named()} is closed", hint="ipyws.load opens it again")
        for batch in self._table.iter_batches(_AT_ONCE, row_groups=groups, columns=names):
            if number + len(batch) > first:
                for place, row in enumerate(batch.to_pylist(), number):
                    if place >= first:
                        yield self._message_of(row, place)
            number += len(batch)

    def _message_of(self, row: dict[str, Any], number: int) -> Recorded:
        text, binary = row["text"] or "", row["binary"] or b""
        seen = text.encode("utf-8", "surrogatepass") + binary
        record = {
            **{name: row[name] for name in ("seq", "direction", "type", "size")},
            "time": row["time"].timestamp(),
            "refs": [name for name in self._refs if f"{{{{{name}}}}}".encode() in seen],
            "masked": self._is_masked and MASK.encode() in seen,
        }
        if row["type"] == "close":
            code = int.from_bytes(binary[:2]) if len(binary) > 1 else int(CloseCode.NO_STATUS)
            record |= {"code": code, "reason": text}
        elif row["type"] == "text":
            record["data"] = text
        else:
            said = {"breach" if row["type"] == "breach" else "reason": text}
            record |= {"base64": base64.b64encode(binary).decode(), **said}
        return from_record(record, number, self._codec)


def _header(table: Any) -> dict[str, Any]:
    """Return what a file says of its connection.

    Raises:
        InvalidError: It is a table of something else.
    """
    metadata = table.metadata.metadata or {}
    types = {field.name: field.type for field in table.schema_arrow}
    if KEY not in metadata or any(types.get(name) != kind for name, kind in fixed_fields()):
        raise InvalidError(
            "it is a table of something else than messages",
            hint="%ws save FILE.parquet writes one that can be read",
        )
    return parse_object(metadata[KEY])
