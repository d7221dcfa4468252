"""A thermometer with a binary protocol, and an exchange that sends JSON through zlib."""

import contextlib
import json
import struct
import zlib

from tests.support.servers import server


async def thermometer(connection):
    async for message in connection:
        kind, *_ = message
        if kind != 1 or len(message) != 3:
            await connection.send(b"\xff" + b"no such command")
            continue
        (count,) = struct.unpack("!xH", message)
        for number in range(count):
            await connection.send(struct.pack("!BIf", 2, number, 20 + number / 4))


async def exchange(connection):
    async for message in connection:
        asked = json.loads(zlib.decompress(message))
        for number in range(3):
            trade = {"symbol": asked["subscribe"], "price": 100 + number}
            await connection.send(zlib.compress(json.dumps(trade).encode()))


keep = contextlib.ExitStack()
url = keep.enter_context(server(thermometer)).url
exchange_url = keep.enter_context(server(exchange)).url
