"""Sending: checked by whoever sends, gathered in the outbox, written together by the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Self

from ipyws.core.connection.lifecycle import Lifecycle
from ipyws.core.connection.outbox import FULL
from ipyws.core.lock import LOCK
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Ready, Sendable, TypeChoice, chunks, encode
from ipyws.core.options.durations import format_duration
from ipyws.errors import CanceledError, ClosedError, InvalidError, PermissionDeniedError, WaitTimeoutError
from ipyws.text.references import has_any, note_sent


class Sending(Lifecycle):
    """A connection that can be sent on."""

    async def open(self) -> Self:
        """Dial, and send what is to be sent on each open; called once, by `ipyws.connect_async`."""
        await super().open()
        try:
            await self.greet()
        except (ClosedError, CanceledError):
            pass  # lost already; the state says so
        except BaseException:
            self.abort()
            raise
        return self

    async def greet(self) -> None:
        """Send what is to be sent on each open; nothing to another origin than the one that was asked."""
        for payload in self._options.reconnect.on_open if self._options.reconnect and not self.moved else ():
            await self.send(payload)

    async def send(self, data: Sendable, type: TypeChoice | None = None) -> Message:
        """Send a message; wait for room where the server reads slowly.

        Args:
            data: str is sent as text, bytes as binary, dict and list as the connection's codec
                writes them: as JSON text unless one is named.
            type: TEXT or BINARY, to override that.

        Returns:
            The message as logged.

        Raises:
            InvalidError: ``data`` or ``type`` can't be sent; nothing was.
            PermissionDeniedError: It is larger than the policy allows; nothing was sent.
            WaitTimeoutError: The server did not read within ``write_timeout``; nothing was sent.
            ClosedError: The connection is closed.
            CanceledError: It was closed by us while this waited.
        """
        ready = self.prepare(data, type)
        if not self.has_room:
            await self._wait_for_room()
        return self.put(ready)

    async def send_all(self, payloads: Iterable[Sendable]) -> int:
        """Send messages in one go, each as `send` would: some ten times as fast as one by one.

        Args:
            payloads: As for `send`. All are checked before the first is sent.

        Returns:
            How many they are.

        Raises:
            InvalidError: One of them can't be sent; none was, and the message says which.
            WebSocketError: As for `send`; what was sent until then is in the log.
        """
        ready = self.prepare_all(payloads)
        for chunk in chunks(ready):
            if not self.has_room:
                await self._wait_for_room()
            self.put_all(chunk)
        return len(ready)

    def prepare(self, data: Sendable, type: TypeChoice | None = None) -> Ready:
        """Return a message ready to be put; for `send` in both of its faces, on any thread.

        Raises:
            WebSocketError: It can't be sent.
        """
        logged, payload = encode(data, type, self.codec)
        self.check_open()
        self._check_size(len(payload))
        if has_any():
            note_sent(payload, self.origin)
        return logged, payload

    def prepare_all(self, payloads: Iterable[Sendable]) -> list[Ready]:
        """Return messages ready to be put; as `prepare`.

        Raises:
            WebSocketError: One can't be sent; says which.
        """
        self.check_open()
        limited, noting = self._transport.max_message is not None, has_any()
        ready: list[Ready] = []
        try:
            for payload in payloads:
                made = encode(payload, codec=self.codec)
                if limited:
                    self._check_size(len(made[1]))
                if noting:
                    note_sent(made[1], self.origin)
                ready.append(made)
        except (InvalidError, PermissionDeniedError) as error:
            raise error.within(f"payload {len(ready) + 1}") from None
        return ready

    @property
    def has_room(self) -> bool:
        """Whether `put` may be called: the server keeps up with what was sent."""
        return self.outbox.size < FULL and self._transport.writable

    def put(self, ready: Ready) -> Message:
        """Have a message written soon, and log it; on any thread."""
        logged, payload = ready
        with LOCK:
            self.outbox.put(((payload, isinstance(logged, str)),), len(payload))
            return self.log.append("out", [logged], len(payload)).message(0)

    def put_all(self, ready: Sequence[Ready]) -> None:
        """Have messages written soon, and log them; as `put`."""
        size = sum(len(payload) for _, payload in ready)
        with LOCK:
            self.outbox.put([(payload, isinstance(logged, str)) for logged, payload in ready], size)
            self.log.append("out", [logged for logged, _ in ready], size)

    def _check_size(self, size: int) -> None:
        limit = self._transport.max_message
        if limit is not None and size > limit:
            raise self._transport.refuse_message(size)

    async def _wait_for_room(self) -> None:
        self.outbox.flush()
        try:
            async with asyncio.timeout(self._options.write_timeout):
                while not self._transport.writable:
                    await self._transport.wait_writable()
                    self.check_open(waited=True)
        except TimeoutError:
            waited = format_duration(self._options.write_timeout or 0)
            raise WaitTimeoutError(
                f"the server does not read what we send: {waited} passed",
                hint="nothing was sent; write_timeout= sets the limit",
            ) from None
