"""Which line of a cell a magic stands on."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

_CALL: Final = re.compile(r"run_line_magic\('(\w+)'")


def place_in_cell(frame: FrameType | None, shell: Any, means_ws: Callable[[str], bool]) -> str:
    """Return "line N" for code of a cell that calls the magic on several lines, else "".

    Args:
        frame: Where the magic is called.
        shell: Has what was entered.
        means_ws: Tells whether a magic of this name is ours.
    """
    if frame is None or Path(frame.f_code.co_filename).exists():
        return ""
    lines = linecache.getlines(frame.f_code.co_filename)
    calls = sum(any(map(means_ws, _CALL.findall(line))) for line in lines)
    if calls < 2:
        return ""
    return f"line {frame.f_lineno + _blank_before(lines, shell)}"


def _blank_before(lines: list[str], shell: Any) -> int:
    """Return how many empty lines IPython took away from the beginning of the cell that runs."""
    raw, parsed = shell.history_manager.input_hist_raw[-1], shell.history_manager.input_hist_parsed[-1]
    if "".join(lines).strip() != parsed.strip():
        return 0
    return len(raw) - len(raw.lstrip("\n")) if raw.strip() else 0
