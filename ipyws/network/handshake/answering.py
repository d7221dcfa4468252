"""The answer to a handshake, from its first byte to an agreement or an error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake

from ipyws.network.handshake.agreement import agree
from ipyws.network.handshake.answer import Head, HeadReader, NoAnswerError
from ipyws.network.handshake.rejection import PATIENCE, Refusal


class Answering:
    """Reads the answer of a server.

    Args:
        protocol: The library's protocol, which has asked.
        strict: Refuse an answer that is odd.
        agreed: Called when there is an agreement, before whoever awaits it goes on.
    """

    __slots__ = ("_agreed", "_answer", "_head", "_loop", "_protocol", "_refusal", "_strict")

    def __init__(self, protocol: ClientProtocol, strict: bool, agreed: Callable[[], None]) -> None:
        self._protocol = protocol
        self._strict = strict
        self._agreed = agreed
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Head] = self._loop.create_future()
        self._head = HeadReader()
        self._refusal: Refusal | None = None

    async def head(self) -> Head:
        """Wait for the agreement.

        Raises:
            InvalidHandshake: Of `websockets`, or of `ipyws.network.handshake.answer`: it is none.
            ConnectionError: The connection was lost before there was one.
        """
        return await self._answer

    def read(self, data: bytes) -> bytes:
        """Read what came; return what follows the head of an agreement."""
        if self._answer.done():  # refused, or given up
            return b""
        if self._refusal is not None:
            self._read_refusal(data)
            return b""
        try:
            found = self._head.feed(data)
            if found is None:
                return b""
            head, rest = found
            if head.status == 101:
                head = agree(head, self._protocol, self._strict)
                self._agreed()
                self._answer.set_result(head)
                return rest
        except InvalidHandshake as error:
            self.refuse(error)
            return b""
        self._refusal = Refusal(head)
        self._loop.call_later(PATIENCE, self.refuse, None)
        self._read_refusal(rest)
        return b""

    def _read_refusal(self, data: bytes) -> None:
        assert self._refusal is not None
        self._refusal.feed(data)
        if self._refusal.is_whole:
            self.refuse(None)

    def refuse(self, otherwise: BaseException | None) -> None:
        """End it with the refusal that has come, or else with this."""
        error = otherwise if self._refusal is None else self._refusal.error()
        if not self._answer.done() and error is not None:
            self._answer.set_exception(error)
            self._answer.exception()  # a failed start_tls leaves nobody to retrieve it

    def cut_short(self) -> InvalidHandshake:
        """Return why there is no answer; of a refusal that ended in its head, what came is told."""
        if self._refusal is None and not self._answer.done():
            try:
                self._refusal = Refusal(self._head.end())
            except InvalidHandshake as error:
                return error
        return NoAnswerError()
