"""The prices server: a stream of prices for each symbol that a client subscribes to."""

from __future__ import annotations

import asyncio
import json
import random
import re
import reprlib
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection

from ipyws.demo.commands import Command, RefusedError, to_json
from ipyws.demo.server import Handler
from ipyws.demo.task_group import Companions

DEFAULT_RATE = 2.0
"""Prices a second for each symbol."""

RATE_RANGE = (0.1, 10_000.0)

TOTAL_RATE = 50_000.0
"""Prices a second that one client can ask for, over all its symbols."""

SYMBOL_LIMIT = 100
"""Symbols that one client can subscribe to."""

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,31}")
_KNOWN_PRICES = {"BTC-USD": 60_000.0, "ETH-USD": 3_000.0, "SOL-USD": 150.0, "EUR-USD": 1.1}
_STEP = 0.0005
_PULL = 0.001

# Timers are no finer than a few milliseconds under load; a higher rate sends several prices per tick.
_TICK = 0.01
# After a longer stall the missed prices are skipped: nobody wants a flood of old ones.
_CATCH_UP = 1.0


def handler() -> Handler:
    """Return what serves one connection with prices."""
    return _serve


class Walk:
    """A plausible random walk around a usual price; the same for the same symbol at each start."""

    def __init__(self, symbol: str) -> None:
        self._random = random.Random(symbol)
        self._usual = _KNOWN_PRICES.get(symbol) or self._random.uniform(10, 500)
        self._value = self._usual

    def step(self) -> float:
        """Return the next price, rounded to cents and above zero."""
        pull = (self._usual - self._value) * _PULL
        self._value += pull + self._random.gauss(0, self._usual * _STEP)
        return max(round(self._value, 2), 0.01)


@dataclass(slots=True)
class _Subscription:
    rate: float
    walk: Walk
    task: asyncio.Task[None]


@dataclass
class _Client:
    connection: ServerConnection
    companions: Companions
    subscriptions: dict[str, _Subscription] = field(default_factory=dict)

    def obey(self, message: str | bytes) -> None:
        command = Command(message)
        action = command.text("action", 32)
        if action == "subscribe":
            self._subscribe(command)
        elif action == "unsubscribe":
            self._unsubscribe(command)
        else:
            raise RefusedError('"action" must be "subscribe" or "unsubscribe".')

    def _subscribe(self, command: Command) -> None:
        symbols = _symbols(command)
        rate = command.number("rate", *RATE_RANGE, default=DEFAULT_RATE)
        command.finish()
        rates = {symbol: one.rate for symbol, one in self.subscriptions.items()} | dict.fromkeys(
            symbols, rate
        )
        if len(rates) > SYMBOL_LIMIT:
            raise RefusedError(f"At most {SYMBOL_LIMIT} symbols can be subscribed to.")
        if sum(rates.values()) > TOTAL_RATE:
            raise RefusedError(f"At most {TOTAL_RATE:.0f} prices a second can be sent, over all symbols.")
        for symbol in symbols:
            self._start(symbol, rate)

    def _start(self, symbol: str, rate: float) -> None:
        before = self.subscriptions.get(symbol)
        if before:
            before.task.cancel()
        walk = before.walk if before else Walk(symbol)
        task = self.companions.spawn(_stream, self.connection, symbol, walk, rate)
        self.subscriptions[symbol] = _Subscription(rate, walk, task)

    def _unsubscribe(self, command: Command) -> None:
        symbols = _symbols(command) if command.given("symbols") else list(self.subscriptions)
        command.finish()
        for symbol in symbols:
            if symbol not in self.subscriptions:
                raise RefusedError(f"There is no subscription to {symbol}.")
        for symbol in symbols:
            self.subscriptions.pop(symbol).task.cancel()


async def _serve(connection: ServerConnection) -> None:
    async with Companions() as companions:
        client = _Client(connection, companions)
        async for message in connection:
            try:
                client.obey(message)
            except RefusedError as refusal:
                await connection.send(to_json({"error": str(refusal)}))


async def _stream(connection: ServerConnection, symbol: str, walk: Walk, rate: float) -> None:
    clock = asyncio.get_running_loop().time
    start, sent = clock(), 0
    while True:
        if clock() - start - sent / rate > _CATCH_UP:
            start, sent = clock(), 0
        # Counting from the start keeps the average rate, however late a tick comes.
        due = int((clock() - start) * rate) + 1 - sent
        for _ in range(due):
            await connection.send(json.dumps({"symbol": symbol, "value": walk.step(), "time": time.time()}))
        sent += due
        await asyncio.sleep(max(start + sent / rate - clock(), _TICK))


def _symbols(command: Command) -> list[str]:
    symbols: Any = command.take("symbols")
    if not isinstance(symbols, list) or not symbols:
        raise RefusedError('"symbols" must be a list of symbols, such as ["BTC-USD"].')
    for symbol in symbols:
        if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
            raise RefusedError(
                f"{reprlib.repr(symbol)} is not a symbol: 1 to 32 letters, digits and . _ / -."
            )
    return list(dict.fromkeys(symbols))
