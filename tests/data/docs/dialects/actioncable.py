"""A server that does what Rails does, for one channel."""

import contextlib
import json

from tests.support.servers import server


async def serve_one(connection):
    async def say(**message):
        await connection.send(json.dumps(message))

    await say(type="welcome")
    async for text in connection:
        message = json.loads(text)
        identifier = message["identifier"]
        if message["command"] == "subscribe":
            await say(type="confirm_subscription", identifier=identifier)
        elif message["command"] == "message":
            await say(identifier=identifier, message={"text": json.loads(message["data"])["text"]})


keep = contextlib.ExitStack()
url = keep.enter_context(server(serve_one, subprotocols=["actioncable-v1-json"])).url
