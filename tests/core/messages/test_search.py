from __future__ import annotations

from typing import Any

import pytest

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Message
from ipyws.core.messages.regex import compile_regex
from ipyws.core.messages.search import searching


class Packets(Codec):
    """Packets whose value stands in them backwards."""

    name = "packets"

    def decode(self, payload: Data) -> Any:
        return str(payload)[::-1]

    def encode(self, value: Any) -> Data:
        raise NotImplementedError

    def read(self, payload: Data) -> Decoded:
        return Decoded(self.decode(payload), self.name, label="event news")


def found(pattern: str, data: Data, codec: Codec = AUTO) -> bool:
    kind: Any = "text" if isinstance(data, str) else "binary"
    return searching(compile_regex(pattern))(Message(kind, data, "in", 0, 0.0, codec=codec))


@pytest.mark.parametrize(
    ("pattern", "data", "codec", "holds"),
    [
        ("btc", '{"symbol": "BTC"}', AUTO, True),
        ("eth", '{"symbol": "BTC"}', AUTO, False),
        ('"id": 70000', MSGPACK.encode({"id": 70000}), MSGPACK, True),
        ("7000[1-9]", MSGPACK.encode({"id": 70000}), MSGPACK, False),
        ("\\xff", b"\xc1\xff", MSGPACK, True),
        ("cba", "abc", Packets(), True),
        ("abc", "abc", Packets(), True),
        ("^event news$", "abc", Packets(), True),
    ],
)
def test_payload_value_and_name_are_searched(pattern: str, data: Data, codec: Codec, holds: bool) -> None:
    assert found(pattern, data, codec) is holds
