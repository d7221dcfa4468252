"""What passed together, as messages: made together or one by one, they are the same."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.core.messages.batch import Batch
from ipyws.core.messages.message import Message, Replaced

TEXTS = [f"text {number}" for number in range(100)]


@pytest.mark.parametrize(
    "payloads",
    [TEXTS, TEXTS[:7], [*TEXTS, b"bytes"], [*TEXTS, Replaced("\ufffd", "not UTF-8")], [b"bytes"] * 100],
    ids=["texts", "few texts", "bytes among them", "a replaced text among them", "bytes"],
)
def test_messages_made_together_are_those_made_one_by_one(payloads: list[Any]) -> None:
    batch = Batch(1000, 5.0, "in", None, payloads, sum(map(len, payloads)))
    expected = [
        Message("binary" if isinstance(payload, bytes) else "text", payload, "in", 1000 + index, 5.0)
        for index, payload in enumerate(payloads)
    ]
    assert batch.messages(0, len(payloads)) == [batch.message(index) for index in range(len(payloads))]
    assert batch.messages(0, len(payloads)) == expected
    assert batch.messages(3, 2000) == expected[3:]
