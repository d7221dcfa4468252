from __future__ import annotations

from typing import Any

import pytest

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.constants import KEEP_ALIVE
from ipyws.core.messages.message import Control, Message
from ipyws.view.heartbeats import is_heartbeat, picture


class Beating(Codec):
    """Packets of which those that begin with 2 are heartbeats, as Engine.IO has it."""

    name = "beating"

    def decode(self, payload: Data) -> Any:
        return self.read(payload).value

    def encode(self, value: Any) -> Data:
        raise NotImplementedError

    def read(self, payload: Data) -> Decoded:
        return Decoded(
            None, self.name, label="PING" if payload[:1] == "2" else "", heartbeat=payload[:1] == "2"
        )


class Failing(Beating):
    def read(self, payload: Data) -> Decoded:
        raise KeyError("of somebody else")

    def is_larger(self, payload: Data, size: int) -> bool:
        raise KeyError("of somebody else")


def text(data: str, seq: int = 0, codec: Codec | None = None, mark: str = "") -> Message:
    return Message("text", data, "in", seq, 1e9 + seq, codec=codec or Beating(), mark=mark)


def control(kind: Any, direction: Any, data: bytes = b"", rtt: float | None = None) -> Message:
    return Message(kind, data, direction, 0, 1e9, Control(data, rtt))


@pytest.mark.parametrize(
    ("message", "beats"),
    [
        (control("ping", "in"), True),
        (control("pong", "out"), True),
        (control("ping", "out", KEEP_ALIVE + b"1"), True),
        (control("pong", "in", KEEP_ALIVE + b"1", 0.01), True),
        (control("pong", "in", b"unasked"), True),
        (control("ping", "out", b"by the user"), False),
        (control("pong", "in", b"by the user", 0.01), False),
        (Message("close", b"", "in", 0, 1e9, Control(b"", code=1000)), False),
        (text("2"), True),
        (text("4hello"), False),
        (text("2" + "x" * 5000), False),
        (text("2", codec=Failing()), False),
        (text("hello", mark="reply"), True),
    ],
)
def test_what_a_heartbeat_is(message: Message, beats: bool) -> None:
    assert is_heartbeat(message) is beats


def test_heartbeats_are_one_row_where_the_last_came_which_lists_them() -> None:
    rows = picture([text("2", 0), text("4a", 1), text("2", 2), text("4b", 3)], 50)
    assert [row.kind for row in rows] == ["text", "heartbeats", "text"]
    assert (rows[1].preview, rows[1].stands_for) == ("2 heartbeats", 2)
    assert [line.split()[-1] for line in rows[1].detail.splitlines()] == ["PING", "PING"]


def test_heartbeats_take_no_room_from_what_is_shown() -> None:
    messages = [text("4x", 0), text("4y", 1), *(text("2", seq) for seq in range(2, 100)), text("4z", 100)]
    rows = picture(messages, 2)
    assert [row.kind for row in rows] == ["gap", "text", "heartbeats", "text"]
    assert sum(row.stands_for for row in rows) == len(messages)


def test_of_many_heartbeats_the_newest_are_listed() -> None:
    [row] = picture([text("2", seq) for seq in range(30)], 50)
    first, *others = row.detail.splitlines()
    assert first == "… 20 before"
    assert len(others) == 10


def test_heartbeats_may_be_shown_as_any_other_message() -> None:
    assert [row.kind for row in picture([text("2", 0), text("2", 1)], 50, fold=False)] == ["text", "text"]
