"""One line of a view for each message, as plain data.

`html` and `text` turn it into something to look at, the panel has it drawn by its front end. Every text in a
`Row` is masked, visible and cut already. The work for a row depends on what is shown of a message, never on
its size.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from ipyws.core.messages.contract import Contract
from ipyws.core.messages.message import Message
from ipyws.view.content import Content, content
from ipyws.view.format import byte_size, clock, signed_duration
from ipyws.view.judged import broken

PREVIEW: Final = 160
"""Longest preview of a payload, in characters."""

_SLOW: Final = 1.0
_ARROWS: Final = {"in": "↓", "out": "↑"}
_SIZED: Final = ("text", "binary", "breach")


class Row(NamedTuple):
    """One line of a view; a tuple, since a live view makes, copies and compares hundreds a second.

    Attributes:
        time: Local wall clock with milliseconds.
        delta: Time since the row before, or "".
        arrow: "↓" from the server, "↑" to it.
        kind: Type of the message, or "gap", or "heartbeats".
        size: Bytes of payload, or "".
        preview: The payload on one line, at most `PREVIEW` characters.
        detail: A tree, a hexdump or the whole text where it says more than the preview, else "".
        css: Classes for its look: direction, kind, "slow", "bad", "json".
        stands_for: Messages that the row speaks of: 1, or the length of a gap.
        evicted: How many of those the log has given up.
        tag: As what the payload was read where that is not plain: "msgpack", "gzip+json"; or "".
        label: What a packet of a dialect is, "event news", or what had it sent, "every 20s"; or "".
        raw: The payload as it came where the detail is what it means, else "".
        wrong: How it breaks the contract of its connection, else "".
        at: When it passed, in seconds since the epoch; 0 for what stands for several.
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
    tag: str = ""
    label: str = ""
    raw: str = ""
    wrong: str = ""
    at: float = 0.0

    @property
    def is_message(self) -> bool:
        """Whether it shows one message, rather than standing for some."""
        return self.kind not in ("gap", "heartbeats")

    @property
    def line(self) -> str:
        """What it says, on one line of plain text."""
        return "  ".join(filter(None, (self.tag, self.label, self.preview, self.wrong)))


def row(
    message: Message,
    previous_time: float | None = None,
    *,
    longest: int = PREVIEW,
    unfold: bool = True,
    raw: bool = False,
    contract: Contract | None = None,
    unusual: bool | None = None,
) -> Row:
    """Return the row that shows ``message``.

    Args:
        message: A record of the log.
        previous_time: Time of the record before it, in seconds since the epoch; None leaves Δ empty.
        longest: Most characters of its preview.
        unfold: Whether it has a detail.
        raw: Whether it shows the payload as it came, rather than what that means.
        contract: What it is judged by, or None.
        unusual: Whether Δ is marked; None marks what is longer than a second.
    """
    delta = None if previous_time is None else message.time - previous_time
    said: Content = content(message, longest, unfold=unfold, raw=raw)
    wrong = "" if contract is None else broken(contract, message)
    slow = delta is not None and delta > _SLOW if unusual is None else unusual
    return Row(
        time=clock(message.time),
        delta="" if delta is None else signed_duration(delta),
        arrow=_ARROWS[message.direction],
        kind=message.type,
        size=byte_size(message.size) if message.type in _SIZED else "",
        preview=said.preview,
        detail=said.detail,
        css=_css(message.direction, message.type, said.look, slow, bool(wrong)),
        tag=said.tag,
        label=said.label,
        raw=said.raw,
        wrong=wrong,
        at=message.time,
    )


@lru_cache(maxsize=64)
def _css(direction: str, kind: str, look: str, slow: bool, bad: bool) -> str:
    return " ".join(filter(None, (direction, kind, look, "slow" if slow else "", "bad" if bad else "")))


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
