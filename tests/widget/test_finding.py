"""Marks where the searched text stands, also where the row does not show it, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.budget import Budget
from ipyws.text.masking import remember
from ipyws.widget import lines, protocol
from ipyws.widget.finding import LOOKED, Finding
from ipyws.widget.sieve import Sieve

LONG = "x" * 400


def marked(sieve: Sieve, payload: Any, codec: Any = None) -> protocol.Row:
    log = RecordedLog(budget=Budget(1 << 20), **({"codec": codec} if codec else {}))
    log.append("in", [payload], len(payload))
    row = lines.line(1, "a", log[0], None)
    Finding(sieve).mark(row, log[0])
    return row


def test_what_the_row_shows_is_marked_as_it_stands() -> None:
    row = marked(Sieve("btc"), '{"a": "BTC", "b": "Btc", "c": "BTC"}')
    assert (row["hit"], row["hits"], row.get("excerpt")) == (True, ["BTC", "Btc"], None)


@pytest.mark.parametrize(
    ("sieve", "payload", "excerpt"),
    [
        (Sieve("needle"), f"{LONG}Needle and more", f"…{'x' * 24}Needle and more"),
        (Sieve(r"n\w+e\b", regex=True), f"{LONG} needle {LONG}", None),
        (Sieve("needle"), LONG.encode() + b"needle", f"…{'x' * 24}needle"),
        (Sieve("needle"), "z" * LOOKED + "needle", "beyond the first 64.0 kB"),
    ],
    ids=["cut", "regex", "bytes", "far away"],
)
def test_what_it_does_not_show_is_shown_beside_it(sieve: Sieve, payload: Any, excerpt: str | None) -> None:
    row = marked(sieve, payload)
    if excerpt is None:
        assert row["excerpt"].startswith("…")
        assert " needle " in row["excerpt"]
    else:
        assert row["excerpt"] == excerpt
    assert len(row["excerpt"]) < 150


def test_a_value_is_looked_through_too() -> None:
    payload = MSGPACK.encode({"filler": LONG, "symbol": "BTC-USD"})
    row = marked(Sieve("btc-usd"), payload, MSGPACK)
    assert "BTC-USD" in row.get("excerpt", "") + row["preview"]
    assert row["hits"] == ["BTC-USD"]


def test_a_secret_is_not_found_nor_shown() -> None:
    remember("canary-find-5f2", "env.CANARY")
    row = marked(Sieve("canary"), f"{LONG} canary-find-5f2")
    assert "canary-find" not in str(row)


def test_an_expression_marks_the_row_alone() -> None:
    row = marked(Sieve("json['a']", where=True), '{"a": 1}')
    assert (row["hit"], row.get("hits")) == (True, None)
