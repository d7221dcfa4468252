"""The chaos server: misbehaves on command, so that a client's behaviour can be seen and tested."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from websockets.asyncio.server import ServerConnection

from ipyws.core.connection.closing import REASON_LIMIT
from ipyws.core.constants import MB
from ipyws.demo.commands import Command, RefusedError, is_utf8, to_json
from ipyws.demo.hostile import PAYLOADS
from ipyws.demo.misbehaving import RawConnection
from ipyws.demo.server import Handler
from ipyws.demo.task_group import Companions

HUGE_LIMIT = 64 * MB
"""Bytes of the largest message it sends."""

LONGEST = 3600.0
"""Seconds that a silence or a late reply can last."""

_PARTS_LIMIT = 1000
_LATE_LIMIT = 1000
_LATE_BYTES = 4 * MB
_BURST_COUNT_LIMIT = 1_000_000
_PING_LIMIT = 125
_TEXT_LIMIT = MB
_BREATH = 500


@dataclass
class _Session:
    connection: RawConnection
    companions: Companions
    late: int = 0  # bytes of the replies that wait for their time


class _Action(NamedTuple):
    run: Callable[[_Session, Command], Awaitable[None]]
    example: str
    help: str


def handler() -> Handler:
    """Return what serves one chaos connection, which must be a `RawConnection`."""
    return _serve


async def _serve(connection: ServerConnection) -> None:
    if not isinstance(connection, RawConnection):
        raise TypeError(f"chaos needs a RawConnection, not a {type(connection).__name__}")
    async with Companions() as companions:
        session = _Session(connection, companions)
        async for message in connection:
            try:
                await _obey(session, message)
            except RefusedError as refusal:
                await connection.send(to_json({"error": str(refusal), "understood": list(_ACTIONS)}))


async def _obey(session: _Session, message: str | bytes) -> None:
    command = Command(message)
    action = _ACTIONS.get(command.text("do", 32))
    if action is None:
        raise RefusedError(f'"do" must be one of {", ".join(_ACTIONS)}.')
    await action.run(session, command)


async def _close(session: _Session, command: Command) -> None:
    code = command.whole("code", 0, 65535) if command.given("code") else None
    reason = _bytes(command, "reason", REASON_LIMIT)
    command.finish()
    if reason and code is None:
        raise RefusedError("A close frame with a reason needs a code.")
    await session.connection.send_close_frame(code, reason)


async def _silence(session: _Session, command: Command) -> None:
    seconds = command.number("for", 0, LONGEST) if command.given("for") else None
    command.finish()
    await session.connection.be_silent(seconds)


async def _late(session: _Session, command: Command) -> None:
    seconds = command.number("seconds", 0, LONGEST, default=1.0)
    reply = command.take("reply", {"late": seconds})
    command.finish()
    if len(session.companions) >= _LATE_LIMIT:
        raise RefusedError(f"{_LATE_LIMIT} replies are under way already, which is the most.")
    text = reply if isinstance(reply, str) and is_utf8(reply) else to_json(reply)
    payload = text.encode()
    if session.late + len(payload) > _LATE_BYTES:
        raise RefusedError(f"The replies under way may have {_LATE_BYTES} bytes together; this is too much.")
    session.late += len(payload)
    session.companions.spawn(_reply_late, session, seconds, payload)


async def _reply_late(session: _Session, seconds: float, payload: bytes) -> None:
    try:
        await asyncio.sleep(seconds)
        await session.connection.answering()
        await session.connection.send(payload, text=True)
    finally:
        session.late -= len(payload)


async def _fragment(session: _Session, command: Command) -> None:
    parts = command.whole("parts", 1, _PARTS_LIMIT, default=5)
    payload = _bytes(command, "text", _TEXT_LIMIT, "one message in many frames")
    command.finish()
    await session.connection.send_fragments(payload, parts)


async def _huge(session: _Session, command: Command) -> None:
    size = command.whole("size", 0, HUGE_LIMIT, default=MB)
    command.finish()
    await session.connection.send(b"x" * size, text=True)


async def _hostile(session: _Session, command: Command) -> None:
    command.finish()
    for payload in PAYLOADS:
        await session.connection.send(payload)


async def _reset(session: _Session, command: Command) -> None:
    command.finish()
    session.connection.reset()


async def _burst(session: _Session, command: Command) -> None:
    count = command.whole("count", 1, _BURST_COUNT_LIMIT, default=1000)
    size = command.whole("size", 1, MB, default=16)
    command.finish()
    for number in range(count):
        await session.connection.send(f"{number}".ljust(size, ".")[:size])
        if number % _BREATH == 0:  # send() yields only to a slow reader: leave the loop to others too
            await asyncio.sleep(0)


async def _ping(session: _Session, command: Command) -> None:
    payload = _bytes(command, "data", _PING_LIMIT)
    command.finish()
    await session.connection.send_ping_frame(payload)


async def _help(session: _Session, command: Command) -> None:
    command.finish()
    commands = {name: {"help": action.help, "example": action.example} for name, action in _ACTIONS.items()}
    await session.connection.send(to_json({"commands": commands}))


def _bytes(command: Command, name: str, most: int, default: str = "") -> bytes:
    """Take a text that may be absent or empty, of at most ``most`` bytes of UTF-8."""
    value = command.take(name, default)
    if not isinstance(value, str) or not is_utf8(value) or len(value.encode()) > most:
        raise RefusedError(f'"{name}" must be a text of at most {most} bytes of UTF-8.')
    return value.encode()


_ACTIONS = {
    "close": _Action(
        _close, '{"do": "close", "code": 4001, "reason": "bye"}', "closes with any code 0-65535, or with none"
    ),
    "silence": _Action(
        _silence,
        '{"do": "silence", "for": 5}',
        'answers nothing for so many seconds, pings included, then goes on; without "for": never again',
    ),
    "late": _Action(
        _late,
        '{"do": "late", "seconds": 0.5, "reply": {"id": 7}}',
        "replies late; other commands go on meanwhile",
    ),
    "fragment": _Action(
        _fragment, '{"do": "fragment", "parts": 5, "text": "hello"}', "sends one message in so many frames"
    ),
    "huge": _Action(
        _huge, '{"do": "huge", "size": 1048576}', "sends one message of so many bytes, at most 64 MiB"
    ),
    "hostile": _Action(
        _hostile, '{"do": "hostile"}', "sends payloads that try to take effect where they are shown"
    ),
    "reset": _Action(_reset, '{"do": "reset"}', "drops the TCP connection without a close frame"),
    "burst": _Action(
        _burst,
        '{"do": "burst", "count": 1000, "size": 16}',
        "sends so many numbered messages as fast as possible",
    ),
    "ping": _Action(_ping, '{"do": "ping", "data": "are you there"}', "sends a ping"),
    "help": _Action(_help, '{"do": "help"}', "lists the commands"),
}
