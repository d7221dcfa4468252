from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.registry import find_codec
from ipyws.core.messages.matcher import holds, make_judge
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError

CBOR = find_codec("codec", "cbor")

RFC_8949 = [  # of appendix A
    ("1bffffffffffffffff", 18446744073709551615),
    ("c249010000000000000000", 18446744073709551616),
    ("3bffffffffffffffff", -18446744073709551616),
    ("c349010000000000000000", -18446744073709551617),
    ("f97bff", 65504.0),
    ("fb7e37e43c8800759c", 1.0e300),
    ("f6", None),
    ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("64f0908591", "\U00010151"),
    ("83018202039f0405ff", [1, [2, 3], [4, 5]]),
    ("a201020304", {1: 2, 3: 4}),
    ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
]


@pytest.mark.parametrize(("digits", "value"), RFC_8949)
def test_the_examples_of_the_standard_are_read(digits: str, value: object) -> None:
    decoded = CBOR.read(bytes.fromhex(digits))
    assert (decoded.value, decoded.format, decoded.problem) == (value, "cbor", None)


@pytest.mark.parametrize(
    "value",
    [
        {"id": 1, "b": b"\x00"},
        [1, [2.5, None, True]],
        {1: {"a": "ü"}},
        [2**70],
        {"t": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert CBOR.read(CBOR.encode(value)).value == value


def test_records_and_values_of_other_libraries_are_written() -> None:
    numpy = pytest.importorskip("numpy")
    assert CBOR.decode(CBOR.encode({"a": numpy.arange(3)})) == {"a": [0, 1, 2]}
    assert CBOR.decode(CBOR.from_json('{"a": [1, null]}')) == {"a": [1, None]}
    with pytest.raises(InvalidError, match="object"):
        CBOR.encode({"a": object()})
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidError, match="can't be written as CBOR"):
        CBOR.encode(endless)


def test_text_beside_it_is_text_or_json() -> None:
    assert CBOR.read('{"op": "pong"}').value == {"op": "pong"}


HOSTILE = {
    "empty": b"",
    "a list of which nothing is there": b"\x9b" + b"\xff" * 8,
    "a text of which nothing is there": b"\x7b\x7f" + b"\xff" * 7,
    "bytes of which nothing is there": b"\x5a\x7f\xff\xff\xff",
    "lists without end": b"\x81" * 100_000,
    "lists that are not ended": b"\x9f" * 100_000,
    "tags without end": b"\xc6" * 100_000,
    "lists deeper than is looked": b"\x81" * 201 + b"\x00",
    "something behind it": b"\x00\x00",
    "a list that holds itself": b"\xd8\x1c\x81\xd8\x1d\x00",
    "a shared value": b"\x82\xd8\x1c\x80\xd8\x1d\x00",
    "references to strings": b"\xd9\x01\x00\x82\x63abc\xd8\x19\x00",
    "a huge whole number": b"\xc2\x5a\x00\x10\x00\x00" + b"\xff" * (1 << 20),
    "a huge mantissa": b"\xc4\x82\x01\xc3\x59\x10\x00" + b"\xff" * 4096,
    "no UTF-8": b"\x61\xff",
    "no time": b"\xc0\x61x",
    "a time out of all": b"\xc1\x1b" + b"\xff" * 8,
    "an unknown kind": b"\xfc",
    "a break without a list": b"\xff",
    "a key that can't be one": b"\xa1\xc0\x01\x03",
    "JSON": b'{"a": 1}',
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_payloads_are_problems_soon(payload: bytes) -> None:
    begun = time.thread_time()
    bad = Message("binary", payload, "in", 3, 0.0, codec=CBOR)
    assert bad.value is None
    assert bad.problem is not None
    assert bad.problem.message.startswith("not cbor: ")
    assert len(bad.problem.message) < 300
    assert time.thread_time() - begun < 0.5


def test_numbers_that_would_take_long_are_not_worked_out() -> None:
    begun = time.thread_time()
    for tag in (
        b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xd8\x1e\x82\x01\x00",
        b"\xd8\x23\x65(a+)+",
    ):
        value = CBOR.read(tag).value
        assert isinstance(value, cbor2.CBORTag)
        assert CBOR.preview(value).startswith(f"{value.tag}(")
    assert time.thread_time() - begun < 0.5


def test_numbers_are_keys_of_large_payloads_too() -> None:
    value = [{1: "a" * 20, 2: number, -1: None} for number in range(5000)]
    payload = cbor2.dumps(value)
    assert len(payload) > 64 * 1024
    assert CBOR.read(payload).value == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_are_a_problem(payload: bytes) -> None:
    decoded = CBOR.read(payload)
    if decoded.problem is None:
        CBOR.preview(decoded.value)
        CBOR.detail(decoded.value)
        holds(decoded.value, {"a": 1})


# -- values that JSON has no form for ----------------------------------------------------------------


def test_values_without_a_form_in_json_are_shown_and_compared() -> None:
    value = {
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "price": Decimal("1.50"),
        "id": UUID(int=7),
        "raw": b"\x01",
        "none": cbor2.undefined,
        "many": 1 << 20_000,
        "set": {3},
        5: "five",
    }
    payload = cbor2.dumps({key: item for key, item in value.items() if key != "many"})
    decoded = CBOR.read(payload).value
    for wanted in (
        {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"at": "2026-01-01T00:00:00+00:00"},
        {"price": Decimal("1.50")},
        {"price": 1.5},
        {"id": UUID(int=7)},
        {"raw": b"\x01"},
        {"set": 3},
        {5: "five"},
    ):
        judge = make_judge(wanted)
        assert judge is not None
        assert judge(Message("binary", payload, "in", 0, 0.0, codec=CBOR)), wanted
    assert not holds(decoded, {"at": "2026-01-02T00:00:00+00:00"})
    shown = CBOR.preview(value, 10_000)
    for part in ('"at": 2026-01-01T00:00:00+00:00', '"price": 1.50', "h'01'", "undefined", "0x1000", "5: "):
        assert part in shown


def test_without_its_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cbor2", None)
    with pytest.raises(InvalidError, match=r"the codec cbor needs cbor2.*pip install ipyws\[codecs\]"):
        find_codec("codec", "gzip+cbor")
