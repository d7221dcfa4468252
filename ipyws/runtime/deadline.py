"""Until when an operation may wait."""

from __future__ import annotations

import time
from datetime import timedelta

from ipyws.core.options.durations import Duration, format_duration, seconds
from ipyws.errors import WaitTimeoutError


class Deadline:
    """The end of a timeout that starts now.

    Args:
        timeout: Milliseconds, Go syntax, a timedelta, or None for no limit.
        name: What the option is called, for the error.

    Raises:
        InvalidError: ``timeout`` is not a positive duration.
    """

    __slots__ = ("_at", "_text")

    def __init__(self, timeout: Duration | None, name: str = "timeout") -> None:
        span = seconds(timeout, name=name, allow_none=True)
        self._at = None if span is None else time.monotonic() + span
        self._text = _repeat(timeout)

    def remaining(self) -> float | None:
        """Seconds left, at least 0.0; None without a limit."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())

    def left(self) -> timedelta | None:
        """Return what is left as a timeout, at least a millisecond; None without a limit."""
        remaining = self.remaining()
        return None if remaining is None else timedelta(seconds=max(remaining, 0.001))

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self._at is not None and time.monotonic() >= self._at

    def error(self, what: str, *, hint: str = "") -> WaitTimeoutError:
        """Return the error that says what did not happen in time, and how long that was."""
        return WaitTimeoutError(f"{what}: {self._text} passed", hint=hint)

    def passed_without(self, what: str, *, hint: str = "") -> WaitTimeoutError:
        """Return the error that says that there was nothing of a kind in that time."""
        return WaitTimeoutError(f"{what} within {self._text}", hint=hint)


def _repeat(timeout: Duration | None) -> str:
    """Return the timeout as it was given, with its unit."""
    if isinstance(timeout, (int, float)):
        return f"{timeout} ms"
    return timeout if isinstance(timeout, str) else format_duration(timeout.total_seconds() if timeout else 0)
