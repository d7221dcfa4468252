"""What the panel's front end draws, as plain data: rows and cards, masked, visible and bounded."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.connection.closing import close_meaning
from ipyws.core.connection.connection import Connection
from ipyws.core.messages.message import Message
from ipyws.text.masking import mask, mask_start
from ipyws.text.printable import visible
from ipyws.view import rows, summary
from ipyws.view.pretty import LINE, hex_line

PREVIEW: Final = 300
"""Longest preview of a payload: characters."""

DETAIL: Final = 256 * 1024
"""Longest payload that is shown: characters, or bytes of a binary one."""

DUMPED: Final = 4096
"""Bytes of a binary payload that are dumped."""

_WHO: Final = {"us": "us", "peer": "server", "none": "nobody"}


def line(number: int, name: str, message: Message, previous: float | None) -> dict[str, Any]:
    """Return a row.

    Args:
        number: Its number in the panel.
        name: The connection's name.
        message: What it shows.
        previous: The time of the row before it, in seconds since the epoch, or None.
    """
    data = message.data
    preview, more = _preview(message)
    return {
        "i": number,
        "c": name,
        "s": message.seq,
        "t": message.time,
        "dt": None if previous is None else message.time - previous,
        "d": message.direction,
        "k": message.type,
        "n": message.size if message.type in ("text", "binary", "breach") else None,
        "p": preview,
        "j": int(isinstance(data, str) and data[:1] in ("{", "[")),
        "x": int(more),
        "g": _tag(message),
    }


def gap(number: int, count: int, evicted: int) -> dict[str, Any]:
    """Return the row that stands for messages which are not drawn, of which the log has given up some."""
    return {
        "i": number,
        "c": "",
        "s": -1,
        "t": 0,
        "dt": None,
        "d": "sys",
        "k": "gap",
        "n": None,
        "p": rows.gap(count, evicted).preview,
        "j": 0,
        "x": 0,
        "g": "",
    }


def payload(number: int, message: Message) -> dict[str, Any]:
    """Return the whole of a payload, as far as it is shown: text, or a dump of bytes."""
    data = message.data
    if isinstance(data, str):
        text = visible(mask_start(data, DETAIL), keep_newlines=True)
        cut = len(data[DETAIL:].encode("utf-8", "surrogatepass"))
        is_json = data.lstrip()[:1] in ("{", "[")
        return {"i": number, "text": text, "json": is_json, "hex": None, "cut": cut}
    shown = mask_start(data, DUMPED)
    dump = [_dumped(shown, start) for start in range(0, len(shown), LINE)]
    return {"i": number, "text": "", "json": False, "hex": dump, "cut": max(0, len(data) - DUMPED)}


def card(client: Connection, rate: list[float]) -> dict[str, Any]:
    """Return what the header says of a connection.

    Args:
        client: The connection.
        rate: Messages received in each of the last seconds, the oldest first.
    """
    shown = summary.card(client)
    close = shown.close
    return {
        "name": shown.name,
        "url": rows.shown(shown.url, 300),
        "state": shown.state,
        "held": client.held,
        "note": rows.shown(shown.note, 200),
        "badges": [rows.shown(badge, 60) for badge in shown.badges],
        "received": shown.received,
        "sent": shown.sent,
        "bytes_received": shown.bytes_received,
        "bytes_sent": shown.bytes_sent,
        "kept": shown.kept,
        "evicted": shown.evicted,
        "rtt": shown.rtt,
        "rate": rate,
        "opened": rows.shown(shown.opened, 200),
        "close": close
        and {
            "code": close.code,
            "reason": rows.shown(close.shown_reason, 130),
            "meaning": close_meaning(close.code),
            "who": _WHO[close.initiator],
            "error": rows.shown(close.error.message, 200) if close.error else "",
        },
    }


def _preview(message: Message) -> tuple[str, bool]:
    """Return the payload on one line, and whether there is more of it to see."""
    data = message.data
    if message.type == "close":
        said = f" “{visible(mask(message.reason))}”" if message.reason else ""
        return close_meaning(message.code or 1005) + said, False
    if message.type == "open":
        return rows.shown(message.reason, PREVIEW), False
    if message.type == "breach":
        return rows.row(message).preview, len(data) > 0
    if isinstance(data, str):
        return rows.shown(data, PREVIEW), len(data) > 0
    if message.type == "binary":
        return hex_line(mask_start(data, PREVIEW)), len(data) > 0
    return rows.shown(mask_start(data, PREVIEW).decode("latin-1"), 100), False


def _tag(message: Message) -> str:
    if message.type == "close":
        return f"{message.code}" if message.code else "close"
    if message.rtt is not None:
        return f"RTT {rows.duration(message.rtt)}"
    if message.type == "text" and message.breach:
        return "not UTF-8"
    return "" if message.type in ("text", "binary") else message.type


def _dumped(data: bytes, start: int) -> list[str]:
    part = data[start : start + LINE]
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return [f"{start:06x}", part.hex(" "), letters]
