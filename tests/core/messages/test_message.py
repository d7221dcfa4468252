from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Control, Message, payload_size
from ipyws.errors import InvalidError
from ipyws.text.masking import secret


def message(data: str | bytes = "hi", *, type: str = "text", control: Control | None = None) -> Message:
    return Message(type, data, "in", 7, 1_700_000_000.25, control)  # type: ignore[arg-type]


def test_a_message_tells_what_passed() -> None:
    m = message("hé")
    assert (m.type, m.data, m.direction, m.seq, m.time, m.size) == (
        "text",
        "hé",
        "in",
        7,
        1_700_000_000.25,
        3,
    )
    assert (m.rtt, m.code, m.reason) == (None, None, "")


def test_control_records_carry_their_extras() -> None:
    pong = message(b"x", type="pong", control=Control(b"x", rtt=0.5))
    close = message(b"", type="close", control=Control(b"", code=1001, reason="bye"))
    assert pong.rtt == 0.5
    assert (close.code, close.reason) == (1001, "bye")


@pytest.mark.parametrize("name", ["type", "data", "direction", "seq", "time", "size", "code", "extra"])
def test_a_message_is_immutable(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(message(), name, "changed")


def test_a_message_is_small() -> None:
    assert not hasattr(message(), "__dict__")
    assert sys.getsizeof(message()) <= 96


def test_messages_are_equal_when_everything_is() -> None:
    assert message() == message()
    assert hash(message()) == hash(message())
    assert message("a") != message("b")
    assert message() != "hi"


@pytest.mark.parametrize(
    ("data", "value"),
    [('{"a": [1, null]}', {"a": [1, None]}), (b'"\xc3\xa9"', "é"), ("1.5", 1.5), (b"\xff\xfe1\x00", 1)],
)
def test_json_parses_text_and_bytes(data: str | bytes, value: object) -> None:
    assert message(data).json() == value


def test_json_passes_options_on() -> None:
    assert message('{"a": 1}').json(object_pairs_hook=list) == [("a", 1)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "line 1 column 1"),
        ('{"a":\n  oops}', "line 2 column 3"),
        (b"\x80\x81abc", "it is not text"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "4300"),
    ],
)
def test_json_says_where_a_payload_stops_to_be_json(data: str | bytes, why: str) -> None:
    with pytest.raises(InvalidError, match="message 7 is not JSON") as caught:
        message(data).json()
    assert why in caught.value.message
    assert caught.value.__cause__ is None


def test_json_errors_of_any_kind_are_put_in_words() -> None:
    assert describe_json_error(ValueError("so")) == "so"


@pytest.mark.parametrize(
    ("data", "size"), [("", 0), ("abc", 3), ("é", 2), ("€😀", 7), ("\ud800", 3), (b"\x00\xff", 2)]
)
def test_size_is_in_bytes_on_the_wire(data: str | bytes, size: int) -> None:
    assert payload_size(data) == size
    assert message(data).size == size


def test_repr_previews_at_most_sixty_characters() -> None:
    assert "x" * 60 + "'…" in repr(message("x" * 61))
    assert "x" * 60 + "'>" in repr(message("x" * 60))
    assert "x" * 61 not in repr(message("x" * 61))


def test_repr_of_a_close_record_has_code_and_reason() -> None:
    assert "1001 'bye'" in repr(message(b"", type="close", control=Control(b"", code=1001, reason="bye")))


def test_repr_escapes_what_would_act_on_a_terminal() -> None:
    assert "\x1b" not in repr(message("\x1b[2J"))


@pytest.mark.parametrize("before", range(40, 64, 4))
@pytest.mark.parametrize("kind", ["text", "binary", "close"])
def test_repr_shows_no_part_of_a_secret_wherever_the_preview_ends(kind: str, before: int) -> None:
    text = "-" * before + secret("open-sesame-forty-two") + "!"
    data: str | bytes = text if kind == "text" else text.encode()
    control = Control(b"", code=1000, reason=text) if kind == "close" else None
    assert "open" not in repr(message(data, type=kind, control=control))


class Packets(Codec):
    """Packets as those of a dialect: a name, then what it carries."""

    name = "packets"

    def decode(self, payload: str | bytes) -> object:
        return self.read(payload).value

    def encode(self, value: object) -> str:
        raise NotImplementedError

    def read(self, payload: str | bytes) -> Decoded:
        assert isinstance(payload, str)
        name, _, value = payload.partition(" ")
        return Decoded(json.loads(value) if value else None, self.name, label=name)


def read_by(codec: Codec, data: str | bytes) -> str:
    kind = "text" if isinstance(data, str) else "binary"
    return repr(Message(kind, data, "in", 7, 1_700_000_000.25, codec=codec))  # type: ignore[arg-type]


def test_repr_shows_the_value_of_a_binary_format_and_the_name_of_a_packet() -> None:
    assert read_by(MSGPACK, MSGPACK.encode({"id": 1})).endswith('5 B msgpack {"id": 1}>')
    assert read_by(Packets(), 'PUBLISH {"t": 21}').endswith('17 B PUBLISH {"t": 21}>')
    assert read_by(Packets(), "PUBACK").endswith("6 B PUBACK>")


def test_repr_shows_a_payload_that_is_no_value_of_its_codec_as_it_came() -> None:
    assert read_by(MSGPACK, b"\xc1\x00").endswith("2 B b'\\xc1\\x00'>")
    assert read_by(Packets(), "PUBLISH {").endswith("9 B 'PUBLISH {'>")


def test_repr_of_a_value_is_cut_masked_and_shows_no_controls() -> None:
    assert len(read_by(MSGPACK, MSGPACK.encode(["x" * 1000]))) < 130
    secret("tok-of-a-packet")
    assert "tok-of-a-packet" not in read_by(Packets(), 'tok-of-a-packet {"a": "tok-of-a-packet"}')
    assert "\x1b" not in read_by(Packets(), "\x1b[2J")


def test_repr_reads_no_payload_that_is_large() -> None:
    class Counting(Packets):
        def read(self, payload: str | bytes) -> Decoded:
            raise AssertionError("it is too large to be read for a repr")

    assert read_by(Counting(), "x" * 100_000).endswith("x'…>")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("close", "#12 is a close frame"),
        ("pong", "#12 is a pong frame"),
        ("open", "#12 is the note of a reconnect"),
        ("breach", "#12 is what broke the protocol"),
    ],
)
def test_what_is_no_message_says_so_where_its_json_is_asked_for(kind: Any, said: str) -> None:
    record = Message(kind, b"{}", "in", 12, 1e9, Control(b"{}", code=1000))
    with pytest.raises(InvalidError) as caught:
        record.json()
    assert caught.value.message == said
    assert caught.value.hint == 'take m.type == "text"'
