"""The two examples of the documentation: a chat room, and a stream of prices with a keep-alive."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import ipyws


def connect_chat(url: str, room: str, on_message: Callable[[Any], bool]) -> ipyws.Close:
    """Join a room and handle its messages until ``on_message`` has had enough."""
    client = ipyws.connect(url, headers={"Authorization": "Bearer " + ipyws.secret("chat-token")})
    client.send(json.dumps({"type": "join", "room": room, "name": "ann"}))
    channel = client.channel()
    while True:
        message, ok = channel.receive("10s")
        if not ok or not on_message(json.loads(message.data)):
            break
    return client.close()


def test_chat_example_hears_what_others_say_in_its_room() -> None:
    heard: list[Any] = []
    joined = threading.Event()

    def on_message(data: Any) -> bool:
        heard.append(data)
        if data["type"] == "joined" and data.get("name") == "bob":
            joined.set()
        return bool(data["type"] != "message")

    with ipyws.serve("chat") as server:
        closes: list[ipyws.Close] = []
        ann = threading.Thread(target=lambda: closes.append(connect_chat(server.url, "lobby", on_message)))
        ann.start()
        with ipyws.connect(server.url) as bob:
            bob.send({"type": "join", "room": "lobby", "name": "bob"})
            while server.connections < 2:
                bob.ping()
            bob.send({"type": "message", "room": "lobby", "text": "hello"})
            while ann.is_alive():
                bob.send({"type": "message", "room": "lobby", "text": "hello"})
                ann.join(0.05)
    assert heard[-1]["text"] == "hello"
    assert heard[-1]["from"] == "bob"
    assert (closes[0].code, closes[0].initiator) == (1000, "us")


def test_price_example_shows_prices_and_pings_by_a_timer_in_the_same_select() -> None:
    prices: dict[str, list[float]] = {"BTC-USD": [], "ETH-USD": []}
    rtts: list[float] = []
    with ipyws.serve("prices") as server:
        client = ipyws.connect(server.url)
        client.send({"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 100})
        channel = client.channel()
        heartbeat = ipyws.after("50ms")
        while len(rtts) < 3:
            chosen = ipyws.select(channel.case_receive(), heartbeat.case_receive(), timeout="10s")
            if chosen.channel is heartbeat:
                rtts.append(client.ping())
                heartbeat = ipyws.after("50ms")
            elif not chosen.ok:
                break
            else:
                price = json.loads(chosen.value.data)
                prices[price["symbol"]].append(price["value"])
        close = client.close()
    assert all(0 < rtt < 5 for rtt in rtts)
    assert len(rtts) == 3
    assert all(len(values) > 3 and all(value > 0 for value in values) for values in prices.values())
    assert (close.code, close.initiator) == (1000, "us")


def test_price_example_ends_when_the_server_does() -> None:
    server = ipyws.serve("prices")
    client = ipyws.connect(server.url)
    client.send({"action": "subscribe", "symbols": ["BTC-USD"], "rate": 100})
    channel = client.channel()
    assert ipyws.select(channel.case_receive(), timeout="10s").ok
    server.close()
    while ipyws.select(channel.case_receive(), timeout="10s").ok:
        pass
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator) == (1001, "peer")
