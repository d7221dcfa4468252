"""Judging what is large: nobody else waits for it, and nothing that was read for it is left."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import threading
from collections.abc import Iterator

import pytest

import ipyws
from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.messages.matcher import make_judge
from ipyws.core.messages.message import Message, ReadMessage


def message(data: str | bytes) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 0, 0.0)


LISTS = json.dumps([[]] * LARGE)
PACKED = gzip.compress(b'{"a": [1, {"b": 2}]}', mtime=0)


@pytest.mark.parametrize(
    ("large", "value"), [(LISTS, [[]] * LARGE), (PACKED, {"a": [1, {"b": 2}]})], ids=["lists", "packed"]
)
def test_what_was_read_of_a_large_message_is_read_again(large: str | bytes, value: object) -> None:
    judge = make_judge({"a": {"b": 2}})
    assert judge is not None
    asked = message(large)
    assert [judge(asked), judge(asked)] == [large is PACKED] * 2
    assert asked.value == value
    assert gc.isenabled()


def test_a_message_that_was_read_is_the_same_message() -> None:
    asked = message('{"a": 1}')
    read = ReadMessage(asked)
    assert read == asked
    assert read.value is read.value
    assert (read.json(), read.data, read.seq, read.type, read.problem) == (
        {"a": 1},
        '{"a": 1}',
        0,
        "text",
        None,
    )


@pytest.fixture
def echo() -> Iterator[str]:
    with ipyws.serve("echo") as site:
        yield site.url


def test_a_function_judges_on_the_loop_what_was_read_beside_it(echo: str) -> None:
    packed = gzip.compress(json.dumps([[]] * LARGE).encode(), mtime=0)
    seen: list[tuple[object, int]] = []

    def wanted(came: Message) -> bool:
        seen.append((threading.current_thread(), len(came.value)))
        return came.data == packed

    async def talk() -> Message:
        async with ipyws.connect_async(echo) as client:
            await client.send(packed)
            return await client.expect(wanted, timeout="10s")

    found = asyncio.run(talk())
    assert type(found) is Message
    assert seen == [(threading.main_thread(), LARGE)]
