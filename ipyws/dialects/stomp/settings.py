"""What may be chosen of STOMP: when the connection opens, and with each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipyws.core.dialects.dialect import Word
from ipyws.core.options.credentials import remember_headers
from ipyws.core.options.kinds import ChoiceKind, DurationKind, SwitchKind
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import PairsKind, TextKind
from ipyws.errors import InvalidError, brief

_OURS: Final = frozenset(
    {
        *("accept-version", "heart-beat", "login", "passcode", "host"),
        *("destination", "id", "receipt", "ack", "content-length"),
    }
)


class HeadersKind(PairsKind):
    """Headers of a frame, beside those that STOMP itself has."""

    secret = True

    def check(self, name: str, value: Any) -> dict[str, str]:
        remember_headers(value)
        headers = super().check(name, value)
        for key, text in headers.items():
            if key.lower() in _OURS or not key:
                hint = "what STOMP itself sends has settings and arguments of its own"
                raise InvalidError(f"{name} holds {brief(key)}", hint=hint)
            if any(char in part for part in (key, text) for char in "\x00\r") or not _is_utf8(key + text):
                raise InvalidError(f"{name} {brief(key)} can't be sent", hint="text on one line is allowed")
        return headers


class ReceiptsKind(SwitchKind):
    """True, False, or None for what fits the server."""

    values = "True/False/None"
    annotation = checked = "bool | None"

    def check(self, name: str, value: Any) -> Any:
        return None if value is None else super().check(name, value)


def _is_utf8(text: str) -> bool:
    try:
        return bool(text.encode()) or True
    except UnicodeEncodeError:
        return False


_HEADERS: Final = Option("headers", HeadersKind(), None, "headers of the frame, by name", ("--header",))

SETTINGS: Final = (
    Option("host", TextKind(), "/", "the virtual host; RabbitMQ's own is /"),
    Option("heartbeat", DurationKind(), "10s", "the time between heartbeats, asked for in both directions"),
    Option("headers", HeadersKind(), None, "headers of the CONNECT frame beside login and host"),
    Option(
        "receipts",
        ReceiptsKind(),
        None,
        "have the server confirm what it is asked, and wait for that; None where it says what server it is",
    ),
)
FLAGS: Final[Mapping[Word, tuple[Option, ...]]] = {
    "subscribe": (
        Option(
            "ack",
            ChoiceKind("auto", "client", "client-individual"),
            "auto",
            "who acknowledges messages: the server by itself, or we, each as it is delivered",
        ),
        Option("details", SwitchKind(), False, "items tell destination and headers beside the payload"),
        _HEADERS,
    ),
    "publish": (
        Option(
            "content_type",
            TextKind(optional=True),
            None,
            "what the payload is; else it follows from it",
        ),
        Option(
            "content_length",
            SwitchKind(),
            True,
            "say how long the body is; ActiveMQ makes text of messages that do not",
        ),
        _HEADERS,
    ),
}
