"""A node that speaks JSON-RPC 2.0: single calls, batches, notifications, and a subscription to new blocks."""

import asyncio
import contextlib
import json

from tests.support.servers import server


class Wrong(Exception):
    pass


async def serve_one(connection):
    running = {}
    noted = []

    async def blocks(id):
        for number in range(17_000_000, 17_001_000):
            params = {"subscription": id, "result": {"number": hex(number)}}
            news = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
            await connection.send(json.dumps(news))
            await asyncio.sleep(0.01)

    async def call(method, params):
        if method == "eth_chainId":
            return "0x1"
        if method == "eth_blockNumber":
            return hex(17_000_000)
        if method == "eth_getBalance":
            await asyncio.sleep(0.2)
            if not params[0].startswith("0x"):
                raise Wrong(-32602, "invalid argument 0: hex string without 0x prefix", {"argument": 0})
            return hex(int(params[0], 16) * 1000)
        if method == "eth_subscribe":
            running["0x9c"] = asyncio.create_task(blocks("0x9c"))
            return "0x9c"
        if method == "eth_unsubscribe":
            running.pop(params[0]).cancel()
            return True
        if method == "noted":
            return noted
        raise Wrong(-32601, f"the method {method} does not exist", None)

    async def answer(request):
        if "id" not in request:
            noted.append(request["method"])
            return None
        base = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            return {**base, "result": await call(request["method"], request.get("params"))}
        except Wrong as wrong:
            code, message, data = wrong.args
            return {**base, "error": {"code": code, "message": message, "data": data}}

    async def reply(asked):
        if isinstance(asked, list):
            said = [one for one in [await answer(request) for request in asked] if one]
        else:
            said = await answer(asked)
        if said:
            await connection.send(json.dumps(said))

    async with asyncio.TaskGroup() as tasks:
        async for text in connection:
            tasks.create_task(reply(json.loads(text)))
        for subscription in running.values():
            subscription.cancel()


keep = contextlib.ExitStack()
url = keep.enter_context(server(serve_one)).url
