"""Records as port.js writes them into the ring are read out of it."""

from __future__ import annotations

import struct

from ipyws.browser.loop import Record
from ipyws.browser.records import CLOSE, TEXT, Records


def written(number: int, kind: int, argument: int, payload: bytes, more: int = 0) -> bytes:
    length = (32 + len(payload) + 7) & ~7
    head = struct.pack("<IIIIdII", length, number, kind, argument, 1500.0, len(payload), more)
    return (head + payload).ljust(length, b"\0")


def test_records_are_read_one_after_the_other() -> None:
    data = written(1, TEXT, 0, b"hello") + written(2, CLOSE, 4001, b"{}")
    assert list(Records().read(data)) == [
        Record(1, TEXT, 0, 1.5, b"hello"),
        Record(2, CLOSE, 4001, 1.5, b"{}"),
    ]


def test_pieces_of_a_message_are_put_together_whatever_comes_between() -> None:
    records = Records()
    assert list(records.read(written(1, TEXT, 0, b"one ", more=1) + written(2, TEXT, 0, b"other"))) == [
        Record(2, TEXT, 0, 1.5, b"other")
    ]
    assert list(records.read(written(1, TEXT, 0, b"two"))) == [Record(1, TEXT, 0, 1.5, b"one two")]
