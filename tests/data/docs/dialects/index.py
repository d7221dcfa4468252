"""A server that speaks JSON-RPC, and one that speaks lines."""

import contextlib

from tests.data.docs.dialects.jsonrpc import url as url
from tests.support.servers import server


async def serve_lines(connection):
    await connection.send("hello")
    async for line in connection:
        if line.startswith("? "):
            await connection.send("! noon")


keep = contextlib.ExitStack()
lines_url = keep.enter_context(server(serve_lines)).url
