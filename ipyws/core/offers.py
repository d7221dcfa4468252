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


class MakeChart(Protocol):
    """Makes a chart of a log; see `ipyws.capture.recording.RecordedLog.live_plot`."""

    def __call__(
        self, log: Any, expression: str, last: Any, names: Mapping[str, Any] | None, height: int
    ) -> Chart: ...


CHARTS: Final[dict[str, MakeChart]] = {}
"""What makes charts, by what kind they are: "live"."""

DIALECTS: Final[dict[str, Callable[[], type[Dialect]]]] = {}
"""What loads each dialect, by name."""

WRAPS: Final[dict[str, Callable[[Codec], Codec]]] = {}
"""What makes codecs of others that stand behind them, by name; alone they hold payloads of `auto`."""
