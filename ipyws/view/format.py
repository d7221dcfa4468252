"""Texts, sizes, moments and lengths of time in words: the same in every view."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from ipyws.text.masking import known, mask_start
from ipyws.text.printable import visible

WINDOW: Final = 16 * 1024
"""What of a payload is looked at: enough that a secret which starts in the shown part is masked whole."""

_OFTEN: Final = 300  # characters of a text that may be shown again and again


def shown(text: str, limit: int) -> str:
    """Return ``text`` fit for one line: masked, visible and at most ``limit`` characters."""
    if not text:  # as most tags and labels are
        return ""
    if len(text) <= _OFTEN:
        return _shown(text, limit, known())
    whole = len(text) <= WINDOW
    return cut(mask_start(text, WINDOW), limit, whole)


@lru_cache(maxsize=256)  # names, addresses, badges: the same in every drawing of a view
def _shown(text: str, limit: int, secrets: tuple[str, ...]) -> str:
    """Return a short text as `shown` does, as long as these are the secrets."""
    return cut(mask_start(text, WINDOW), limit, True)


def clock(time: float) -> str:
    """Return the local time of day with milliseconds."""
    second, micros = divmod(round(time * 1e6), 1_000_000)
    return f"{_second(second)}.{micros // 1000:03}"


@lru_cache(maxsize=64)  # that of many rows
def _second(time: int) -> str:
    at = datetime.fromtimestamp(time)  # strftime takes five times as long
    return f"{at.hour:02}:{at.minute:02}:{at.second:02}"


@lru_cache(maxsize=32)  # the same in every drawing of a view
def day_and_time(time: float) -> str:
    """Return local date and time with its offset from UTC: a saved notebook is read elsewhere."""
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def byte_size(count: int) -> str:
    """Return a number of bytes in words; a kB is 1024 bytes here, as in the options."""
    if count < 1000:
        return f"{count} B"
    size, units = count / 1024, iter(("kB", "MB", "GB"))
    unit = next(units)
    while size >= 999.95 and (larger := next(units, "")):
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a length of time in about three digits; from a minute on as options are written."""
    if seconds < 0.09995:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60}m"


def signed_duration(seconds: float) -> str:
    """Return a Δ; it is negative where the wall clock was set back."""
    return f"{'−' if seconds < 0 else '+'}{duration(abs(seconds))}"


def cut(text: str, limit: int, whole: bool) -> str:
    """Return the start of a masked text, made visible; … at its end says that it was longer.

    Args:
        text: The text.
        limit: Characters of it.
        whole: Whether it is all there.
    """
    seen = visible(text[: limit + 1])
    return seen if whole and len(seen) <= limit else f"{seen[: limit - 1]}…"
