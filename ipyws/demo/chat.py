"""The chat server: rooms, and everyone in a room hears everyone, themselves included."""

from __future__ import annotations

import asyncio
import reprlib
from collections import defaultdict

from websockets.asyncio.server import ServerConnection

from ipyws.core.constants import CloseCode
from ipyws.demo.commands import Command, RefusedError, to_json
from ipyws.demo.server import CLOSE_TIMEOUT, Handler
from ipyws.demo.task_group import Companions

NAME_LIMIT = 64
"""Characters in the name of a room or a member."""

TEXT_LIMIT = 16 * 1024
"""Characters in one message."""

ROOM_LIMIT = 100
"""Rooms that one client can be in."""

BACKLOG_LIMIT = 1024
"""Messages that may wait for one client; one that falls behind further is closed with 1008."""


def handler() -> Handler:
    """Return what serves one chat connection; all connections it serves share their rooms."""
    return _Chat().serve


class _Member:
    """One client, with the messages that wait for it."""

    def __init__(self, connection: ServerConnection) -> None:
        self.names: dict[str, str] = {}
        self._connection = connection
        self._backlog: asyncio.Queue[str] = asyncio.Queue(BACKLOG_LIMIT)
        self._dropped = False

    def tell(self, text: str) -> None:
        if self._dropped:
            return
        try:
            self._backlog.put_nowait(text)
        except asyncio.QueueFull:
            self._drop()

    async def write(self) -> None:
        while True:
            await self._connection.send(await self._backlog.get())

    def _drop(self) -> None:
        # Awaiting close() would wait for a client that reads nothing; the timer does not.
        self._dropped = True
        self._connection.protocol.fail(CloseCode.POLICY_VIOLATION, "too slow to follow the chat")
        self._connection.send_data()
        self._connection.loop.call_later(CLOSE_TIMEOUT, self._connection.transport.abort)


class _Chat:
    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[_Member]] = defaultdict(set)
        self._actions = {"join": self._join, "leave": self._leave, "message": self._message}

    async def serve(self, connection: ServerConnection) -> None:
        member = _Member(connection)
        async with Companions() as companions:
            companions.spawn(member.write)
            try:
                async for message in connection:
                    self._obey(member, message)
                    # A burst of messages that were read at once must not outrun the writers.
                    await asyncio.sleep(0)
            finally:
                for room in tuple(member.names):
                    self._remove(member, room)

    def _obey(self, member: _Member, message: str | bytes) -> None:
        try:
            command = Command(message)
            action = self._actions.get(command.text("type", NAME_LIMIT))
            if action is None:
                raise RefusedError(f'"type" must be one of {", ".join(self._actions)}.')
            action(member, command)
        except RefusedError as refusal:
            member.tell(to_json({"type": "error", "message": str(refusal)}))

    def _join(self, member: _Member, command: Command) -> None:
        room, name = command.text("room", NAME_LIMIT), command.text("name", NAME_LIMIT)
        command.finish()
        if room in member.names:
            raise RefusedError(f"You are in room {reprlib.repr(room)} already.")
        if len(member.names) >= ROOM_LIMIT:
            raise RefusedError(f"You are in {ROOM_LIMIT} rooms, which is the most.")
        if any(other.names[room] == name for other in self._rooms.get(room, ())):
            raise RefusedError(f"The name {reprlib.repr(name)} is taken in room {reprlib.repr(room)}.")
        member.names[room] = name
        self._rooms[room].add(member)
        self._tell_room(room, to_json({"type": "joined", "room": room, "name": name}))

    def _leave(self, member: _Member, command: Command) -> None:
        room = self._own_room(member, command)
        command.finish()
        member.tell(self._remove(member, room))

    def _message(self, member: _Member, command: Command) -> None:
        room, text = self._own_room(member, command), command.text("text", TEXT_LIMIT)
        command.finish()
        said = {"type": "message", "room": room, "text": text, "from": member.names[room]}
        self._tell_room(room, to_json(said))

    def _own_room(self, member: _Member, command: Command) -> str:
        room = command.text("room", NAME_LIMIT)
        if room not in member.names:
            raise RefusedError(f"You are not in room {reprlib.repr(room)}; join it first.")
        return room

    def _remove(self, member: _Member, room: str) -> str:
        notice = to_json({"type": "left", "room": room, "name": member.names.pop(room)})
        self._rooms[room].discard(member)
        self._tell_room(room, notice)
        if not self._rooms[room]:
            del self._rooms[room]
        return notice

    def _tell_room(self, room: str, notice: str) -> None:
        for member in self._rooms[room]:
            member.tell(notice)
