"""What a message says: its payload as what it means to its codec, or as it came."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ipyws.core.constants import CloseCode
from ipyws.core.messages.message import Message
from ipyws.text.masking import mask_start
from ipyws.text.printable import visible
from ipyws.view.card import ORDINARY_CLOSES, code_and_reason
from ipyws.view.format import WINDOW, byte_size, cut, duration, shown
from ipyws.view.meaning import AS_IT_IS, Meaning, meaning
from ipyws.view.pretty import LINE, hex_line, hexdump, indented_json, reads_as_json

DETAIL: Final = 2000
"""Longest expanded payload, in characters."""

# A payload up to this length is read whole in its row, so that there is nothing to expand.
_ROOM: Final = 60

# JSON below this length has one short member at most: {"a":1}.
_SHORTEST_JSON: Final = 8

_LINE_BREAK: Final = re.compile(r"[\r\n]\s*")


class Content(NamedTuple):
    """The words of a `ipyws.view.rows.Row` that come from its message.

    Attributes:
        preview: The payload on one line.
        detail: The whole of it where that says more, else "".
        look: A further class: "json", "bad", or "".
        tag: As what it was read, where that is not plain.
        label: The name of a packet.
        raw: The payload as it came, where the detail is what it means.
    """

    preview: str
    detail: str = ""
    look: str = ""
    tag: str = ""
    label: str = ""
    raw: str = ""


def content(message: Message, longest: int, *, unfold: bool, raw: bool = False) -> Content:
    """Return what a row says of a message; see `ipyws.view.rows.row`."""
    if message.type not in ("text", "binary"):
        return _event(message, unfold)
    meant = AS_IT_IS if raw else meaning(message, WINDOW, longest, DETAIL)
    made = _value(message, meant, longest, unfold) if meant.read else _payload(message, longest, unfold)
    if meant is AS_IT_IS and not message.mark:  # as in most streams
        return made
    label = " · ".join(filter(None, (message.mark, meant.label)))
    if meant.tag or label:
        made = made._replace(tag=meant.tag, label=shown(label, 80))
    if meant.large:
        where = "value has it" if unfold else "open it"
        return made._replace(preview=f"more than {byte_size(WINDOW)} to read: {where}")
    if meant.problem:
        preview = cut(f"{shown(meant.problem, 100)}: {made.preview}", longest, True)
        return made._replace(preview=preview, look="bad")
    return made


def _event(message: Message, unfold: bool) -> Content:
    """Return what a row says of what is no data."""
    if message.type == "close":
        return _close(message)
    if message.type == "open":
        return Content(shown(message.reason, 130))
    if message.type == "breach":
        return _breach(message, unfold)
    return Content(_control(message))


def _close(message: Message) -> Content:
    sender = ", sent by the server" if message.direction == "in" else ", sent by us"
    sent = "" if message.code == CloseCode.ABNORMAL_CLOSURE else sender  # 1006: nobody sent a frame
    look = "" if message.code in ORDINARY_CLOSES else "bad"
    return Content(f"{code_and_reason(message.code, message.reason)}{sent}", look=look)


def _control(message: Message) -> str:
    words = message.type if message.rtt is None else f"{message.type}  {duration(message.rtt)}"
    payload = message.data if isinstance(message.data, bytes) else message.data.encode("utf-8", "replace")
    if not payload:
        return words
    clear = payload.isascii() and payload.decode("ascii").isprintable()
    return f"{words}  {shown(payload.decode('ascii') if clear else _masked_bytes(payload).hex(' '), 100)}"


def _breach(message: Message, unfold: bool) -> Content:
    data = message.data
    assert isinstance(data, bytes)
    said = code_and_reason(message.code, message.reason) if message.code is not None else ""
    what = said or shown(data[:WINDOW].decode("utf-8", "backslashreplace"), 100)
    return Content(f"{shown(message.breach, 130)}: {what}", _binary(data, unfold).detail, "bad")


# -- what it means -------------------------------------------------------------------------------------


def _value(message: Message, meant: Meaning, longest: int, unfold: bool) -> Content:
    """Return what a codec has made of a payload; where that is text, as text is shown."""
    if meant.text is not None:
        return _text(meant.text, message, longest, unfold)
    preview = cut(mask_start(meant.preview, WINDOW), longest, True)
    look = "json" if meant.json else ""
    if not unfold:
        return Content(preview, look=look)
    detail = _bounded(mask_start(meant.detail, WINDOW), True, message) if meant.detail else ""
    return Content(preview, detail, look, raw=_raw(message))


def _raw(message: Message) -> str:
    """Return a payload as it came, in full as far as a row shows it."""
    data = message.data
    if isinstance(data, bytes):
        return hexdump(_masked_bytes(data), len(data))
    return _bounded(mask_start(data, WINDOW), len(data) <= WINDOW, message)


# -- as it came ----------------------------------------------------------------------------------------


def _payload(message: Message, longest: int, unfold: bool) -> Content:
    data = message.data
    return _text(data, message, longest, unfold) if isinstance(data, str) else _binary(data, unfold)


def _text(data: str, message: Message, longest: int, unfold: bool) -> Content:
    whole = len(data) <= WINDOW
    text = mask_start(data, WINDOW)
    is_json = reads_as_json(text, whole)
    # No string of JSON holds a bare line break, so what this joins is layout.
    preview = cut(_LINE_BREAK.sub(" ", text) if is_json and whole else text, longest, whole)
    look = "json" if is_json else ""
    if message.breach:
        preview, look = cut(f"{shown(message.breach, 100)}: {preview}", longest, whole), "bad"
    elif len(text) < (_SHORTEST_JSON if is_json else _ROOM + 1) and "\n" not in text:
        unfold = False
    return Content(preview, _text_detail(text, is_json, whole, message) if unfold else "", look)


def _text_detail(text: str, is_json: bool, whole: bool, message: Message) -> str:
    if is_json and whole:
        text = indented_json(text, DETAIL)
    return _bounded(text, whole, message)


def _bounded(text: str, whole: bool, message: Message) -> str:
    clear = visible(text[: DETAIL + 1], keep_newlines=True)
    if whole and len(clear) <= DETAIL:
        return clear
    return f"{clear[:DETAIL]}…\n… cut here, the message has {byte_size(message.size)}"


def _binary(data: bytes, unfold: bool) -> Content:
    window = _masked_bytes(data)
    if len(data) <= LINE:
        return Content(hex_line(window))
    return Content(f"{hex_line(window)}…", hexdump(window, len(data)) if unfold else "")


def _masked_bytes(data: bytes) -> bytes:
    shown_bytes: bytes = mask_start(data, WINDOW)
    return shown_bytes
