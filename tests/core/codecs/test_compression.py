"""What is small until it is inflated does not hold a loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from typing import Any

import pytest

import ipyws
from ipyws.core.constants import MB
from tests.support.servers import server


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * 100


@pytest.mark.parametrize("codec", ["auto", "gzip+json"])
def test_what_inflates_to_much_is_read_beside_the_loop(codec: str) -> None:
    large = gzip.compress(json.dumps([{"id": 1, "name": "x"}] * 300_000).encode())

    async def sending(peer: Any) -> None:
        async for _ in peer:
            for payload in (bomb(), large, gzip.compress(b'{"id": "last"}')):
                await peer.send(payload)

    async def scenario() -> tuple[Any, float]:
        spent = 0.0
        async with ipyws.connect_async(site.url, codec=codec) as client:
            await client.send("go")
            waiting = asyncio.ensure_future(client.expect({"id": "last"}, "20s"))
            while not waiting.done():
                begun = time.thread_time()
                await asyncio.sleep(0)
                spent = max(spent, time.thread_time() - begun)
            return (await waiting).value, spent

    assert max(len(bomb()), len(large)) < 128 * 1024  # from where on all is read so
    with server(sending) as site:
        value, spent = asyncio.run(scenario())
    assert value == {"id": "last"}
    assert spent < 0.1  # of one turn of the loop; reading either takes two to three times as long
