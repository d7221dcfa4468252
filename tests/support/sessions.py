"""Sessions of dialects without a connection, for the tests of each family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.dialects.dialect import Answer, Dialect, Happening, Item, Opening, Session, Word

MB = 2**20


def opening(
    credentials: tuple[str, str] | None = None,
    *,
    subprotocol: str | None = None,
    moved: bool = False,
    codec: Codec = AUTO,
    limit: int = MB,
) -> Opening:
    return Opening(subprotocol, credentials, moved, codec, limit)


class Talk:
    """A session, with the defaults of what is said beside the arguments of a word."""

    def __init__(self, dialect: type[Dialect], known: Opening | None = None, **settings: Any) -> None:
        self.dialect = dialect.configure("dialect", settings)
        self.session: Session = self.dialect.begin(known or opening())

    def subscribe(self, key: int, topic: str, **flags: Any) -> Sequence[Any]:
        return self.session.subscribe(key, topic, (), self.flags("subscribe", flags))

    def publish(self, key: int, topic: str, payload: Any, **flags: Any) -> Sequence[Any]:
        return self.session.publish(key, topic, payload, self.flags("publish", flags))

    def flags(self, word: Word, given: dict[str, Any]) -> Any:
        return self.dialect.check_flags(word, given)

    def receive(self, *payloads: str | bytes) -> list[Happening]:
        return [happening for payload in payloads for happening in self.session.receive(payload)]


def items(happened: Sequence[Happening]) -> list[tuple[int, Any]]:
    return [(each.key, each.value) for each in happened if isinstance(each, Item)]


def answers(happened: Sequence[Happening]) -> dict[int, Any]:
    return {each.key: each.error or each.value for each in happened if isinstance(each, Answer)}
