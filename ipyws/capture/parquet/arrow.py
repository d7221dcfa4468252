"""pyarrow, which is imported when a table is written or read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ipyws.core.files import open_regular
from ipyws.errors import InvalidError


def library() -> tuple[Any, Any]:
    """Return pyarrow, and its part for Parquet.

    Raises:
        InvalidError: It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        what = "Parquet needs pyarrow, which is not installed"
        raise InvalidError(what, hint="pip install ipyws[parquet]") from None
    return pyarrow, pyarrow.parquet


KEY: Final = b"ipyws"
"""Under which the metadata of a file say what a header line says of the connection."""

MAGIC: Final = b"PAR1"
"""What a file of Parquet begins with."""

FIXED: Final = ("seq", "time", "direction", "type", "size", "text", "binary")
"""The columns that every file has, in their order."""


def fixed_fields() -> list[tuple[str, Any]]:
    """Return the fixed columns, each with its type."""
    arrow, _ = library()
    number, text = arrow.int64(), arrow.string()
    kinds = (number, arrow.timestamp("us", tz="UTC"), text, text, number, text, arrow.binary())
    return list(zip(FIXED, kinds, strict=True))


def is_ours(path: Path) -> bool:
    """Tell whether a file of Parquet is a capture of ipyws; not where it can't be read."""
    arrow, parquet = library()
    try:
        with open_regular(path) as stream:
            return KEY in (parquet.read_metadata(stream).metadata or {})
    except (arrow.ArrowException, OSError):
        return False
