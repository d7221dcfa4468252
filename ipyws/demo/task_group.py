"""Tasks that live no longer than the connection they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ipyws.demo.server import Args, until_closed


class Companions:
    """Runs tasks beside a handler and cancels those that are left when its block ends.

    Unlike `asyncio.TaskGroup`, the end of the block does not wait for them.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Callable[[*Args], Awaitable[None]], *args: *Args) -> asyncio.Task[None]:
        """Run ``work(*args)`` beside the handler; a closed connection simply ends it."""
        task = asyncio.create_task(until_closed(work, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
