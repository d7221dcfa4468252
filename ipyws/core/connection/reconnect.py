"""Opening a lost connection again: which losses, when, how often."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any, Final

from ipyws.core.connection.closing import Close
from ipyws.core.connection.on_open import OnOpen, check_on_open, is_script
from ipyws.core.constants import CloseCode
from ipyws.core.options.durations import format_duration, seconds
from ipyws.core.options.fresh import Again
from ipyws.core.options.literals import read_mapping
from ipyws.errors import ConnectError, InvalidError, WebSocketError, brief, suggestion
from ipyws.text.numbers import is_whole

ALLOWED = (
    '{"attempts": 10, "first": "500ms", "max": "30s", "on_open": [payloads], "codes": [1005, "4000-4999"], '
    '"first_dial": True}, each key optional ({} will do),'
)

ALWAYS: Final = ((0, 65535),)
"""Every close code."""

_MOST = 1_000_000
_LONGEST_WAIT = 999_999.0  # seconds that a server may ask for
_LONGEST_DATE = 40
_CODES_ALLOWED = 'close codes and ranges of them such as [1005, "4000-4999"], or "always",'
_COMES_BACK = frozenset(
    {
        CloseCode.GOING_AWAY,
        CloseCode.INTERNAL_ERROR,
        CloseCode.SERVICE_RESTART,
        CloseCode.TRY_AGAIN_LATER,
        CloseCode.BAD_GATEWAY,
    }
)
"""Codes of a server that may serve again soon (RFC 6455 section 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a lost connection is opened again.

    Attributes:
        attempts: How many attempts may fail in a row.
        first: Seconds before the first attempt, at most; each further one waits up to twice as long.
        max: Longest wait in seconds.
        on_open: What is sent whenever the connection has opened, the first time too: subscriptions. Payloads
            and functions that make one, a function that makes all of them, or a script.
        codes: Ranges of close codes, first and last of each, that come back besides those which do anyway.
        first_dial: Whether the first dial is repeated too, where trying again can help.
    """

    attempts: int = 10
    first: float = 0.5
    max: float = 30.0
    on_open: OnOpen = field(default=(), repr=False)
    codes: tuple[tuple[int, int], ...] = ()
    first_dial: bool = False

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait before an attempt: exponential, the upper half of it by chance.

        Without chance, clients that a server lost together would come back together.

        Args:
            attempt: Its number, from 1.
            chance: Gives a number from 0 to 1.
        """
        longest = min(self.max, self.first * 2.0 ** min(attempt - 1, 60))
        return longest * (0.5 + chance() / 2)


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt to open a lost connection.

    Attributes:
        attempt: Its number, from 1.
        attempts: How many there may be.
        at: When it is made: seconds since the epoch.
        lost: How the connection was lost.
        error: Why the attempt before it failed, or None.
    """

    attempt: int
    attempts: int
    at: float
    lost: Close
    error: WebSocketError | None = None


def check_reconnect(name: str, value: Any) -> Reconnect | None:
    """Return the option as it is used.

    Raises:
        InvalidError: It is not a mapping, has an unknown key, or one of its values can't be used.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidError(f"{name} is of type {type(value).__name__}", hint=f"{ALLOWED} is allowed")
    given = dict(value)
    for key in given:
        if key not in _KEYS:
            hint = suggestion(key, _KEYS, f"{ALLOWED} is allowed")
            raise InvalidError(f"{name} has the unknown key {brief(key)}", hint=hint)
    on_open = _on_open(name, given.pop("on_open", ()), given.pop("names", None))
    checked = {key: _CHECKS[key](f"{name}: {key}", item) for key, item in given.items()}
    made = Reconnect(on_open=on_open, **checked)
    if made.first <= made.max:
        return made
    if {"first", "max"} <= given.keys():
        raise InvalidError(f"{name}: first is longer than max", hint="the waits grow from first to max")
    # Whichever was given moves the default of the other.
    return replace(made, max=made.first) if "first" in given else replace(made, first=made.max)


def _on_open(name: str, value: Any, names: Any) -> OnOpen:
    """Return what is sent on each open; ``names`` are what the expressions of a script know."""
    if names is not None and not is_script(value):
        hint = "on_open is a script if it has lines of ==="
        raise InvalidError(f"{name}: names are given without a script", hint=hint)
    if names is not None and not (isinstance(names, Mapping) and all(isinstance(key, str) for key in names)):
        raise InvalidError(
            f"{name}: names is of type {type(names).__name__}", hint="a mapping of names is allowed"
        )
    return check_on_open(f"{name}: on_open", value, dict(names or {}))


def given_reconnect(policy: Reconnect) -> dict[str, Any]:
    """Return the mapping that means a policy: what differs from the default.

    Raises:
        ValueError: What it does when it opens can't be written down.
    """
    usual = Reconnect()
    given: dict[str, Any] = {
        name: getattr(policy, name)
        for name in ("attempts", "first", "max", "on_open", "codes", "first_dial")
        if getattr(policy, name) != getattr(usual, name)
    }
    for name in {"first", "max"} & given.keys():
        given[name] = format_duration(given[name])
    if "codes" in given:
        given["codes"] = "always" if policy.codes == ALWAYS else list(map(_written_range, policy.codes))
    if "on_open" in given:
        given["on_open"] = _written_payloads(policy.on_open)
    return given


def _written_payloads(on_open: OnOpen) -> list[Any]:
    first = on_open.first if isinstance(on_open, Again) else on_open
    if not isinstance(first, list | tuple) or any(callable(payload) for payload in first):
        raise ValueError("its on_open is a script, or is made by a function")
    return list(first)


def _written_range(codes: tuple[int, int]) -> int | str:
    first, last = codes
    return first if first == last else f"{first}-{last}"


def _attempts(name: str, value: Any) -> int:
    if not is_whole(value, 1, _MOST):
        raise InvalidError(f"{name} is {brief(value)}", hint=f"a whole number from 1 to {_MOST} is allowed")
    return value


def _span(name: str, value: Any) -> float:
    return seconds(value, name=name)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidError(f"{name} is {brief(value)}", hint="True or False is allowed")
    return value


def _codes(name: str, value: Any) -> tuple[tuple[int, int], ...]:
    if value == "always":
        return ALWAYS
    if not isinstance(value, (list, tuple, range)):
        raise InvalidError(f"{name} is {brief(value)}", hint=f"{_CODES_ALLOWED} is allowed")
    return tuple(_range(name, item) for item in value)


def _range(name: str, item: Any) -> tuple[int, int]:
    """Return first and last of a close code or a range of them."""
    words = item if isinstance(item, str) else str(item) if type(item) in (int, CloseCode) else ""
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", words, re.ASCII)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1000 <= first <= last < 5000:
        raise InvalidError(f"{name} holds {brief(item)}", hint=f"{_CODES_ALLOWED} is allowed")
    return first, last


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "attempts": _attempts,
    "first": _span,
    "max": _span,
    "codes": _codes,
    "first_dial": _flag,
}
_KEYS = ("attempts", "first", "max", "on_open", "names", "codes", "first_dial")


def read_reconnect(text: str) -> Any:
    """Return the option from the text of a line, a form or a file: "on", a number of attempts, or a mapping.

    A mapping is written as in JSON, or as in Python, where bytes can be written.

    Raises:
        InvalidError: It is nothing of these.
    """
    word = text.strip().lower()
    if word in ("on", "none"):
        return {} if word == "on" else None
    if re.fullmatch(r"\d{1,18}", word, re.ASCII):
        return {"attempts": int(word)}
    return read_mapping("reconnect", text, '{"attempts": 5}', "on, a number of attempts, or ")


def comes_back(close: Close, policy: Reconnect | None = None) -> bool:
    """Tell whether a connection that ended so may be had again by dialling once more.

    It may if it was lost, if the server went away or says that it will be back, and if we gave up on its
    silence. It was meant to end if either side closed it for good, or one broke the protocol, unless the
    codes of ``policy`` say otherwise; what the user closes never comes back.
    """
    if close.initiator == "us" and close.error is None:
        return False
    if policy is not None and any(
        first <= code <= last for first, last in policy.codes for code in _told(close)
    ):
        return True
    if close.initiator == "none":
        return True
    if close.initiator == "us" or close.error is not None:
        return close.error is not None and close.error.retryable
    return close.code in _COMES_BACK


def _told(close: Close) -> list[int]:
    """Return the close code, and that of a close frame that may not be sent and for which we closed."""
    code = close.error.details.get("code") if close.error is not None else None
    return [close.code, code] if isinstance(code, int) else [close.code]


def retry_after(error: WebSocketError) -> float:
    """Return the seconds that a refusal asks to wait; 0.0 if it does not."""
    return wait_of(error.details.get("headers", ()), time.time())


def wait_of(headers: Iterable[tuple[str, str]], now: float) -> float:
    """Return the seconds that the headers of an answer ask to wait (RFC 9110 section 10.2.3), or 0.0.

    Args:
        headers: Names and values; where they tell the time, a moment is meant by that clock.
        now: Our time, in seconds since the epoch.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    asked = found.get("retry-after", "")
    if re.fullmatch(r"\d{1,6}", asked, re.ASCII):
        return float(asked)
    until = _moment(asked)
    theirs = _moment(found.get("date", ""))
    return 0.0 if until is None else min(max(0.0, until - (now if theirs is None else theirs)), _LONGEST_WAIT)


def _moment(text: str) -> float | None:
    """Return an HTTP date (RFC 9110 section 5.6.7) as seconds since the epoch, or None."""
    from email.utils import parsedate_to_datetime  # few servers send one, and email is large

    try:
        moment = parsedate_to_datetime(text[:_LONGEST_DATE])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def given_up(attempts: int, error: WebSocketError | None, again: bool = True) -> ConnectError:
    """Return the error of a connection that could not be had, or be had again."""
    times = "1 attempt" if attempts == 1 else f"{attempts:,} attempts"
    opened = "opened again" if again else "opened"
    what = f"could not be {opened} in {times}: {error.message}" if error else f"did not last in {times}"
    return ConnectError(
        f"it {what}",
        hint="connect again once the server is back",
        details=error.details if error else None,
    )


def opened_words(attempt: int, after: float, again: str = "") -> str:
    """Return in words that a connection was opened again, for the log.

    Args:
        attempt: Which one it was, from 1.
        after: Seconds since it was lost.
        again: What is sent once more, in words; "" for nothing.
    """
    return f"reconnected after {_waited(after)} (attempt {attempt}), {again or 'nothing'} sent again"


def _waited(seconds: float) -> str:
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    return f"{seconds:.1f} s" if seconds < 59.95 else format_duration(round(seconds))
