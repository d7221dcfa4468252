"""What the header of a view says of its connection."""

from __future__ import annotations

from typing import Final, NamedTuple

from ipyws.core.connection.closing import Close, code_in_words
from ipyws.view.format import byte_size, day_and_time, duration, shown

ORDINARY_CLOSES: Final = (1000, 1001)
"""Codes with which a connection ends as it was meant to."""

_CLOSERS: Final = {"us": " by us", "peer": " by the server", "none": ""}


class Card(NamedTuple):
    """Everything that the header of a view says about its connection.

    Attributes:
        name: Name of the connection.
        url: Where it leads, secrets masked.
        state: "connecting", "open", "closing", "closed" or "reconnecting"; "" where it is not said.
        note: What holds it up ("reading paused: channel full"), or "".
        badges: What was agreed on: subprotocol, "deflate", "proxy …".
        received: Messages from the server so far.
        sent: Messages to it so far.
        bytes_received: Bytes of payload in those received.
        bytes_sent: Bytes of payload in those sent.
        kept: Messages that the log holds now.
        evicted: Messages that the log has given up.
        total: Messages so far: what is drawn beside these numbers ends there.
        rtt: The last round trip in seconds, or None.
        opened: The handshake in words ("101 Switching Protocols in 34 ms"), or "".
        headers: Of the answer to the handshake, a line each, secrets masked.
        opened_at: When it opened, in seconds since the epoch, or None.
        close: How it ended, or None.
        lasted: Seconds from open to close, or None.
        hint: How to look further ("%ws log prices"), or "".
        current: Whether it is the connection that the magics use.
        told: Whether a row says how it ended, so that the header need not.
    """

    name: str
    url: str
    state: str
    note: str = ""
    badges: tuple[str, ...] = ()
    received: int = 0
    sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    kept: int = 0
    evicted: int = 0
    total: int = 0
    rtt: float | None = None
    opened: str = ""
    headers: tuple[str, ...] = ()
    opened_at: float | None = None
    close: Close | None = None
    lasted: float | None = None
    hint: str = ""
    current: bool = False
    told: bool = False


def status(card: Card) -> str:
    """Return the state of the connection, with the close code once there is one."""
    state = shown(card.state, 20)
    return f"{state} {card.close.code}" if card.close else state


def is_ordinary(close: Close) -> bool:
    """Tell whether a connection ended as it was meant to."""
    return close.code in ORDINARY_CLOSES and close.error is None


def traffic(card: Card) -> tuple[str, str]:
    """Return what came and what went: number of messages and bytes."""
    return (
        f"↓ {card.received:,} ({byte_size(card.bytes_received)})",
        f"↑ {card.sent:,} ({byte_size(card.bytes_sent)})",
    )


def facts(card: Card) -> list[str]:
    """Return the lines below the header: the handshake, what holds the connection up, how it ended."""
    return [*filter(None, [opened(card)]), *hitches(card)]


def opened(card: Card) -> str:
    """Return the handshake in words, with date and time; "" where there is none."""
    at = [] if card.opened_at is None else [day_and_time(card.opened_at)]
    return ", ".join([*filter(None, [shown(card.opened, 200)]), *at])


def hitches(card: Card) -> list[str]:
    """Return why nothing moves: what holds the connection up, how it ended."""
    close = card.close
    is_news = close is not None and not (card.told and close.error is None)
    ending = _ending(close, card.lasted) if close and is_news else ""
    return [line for line in (shown(card.note, 200), ending) if line]


def counters(card: Card, drawn: int) -> str:
    """Return where every message went: received, sent, kept, shown, evicted."""
    return (
        f"{card.received:,} received, {card.sent:,} sent; "
        f"{card.kept:,} kept in the log, {drawn:,} shown here, {card.evicted:,} evicted"
    )


def _ending(close: Close, lasted: float | None) -> str:
    after = "" if lasted is None else f" after {duration(lasted)}"
    why = f": {shown(close.error.message, 200)}" if close.error else ""
    return f"closed {code_and_reason(close.code, close.shown_reason)}{_CLOSERS[close.initiator]}{after}{why}"


def code_and_reason(code: int | None, reason: str) -> str:
    """Return a close code with the reason that was given, and its meaning."""
    return code_in_words(code, shown(reason, 130) if reason else "")
