"""Large messages of a server: read beside the loop, and freed beside it once their meaning was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ipyws.core.codecs.freeing import free, keeping, uncollected
from ipyws.runtime.aside import aside

T = TypeVar("T")


def read_aside(read: Callable[[], T], tell: Callable[[Callable[[], T]], object]) -> asyncio.Future[None]:
    """Read a large message on a thread, and tell on the loop what it means.

    Args:
        read: Reads it.
        tell: Is given a function that returns the meaning, once, or raises what ``read`` raised. What of the
            meaning it hands to nobody is freed on a thread again.
    """
    made: list[Any] = []  # the values that were parsed
    meaning: list[T] = []  # and not the future's result, which would hold it for longer
    wrong: list[Exception] = []

    def work() -> None:
        with uncollected(), keeping(made):
            try:
                meaning.append(read())
            except Exception as error:
                wrong.append(error.with_traceback(None))  # its frames hold what was made

    def result() -> T:
        if wrong:
            raise wrong.pop()
        return meaning.pop()

    def on_done(_: asyncio.Future[None]) -> None:
        tell(result)
        if made:
            aside(partial(free, made))

    reading = aside(work)
    reading.add_done_callback(on_done)
    return reading
