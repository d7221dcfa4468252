"""A small hub of SignalR, by its documented protocol: no server of .NET can be had here.

It shares no code with the package, and SignalR's own client is run against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.support.servers import request_of

SEPARATOR = "\x1e"
PING_EVERY = 0.2
"""Seconds; a hub of ASP.NET Core pings every 15."""

INVOCATION, ITEM, COMPLETION, STREAM, CANCEL, PING, CLOSE = range(1, 8)


class Encoding(Protocol):
    def pack(self, *message: Any) -> str | bytes: ...

    def unpack(self, payload: Any) -> list[list[Any]]: ...


class Json:
    """Arrays as MessagePack has them, to and from objects."""

    def pack(self, kind: int, *fields: Any) -> str:
        match kind, fields:
            case 1, (_, id, target, arguments):
                message = {"invocationId": id, "target": target, "arguments": arguments}
            case 2, (_, id, item):
                message = {"invocationId": id, "item": item}
            case 3, (_, id, 1, error):
                message = {"invocationId": id, "error": error}
            case 3, (_, id, 2):
                message = {"invocationId": id}
            case 3, (_, id, 3, result):
                message = {"invocationId": id, "result": result}
            case 7, (error, again):
                message = {"error": error, "allowReconnect": again}
            case _:
                message = {}
        given = {name: value for name, value in message.items() if value is not None or name == "result"}
        return json.dumps({"type": kind, **given}) + SEPARATOR

    def unpack(self, payload: str) -> list[list[Any]]:
        assert payload.endswith(SEPARATOR)
        return [self._fields(json.loads(record)) for record in payload.split(SEPARATOR)[:-1]]

    def _fields(self, message: dict[str, Any]) -> list[Any]:
        rest = (message.get("target"), message.get("arguments"))
        return [message["type"], {}, message.get("invocationId"), *rest]


class Packed:
    """MessagePack behind a length of at most two bytes; longer messages are not sent here."""

    def pack(self, *message: Any) -> bytes:
        data = msgspec.msgpack.encode(message)
        size = len(data)
        assert size < 1 << 14
        return bytes([size] if size < 128 else [size & 127 | 128, size >> 7]) + data

    def unpack(self, payload: bytes) -> list[list[Any]]:
        found = []
        while payload:
            size, begins = payload[0], 1
            if size > 127:
                size, begins = (size & 127) + (payload[1] << 7), 2
            found.append(msgspec.msgpack.decode(payload[begins : begins + size]))
            payload = payload[begins + size :]
        return found


class Hub:
    """What serves one connection.

    Attributes:
        cancelled: The targets of streams that the client gave up.
        pings: How many pings the client has sent.
    """

    def __init__(self) -> None:
        self.cancelled: list[str] = []
        self.pings = 0

    async def __call__(self, connection: ServerConnection) -> None:
        greeting = await connection.recv()
        text = greeting if isinstance(greeting, str) else greeting.decode()
        asked = json.loads(text.removesuffix(SEPARATOR))
        if asked["protocol"] not in ("json", "messagepack") or "refuse" in request_of(connection).path:
            await connection.send(
                json.dumps({"error": f"{asked['protocol']} is not spoken here"}) + SEPARATOR
            )
            return
        packed = asked["protocol"] == "messagepack"
        answer = "{}" + SEPARATOR
        await connection.send(answer.encode() if packed else answer)
        await self._serve(connection, Packed() if packed else Json())

    async def _serve(self, connection: ServerConnection, encoding: Encoding) -> None:
        tasks = {"": asyncio.create_task(self._beat(connection, encoding))}
        try:
            async for payload in connection:
                for message in encoding.unpack(payload):
                    await self._on_message(connection, encoding, tasks, message)
        finally:
            for task in tasks.values():
                task.cancel()

    async def _on_message(
        self, connection: Any, encoding: Encoding, tasks: dict[str, asyncio.Task[None]], message: list[Any]
    ) -> None:
        match message:
            case [1, _, id, target, arguments, *_]:
                await self._invoke(connection, encoding, id, target, arguments)
            case [4, _, id, target, arguments, *_]:
                work = self._stream(connection, encoding, id, target, arguments)
                tasks[id] = asyncio.create_task(work, name=target)
            case [5, _, id, *_] if id in tasks:
                self.cancelled.append(tasks[id].get_name())
                tasks.pop(id).cancel()
                await connection.send(encoding.pack(COMPLETION, {}, id, 2))
            case [6, *_]:
                self.pings += 1

    async def _invoke(self, connection: Any, encoding: Encoding, id: Any, target: str, given: Any) -> None:
        match target, given:
            case "Add", [a, b]:
                answer: tuple[Any, ...] = (3, a + b)
            case "Nothing", []:
                answer = (2,)
            case "Never", []:
                return
            case "Say", _:
                await connection.send(encoding.pack(INVOCATION, {}, None, "Said", given))
                answer = (2,)
            case "Close", [error, again]:
                await connection.send(encoding.pack(CLOSE, error, again))
                answer = (2,)
            case "Drop", []:
                connection.transport.abort()
                return
            case _:
                answer = (1, f"An unexpected error occurred invoking '{target}' on the server.")
        if id is not None:
            await connection.send(encoding.pack(COMPLETION, {}, id, *answer))

    async def _stream(self, connection: Any, encoding: Encoding, id: str, target: str, given: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for item in counting(given[0] if given else None):
                await connection.send(encoding.pack(ITEM, {}, id, item))
            end = (1, "it broke") if target == "CountAndFail" else (2,)
            await connection.send(encoding.pack(COMPLETION, {}, id, *end))

    async def _beat(self, connection: ServerConnection, encoding: Encoding) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(encoding.pack(PING))
                await asyncio.sleep(PING_EVERY)


async def counting(last: int | None) -> AsyncIterator[int]:
    number = 0
    while last is None or number < last:
        number += 1
        yield number
        await asyncio.sleep(0)
