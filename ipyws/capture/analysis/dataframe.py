"""Messages as a table of pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args

from ipyws.capture.analysis.columns import Columns
from ipyws.capture.analysis.decoding import decode
from ipyws.capture.masking import masked
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Control, Direction, Message
from ipyws.errors import InvalidError
from ipyws.text.masking import mask

if TYPE_CHECKING:
    from pandas import DataFrame


def to_frame(records: Iterable[Message]) -> DataFrame:
    """Return messages as a table, one a row, oldest first.

    Secrets are masked in it: a table is there to be shown. Where a notebook shows it, or a part of it, no
    message acts on the page.

    Args:
        records: Messages, such as those of a log or a capture.

    Returns:
        Columns seq (int64), time (UTC), direction and type (categories), size (int64: of the payload as it
        passed), data (str for text, bytes otherwise), value (what the connection's codec reads it as: dict,
        list, text, number; None where it can't), label (the name of a packet; only where a dialect is
        spoken), rtt (float64 seconds, nan where there is none), code
        (Int64, missing where there is none) and reason.

    Raises:
        InvalidError: pandas is not installed.
    """
    pandas, numpy, shown_frame = _libraries()
    columns = Columns(records)
    controls = _controls(columns)
    data = masked(columns.data)
    values, labels = decode(columns, data)
    microseconds = numpy.rint(numpy.array(columns.time, "float64") * 1e6).astype("int64")
    return shown_frame(
        {
            "seq": numpy.array(columns.seq, "int64"),
            "time": pandas.Series(microseconds.astype("datetime64[us]")).dt.tz_localize("UTC"),
            "direction": pandas.Categorical(columns.direction, get_args(Direction)),
            "type": pandas.Categorical(columns.type, get_args(MessageType)),
            "size": numpy.array(columns.size, "int64"),
            "data": pandas.Series(data, dtype="object"),
            "value": pandas.Series(values, dtype="object"),
            **({"label": _labels(pandas, labels, len(columns))} if labels else {}),
            "rtt": numpy.array([control.rtt for control in controls], "float64"),
            "code": pandas.array([control.code for control in controls], "Int64"),
            "reason": pandas.Series(
                [control.reason and mask(control.reason) for control in controls], dtype="object"
            ),
        }
    )


def _labels(pandas: Any, labels: dict[int, str], rows: int) -> Any:
    return pandas.Series([labels.get(row, "") for row in range(rows)], dtype="object")


def _controls(columns: Columns) -> list[Control]:
    controls = [Control(b"")] * len(columns)
    for row, control in columns.controls.items():
        controls[row] = control
    return controls


def _libraries() -> tuple[Any, Any, Any]:
    try:
        import numpy
        import pandas

        from ipyws.capture.analysis.shown_frame import ShownFrame
    except ModuleNotFoundError as error:
        raise InvalidError(
            f"a table needs pandas: {error.name} is not installed", hint="pip install ipyws[frames]"
        ) from None
    return pandas, numpy, ShownFrame
