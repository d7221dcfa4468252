"""The demo servers, seen from real clients."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from ipyws.demo import KINDS, RunningServer, start
from ipyws.demo.hostile import AWAY, LONG_LINE, PAYLOADS, RAN
from ipyws.errors import InvalidError
from tests.support.stopwatch import Stopwatch

MB = 1 << 20


class Recorder(ClientConnection):
    """A client that keeps every frame that reached it."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.frames: list[Any] = []

    def process_event(self, event: Any) -> None:
        if hasattr(event, "opcode"):
            self.frames.append(event)
        super().process_event(event)


def client(server: RunningServer, **settings: Any) -> connect:
    return connect(
        server.url,
        **{
            "compression": None,
            "proxy": None,
            "ping_interval": None,
            "close_timeout": 0.5,
            "max_size": None,
            "create_connection": Recorder,
        }
        | settings,
    )


def run(scenario: Callable[..., Awaitable[None]], *kinds: str) -> None:
    """Run ``scenario`` with one server of each kind; whatever it leaves behind or lets slip is a failure."""
    complaints: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        servers = [await start(kind) for kind in kinds]
        try:
            await asyncio.wait_for(scenario(*servers), 60)
        finally:
            for server in servers:
                await server.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()

    asyncio.run(main())
    assert complaints == []


async def ask(connection: ClientConnection, command: Any) -> Any:
    await connection.send(json.dumps(command))
    return await answer(connection)


async def answer(connection: ClientConnection) -> Any:
    return json.loads(await connection.recv())


async def close_of(connection: ClientConnection) -> tuple[int | None, str | None]:
    with contextlib.suppress(ConnectionClosed):
        async for _ in connection:
            pass
    await connection.wait_closed()
    return connection.close_code, connection.close_reason


@contextlib.asynccontextmanager
async def raw_client(
    server: RunningServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP connection after the handshake: answers nothing by itself and has little room for what comes."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    request = (
        "GET / HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "",
        "",
    )
    try:
        writer.write("\r\n".join(request).encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        yield reader, writer
    finally:
        writer.transport.abort()


def frame(opcode: int, payload: bytes) -> bytes:
    """A masked frame with a mask of zeros (RFC 6455 section 5.2)."""
    return bytes([0x80 | opcode, 0x80 | 126]) + struct.pack("!H", len(payload)) + bytes(4) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The first byte of a short frame (FIN and opcode), and its payload."""
    first, length = await reader.readexactly(2)
    return first, await reader.readexactly(length)


# Starting and stopping


ALLOWED = "one of echo, chat, prices, chaos, socketio is allowed"


@pytest.mark.parametrize(
    ("arguments", "found", "hint"),
    [
        (
            {"kind": "ecko"},
            "'ecko'",
            "did you mean 'echo'? one of echo, chat, prices, chaos, socketio is allowed",
        ),
        ({"kind": "zzz"}, "'zzz'", "one of echo, chat, prices, chaos, socketio is allowed"),
        ({"kind": None}, "None", "one of echo, chat, prices, chaos, socketio is allowed"),
        ({"kind": ["echo"]}, "['echo']", "one of echo, chat, prices, chaos, socketio is allowed"),
        ({"port": -1}, "-1", "0-65535"),
        ({"port": 65536}, "65536", "0-65535"),
        ({"port": "80"}, "'80'", "0-65535"),
        ({"port": True}, "True", "0-65535"),
        ({"port": 80.0}, "80.0", "0-65535"),
        ({"host": "0.0.0.0"}, "'0.0.0.0'", "127.0.0.1 or ::1"),
        ({"host": "example.org"}, "'example.org'", "127.0.0.1 or ::1"),
        ({"host": ""}, "''", "127.0.0.1 or ::1"),
        ({"host": 2130706433}, "2130706433", "127.0.0.1 or ::1"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_allowed(
    arguments: dict[str, Any], found: str, hint: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        asyncio.run(start(**{"kind": "echo"} | arguments))
    assert found in caught.value.message
    assert hint in caught.value.hint


def test_a_port_in_use_is_refused_with_a_way_out() -> None:
    async def scenario(server: RunningServer) -> None:
        with pytest.raises(InvalidError) as caught:
            await start("chat", port=server.port)
        assert f"port {server.port}" in caught.value.message
        assert "in use" in caught.value.message
        assert caught.value.hint == "choose another port or 0"

    run(scenario, "echo")


def test_a_chosen_port_is_the_one_it_listens_on_and_is_free_again_after_close() -> None:
    async def scenario(server: RunningServer) -> None:
        port = server.port
        await server.close()
        again = await start("echo", port=port)
        try:
            assert again.url == f"ws://127.0.0.1:{port}"
            async with client(again) as one:
                await one.send("hello")
                assert await one.recv() == "hello"
        finally:
            await again.close()

    run(scenario, "echo")


def test_connections_counts_those_that_are_open() -> None:
    async def scenario(server: RunningServer) -> None:
        assert server.connections == 0
        async with client(server), client(server):
            assert server.connections == 2
        assert server.connections == 0

    run(scenario, "echo")


@pytest.mark.parametrize("kind", KINDS)
def test_close_tells_every_client_the_code_and_the_reason(kind: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as two:
            await server.close(4000, "lesson over")
            assert await close_of(one) == (4000, "lesson over")
            assert await close_of(two) == (4000, "lesson over")

    run(scenario, kind)


def test_close_says_going_away_unless_told_otherwise() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await server.close()
            assert await close_of(one) == (1001, "server stopped")

    run(scenario, "echo")


def test_close_is_idempotent_also_at_the_same_time() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await asyncio.gather(server.close(), server.close(1012), server.close())
            assert (await close_of(one))[0] == 1001
        await server.close()

    run(scenario, "echo")


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2999, 5000, "1000", True])
def test_close_refuses_a_code_that_may_not_be_sent_and_goes_on_serving(code: Any) -> None:
    async def scenario(server: RunningServer) -> None:
        with pytest.raises(InvalidError):
            await server.close(code)
        async with client(server) as one:
            await one.send("still here")
            assert await one.recv() == "still here"

    run(scenario, "echo")


def test_close_does_not_wait_for_clients_that_answer_nothing() -> None:
    async def scenario(prices: RunningServer, chaos: RunningServer) -> None:
        async with raw_client(prices) as (_, flooded), raw_client(chaos), client(chaos) as hushed:
            flooded.write(frame(1, subscribe("A", rate=10_000).encode()))
            await hushed.send('{"do": "silence"}')
            _, unfinished = await asyncio.open_connection("127.0.0.1", chaos.port)
            watch = Stopwatch()
            await asyncio.gather(prices.close(), chaos.close())
            assert watch.seconds() < 2
            assert (await close_of(hushed)) == (1001, "server stopped")
            unfinished.close()

    run(scenario, "prices", "chaos")


def test_what_clients_do_wrong_is_neither_printed_nor_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(server: RunningServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"not HTTP at all\r\n\r\n")
        await reader.read()
        writer.close()
        for wrong, code in (
            (frame(1, b"\xff\xfe"), 1007),
            (frame(3, b""), 1002),
            (bytes([0x82, 0xFF]) + struct.pack("!Q", 16 * MB + 1) + bytes(4), 1009),
        ):
            async with raw_client(server) as (reader, writer):
                writer.write(wrong)
                first, payload = await read_frame(reader)
                assert (first, payload[:2]) == (0x88, struct.pack("!H", code))

    with caplog.at_level(logging.DEBUG, "ipyws"):
        run(scenario, "echo")
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name.startswith("ipyws")] == []


# echo


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize(
    "payload",
    ["hello", "", "héllo ✓ 😀", "a\x00b", "x" * 200_000, b"", b"\x00\xff\xfe", bytes(range(256)) * 1000],
    ids=lambda payload: f"{type(payload).__name__}-{len(payload)}",
)
def test_echo_returns_each_message_as_it_came(payload: str | bytes, compression: str | None) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server, compression=compression) as one:
            assert bool(one.protocol.extensions) == bool(compression)
            await one.send(payload)
            assert await one.recv() == payload

    run(scenario, "echo")


def test_echo_keeps_the_order_of_many_messages() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            for number in range(500):
                await one.send(str(number))
            assert [await one.recv() for _ in range(500)] == [str(number) for number in range(500)]

    run(scenario, "echo")


# chat


def join(room: str, name: str) -> dict[str, str]:
    return {"type": "join", "room": room, "name": name}


def say(room: str, text: str) -> dict[str, str]:
    return {"type": "message", "room": room, "text": text}


def test_chat_tells_everyone_in_the_room_and_nobody_else() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as ada, client(server) as bob, client(server) as eve:
            assert await ask(ada, join("tea", "Ada")) == {"type": "joined", "room": "tea", "name": "Ada"}
            assert await ask(bob, join("tea", "Bob")) == {"type": "joined", "room": "tea", "name": "Bob"}
            assert await answer(ada) == {"type": "joined", "room": "tea", "name": "Bob"}
            await ask(eve, join("coffee", "Eve"))

            said = say("tea", "héllo <b>\ud83d\ude00</b>") | {"from": "Ada"}
            assert await ask(ada, say("tea", "héllo <b>\ud83d\ude00</b>")) == json.loads(json.dumps(said))
            assert await answer(bob) == json.loads(json.dumps(said))
            assert await ask(eve, say("coffee", "quiet here")) == say("coffee", "quiet here") | {
                "from": "Eve"
            }

    run(scenario, "chat")


def test_chat_client_in_two_rooms_has_a_name_in_each() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await ask(one, join("a", "Ann"))
            await ask(one, join("b", "Ben"))
            assert (await ask(one, say("a", "x")))["from"] == "Ann"
            assert (await ask(one, say("b", "x")))["from"] == "Ben"

    run(scenario, "chat")


def test_chat_says_who_left_however_they_left() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as stays:
            await ask(stays, join("r", "Stays"))
            async with client(server) as closes, client(server) as breaks, client(server) as leaves:
                for member, name in ((closes, "Closes"), (breaks, "Breaks"), (leaves, "Leaves")):
                    await ask(member, join("r", name))
                    assert await answer(stays) == {"type": "joined", "room": "r", "name": name}
                await leaves.send('{"type": "leave", "room": "r"}')
                assert await answer(stays) == {"type": "left", "room": "r", "name": "Leaves"}
                assert await answer(leaves) == {"type": "left", "room": "r", "name": "Leaves"}
                await closes.close()
                assert await answer(stays) == {"type": "left", "room": "r", "name": "Closes"}
                breaks.transport.abort()
                assert await answer(stays) == {"type": "left", "room": "r", "name": "Breaks"}

    run(scenario, "chat")


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("hello", "JSON"),
        ("", "JSON"),
        (b"\xff\xfe\xfd", "JSON"),
        ("[" * 100_000, "nested"),
        ("9" * 10_000, "JSON"),
        ("[]", "object"),
        ("null", "object"),
        ("{}", '"type"'),
        ('{"type": 7}', '"type"'),
        ('{"type": "shout"}', "join, leave, message"),
        ('{"type": "join", "room": "r"}', '"name"'),
        ('{"type": "join", "room": "", "name": "n"}', '"room"'),
        ('{"type": "join", "room": ["r"], "name": "n"}', '"room"'),
        ('{"type": "join", "room": "r", "name": "n", "colour": "red"}', "colour"),
        (json.dumps(join("r" * 65, "n")), '"room"'),
        (json.dumps(join("mine", "twice")), "already"),
        (json.dumps(join("other", "Taken")), "taken"),
        (json.dumps(say("other", "let me in")), "join"),
        (json.dumps(say("mine", "x" * 16385)), '"text"'),
        ('{"type": "leave", "room": "other"}', "join"),
        ('{"type": "message", "room": "mine", "text": NaN}', "NaN"),
    ],
    ids=range(21),
)
def test_chat_answers_a_malformed_command_to_its_sender_only(message: str | bytes, part: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as other:
            await ask(other, join("other", "Taken"))
            await ask(other, join("mine", "Other"))
            await ask(one, join("mine", "Me"))
            assert (await answer(other))["type"] == "joined"

            await one.send(message)
            reply = await answer(one)
            assert reply.keys() == {"type", "message"}
            assert reply["type"] == "error"
            assert part in reply["message"]
            assert len(reply["message"]) < 200
            assert (await ask(other, say("mine", "next")))["text"] == "next"

    run(scenario, "chat")


def test_chat_passes_a_lone_surrogate_on_as_its_escape() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await ask(one, join("r", "n"))
            await one.send(r'{"type": "message", "room": "r", "text": "\ud800"}')
            text = await one.recv()
            assert r"\ud800" in text
            assert json.loads(text)["text"] == "\ud800"

    run(scenario, "chat")


def test_chat_drops_a_member_that_reads_nothing_and_holds_nobody_up() -> None:
    async def scenario(server: RunningServer) -> None:
        async with raw_client(server) as (_, deaf), client(server) as one, client(server) as two:
            await ask(one, join("r", "One"))
            await ask(two, join("r", "Two"))
            await answer(one)
            deaf.write(frame(1, json.dumps(join("r", "Deaf")).encode()))
            assert (await answer(one))["name"] == (await answer(two))["name"] == "Deaf"

            text, seen = "x" * 16_000, []
            while {"type": "left", "room": "r", "name": "Deaf"} not in seen:
                await one.send(json.dumps(say("r", text)))
                seen.append(await answer(one))
                assert await answer(two) == seen[-1]
                assert len(seen) < 5000
            assert server.connections == 2

    run(scenario, "chat")


def test_chat_burst_from_one_member_reaches_all_of_the_room() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as two:
            await ask(one, join("r", "One"))
            await ask(two, join("r", "Two"))
            await answer(one)

            async def flood() -> None:
                for number in range(5000):
                    await one.send(json.dumps(say("r", str(number))))

            async def hear(member: ClientConnection) -> list[str]:
                return [(await answer(member))["text"] for _ in range(5000)]

            _, *heard = await asyncio.gather(flood(), hear(one), hear(two))
            assert heard == [[str(number) for number in range(5000)]] * 2

    run(scenario, "chat")


# prices


def subscribe(*symbols: str, **options: Any) -> str:
    return json.dumps({"action": "subscribe", "symbols": symbols} | options)


def test_prices_are_symbol_value_and_time() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            before = time.time()
            await one.send(subscribe("BTC-USD"))
            price = await answer(one)
            assert price.keys() == {"symbol", "value", "time"}
            assert price["symbol"] == "BTC-USD"
            assert before <= price["time"] <= time.time()
            assert price["value"] == round(price["value"], 2) > 0

    run(scenario, "prices")


def test_prices_walk_the_same_way_at_each_start_and_by_small_steps() -> None:
    walks: list[list[float]] = []

    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send(subscribe("BTC-USD", rate=10_000))
            walks.append([(await answer(one))["value"] for _ in range(2000)])

    run(scenario, "prices")
    run(scenario, "prices")
    assert walks[0] == walks[1]
    assert len(set(walks[0])) > 1000
    assert all(abs(after / before - 1) < 0.005 for before, after in zip(walks[0], walks[0][1:], strict=False))


# A server and a client that both compute for the same core need more than a second for 10,000 messages.
@pytest.mark.parametrize(("rate", "most"), [(20, 1.7), (1000, 1.7), (5000, 4.0)])
def test_prices_come_at_the_asked_rate_for_each_symbol(rate: int, most: float) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            watch = Stopwatch()
            await one.send(subscribe("A", "B", rate=rate))
            times: dict[str, list[float]] = {"A": [], "B": []}
            while min(map(len, times.values())) <= rate:
                price = await answer(one)
                times[price["symbol"]].append(price["time"])
            assert watch.seconds() < most
            for stamps in times.values():
                assert stamps[rate] - stamps[0] > 0.8

    run(scenario, "prices")


def test_prices_stop_for_what_is_unsubscribed_and_then_for_all() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send(subscribe("A", "B", rate=1000))
            await one.send('{"action": "unsubscribe", "symbols": ["A"]}')
            await one.send('{"action": "mark"}')
            while "error" not in await answer(one):
                pass
            assert {(await answer(one))["symbol"] for _ in range(50)} == {"B"}
            await one.send('{"action": "unsubscribe"}')
            await one.send('{"action": "mark"}')
            while "error" not in await answer(one):
                pass
            await one.send('{"action": "mark"}')
            assert "error" in await answer(one)

    run(scenario, "prices")


def test_prices_subscribed_again_change_the_rate_and_stay_one_stream() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as reference:
            await one.send(subscribe("A", rate=0.1))
            values = [(await answer(one))["value"]]
            await one.send(subscribe("A", rate=1000))
            values += [(await answer(one))["value"] for _ in range(200)]
            await reference.send(subscribe("A", rate=1000))
            assert values == [(await answer(reference))["value"] for _ in range(201)]

    run(scenario, "prices")


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("now", "JSON"),
        ("{}", '"action"'),
        ('{"action": "buy"}', "subscribe"),
        ('{"action": "subscribe"}', '"symbols"'),
        ('{"action": "subscribe", "symbols": []}', '"symbols"'),
        ('{"action": "subscribe", "symbols": "BTC-USD"}', '"symbols"'),
        ('{"action": "subscribe", "symbols": ["A", 7]}', "7"),
        ('{"action": "subscribe", "symbols": ["A B"]}', "A B"),
        (subscribe("A", rate=0), "0.1"),
        (subscribe("A", rate=0.09), "0.1"),
        (subscribe("A", rate=10_001), "10000"),
        (subscribe("A", rate="fast"), "fast"),
        (subscribe("A", rate=True), "True"),
        (subscribe("A", rate=1).replace("}", ', "every": 2}'), "every"),
        (subscribe(*map(str, range(101))), "100"),
        (subscribe(*"ABCDEF", rate=10_000), "50000"),
        ('{"action": "unsubscribe", "symbols": ["NONE"]}', "NONE"),
        ('{"action": "unsubscribe", "rate": 1}', "rate"),
    ],
)
def test_prices_answer_a_malformed_command_and_start_nothing(command: str, part: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            reply = await ask_text(one, command)
            assert reply.keys() == {"error"}
            assert part in reply["error"]
            assert (await ask_text(one, '{"action": "unsubscribe", "symbols": ["A"]}')).keys() == {"error"}

    run(scenario, "prices")


async def ask_text(connection: ClientConnection, text: str) -> Any:
    await connection.send(text)
    return await answer(connection)


def test_prices_wait_for_a_reader_that_is_slow_and_pile_nothing_up() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server, max_queue=1) as slow, client(server) as clock:
            await slow.send(subscribe("A", "B", "C", rate=10_000))
            await clock.send(subscribe("T", rate=20))
            (flooded,) = (
                one for one in server._server.connections if one.remote_address == slow.local_address
            )
            # The other client's stream is the clock: it goes on while nobody reads the first.
            high = 0
            for _ in range(60):
                await answer(clock)
                high = max(high, flooded.transport.get_write_buffer_size())
            assert high < 256 * 1024

    run(scenario, "prices")


# chaos


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ({}, b""),
        ({"code": None}, b""),
        ({"code": 4001, "reason": "bye"}, struct.pack("!H", 4001) + b"bye"),
        ({"code": 1000}, struct.pack("!H", 1000)),
        ({"code": 4999, "reason": "é" * 61}, struct.pack("!H", 4999) + "é".encode() * 61),
        ({"code": 999}, struct.pack("!H", 999)),
        ({"code": 1005, "reason": "never on the wire"}, struct.pack("!H", 1005) + b"never on the wire"),
        ({"code": 65535}, struct.pack("!H", 65535)),
        ({"code": 0}, struct.pack("!H", 0)),
    ],
)
def test_chaos_closes_with_exactly_the_frame_asked_for(command: dict[str, Any], payload: bytes) -> None:
    async def scenario(server: RunningServer) -> None:
        async with raw_client(server) as (reader, writer):
            writer.write(frame(1, json.dumps({"do": "close"} | command).encode()))
            assert await read_frame(reader) == (0x88, payload)
            writer.write(bytes([0x88, 0x80, 0, 0, 0, 0]))
            assert await reader.read() == b""

    run(scenario, "chaos")


def test_chaos_silence_answers_no_ping_and_no_message_and_then_goes_on() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as other:
            started = time.monotonic()
            await one.send('{"do": "silence", "for": 0.4}')
            await ask(other, {"do": "help"})
            pong = await one.ping()
            await one.send('{"do": "help"}')
            await pong
            assert time.monotonic() - started >= 0.4
            assert "commands" in await answer(one)

    run(scenario, "chaos")


def test_chaos_silence_holds_late_replies_back_too() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            started = time.monotonic()
            await one.send('{"do": "late", "seconds": 0.05, "reply": "at last"}')
            await one.send('{"do": "silence", "for": 0.4}')
            assert await one.recv() == "at last"
            assert time.monotonic() - started >= 0.4

    run(scenario, "chaos")


def test_chaos_silence_takes_what_comes_meanwhile_without_losing_any() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send('{"do": "silence", "for": 0.2}')
            replies = [str(number) * 1000 for number in range(10, 90)]

            async def ask_all() -> None:
                for reply in replies * 10:
                    await one.send(json.dumps({"do": "late", "seconds": 0, "reply": reply}))

            async def hear_all() -> list[str]:
                return [str(await one.recv()) for _ in replies * 10]

            _, heard = await asyncio.gather(ask_all(), hear_all())
            assert sorted(heard) == sorted(replies * 10)

    run(scenario, "chaos")


def test_chaos_silence_leaves_what_a_client_floods_it_with_in_the_network() -> None:
    async def scenario(server: RunningServer) -> None:
        async with raw_client(server) as (_, writer), client(server) as other:
            writer.write(frame(1, b'{"do": "silence"}'))
            await ask(other, {"do": "help"})
            writer.write(frame(2, bytes(65_000)) * 512)
            # Each answer is a turn of the loop in which the silent connection could read on.
            for _ in range(400):
                await ask(other, {"do": "help"})
            assert writer.transport.get_write_buffer_size() > 16 * MB

    run(scenario, "chaos")


def test_chaos_silence_without_an_end_lasts_until_the_client_gives_up() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server, close_timeout=0.2) as one, client(server) as other:
            await one.send('{"do": "silence"}')
            assert "commands" in await ask(other, {"do": "help"})
            pong = await one.ping()
            await one.close()
            assert isinstance(pong.exception(), ConnectionClosed)
            assert (one.close_code, server.connections) == (1006, 1)

    run(scenario, "chaos")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("plain", "plain"),
        ({"id": 7, "ok": True}, '{"id": 7, "ok": true}'),
        (None, "null"),
        ("\ud800", r'"\ud800"'),
    ],
)
def test_chaos_late_reply_comes_late_and_as_asked(reply: Any, text: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            started = time.monotonic()
            await one.send(json.dumps({"do": "late", "seconds": 0.2, "reply": reply}))
            assert await one.recv() == text
            assert time.monotonic() - started >= 0.2

    run(scenario, "chaos")


def test_chaos_late_replies_overtake_each_other() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send('{"do": "late", "seconds": 0.3, "reply": "slow"}')
            await one.send('{"do": "late", "seconds": 0, "reply": "quick"}')
            assert [await one.recv(), await one.recv()] == ["quick", "slow"]

    run(scenario, "chaos")


def test_chaos_late_replies_under_way_end_with_the_connection() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send('{"do": "late", "seconds": 3600}')
            await ask(one, {"do": "help"})

    run(scenario, "chaos")


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize(
    ("parts", "text"), [(1, "whole"), (2, "ab"), (5, "h\u00e9llo \u2713 \U0001f600"), (7, "ab"), (3, "")]
)
def test_chaos_fragments_one_message_into_exactly_so_many_frames(
    parts: int, text: str, compression: str | None
) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server, compression=compression) as one:
            await one.send(json.dumps({"do": "fragment", "parts": parts, "text": text}))
            assert await one.recv() == text
            assert [(part.opcode, part.fin) for part in one.frames] == [
                (Opcode.CONT if number else Opcode.TEXT, number == parts - 1) for number in range(parts)
            ]

    run(scenario, "chaos")


@pytest.mark.parametrize("size", [0, 1, 65_536, 64 * MB])
def test_chaos_huge_message_has_exactly_the_size_asked_for(size: int) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send(json.dumps({"do": "huge", "size": size}))
            assert len(await one.recv()) == size

    run(scenario, "chaos")


def test_chaos_reset_ends_with_a_tcp_reset() -> None:
    async def scenario(server: RunningServer) -> None:
        async with raw_client(server) as (reader, writer):
            writer.write(frame(1, b'{"do": "reset"}'))
            with pytest.raises(ConnectionResetError):
                await reader.read()

    run(scenario, "chaos")


@pytest.mark.parametrize(("count", "size"), [(1, 1), (10_000, 8), (3, MB)])
def test_chaos_burst_sends_so_many_messages_in_order(count: int, size: int) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one, client(server) as other:
            await one.send(json.dumps({"do": "burst", "count": count, "size": size}))
            for number in range(count):
                text = str(await one.recv())
                assert (len(text), text.rstrip(".")) == (size, str(number))
            assert "commands" in await ask(other, {"do": "help"})
            assert "commands" in await ask(one, {"do": "help"})

    run(scenario, "chaos")


@pytest.mark.parametrize("data", ["", "are you there", "\u00e9" * 62])
def test_chaos_pings_with_the_data_asked_for(data: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            for _ in range(2):  # the same data twice is no offence
                await one.send(json.dumps({"do": "ping", "data": data}))
            await ask(one, {"do": "help"})
            pings = [part.data for part in one.frames if part.opcode is Opcode.PING]
            assert pings == [data.encode()] * 2

    run(scenario, "chaos")


def test_chaos_help_lists_every_command_with_an_example_that_works() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            commands = (await ask(one, {"do": "help"}))["commands"]
        assert set(commands) == {
            *("close", "silence", "late", "fragment", "huge", "hostile", "reset", "burst", "ping", "help")
        }
        for name, command in commands.items():
            assert json.loads(command["example"])["do"] == name
            async with client(server, close_timeout=0.1) as one:
                await one.send(command["example"])
                if name in ("close", "reset"):
                    assert (await close_of(one))[0] == {"close": 4001, "reset": 1006}[name]
                elif name == "ping":
                    assert "commands" in await ask(one, {"do": "help"})
                elif name != "silence":
                    assert '"error"' not in str(await one.recv())[:10]

    run(scenario, "chaos")


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("boom", "JSON"),
        ("[]", "object"),
        ("{}", '"do"'),
        ('{"do": "explode"}', "close, silence, late"),
        ('{"do": "close", "code": 65536}', "65535"),
        ('{"do": "close", "code": "1000"}', "1000"),
        ('{"do": "close", "reason": "no code"}', "needs a code"),
        (json.dumps({"do": "close", "code": 1000, "reason": "\u00e9" * 62}), "123 bytes"),
        (r'{"do": "close", "code": 1000, "reason": "\ud800"}', "UTF-8"),
        ('{"do": "silence", "for": -1}', "3600"),
        ('{"do": "silence", "for": 1e999}', "3600"),
        ('{"do": "late", "seconds": "soon"}', "soon"),
        ('{"do": "late", "reply": 1e999}', "JSON"),
        ('{"do": "late", "second": 1}', "second"),
        ('{"do": "fragment", "parts": 0}', "1000"),
        ('{"do": "fragment", "parts": 2.5}', "2.5"),
        ('{"do": "fragment", "text": 7}', '"text"'),
        ('{"do": "huge", "size": 67108865}', "67108864"),
        ('{"do": "burst", "count": 0}', '"count"'),
        ('{"do": "burst", "size": 1048577}', '"size"'),
        (json.dumps({"do": "ping", "data": "x" * 126}), "125 bytes"),
        ('{"do": "hostile", "please": true}', "please"),
    ],
)
def test_chaos_answers_anything_else_with_what_it_understands(command: str, part: str) -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            reply = await ask_text(one, command)
            assert part in reply["error"]
            assert {"close", "silence", "help"} <= set(reply["understood"])

    run(scenario, "chaos")


def test_chaos_sends_every_hostile_payload_unchanged() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            await one.send('{"do": "hostile"}')
            assert [await one.recv() for _ in PAYLOADS] == list(PAYLOADS)

    run(scenario, "chaos")


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<script",
            "<img",
            "<svg",
            "<iframe",
            "<style",
            "<link",
            "<form",
            "<meta",
            "<base",
            "<object",
            "<a href",
        ),
        *("onerror=", "onload=", "javascript:", RAN, AWAY, "</pre>", "</script>", "&lt;", "$", r"\(", "```"),
        *(
            "\x1b[2J",
            "\x1b]8;;",
            "\x1b]52;",
            "\x9b",
            "\r",
            "\b",
            "\x7f",
            "\u202e",
            "\u2066",
            "\u200b",
            "\ufeff",
        ),
        *("\x00", "\u2028", "\u2029", r"\ud800", "__proto__", "NaN", "1e999"),
        "x" * LONG_LINE,
    ],
    ids=ascii,
)
def test_hostile_payloads_hold(piece: str) -> None:
    assert any(piece in payload for payload in PAYLOADS)


def test_hostile_payloads_are_distinct_and_can_be_sent_as_text() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS)
    for payload in PAYLOADS:
        payload.encode()


# -- who may ask -----------------------------------------------------------------------------------------


async def status_of(server: RunningServer, *headers: str) -> int:
    """Return how a handshake with these headers is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    request = (
        "GET / HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    )
    writer.write(("\r\n".join(request) + "\r\n\r\n").encode())
    try:
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


@pytest.mark.parametrize("kind", KINDS)
def test_only_pages_of_this_machine_are_served(kind: str) -> None:
    async def scenario(server: RunningServer) -> None:
        host = f"Host: 127.0.0.1:{server.port}"
        for origin in ("http://localhost:8888", "http://127.0.0.1:8888", "https://[::1]", "http://localhost"):
            assert await status_of(server, host, f"Origin: {origin}") == 101, origin
        for origin in (
            "https://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:80",
            "http://localhost:8888/x",
            "file://",
            "https://hub.example.org",
        ):
            assert await status_of(server, host, f"Origin: {origin}") in (400, 403), origin

    run(scenario, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_name_of_somebody_else_that_leads_here_is_refused(kind: str) -> None:
    async def scenario(server: RunningServer) -> None:
        for host in ("localhost", f"LOCALHOST:{server.port}", f"127.0.0.1:{server.port}", "[::1]:80"):
            assert await status_of(server, f"Host: {host}") == 101, host
        for host in ("rebind.evil.example", "127.0.0.1.nip.io", "localhost.evil.example:80", "0x7f.1", ""):
            assert await status_of(server, f"Host: {host}") == 403, host
        assert await status_of(server, "Host: localhost", "Host: rebind.evil.example") == 403
        assert await status_of(server) == 101  # a program, and one that is no browser

    run(scenario, kind)


def test_chaos_keeps_few_bytes_of_late_replies() -> None:
    async def scenario(server: RunningServer) -> None:
        async with client(server) as one:
            reply = "x" * MB
            for _ in range(4):
                await one.send(json.dumps({"do": "late", "seconds": 3600, "reply": reply}))
            assert "too much" in (await ask(one, {"do": "late", "seconds": 3600, "reply": "x"}))["error"]
        async with client(server) as one:  # what was sent makes room
            for _ in range(3):
                for _ in range(2):
                    await one.send(json.dumps({"do": "late", "seconds": 0, "reply": reply}))
                assert [await one.recv() for _ in range(2)] == [reply] * 2

    run(scenario, "chaos")
