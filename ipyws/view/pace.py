"""Whether a gap between two messages is unusual: for a stream that ticks every two seconds, two are not."""

from __future__ import annotations

from collections import deque
from typing import Final

_KNOWN: Final = 20  # gaps that say what is usual
_LEAST: Final = 5  # gaps before anything is
_SHORTEST: Final = 1.0  # seconds: what is shorter is not worth a mark
_TIMES: Final = 2.5  # as long as usual is unusual


class Pace:
    """The gaps of a stream, in its order."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_KNOWN)

    def is_unusual(self, gap: float) -> bool:
        """Tell whether a gap is unusual, and take it as the next one.

        Usual is what three of four of the last gaps were not longer than.

        Args:
            gap: In seconds.
        """
        if gap <= _SHORTEST or len(self._gaps) < _LEAST:
            self._gaps.append(gap)
            return False
        known = sorted(self._gaps)
        self._gaps.append(gap)
        return gap > _TIMES * known[len(known) * 3 // 4]
