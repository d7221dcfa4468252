"""Whether a connection goes to where a capture was made."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ipyws.capture.replay.recorded import hides_something
from ipyws.errors import InvalidError

# Captures of other programs write the schemes of HTTP.
_SCHEMES = {"http": "ws", "https": "wss"}
_PORTS = {"ws": 80, "wss": 443}


class _Place(NamedTuple):
    """A URL in parts that can be compared; what names a parameter stands apart from its value."""

    origin: tuple[str, str | None, int | None]
    segments: list[str]
    names: list[str]
    values: list[str]


def check_target(recorded: str, actual: str) -> None:
    """Check that a connection goes to where the capture was made; parts masked in that match anything.

    Args:
        recorded: The URL in the capture.
        actual: The URL of the connection.

    Raises:
        InvalidError: It goes elsewhere; the message names both.
    """
    if not _same(recorded, actual):
        raise InvalidError(
            f"the capture was made at {recorded} and this connection goes to {actual}",
            hint="anywhere=True replays it all the same, secrets included",
        )


def _same(recorded: str, actual: str) -> bool:
    try:
        old, new = _place(recorded), _place(actual)
    except ValueError:  # the capture may hold anything
        return False
    return (
        (old.origin, old.names) == (new.origin, new.names)
        and _alike(old.segments, new.segments)
        and _alike(old.values, new.values)
    )


def _place(url: str) -> _Place:
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return _Place(
        (scheme, parts.hostname, parts.port or _PORTS.get(scheme)),
        (parts.path or "/").split("/"),
        [name for name, _ in query],
        [value for _, value in query],
    )


def _alike(recorded: list[str], actual: list[str]) -> bool:
    return len(recorded) == len(actual) and all(
        old == new or hides_something(old) for old, new in zip(recorded, actual, strict=True)
    )
