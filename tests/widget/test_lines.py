"""What the front end is sent of a payload: what it means, how it came, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data, Decoded, Detail
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Message
from ipyws.text import masking
from ipyws.widget import lines


class Packets(Codec):
    """Packets as those of a dialect: a name, then JSON."""

    name = "packets"

    def decode(self, payload: Data) -> Any:
        return self.read(payload).value

    def encode(self, value: Any) -> Data:
        raise NotImplementedError

    def read(self, payload: Data) -> Decoded:
        name, _, value = str(payload).partition(" ")
        return Decoded(json.loads(value) if value else None, self.name, label=name)


def message(data: Data, codec: Codec = AUTO) -> Message:
    kind: Any = "text" if isinstance(data, str) else "binary"
    return Message(kind, data, "in", 0, 1e9, codec=codec)


def leaves(content: Any) -> list[tuple[str, str]]:
    return [(leaf["key"], leaf["text"]) for leaf in content["shown"]["tree"]["items"]]


def test_a_value_is_a_tree_and_its_bytes_are_there_too() -> None:
    packed = MSGPACK.encode({"id": 1})
    content = lines.payload(message(packed, MSGPACK))
    assert leaves(content) == [('"id"', "1")]
    assert content["raw"] is not None
    assert content["raw"]["dump"] == [("000000", packed.hex(" "), "..id.")]
    assert content["edit"] == "auto"  # as JSON it is sent in the connection's format


def test_a_value_that_is_no_json_is_a_tree_all_the_same() -> None:
    content = lines.payload(message(MSGPACK.encode({"raw": b"\xff"}), MSGPACK))
    assert leaves(content) == [('"raw"', "h'ff'")]
    assert content["edit"] == "hex"


def test_a_packet_is_shown_by_its_name_and_goes_back_as_it_came() -> None:
    packet = message('news {"t": 21}', Packets())
    row = lines.line(1, "n", packet, None)
    assert (row["label"], row["preview"], row["more"]) == ("news", '{"t": 21}', True)
    content = lines.payload(packet)
    assert leaves(content) == [('"t"', "21")]
    assert content["raw"] is not None
    assert (content["raw"]["text"], content["edit"]) == ('news {"t": 21}', "text")
    bare = lines.payload(message("PUBACK", Packets()))
    assert (bare["shown"]["text"], bare["raw"]) == ("PUBACK", None)


def test_why_a_payload_can_not_be_read_is_noted() -> None:
    content = lines.payload(message(b"\xc1", MSGPACK))
    assert content["note"].startswith("not msgpack: ")
    assert content["shown"]["dump"] == [("000000", "c1", ".")]


def test_text_in_a_binary_message_is_text_and_its_bytes_are_there_too() -> None:
    content = lines.payload(message(b"plain words"))
    assert content["shown"]["text"] == "plain words"
    assert content["raw"] is not None
    assert content["raw"]["dump"]


def test_what_is_large_once_it_is_unpacked_is_not_read_here() -> None:
    class Bomb(Packets):
        def is_larger(self, payload: Data, size: int) -> bool:
            return True

        def read(self, payload: Data) -> Decoded:
            raise AssertionError("it was read")

    content = lines.payload(message(b"\x1f\x8b", Bomb()))
    assert content["note"] == "more than 256.0 kB to read: the message's value has it"
    assert content["shown"]["dump"]


def test_a_detail_that_is_no_tree_is_text() -> None:
    class Xml(Packets):
        def detail(self, value: Any, limit: int = 0) -> Detail:
            return Detail("text", "<a>\n  <b/>\n</a>", "xml")

    content = lines.payload(message('x {"a": 1}', Xml()))
    assert (content["shown"]["text"], content["shown"]["tree"]) == ("<a>\n  <b/>\n</a>", None)


def test_secrets_show_in_no_tree() -> None:
    token = "tok-of-the-tree-0123456789"
    masking.remember(token)
    packed = MSGPACK.encode({token: [token, token.encode()]})
    for data, codec in ((packed, MSGPACK), (json.dumps([token]), AUTO), (f'{token} ["{token}"]', Packets())):
        said = json.dumps(lines.payload(message(data, codec)))
        assert token not in said
        assert token.encode().hex(" ") not in said
