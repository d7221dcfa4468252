from __future__ import annotations

from typing import Any

import pytest

from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.contract import Contract, Judgement, Violation
from ipyws.core.messages.message import Control, Direction, Message
from ipyws.errors import InvalidError
from ipyws.view.judged import broken
from ipyws.view.rows import row


class Prices(Contract):
    """Prices are never negative, and what comes has one."""

    def judge(self, value: Any, direction: Direction, name: str = "") -> Judgement:
        if not isinstance(value, dict):
            raise InvalidError("of somebody else")
        below = [Violation("/price", "-1 is less than the minimum of 0")] if value.get("price", 0) < 0 else []
        none = [] if "price" in value else [Violation("", "no \x1b price"), Violation("", "")]
        return Judgement("price", (*below, *none))


def message(data: str | bytes) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 0, 1e9)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('{"price": 1}', ""),
        ('{"price": -1}', "breaks the contract: /price: -1 is less than the minimum of 0"),
        ("{}", r"breaks the contract: no \x1b price, and 1 more"),
        ("[]", ""),
        ('{"x": "' + "y" * 20_000 + '"}', ""),
    ],
    ids=["kept", "broken", "several", "raises", "large"],
)
def test_what_is_said_of_a_message(data: str, words: str) -> None:
    assert broken(Prices(), message(data)) == words


def test_a_row_says_how_its_message_breaks_the_contract() -> None:
    shown = row(message('{"price": -1}'), contract=Prices())
    assert "bad" in shown.css.split()
    assert shown.line == '{"price": -1}  breaks the contract: /price: -1 is less than the minimum of 0'
    assert row(message('{"price": -1}')).wrong == ""


def test_values_of_binary_formats_are_judged_and_control_frames_are_not() -> None:
    packed = Message("binary", MSGPACK.encode({"price": -1}), "in", 0, 1e9, codec=MSGPACK)
    assert "/price" in broken(Prices(), packed)
    assert broken(Prices(), Message("ping", b"{}", "in", 0, 1e9, Control(b"{}"))) == ""
