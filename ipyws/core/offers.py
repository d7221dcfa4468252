"""What outer parts bring for the core to find by name; filled when `ipyws` is imported, and light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.dialects.dialect import Dialect


class Chart(Protocol):
    """A chart that ticks with a stream; a notebook shows it."""

    def show(self) -> None:
        """Show it below the running cell."""

    def close(self) -> None:
        """Leave a picture of it, and end it."""


MakeChart = Callable[[Any, str, Any, "Mapping[str, Any] | None", int], Chart]
"""Makes a chart of a log, an expression, how much of the past, names, and a height; see
`ipyws.capture.recording.RecordedLog.live_plot`."""

CHARTS: Final[dict[str, MakeChart]] = {}
"""What makes charts, by what kind they are: "live"."""

DIALECTS: Final[dict[str, Callable[[], type[Dialect]]]] = {}
"""What loads each dialect, by name."""

WRAPS: Final[dict[str, Callable[[Codec], Codec]]] = {}
"""What makes codecs of others that stand behind them, by name; alone they hold payloads of `auto`."""
