"""Where the messages come from: numbered JSON of about 250 bytes at a fixed rate, in a process of its own.

``ws://127.0.0.1:PORT/?rate=1000&seconds=20`` streams after the first message from the client. The frames are
encoded beforehand but for their number, and written past the library, so that sending costs next to nothing.
After each stream one line of JSON on stdout says how well the rate was kept.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve

PERIOD = 0.005
"""Seconds between two writes at high rates."""

FULL = 1 << 20
"""Bytes under way at which the receiver is waited for."""

_KINDS = 512


def bodies(seed: int = 5) -> list[bytes]:
    """Return what follows the number in each message: several kinds of market data."""
    rng = random.Random(seed)
    return [_body(rng) for _ in range(_KINDS)]


def _body(rng: random.Random) -> bytes:
    symbol = rng.choice(("BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD"))
    book = {"bid": round(rng.uniform(1, 70_000), 2), "ask": round(rng.uniform(1, 70_000), 2)}
    trade = {
        "channel": rng.choice(("trades", "ticker", "book")),
        "symbol": symbol,
        "price": round(rng.uniform(1, 70_000), 2),
        "quantity": round(rng.uniform(0, 5), 4),
        "side": rng.choice(("buy", "sell")),
        "order": f"{rng.getrandbits(128):032x}",
        "book": book,
        "tags": ["a", "b<c>", "&"],
        "maker": rng.random() < 0.5,
    }
    return json.dumps(trade)[1:].encode()


def frame(payload: bytes) -> bytes:
    """Return an unmasked text frame of 126 to 65535 bytes (RFC 6455, section 5.2)."""
    return struct.pack(">BBH", 0x81, 126, len(payload)) + payload


async def stream(connection: ServerConnection) -> None:
    """Wait for a first message, then send ``rate`` messages a second for ``seconds``."""
    assert connection.request is not None
    asked = parse_qs(urlsplit(connection.request.path).query)
    rate, seconds = float(asked["rate"][0]), float(asked["seconds"][0])
    await connection.recv()
    print(json.dumps(await _send(connection.transport, rate, round(rate * seconds))), flush=True)
    await connection.wait_closed()


async def _send(transport: asyncio.Transport, rate: float, count: int) -> dict[str, float]:
    tails = bodies()
    sent, waited, late = 0, 0.0, 0.0
    begin, cpu = time.monotonic(), time.process_time()
    while sent < count and not transport.is_closing():
        due = min(count, int((time.monotonic() - begin) * rate) + 1)
        parts = (frame(b'{"seq": %d, %b' % (seq, tails[seq % _KINDS])) for seq in range(sent, due))
        transport.write(b"".join(parts))
        sent = due
        waited += await _until_taken(transport)
        next_due = begin + sent / rate
        late = max(late, time.monotonic() - next_due)
        await asyncio.sleep(max(PERIOD, next_due - time.monotonic()))
    took = time.monotonic() - begin
    cpu = time.process_time() - cpu
    return {"sent": sent, "took_s": took, "waited_s": waited, "late_s": max(0.0, late), "cpu": cpu / took}


async def _until_taken(transport: asyncio.Transport) -> float:
    """Wait while much is under way; return for how many seconds."""
    begin = time.monotonic()
    while transport.get_write_buffer_size() > FULL and not transport.is_closing():  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(PERIOD)
    return time.monotonic() - begin


async def main() -> None:
    """Serve on a free port, which the first line on stdout names."""
    async with serve(stream, "127.0.0.1", 0, compression=None) as server:
        print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
