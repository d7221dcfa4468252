"""A server that speaks JSON-RPC 2.0: one method, and a notification once a client is ready."""

import contextlib
import json

from tests.support.servers import server


async def serve_one(connection):
    async for text in connection:
        request = json.loads(text)
        if request["method"] == "subtract":
            params = request["params"]
            first, second = params.values() if isinstance(params, dict) else params
            answer = {"jsonrpc": "2.0", "id": request["id"], "result": first - second}
        elif request["method"] == "ready":
            answer = {"jsonrpc": "2.0", "method": "tick", "params": {"count": 1}}
        else:
            error = {"code": -32601, "message": "there is no such method"}
            answer = {"jsonrpc": "2.0", "id": request["id"], "error": error}
        await connection.send(json.dumps(answer))


keep = contextlib.ExitStack()
url = keep.enter_context(server(serve_one)).url
