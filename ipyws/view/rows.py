"""What a view says, as plain data: a `Card` for the connection, a `Row` for each message.

`html` and `text` turn both into something to look at. Every text in a `Row` is masked, visible and cut
already. The work for a row depends on what is shown of a message, never on its size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ipyws.core.connection.closing import Close, close_meaning
from ipyws.core.constants import CloseCode
from ipyws.core.messages.message import Message
from ipyws.text.masking import mask_start
from ipyws.text.printable import visible
from ipyws.view.meaning import meaning
from ipyws.view.pretty import LINE, hex_line, hexdump, indented_json, reads_as_json

PREVIEW = 160
"""Longest preview of a payload, in characters."""

DETAIL = 2000
"""Longest expanded payload, in characters."""

# What of a payload is looked at: enough that a secret which starts in the shown part is masked whole.
_WINDOW = 16 * 1024

# A payload up to this length is read whole in its row, so that there is nothing to expand.
_ROOM = 60

_SLOW = 1.0
_ARROWS = {"in": "↓", "out": "↑"}
_CLOSERS = {"us": " by us", "peer": " by the server", "none": ""}
_ORDINARY_CLOSES = (1000, 1001)
_SIZED = ("text", "binary", "breach")
_LINE_BREAK = re.compile(r"[\r\n]\s*")


@dataclass(frozen=True, slots=True)
class Card:
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
        opened_at: When it opened, in seconds since the epoch, or None.
        close: How it ended, or None.
        lasted: Seconds from open to close, or None.
        hint: How to look further ("%ws log prices"), or "".
        current: Whether it is the connection that the magics use.
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
    opened_at: float | None = None
    close: Close | None = None
    lasted: float | None = None
    hint: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a view.

    Attributes:
        time: Local wall clock with milliseconds.
        delta: Time since the row before, or "".
        arrow: "↓" from the server, "↑" to it.
        kind: Type of the message, or "gap".
        size: Bytes of payload, or "".
        preview: The payload on one line, at most `PREVIEW` characters.
        detail: Indented JSON, a hexdump or the whole text where it says more than the preview, else "".
        css: Classes for its look: direction, kind, "slow", "bad", "json".
        stands_for: Messages that the row speaks of: 1, or the length of a gap.
        evicted: How many of those the log has given up.
    """

    time: str
    delta: str
    arrow: str
    kind: str
    size: str
    preview: str
    detail: str
    css: str
    stands_for: int = 1
    evicted: int = 0


def row(
    message: Message, previous_time: float | None = None, *, longest: int = PREVIEW, unfold: bool = True
) -> Row:
    """Return the row that shows ``message``.

    Args:
        message: A record of the log.
        previous_time: Time of the record before it, in seconds since the epoch; None leaves Δ empty.
        longest: Most characters of its preview.
        unfold: Whether it has a detail.
    """
    delta = None if previous_time is None else message.time - previous_time
    preview, detail, look = _content(message, longest, unfold)
    slow = "slow" if delta is not None and delta > _SLOW else ""
    return Row(
        time=clock(message.time),
        delta="" if delta is None else signed_duration(delta),
        arrow=_ARROWS[message.direction],
        kind=message.type,
        size=byte_size(message.size) if message.type in _SIZED else "",
        preview=preview,
        detail=detail,
        css=" ".join(filter(None, (message.direction, message.type, look, slow))),
    )


def gap(count: int, evicted: int = 0) -> Row:
    """Return the row that stands for messages which a view leaves out.

    Args:
        count: How many they are.
        evicted: How many of them the log has given up.
    """
    words = "1 message not drawn: " if count == 1 else f"{count:,} messages not drawn: "
    if evicted:
        words += f"{evicted:,} of them evicted from the log"
    else:
        words += "it is in the log" if count == 1 else "all are in the log"
    return Row("", "", "", "gap", "", words, "", "gap", stands_for=count, evicted=evicted)


def shown(text: str, limit: int) -> str:
    """Return ``text`` fit for one line: masked, visible and at most ``limit`` characters."""
    whole = len(text) <= _WINDOW
    return _cut(mask_start(text, _WINDOW), limit, whole)


def clock(time: float) -> str:
    """Return the local time of day with milliseconds."""
    return datetime.fromtimestamp(time).strftime("%H:%M:%S.%f")[:-3]


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


def status(card: Card) -> str:
    """Return the state of the connection, with the close code once there is one."""
    state = shown(card.state, 20)
    return f"{state} {card.close.code}" if card.close else state


def is_ordinary(close: Close) -> bool:
    """Tell whether a connection ended as it was meant to."""
    return close.code in _ORDINARY_CLOSES and close.error is None


def traffic(card: Card) -> tuple[str, str]:
    """Return what came and what went: number of messages and bytes."""
    return (
        f"↓ {card.received:,} ({byte_size(card.bytes_received)})",
        f"↑ {card.sent:,} ({byte_size(card.bytes_sent)})",
    )


def facts(card: Card) -> list[str]:
    """Return the lines below the header: the handshake, what holds the connection up, how it ended."""
    opened = [shown(card.opened, 200)] if card.opened else []
    if card.opened_at is not None:
        opened.append(day_and_time(card.opened_at))
    return [*([", ".join(opened)] if opened else []), *hitches(card)]


def hitches(card: Card) -> list[str]:
    """Return why nothing moves: what holds the connection up, how it ended."""
    ending = _ending(card.close, card.lasted) if card.close else ""
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
    return f"closed {_code_and_reason(close.code, close.shown_reason)}{_CLOSERS[close.initiator]}{after}{why}"


def _code_and_reason(code: int | None, reason: str) -> str:
    meaning = f"{code} {close_meaning(code)}" if code is not None else "no status code"
    return f"{meaning} “{shown(reason, 130)}”" if reason else meaning


def _content(message: Message, longest: int, unfold: bool) -> tuple[str, str, str]:
    """Return preview, detail and a further class."""
    if message.type == "close":
        sender = ", sent by the server" if message.direction == "in" else ", sent by us"
        sent = "" if message.code == CloseCode.ABNORMAL_CLOSURE else sender  # 1006: nobody sent a frame
        look = "" if message.code in _ORDINARY_CLOSES else "bad"
        return f"{_code_and_reason(message.code, message.reason)}{sent}", "", look
    if message.type == "open":
        return shown(message.reason, 130), "", ""
    data = message.data
    if message.type in ("ping", "pong"):
        return _control_preview(message), "", ""
    if message.type == "breach":
        return _breach_content(message, unfold)
    meant = meaning(message, _WINDOW, longest, DETAIL)
    if meant.preview:
        look = "json" if meant.json else ""
        detail = _bounded(mask_start(meant.detail, _WINDOW), True, message) if unfold else ""
        return _tagged(meant.tag, mask_start(meant.preview, _WINDOW), longest), detail, look
    if isinstance(data, str) or meant.text:
        preview, detail, look = _text_content(meant.text or str(data), message, longest, unfold)
    else:
        preview, detail, look = *_binary_content(data, unfold), ""
    if meant.problem:
        return _cut(f"{shown(meant.problem, 100)}: {preview}", longest, True), detail, "bad"
    return _tagged(meant.tag, preview, longest) if meant.tag else preview, detail, look


def _tagged(tag: str, preview: str, longest: int) -> str:
    return _cut(f"{tag}  {preview}", longest, True)


def _breach_content(message: Message, unfold: bool) -> tuple[str, str, str]:
    data = message.data
    assert isinstance(data, bytes)
    said = _code_and_reason(message.code, message.reason) if message.code is not None else ""
    what = said or shown(data[:_WINDOW].decode("utf-8", "backslashreplace"), 100)
    return f"{shown(message.breach, 130)}: {what}", _binary_content(data, unfold)[1], "bad"


def _control_preview(message: Message) -> str:
    words = message.type if message.rtt is None else f"{message.type}  {duration(message.rtt)}"
    payload = message.data if isinstance(message.data, bytes) else message.data.encode("utf-8", "replace")
    if not payload:
        return words
    clear = payload.isascii() and payload.decode("ascii").isprintable()
    return f"{words}  {shown(payload.decode('ascii') if clear else _masked_bytes(payload).hex(' '), 100)}"


def _text_content(data: str, message: Message, longest: int, unfold: bool) -> tuple[str, str, str]:
    whole = len(data) <= _WINDOW
    text = mask_start(data, _WINDOW)
    is_json = reads_as_json(text, whole)
    # No string of JSON holds a bare line break, so what this joins is layout.
    preview = _cut(_LINE_BREAK.sub(" ", text) if is_json and whole else text, longest, whole)
    look = "json" if is_json else ""
    if message.breach:
        preview, look = _cut(f"{shown(message.breach, 100)}: {preview}", longest, whole), "bad"
    elif len(text) <= _ROOM and "\n" not in text:
        unfold = False
    return preview, _text_detail(text, is_json, whole, message) if unfold else "", look


def _text_detail(text: str, is_json: bool, whole: bool, message: Message) -> str:
    if is_json and whole:
        text = indented_json(text, DETAIL)
    return _bounded(text, whole, message)


def _bounded(text: str, whole: bool, message: Message) -> str:
    clear = visible(text[: DETAIL + 1], keep_newlines=True)
    if whole and len(clear) <= DETAIL:
        return clear
    return f"{clear[:DETAIL]}…\n… cut here, the message has {byte_size(message.size)}"


def _binary_content(data: bytes, unfold: bool) -> tuple[str, str]:
    window = _masked_bytes(data)
    if len(data) <= LINE:
        return hex_line(window), ""
    return f"{hex_line(window)}…", hexdump(window, len(data)) if unfold else ""


def _masked_bytes(data: bytes) -> bytes:
    shown: bytes = mask_start(data, _WINDOW)
    return shown


def _cut(text: str, limit: int, whole: bool) -> str:
    seen = visible(text[: limit + 1])
    return seen if whole and len(seen) <= limit else f"{seen[: limit - 1]}…"
