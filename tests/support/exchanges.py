"""Small servers that behave as documented by exchanges and other APIs: what must be answered, and when."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.servers import Site, request_of, server

GRACE = 1.0
"""Seconds within which an exchange wants its ping answered."""


def _site(handler: Any, **settings: Any) -> contextlib.AbstractContextManager[Site]:
    return server(handler, **settings)


@contextlib.contextmanager
def gzip_pings(interval: float = 0.05, grace: float = GRACE) -> Iterator[Site]:
    """Send everything gzipped; ping in JSON, and close who does not answer in time (as HTX and BingX do).

    Each answer is told with the seconds that it took.
    """
    sites: list[Site] = []

    def packed(value: object) -> bytes:
        return gzip.compress(json.dumps(value).encode())

    async def handler(connection: ServerConnection) -> None:
        while True:
            begun, number = time.monotonic(), time.time_ns() // 1_000_000
            await connection.send(packed({"ping": number}))
            await connection.send(packed({"ch": "market.btcusdt.trade", "tick": {"price": 97000.5}}))
            try:
                async with asyncio.timeout(grace):
                    while not _answers(await connection.recv(), {"pong": number}):
                        pass
            except TimeoutError:
                await connection.close(1003, "ping check expired")
                return
            sites[0].seen.put(time.monotonic() - begun)
            await asyncio.sleep(interval)

    with _site(handler) as site:
        sites.append(site)
        yield site


def _answers(received: str | bytes, wanted: object) -> bool:
    data = gzip.decompress(received) if isinstance(received, bytes) else received
    return bool(json.loads(data) == wanted)


@contextlib.contextmanager
def heartbeat_requests(grace: float = GRACE) -> Iterator[Site]:
    """Speak JSON-RPC; send test requests, and close who does not call back (as Deribit does)."""
    sites: list[Site] = []

    async def handler(connection: ServerConnection) -> None:
        interval = float(json.loads(await connection.recv())["params"]["interval"])
        await connection.send('{"jsonrpc": "2.0", "id": 1, "result": "ok"}')
        while True:
            await connection.send(
                '{"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}'
            )
            try:
                async with asyncio.timeout(grace):
                    while (asked := json.loads(await connection.recv())).get("method") != "public/test":
                        pass
            except TimeoutError:
                await connection.close(1000, "no reply to the test request")
                return
            await connection.send(
                json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": {"version": "1.2.26"}})
            )
            sites[0].seen.put(asked["id"])
            await asyncio.sleep(interval)

    with _site(handler) as site:
        sites.append(site)
        yield site


class Tokens:
    """Tokens that are worth something for some seconds only.

    Attributes:
        made: How many there are.
    """

    def __init__(self, life: float) -> None:
        self.made = 0
        self._life = life
        self._until: dict[str, float] = {}

    def __call__(self) -> str:
        """Return a new one."""
        self.made += 1
        token = f"token-of-the-moment-{self.made}"
        self._until[token] = time.monotonic() + self._life
        return token

    def left(self, token: str) -> float:
        """Return the seconds for which one is still good."""
        return self._until.get(token, 0.0) - time.monotonic()


@contextlib.contextmanager
def short_tokens(life: float = 2.0) -> Iterator[tuple[Site, Tokens]]:
    """Let in who shows a token that is still good, in a header or the query; close when it expires."""
    tokens = Tokens(life)
    numbers = iter(range(1, 1_000_000))

    def shown(request: Request) -> str:
        query = parse_qs(urlsplit(request.path).query)
        return query.get("token", [request.headers.get("Authorization", "").removeprefix("Bearer ")])[0]

    def let_in(connection: ServerConnection, request: Request) -> Response | None:
        if tokens.left(shown(request)) > 0:
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "this token has expired\n")

    async def handler(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"order": next(numbers)}))
        await asyncio.sleep(max(0.0, tokens.left(shown(request_of(connection)))))
        await connection.close(4401, "token expired")

    with _site(handler, process_request=let_in) as site:
        yield site, tokens


@contextlib.contextmanager
def one_session(linger: float = 0.2) -> Iterator[Site]:
    """Allow one session; for some time after a loss it counts still (as Alpaca's does)."""
    busy: set[int] = set()
    sites: list[Site] = []

    async def handler(connection: ServerConnection) -> None:
        if busy:
            await connection.send('[{"T": "error", "code": 406, "msg": "connection limit exceeded"}]')
            await connection.close(1000)
            sites[0].seen.put("refused")
            return
        busy.add(id(connection))
        lost = False
        try:
            await connection.send('[{"T": "success", "msg": "connected"}]')
            async for message in connection:
                sites[0].seen.put(message)
                if message == "drop":
                    connection.transport.abort()
                await connection.send('[{"T": "success", "msg": "authenticated"}]')
        except ConnectionClosed as error:
            lost = error.rcvd is None
        finally:
            asyncio.get_running_loop().call_later(linger if lost else 0, busy.discard, id(connection))

    with _site(handler) as site:
        sites.append(site)
        yield site


@contextlib.contextmanager
def login_first(secret: str = "the secret of the tests") -> Iterator[Site]:
    """Want a signed login, say ok, and only then take a subscription (as OKX and Bitget do)."""
    sites: list[Site] = []

    def good(args: Any) -> bool:
        moment = str(args["timestamp"])
        signed = hmac.new(secret.encode(), moment.encode(), hashlib.sha256).hexdigest()
        return abs(time.time() - float(moment)) < 30 and hmac.compare_digest(signed, args["sign"])

    async def handler(connection: ServerConnection) -> None:
        logged_in = False
        async for text in connection:
            if text == "drop":
                connection.transport.abort()
                return
            asked = json.loads(text)
            sites[0].seen.put(asked["op"])
            if asked["op"] == "login":
                await asyncio.sleep(0.01)  # it takes its time: who subscribes meanwhile is refused
                logged_in = good(asked["args"][0])
                code = "0" if logged_in else "60007"
                await connection.send(json.dumps({"event": "login", "code": code}))
            elif not logged_in:
                await connection.send('{"event": "error", "code": "60011", "msg": "please log in"}')
            else:
                await connection.send('{"event": "subscribe", "arg": {"channel": "orders"}}')

    with _site(handler) as site:
        sites.append(site)
        yield site
