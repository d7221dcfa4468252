"""A server that does what Phoenix does, for any topic."""

import contextlib
import json

from tests.support.servers import server


async def serve_one(connection):
    async for text in connection:
        join, ref, topic, event, payload = json.loads(text)
        reply = {"status": "ok", "response": {}}
        await connection.send(json.dumps([join, ref, topic, "phx_reply", reply]))
        if event == "new_msg":
            await connection.send(json.dumps([None, None, topic, event, payload]))


keep = contextlib.ExitStack()
url = keep.enter_context(server(serve_one)).url
