"""What people have in notebooks is sent as what it means; what has none in JSON is told with its place."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import enum
import ipaddress
import json
import math
import types
import uuid
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import attrs
import msgspec
import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipyws
from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.messages.matcher import make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import encode, to_json
from ipyws.errors import InvalidError
from ipyws.script.template import expand, expand_plain
from tests.support.servers import echo, server

ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
NOON = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)


class Side(enum.Enum):
    BUY = "buy"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Order:
    symbol: str
    price: Any
    side: Side = Side.BUY
    parts: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    at: dt.datetime


@attrs.define
class Quote:
    symbol: str
    price: Any


class Model(pydantic.BaseModel):
    symbol: str
    at: dt.datetime
    price: Decimal
    tags: set[str] = {"a"}


class Loose(pydantic.BaseModel):
    anything: Any


class Struct(msgspec.Struct, rename="camel", tag="quote"):
    last_price: Any
    best_bid: Any = msgspec.UNSET


class Row(msgspec.Struct, array_like=True):
    low: int
    high: int


Point = collections.namedtuple("Point", "x y")

FORMS: list[tuple[Any, str]] = [
    (Loose(anything=[np.int64(5), Loose(anything=pd.NA)]), '{"anything":[5,{"anything":null}]}'),
    (Struct(np.float64(1.5)), '{"type":"quote","lastPrice":1.5}'),
    (Struct(1, [Row(1, 2)]), '{"type":"quote","lastPrice":1,"bestBid":[[1,2]]}'),
    (np.int64(5), "5"),
    (np.uint8(255), "255"),
    (np.float64(1.5), "1.5"),
    (np.float32(0.1), "0.1"),
    (np.float16(0.1), "0.1"),
    (np.longdouble("0.25"), "0.25"),
    (np.bool_(True), "true"),
    (np.str_("ä"), '"ä"'),
    (np.array(7), "7"),
    (np.array([1, 2]), "[1,2]"),
    (np.array([[1.5, 2.0]]), "[[1.5,2.0]]"),
    (np.array([0.1, 0.2], "float32"), "[0.1,0.2]"),
    (np.array([True, False]), "[true,false]"),
    (np.array(["a", "b"]), '["a","b"]'),
    (np.array([1, None, "a"], object), '[1,null,"a"]'),
    (np.array([]), "[]"),
    (np.datetime64("2024-01-02"), '"2024-01-02"'),
    (np.datetime64("2024-01-02T03:04:05", "ns"), '"2024-01-02T03:04:05"'),
    (np.datetime64("2024-01-02T03:04:05.250", "ms"), '"2024-01-02T03:04:05.25"'),
    (np.datetime64("NaT", "s"), "null"),
    (np.array(["2024-01-02", "NaT"], "datetime64[ns]"), '["2024-01-02T00:00:00",null]'),
    (np.timedelta64(90, "s"), '"PT90S"'),
    (np.array([1500], "timedelta64[ms]"), '["PT1.5S"]'),
    (pd.Timestamp("2024-01-02T12:00Z"), '"2024-01-02T12:00:00+00:00"'),
    (pd.Timedelta("1min 30s"), '"PT90S"'),
    (pd.NaT, "null"),
    (pd.NA, "null"),
    (pd.Series([1, 2]), "[1,2]"),
    (pd.Series([1, None], dtype="Int64"), "[1,null]"),
    (pd.Series(["a", None], dtype="string"), '["a",null]'),
    (pd.Series(pd.to_datetime(["2024-01-02", None])), '["2024-01-02T00:00:00",null]'),
    (pd.Series(["x", "y", "x"], dtype="category"), '["x","y","x"]'),
    (pd.Index([1, 2]), "[1,2]"),
    (pd.array([1, 2]), "[1,2]"),
    (pd.Series([1.5, 2.5])[1], "2.5"),
    (Decimal("1.10"), "1.10"),
    (Decimal("12345678901234567890.123456789012345678"), "12345678901234567890.123456789012345678"),
    (Decimal("1E+3"), "1E+3"),
    (Decimal("-0"), "-0"),
    (NOON, '"2024-01-02T12:00:00+00:00"'),
    (dt.datetime(2024, 1, 2, 3, 4, 5, 600), '"2024-01-02T03:04:05.000600"'),
    (dt.date(2024, 1, 2), '"2024-01-02"'),
    (dt.time(3, 4), '"03:04:00"'),
    (dt.timedelta(minutes=1, milliseconds=250), '"PT60.25S"'),
    (dt.timedelta(seconds=-5), '"-PT5S"'),
    (ID, f'"{ID}"'),
    (Side.BUY, '"buy"'),
    (Level.HIGH, "3"),
    (PurePosixPath("/a/b"), '"/a/b"'),
    (ipaddress.ip_address("::1"), '"::1"'),
    (Order("A", Decimal("1.0")), '{"symbol":"A","price":1.0,"side":"buy","parts":[]}'),
    (Slotted(NOON), '{"at":"2024-01-02T12:00:00+00:00"}'),
    (Quote("A", np.int64(1)), '{"symbol":"A","price":1}'),
    (
        Model(symbol="A", at=NOON, price=Decimal("1.10")),
        '{"symbol":"A","at":"2024-01-02T12:00:00Z","price":"1.10","tags":["a"]}',
    ),
    (Point(1, np.int8(2)), "[1,2]"),
    (types.MappingProxyType({"a": 1}), '{"a":1}'),
    (collections.ChainMap({"a": 1}), '{"a":1}'),
    (collections.UserDict({"a": ID}), f'{{"a":"{ID}"}}'),
    ({"b": 1, "a": 2}.keys(), '["b","a"]'),
    ({"a": 2}.values(), "[2]"),
    (range(3), "[0,1,2]"),
    (collections.deque([1, 2]), "[1,2]"),
    (array.array("i", [1, 2]), "[1,2]"),
    (ipyws.secret("geheim"), '"geheim"'),
]


@pytest.mark.parametrize(("value", "text"), FORMS, ids=[repr(value)[:40] for value, _ in FORMS])
def test_a_value_takes_its_one_obvious_form(value: Any, text: str) -> None:
    assert to_json({"a": [value]}) == f'{{"a":[{text}]}}'
    # Beside something that the quick way can't write either.
    assert to_json({"a": [value], ID: 1}) == f'{{"a":[{text}],"{ID}":1}}'


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (np.int64(5), "5"),
        (ID, str(ID)),
        (Side.BUY, "buy"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (Decimal("1.10"), "1.10"),
        (1, "1"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_keys_become_text(key: Any, text: str) -> None:
    assert to_json({key: 1}) == f'{{"{text}":1}}'
    assert to_json({key: ID}) == f'{{"{text}":"{ID}"}}'


@pytest.mark.parametrize(
    ("value", "place", "why"),
    [
        ({"a": [1, {"b": object()}]}, "a[1].b", "of type object"),
        ({"a b": {"c": math.nan}}, "['a b'].c", "nan, which is not finite"),
        ([[math.inf]], "[0][0]", "inf, which is not finite"),
        ({"a": np.float64("nan")}, "a", "nan, which is not finite"),
        ({"a": np.float32("inf")}, "a", "inf, which is not finite"),
        ({"a": np.array([1.0, np.nan])}, "a[1]", "nan, which is not finite"),
        ({"a": pd.Series([1.0, None])}, "a[1]", "nan, which is not finite"),
        ({"a": Decimal("NaN")}, "a", "NaN, which is not finite"),
        ({"a": Decimal("-Infinity")}, "a", "-Infinity, which is not finite"),
        ({"a": {1, 2}}, "a", "of type set"),
        ({"a": frozenset("a")}, "a", "of type frozenset"),
        ({"a": b"x"}, "a", "of type bytes"),
        ({"a": memoryview(b"x")}, "a", "of type memoryview"),
        ({"a": np.bytes_(b"x")}, "a", "of type bytes_"),
        ({"a": 1j}, "a", "of type complex"),
        ({"a": np.complex128(1j)}, "a", "of type complex128"),
        ({"a": Fraction(1, 3)}, "a", "of type Fraction"),
        ({"a": iter("ab")}, "a", "of type str_ascii_iterator"),
        ({"a": int}, "a", "of type type"),
        ({"a": pd.DataFrame({"b": [1]})}, "a", "of type DataFrame"),
        ({"a": Order("A", math.nan)}, "a.price", "nan, which is not finite"),
        ({"a": Order("A", 1, parts=[Quote("B", {1})])}, "a.parts[0].price", "of type set"),
        ({("a", 1): 1}, "it", "key ('a', 1) of type tuple"),
        ({"a": {b"k": 1}}, "a", "key b'k' of type bytes"),
        (Order("A", object()), "price", "of type object"),
    ],
)
def test_what_has_no_form_is_refused_with_its_place_and_type(value: Any, place: str, why: str) -> None:
    with pytest.raises(InvalidError) as caught:
        to_json(value)
    said = caught.value.message
    assert said.startswith(f"the payload can't be written as JSON: {place} ")
    assert why in said
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({1}, "sorted(…) or list(…)"),
        (math.nan, "None is null"),
        (b"x", "decode it"),
        (pd.DataFrame({"b": [1]}), 'to_dict("records")'),
        (iter("ab"), "list(…)"),
    ],
)
def test_the_hint_leads_on(value: Any, hint: str) -> None:
    with pytest.raises(InvalidError) as caught:
        to_json([value])
    assert hint in caught.value.hint


def in_itself(make: Callable[[Any], Any]) -> Any:
    outer: list[Any] = []
    outer.append(make(outer))
    return outer


@pytest.mark.parametrize(
    "make", [lambda outer: outer, lambda outer: {"a": outer}, lambda outer: Order("A", outer)]
)
def test_what_holds_itself_is_refused(make: Callable[[Any], Any]) -> None:
    with pytest.raises(InvalidError, match="holds itself"):
        to_json(in_itself(make))


def test_the_same_thing_twice_is_no_circle() -> None:
    order = Order("A", 1)
    assert json.loads(to_json({"a": [order, order], ID: order}))["a"] == [vars(order) | {"side": "buy"}] * 2


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = ID
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidError, match="nested too deeply"):
        to_json(deep)


def test_an_object_whose_fields_raise_is_refused_and_told() -> None:
    class Broken:
        __attrs_attrs__ = ()

        @property
        def dtype(self) -> Any:
            raise OSError("gone")

    Broken.__attrs_attrs__ = (attrs.fields(Quote).symbol,)  # type: ignore[assignment]
    with pytest.raises(InvalidError, match=r"a is of type Broken, whose fields raise AttributeError"):
        to_json({"a": Broken()})


def test_a_secret_in_a_place_is_masked() -> None:
    ipyws.secret("geheimnis")
    with pytest.raises(InvalidError) as caught:
        to_json({"geheimnis": {1}})
    assert "geheimnis" not in str(caught.value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_every_decimal_keeps_its_value_and_its_digits(number: Decimal) -> None:
    (read,) = json.loads(to_json([number]), parse_float=Decimal, parse_int=Decimal)
    assert read == number
    assert read.as_tuple().digits == number.as_tuple().digits


def test_a_text_that_looks_like_a_number_of_ours_stays_text() -> None:
    assert to_json([Decimal(1), "0:0", ":0", '"x:1"']) == '[1,"0:0",":0","\\"x:1\\""]'


@pytest.mark.parametrize(
    "record",
    [
        Order("A", 1),
        Slotted(NOON),
        Quote("A", 1),
        Model(symbol="A", at=NOON, price=Decimal(1)),
        types.MappingProxyType({"a": 1}),
    ],
)
def test_records_are_sent_as_json_text(record: Any) -> None:
    text, wire = encode(record)
    assert isinstance(json.loads(text), dict)
    assert wire == to_json(record).encode()


@pytest.mark.parametrize(
    "data", [np.array([1]), np.int64(5), pd.Series([1]), pd.DataFrame(), NOON, Decimal(1), Order]
)
def test_what_is_no_record_is_refused_alone(data: Any) -> None:
    with pytest.raises(InvalidError, match=f"a payload of type {type(data).__name__} can't be sent"):
        encode(data)


def test_an_array_alone_could_be_text_or_bytes() -> None:
    with pytest.raises(InvalidError, match=r"\.tolist\(\) makes JSON of it, \.tobytes\(\) a binary message"):
        encode(np.array([1.5]))


NAMES: dict[str, Any] = {
    "df": pd.DataFrame({"id": [5, 6], "at": pd.to_datetime(["2024-01-02", "2024-01-03"])}),
    "price": Decimal("1.10"),
    "order": Order("A", np.float32(0.1)),
    "side": Side.BUY,
    "now": NOON,
    "uid": ID,
    "nan": np.float64("nan"),
}


def evaluate(expression: str) -> object:
    return eval(expression, {**NAMES})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"id": {{df.id[0]}}}', '{"id": 5}'),
        ('{"ids": {{df.id}}}', '{"ids": [5, 6]}'),
        ('{"at": {{df["at"][0]}}}', '{"at": "2024-01-02T00:00:00"}'),
        ('{"at": "{{now}}", "side": "{{side}}"}', '{"at": "2024-01-02T12:00:00+00:00", "side": "buy"}'),
        ('{"price": {{price}}, "text": "{{price}}"}', '{"price": 1.10, "text": "1.10"}'),
        ("{{order}}", '{"symbol": "A", "price": 0.1, "side": "buy", "parts": []}'),
        ('["{{uid}}", {{uid}}]', f'["{ID}", "{ID}"]'),
        ("{{df.id[0]}}", "5"),
        ("SELECT {{df.id[0]}} AT {{price}}", "SELECT 5 AT 1.10"),
    ],
)
def test_templates_take_them_too(body: str, text: str) -> None:
    assert expand(body, evaluate) == text


def test_a_template_without_a_form_names_expression_and_place() -> None:
    with pytest.raises(InvalidError, match=r"template \{\{\[1, nan\]\}\} has no JSON form: \[1\] is nan"):
        expand('{"a": {{[1, nan]}}}', evaluate)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ws://h/{{df.id[0]}}", "ws://h/5"),
        ("ws://h/{{uid}}", f"ws://h/{ID}"),
        ("{{price}}", "1.10"),
        ("{{side}}", "buy"),
        ("{{now}}", "2024-01-02T12:00:00+00:00"),
    ],
)
def test_urls_and_headers_take_what_is_one_word(text: str, plain: str) -> None:
    assert expand_plain(text, evaluate) == plain


def test_urls_and_headers_take_no_records() -> None:
    with pytest.raises(InvalidError, match=r"template \{\{order\}\} yields Order"):
        expand_plain("ws://h/{{order}}", evaluate)


@pytest.mark.parametrize(
    "wanted",
    [{"id": ID}, {"id": str(ID)}, {"n": np.int64(5)}, {"n": Decimal("5")}, {"side": Side.BUY}, {"at": NOON}],
)
def test_what_is_wanted_may_be_written_as_what_is_sent(wanted: dict[str, Any]) -> None:
    judge = make_judge(wanted)
    assert judge is not None
    sent = to_json({"id": ID, "n": np.int64(5), "side": Side.BUY, "at": NOON})
    assert judge(Message("text", sent, "in", 0, 0.0))


def test_they_are_sent_asked_and_answered() -> None:
    with (
        server(echo) as site,
        ipyws.connect(site.url, reconnect={"on_open": [{"at": NOON}, Order("A", Decimal("1.10"))]}) as client,
    ):
        assert client.recv("10s").data == '{"at":"2024-01-02T12:00:00+00:00"}'
        assert client.recv("10s").json()["symbol"] == "A"
        assert client.request({"id": ID, "n": np.int64(1)}, timeout="10s").json() == {"id": str(ID), "n": 1}
        assert client.request({"id": np.int64(7)}, timeout="10s").json() == {"id": 7}

        @dataclasses.dataclass
        class Call:
            id: uuid.UUID

        assert client.request(Call(ID), timeout="10s").json() == {"id": str(ID)}
        with pytest.raises(InvalidError, match=r"payload can't be written as JSON: a is nan"):
            client.request({"a": math.nan})
        assert client.send_all([Order("B", 1), {"x": NOON}]) == 2


def test_what_is_plain_is_written_as_ever() -> None:
    value = {"a": [1, 2.5, None, True, "ä\u2028", {"b": ()}], "1": {}}
    assert dumps(value, "x") == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert dumps(value, "x", compact=False) == json.dumps(value, ensure_ascii=False)
