"""A rule that answers what comes."""

from __future__ import annotations

from functools import partial

from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.matcher import Judge, Wanted, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.rules.openness import Openness
from ipyws.core.rules.rule import Ground, Rule, RulePayload
from ipyws.runtime.aside import aside
from ipyws.runtime.waiting import wait_async

_TOGETHER = 64


class Reply(Rule):
    """Answers each received message that is wanted, in the order in which they come.

    It has a place of its own in the log, so nobody else misses what it reads, and what we send ourselves is
    never answered. Where it can't follow, the log evicts; that counts as skipped.

    Args:
        wanted: Which messages, as for ``expect``; None for all.
        payload: What is sent, or a function of the message.
    """

    def __init__(
        self, ground: Ground, openness: Openness, number: int, wanted: Wanted, payload: RulePayload
    ) -> None:
        super().__init__(ground, openness, number, "reply", payload)
        self._judge = make_judge(wanted, "wanted")
        if self._judge is not None:
            self.words = f"reply to {self._judge.words}"
        self._cursor = Cursor(ground.log, from_now=True)

    async def _live(self) -> None:
        while True:
            signal = self._cursor.arrival()
            try:
                await wait_async(signal)
            finally:
                self._cursor.forget(signal)
            taken = self._take()
            self.skipped += self._cursor.missed
            self._cursor.missed = 0
            for message in await self._wanted(taken):
                if await self._send(*((message,) if callable(self._payload) else ())):
                    self._ground.log.mark(message.seq, self.mark)

    def _take(self) -> list[Message]:
        """Return the next messages, not too many for one turn of the loop."""
        taken: list[Message] = []
        size = 0
        while len(taken) < _TOGETHER and size < LARGE and (message := self._cursor.take()) is not None:
            taken.append(message)
            size += len(message.data)
        return taken

    async def _wanted(self, messages: list[Message]) -> list[Message]:
        """Return those that are wanted; judge them beside the loop unless that is known to take no time."""
        judge = self._judge
        if judge is None:
            return messages
        texts = all(isinstance(message.data, str) for message in messages)
        if judge.reads and texts and sum(len(message.data) for message in messages) < LARGE:
            return _judged(judge, messages)
        return await aside(partial(_judged, judge, messages))

    def _release(self) -> None:
        self._cursor.close()


def _judged(judge: Judge, messages: list[Message]) -> list[Message]:
    return [message for message in messages if judge(message)]
