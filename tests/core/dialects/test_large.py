"""A large message is read on a thread, and what nobody took of it is freed on one."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from ipyws.core.codecs.freeing import keep
from ipyws.core.dialects.large import read_aside


class Thing:
    """Something of which can be told when it goes."""

    def __init__(self, gone: Callable[[], object]) -> None:
        weakref.finalize(self, gone)


async def read(fails: bool, take: Callable[[Any], object]) -> tuple[Any, str]:
    """Read a message; return what was told, and on which thread what nobody took was freed."""
    loop = asyncio.get_running_loop()
    freed: asyncio.Future[str] = loop.create_future()

    def gone() -> None:
        loop.call_soon_threadsafe(freed.set_result, threading.current_thread().name)

    def make() -> Any:
        parts = keep([["taken"], [Thing(gone)]])
        if fails:
            raise ValueError("it is wrong")
        return parts

    told: list[Any] = []

    def tell(result: Callable[[], Any]) -> None:
        try:
            told.append(take(result()))
        except ValueError as error:
            told.append(str(error))

    await read_aside(make, tell)
    return told, await asyncio.wait_for(freed, 60)


def test_what_is_taken_stays_and_the_rest_is_freed_on_a_thread() -> None:
    told, thread = asyncio.run(read(False, lambda parts: parts[0]))
    assert told == [["taken"]]
    assert thread == "ipyws-aside"


def test_what_could_not_be_read_is_told_and_freed_on_a_thread() -> None:
    told, thread = asyncio.run(read(True, pytest.fail))
    assert told == ["it is wrong"]
    assert thread == "ipyws-aside"
