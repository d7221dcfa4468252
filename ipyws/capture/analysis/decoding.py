"""What the payloads of a table mean, all at once."""

from __future__ import annotations

import gc
from itertools import compress
from typing import Any, Final

from ipyws.capture.analysis.columns import Columns
from ipyws.capture.masking import masked_value
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.json_slices import parse_texts
from ipyws.text.masking import mask

_DATA: Final = ("text", "binary")


def decode(columns: Columns, shown: list[Data]) -> tuple[list[Any], dict[int, str]]:
    """Return the value of each message, without secrets, and what packets of a dialect are.

    Args:
        columns: The messages.
        shown: Their payloads, masked.

    Returns:
        Values, None for what has none; and the names of packets, by the row of their message.
    """
    labels: dict[int, str] = {}
    collecting = gc.isenabled()
    gc.disable()  # nothing of it is garbage
    try:
        plain = [
            isinstance(fit, str) and codec.name == AUTO.name
            for codec, fit in zip(columns.codec, shown, strict=True)
        ]
        values = list(parse_texts(compress(shown, plain)))  # type: ignore[arg-type]
        if len(values) < len(shown):
            texts = iter(values)
            values = [
                next(texts) if is_plain else _decode(columns, row, fit, labels)
                for row, (is_plain, fit) in enumerate(zip(plain, shown, strict=True))
            ]
    finally:
        if collecting:
            gc.enable()
    return values, labels


def _decode(columns: Columns, row: int, fit: Data, labels: dict[int, str]) -> Any:
    if columns.type[row] not in _DATA:
        return None
    # What was masked in a text is masked in what it means; in bytes the stars would break the format.
    data = fit if isinstance(fit, str) else columns.data[row]
    try:
        decoded = columns.codec[row].read(data)
    except Exception:  # codecs may be anybody's
        return None
    if decoded.label:
        labels[row] = mask(decoded.label)
    return decoded.value if isinstance(fit, str) else masked_value(decoded.value)
