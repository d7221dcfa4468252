"""A shop that speaks both protocols of GraphQL over WebSocket, of its queries as much as the page asks."""

import asyncio
import contextlib
import itertools
import json
import os

from websockets.exceptions import ConnectionClosed

from tests.support.servers import server

os.environ["SHOP_TOKEN"] = "shop-token-of-the-docs"
TODAY, OLD = "graphql-transport-ws", "graphql-ws"
NAMES = {TODAY: ("subscribe", "complete", "next"), OLD: ("start", "stop", "data")}
COUNT = itertools.count(1)


async def serve_one(connection):
    start, stop, result = NAMES[connection.subprotocol]
    running = {}

    async def say(kind, id, **more):
        with contextlib.suppress(ConnectionClosed):
            await connection.send(json.dumps({"id": id, "type": kind, **more}))

    async def orders(id, variables):
        for number in itertools.count(1):
            order = {"number": number, "shop": variables.get("shop", "any"), "total": 10 * number}
            await say(result, id, payload={"data": {"orders": order}})
            if number == variables.get("first"):
                await say("complete", id)
                return
            if connection.request.path == "/restarting" and next(COUNT) % 2 == 0:
                await connection.close(1012, "restart")
                return
            await asyncio.sleep(0.01)

    async def answer(id, payload):
        query, variables = payload["query"], payload.get("variables", {})
        if "subscription" in query:
            running[id] = asyncio.create_task(orders(id, variables))
            return
        if "price" in query:
            wrong = {"message": 'Cannot query field "price" on type "Order".', "locations": [{"line": 1}]}
            await say("error", id, payload=[wrong] if start == "subscribe" else wrong)
            return
        if "refund" in query:
            wrong = {"message": "order 8 is not paid", "path": ["refund"]}
            payload = {"data": {"refund": None}, "errors": [wrong]}
        else:
            made = {"number": 8, "item": variables.get("item", "tea")}
            payload = {"data": {"addOrder": made} if "mutation" in query else {"order": made}}
        await say(result, id, payload=payload)
        await say("complete", id)

    async for text in connection:
        message = json.loads(text)
        if message["type"] == "connection_init":
            shown = message.get("payload", {}).get("authorization", "")
            if shown != f"Bearer {os.environ['SHOP_TOKEN']}":
                await connection.close(4403, "Forbidden")
                return
            await connection.send('{"type": "connection_ack"}')
        elif message["type"] == start:
            await answer(message["id"], message["payload"])
        elif message["type"] == stop and message["id"] in running:
            running.pop(message["id"]).cancel()


keep = contextlib.ExitStack()
url = keep.enter_context(server(serve_one, subprotocols=[TODAY, OLD])).url
old_url = keep.enter_context(server(serve_one, subprotocols=[OLD])).url
plain = keep.enter_context(server()).url
