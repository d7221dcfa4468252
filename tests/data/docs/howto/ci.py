"""A shop with a price list."""

import contextlib
import json
import os

from tests.support.servers import server

PRICES = {"tea": 3, "cake": 5}
os.environ["SHOP_TOKEN"] = "shop-token-of-the-docs"


async def shop(connection):
    async for text in connection:
        asked = json.loads(text)
        if asked["op"] == "login":
            known = asked["token"] == os.environ["SHOP_TOKEN"]
            answer = {"op": "welcome"} if known else {"op": "error", "message": "who are you?"}
        else:
            answer = {"op": "price", "item": asked["item"], "price": PRICES[asked["item"]]}
        await connection.send(json.dumps(answer))


keep = contextlib.ExitStack()
os.environ["SHOP_URL"] = keep.enter_context(server(shop)).url
