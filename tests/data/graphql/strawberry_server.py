"""Strawberry on aiohttp: both protocols at /both, one at /graphql-transport-ws and one at /graphql-ws.

Prints its port, and for each connection what the client offered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import strawberry
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello world"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number


async def serve() -> None:
    schema = strawberry.Schema(Query, subscription=Subscription)
    app = web.Application()
    for path, spoken in {
        "/both": ["graphql-transport-ws", "graphql-ws"],
        "/graphql-transport-ws": ["graphql-transport-ws"],
        "/graphql-ws": ["graphql-ws"],
    }.items():
        app.router.add_route("GET", path, GraphQLView(schema=schema, subscription_protocols=spoken))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
