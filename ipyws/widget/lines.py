"""What a view says as messages to the panel's front end: rows, payloads and cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Final, Literal

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.contract import Contract
from ipyws.core.messages.message import Message, payload_size
from ipyws.text.masking import mask_start
from ipyws.text.printable import visible
from ipyws.view import card as cards
from ipyws.view import rows
from ipyws.view.card import Card
from ipyws.view.format import byte_size, clock, duration, shown
from ipyws.view.meaning import Meaning, meaning
from ipyws.view.pretty import dump
from ipyws.widget import protocol
from ipyws.widget.rights import ALL
from ipyws.widget.tree import json_tree, tree_of_text, tree_of_value

PREVIEW: Final = 300
"""Longest preview of a payload: characters."""

DETAIL: Final = 256 * 1024
"""Longest payload that is shown: characters, or bytes of a binary one."""

_DATA: Final = ("text", "binary")

DUMPED: Final = 4096
"""Bytes of a binary payload that are dumped."""


def line(
    number: int, name: str, message: Message, previous: float | None, contract: Contract | None = None
) -> protocol.Row:
    """Return a row.

    Args:
        number: Its number in the panel.
        name: The connection's name.
        message: What it shows.
        previous: The time of the row before it, in seconds since the epoch, or None.
        contract: What it is judged by, or None.
    """
    row = rows.row(message, previous, longest=PREVIEW, unfold=False, contract=contract)
    if message.type == "pong" and message.rtt is not None:
        row = row._replace(preview=row.preview.replace("pong  ", "RTT ", 1))
    return _line(number, name, message.seq, message.time, row, more=bool(row.size and message.data))


def gap(number: int, count: int, evicted: int, *, loadable: bool = False) -> protocol.Row:
    """Return the row that stands for messages which are not drawn.

    Args:
        number: Its number in the panel.
        count: How many they are.
        evicted: How many of them the log has given up.
        loadable: Whether the rows of the others can be asked for.
    """
    return _line(number, "", -1, 0, rows.gap(count, evicted), more=loadable)


def divider(number: int, time: float) -> protocol.Row:
    """Return the row between the messages of a connection and those of the one that was opened again.

    Args:
        number: Its number in the panel.
        time: Of the first message below it, in seconds since the epoch.
    """
    words = "opened again; above is the connection before"
    row = rows.Row(clock(time), "", "", "gap", "", words, "", "gap divider", stands_for=0)
    return _line(number, "", -1, 0, row, more=False)


def set_slow(row: protocol.Row, slow: bool) -> None:
    """Have a row say that the gap before it is unusual, or that it is not."""
    looks = [look for look in row["css"].split() if look != "slow"]
    row["css"] = " ".join([*looks, "slow"] if slow else looks)


def paired(
    made: Sequence[protocol.Row], found: Sequence[tuple[str, Connection, Message]]
) -> list[protocol.Row]:
    """Return rows without the pings whose pong is among them: its row says how long that took."""
    pings: dict[tuple[str, bytes | str], int] = {}
    answered: set[int] = set()
    for place, (name, _, message) in enumerate(found):
        if message.type == "ping" and message.direction == "out":
            pings[name, message.data] = place
        elif message.type == "pong" and message.rtt is not None and (name, message.data) in pings:
            answered.add(pings.pop((name, message.data)))
            made[place]["arrow"] = "↕"
    return [row for place, row in enumerate(made) if place not in answered]


def payload(message: Message | None) -> protocol.Content:
    """Return a payload as far as it is shown: what it means, and as it came; None has none."""
    if message is None:
        return {"shown": _body(), "raw": None, "note": "", "edit": "text", "gone": True}
    came = _as_it_came(message)
    edit: Literal["text", "hex"] = "text" if isinstance(message.data, str) else "hex"
    meant = Meaning() if message.type not in _DATA else meaning(message, DETAIL, PREVIEW, DETAIL)
    note = _note(meant)
    if not meant.read or (meant.text is None and not meant.detail):
        return {"shown": came, "raw": None, "note": note, "edit": edit, "gone": False}
    # What is written as JSON is sent in the connection's format, if that is the one.
    written: Literal["auto", "text", "hex"] = "auto" if _is_written(message, meant) else edit
    return {"shown": _meant(meant), "raw": came, "note": note, "edit": written, "gone": False}


def _is_written(message: Message, meant: Meaning) -> bool:
    return meant.json and meant.tag == message.codec.name and not meant.label


def _note(meant: Meaning) -> str:
    if meant.large:
        return f"more than {byte_size(DETAIL)} to read: the message's value has it"
    return shown(meant.problem, 300)


def _body(
    text: str = "", tree: protocol.Node | None = None, left: int = 0, dumped: bytes = b""
) -> protocol.Body:
    return {"text": text, "tree": tree, "dump": list(dump(dumped)), "left": byte_size(left) if left else ""}


def _as_it_came(message: Message) -> protocol.Body:
    data = message.data
    if isinstance(data, bytes):
        return _body(dumped=mask_start(data, DUMPED), left=max(0, len(data) - DUMPED))
    return _of_text(data)


def _of_text(data: str) -> protocol.Body:
    text = visible(mask_start(data, DETAIL), keep_newlines=True)
    tree = json_tree(data, text) if len(data) <= DETAIL else None
    return _body(text, tree, payload_size(data) - payload_size(data[:DETAIL]))


def _meant(meant: Meaning) -> protocol.Body:
    if meant.text is not None:
        return _of_text(meant.text)
    text = visible(mask_start(meant.detail, DETAIL), keep_newlines=True)
    tree = tree_of_text(text) if meant.json else None
    if tree is None and meant.kind == "tree" and isinstance(meant.value, (Mapping, list, tuple)):
        tree = tree_of_value(meant.value)
    return _body(text, tree, max(0, len(meant.detail) - DETAIL))


def card(of: Card, rate: list[float]) -> protocol.Card:
    """Return what the header says of a connection.

    Args:
        of: The connection.
        rate: Messages received in each of the last seconds, the oldest first.
    """
    return {
        "name": of.name,
        "url": shown(of.url, 300),
        "state": of.state,
        "words": cards.status(of),
        "failed": of.close is not None and not cards.is_ordinary(of.close),
        "fact": " · ".join(cards.hitches(of)),
        "opened": shown(of.opened, 200),
        "badges": [shown(badge, 60) for badge in of.badges],
        "received": of.received,
        "sent": of.sent,
        "received_size": byte_size(of.bytes_received),
        "sent_size": byte_size(of.bytes_sent),
        "kept": of.kept,
        "evicted": of.evicted,
        "rtt": "" if of.rtt is None else duration(of.rtt),
        "rate": rate,
    }


def all_together(cards: Sequence[Card], rates: Sequence[list[float]]) -> protocol.Card:
    """Return what the header says of all connections together."""
    opened = sum(one.state == "open" for one in cards)
    whole = Card(
        name=ALL,
        url=", ".join(one.name for one in cards),
        state="open" if opened else "closed",
        note="; ".join(f"{one.name}: {one.note}" for one in cards if one.note),
        received=sum(one.received for one in cards),
        sent=sum(one.sent for one in cards),
        bytes_received=sum(one.bytes_received for one in cards),
        bytes_sent=sum(one.bytes_sent for one in cards),
        kept=sum(one.kept for one in cards),
        evicted=sum(one.evicted for one in cards),
    )
    backwards = zip_longest(*(rate[::-1] for rate in rates), fillvalue=0.0)
    rate = [round(sum(second), 1) for second in backwards][::-1]
    return {**card(whole, rate), "words": f"{opened} of {len(cards)} open"}


def _line(number: int, name: str, seq: int, at: float, row: rows.Row, *, more: bool) -> protocol.Row:
    return {
        "id": number,
        "connection": name,
        "seq": seq,
        "at": at,
        "time": row.time,
        "delta": row.delta,
        "arrow": row.arrow,
        "kind": row.kind,
        "size": row.size,
        "tag": row.tag,
        "label": row.label,
        "wrong": row.wrong,
        "preview": row.preview,
        "css": row.css,
        "more": more,
    }
