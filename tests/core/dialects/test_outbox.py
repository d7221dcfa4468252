"""What waits for a server that does not read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from ipyws.core.dialects.outbox import MOST, Outbox
from ipyws.errors import ClosedError, PermissionDeniedError, WaitTimeoutError, WebSocketError


class Slow:
    """A connection whose server reads when the test says so."""

    def __init__(self) -> None:
        self.has_room = False
        self.room = asyncio.Event()
        self.sent: list[Any] = []
        self.failed: list[str] = []
        self.error: WebSocketError | None = None

    def prepare_all(self, payloads: Iterable[Any]) -> list[Any]:
        ready = list(payloads)
        if "large" in ready:
            raise PermissionDeniedError("too large")
        return ready

    def put_all(self, ready: Sequence[Any]) -> None:
        self.sent.extend(ready)

    async def send_all(self, payloads: Iterable[Any]) -> int:
        await self.room.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.put_all(self.prepare_all(payloads))
        return 1

    def fail(self, code: int, reason: str, error: WebSocketError) -> None:
        self.failed.append(error.message)


def run(scenario: Any) -> None:
    asyncio.run(scenario())


def test_what_waits_is_sent_in_its_order_and_back_to_back() -> None:
    async def scenario() -> None:
        server = Slow()
        outbox = Outbox(server)
        outbox.post(["a", "b"])
        waiting = asyncio.create_task(outbox.send(["c", "d"]))
        await asyncio.sleep(0)
        server.has_room = True
        outbox.post(["e"])  # there is room, and something before it
        assert server.sent == []
        server.room.set()
        await waiting
        while not outbox.empty:
            await asyncio.sleep(0)
        assert server.sent == ["a", "b", "c", "d", "e"]

    run(scenario)


def test_answers_to_a_server_that_never_reads_are_bounded() -> None:
    async def scenario() -> None:
        server = Slow()
        outbox = Outbox(server)
        for _ in range(MOST + 1):
            outbox.post(["pong"])
        assert len(server.failed) == 1
        assert "does not read" in server.failed[0]
        outbox.clear(None)
        assert outbox.empty

    run(scenario)


def test_an_answer_is_tried_again_and_a_word_that_can_not_be_sent_raises() -> None:
    async def scenario() -> None:
        server = Slow()
        outbox = Outbox(server)
        server.error = WaitTimeoutError("slow")
        outbox.post(["answer"])
        word = asyncio.create_task(outbox.send(["word"]))
        await asyncio.sleep(0)
        server.room.set()
        await word
        assert server.sent == ["answer", "word"]
        server.error = WaitTimeoutError("slow")
        with pytest.raises(WaitTimeoutError):
            await outbox.send(["late"])
        with pytest.raises(PermissionDeniedError):
            await outbox.send(["large"])
        outbox.post(["large"])
        assert server.failed == ["too large"]

    run(scenario)


def test_a_lost_connection_ends_what_waits() -> None:
    async def scenario() -> None:
        server = Slow()
        outbox = Outbox(server)
        word = asyncio.create_task(outbox.send(["word"]))
        gone = asyncio.create_task(outbox.send(["gone"]))
        await asyncio.sleep(0)
        gone.cancel()
        outbox.clear(ClosedError("lost"))
        with pytest.raises(ClosedError, match="lost"):
            await word
        server.room.set()
        await outbox.send(["after"])
        assert server.sent == ["after"]

    run(scenario)
