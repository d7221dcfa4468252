"""Messages as a figure: how many a second, how large, and how long pings took."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipyws.capture.analysis.columns import Columns
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(records: Iterable[Message]) -> Figure:
    """Return a figure of three panels over time: messages a second, bytes of each, round trips of pings.

    A cell that ends in it shows it. Its background is transparent, and of a great many messages only as many
    points are drawn as can be told apart.

    Args:
        records: Messages, such as those of a log or a capture.

    Raises:
        InvalidError: matplotlib is not installed.
    """
    try:
        from ipyws.capture.analysis.drawing import draw
    except ModuleNotFoundError as error:
        raise InvalidError(
            f"a plot needs matplotlib: {error.name} is not installed", hint="pip install ipyws[plot]"
        ) from None
    return draw(Columns(records, payloads=False))
