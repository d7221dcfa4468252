from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipyws.core.codecs.formats.keys import cbor_head, has_only_simple_keys, msgpack_head
from ipyws.core.codecs.registry import find_codec

PACK: dict[str, Callable[[Any], bytes]] = {"cbor": cbor2.dumps, "msgpack": msgspec.msgpack.encode}
HEADS = {"cbor": cbor_head, "msgpack": msgpack_head}
KEYS = st.text() | st.integers(-(2**63), 2**64 - 1)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=10,
)


def clashing(count: int, pack: Callable[[Any], bytes]) -> bytes:
    """The items of a map with lists as keys that all have the same hash, by what CPython does with tuples."""
    keys: list[tuple[int, int]] = []
    first = 0
    five, two, one = 2870177450012600261, 14029467366897019727, 11400714785074694791
    full = 1 << 64
    undo_two, undo_one = pow(two, -1, full), pow(one, -1, full)
    wanted = (hash((0, 0)) - (2 ^ (five ^ 3527539))) * undo_one % full
    wanted = (wanted >> 31) | (wanted << 33) % full
    while len(keys) < count:
        first += 1
        acc = (five + first * two) % full
        acc = ((acc << 31) | (acc >> 33)) % full * one % full
        second = (wanted - acc) * undo_two % full
        if second < (1 << 61) - 1:
            keys.append((first, second))
    assert len({hash(key) for key in keys}) == 1
    return b"".join(pack(list(key)) + b"\x00" for key in keys)


@pytest.mark.parametrize(("name", "begins"), [("cbor", b"\xba"), ("msgpack", b"\xdf")])
def test_keys_that_were_chosen_to_clash_are_refused(name: str, begins: bytes) -> None:
    codec = find_codec("codec", name)
    payload = begins + (6000).to_bytes(4, "big") + clashing(6000, PACK[name])
    begun = time.thread_time()
    assert "as keys, and is larger than 64 kB" in str(codec.read(payload).problem)
    assert time.thread_time() - begun < 0.5  # a dict of them takes longer, and of twice as many four times
    few = codec.read(begins + (100).to_bytes(4, "big") + clashing(100, PACK[name]))
    assert few.problem is None
    assert len(few.value) == 100


@pytest.mark.parametrize("name", PACK)
@settings(max_examples=50)
@given(value=VALUES)
def test_the_keys_of_what_others_write_are_told(name: str, value: Any) -> None:
    pack, head = PACK[name], HEADS[name]
    for whole in (value, [value, 1], {"a": [value] * 20, 7: value}):
        assert has_only_simple_keys(pack(whole), head)
    for other in ([value, {(1, 2): 1}], {"a": value, "b": [{"c": {(1,): value}}]}):
        assert not has_only_simple_keys(pack(other), head)


@pytest.mark.parametrize("name", PACK)
def test_every_kind_of_item_is_passed(name: str) -> None:
    items = [0, 127, 128, 2**16, 2**40, -1, -33, -(2**40), 1.5, None, True, "x" * 31, "x" * 300, "x" * 70_000]
    items += [
        b"x",
        b"x" * 300,
        b"x" * 70_000,
        list(range(20)),
        [0] * 70_000,
        {"k": 1},
        {str(n): n for n in range(20)},
    ]
    items += (
        [msgspec.msgpack.Ext(5, b"x" * size) for size in (1, 2, 4, 8, 16, 3, 300, 70_000)]
        if name == "msgpack"
        else []
    )
    for item in items:
        assert has_only_simple_keys(PACK[name]([item, {"a": item}]), HEADS[name]), str(item)[:20]


@given(st.binary(max_size=100))
def test_any_bytes_are_told(payload: bytes) -> None:
    for head in HEADS.values():
        assert has_only_simple_keys(payload, head) in (True, False)


def test_large_messages_with_numbers_as_keys_are_read() -> None:
    value = [{1: "a" * 20, 2: number, "n": None} for number in range(5000)]
    for name, pack in PACK.items():
        assert len(pack(value)) > 64 * 1024
        assert find_codec("codec", name).read(pack(value)).value == value
