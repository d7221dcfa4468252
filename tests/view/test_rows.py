from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.codecs.registry import find_codec
from ipyws.core.connection.closing import Close
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Control, Message
from ipyws.errors import WaitTimeoutError
from ipyws.text import masking
from ipyws.view import rows
from ipyws.view.card import Card, facts
from ipyws.view.pretty import hexdump, indented_json, reads_as_json
from ipyws.view.rows import row

NOW = datetime(2026, 1, 31, 13, 35, 12, 130_000).timestamp()
TOKEN = "tok-0123456789-abcdef"


def text(data: str, direction: Any = "in") -> Message:
    return Message("text", data, direction, 0, NOW)


def binary(data: bytes) -> Message:
    return Message("binary", data, "in", 0, NOW)


def control(kind: MessageType, direction: Any = "in", data: bytes = b"", **more: Any) -> Message:
    return Message(kind, data, direction, 0, NOW, Control(data, **more))


@pytest.fixture
def token() -> Iterator[str]:
    known = masking._known
    masking.remember(TOKEN)
    yield TOKEN
    masking._known = known


def test_a_row_has_time_delta_arrow_kind_and_size() -> None:
    shown = row(text("hello", "out"), NOW - 0.25)
    assert (shown.time, shown.delta, shown.arrow, shown.kind, shown.size, shown.preview, shown.detail) == (
        "13:35:12.130", "+250 ms", "↑", "text", "5 B", "hello", "",
    )  # fmt: skip


def test_the_first_row_has_no_delta() -> None:
    assert row(text("hello")).delta == ""


@pytest.mark.parametrize(("delta", "slow"), [(0.9, False), (1.1, True)])
def test_a_delta_over_a_second_is_marked(delta: float, slow: bool) -> None:
    assert ("slow" in row(text("x"), NOW - delta).css.split()) is slow


@pytest.mark.parametrize(
    ("message", "preview"),
    [
        (control("ping"), "ping"),
        (control("ping", data=b"hello"), "ping  hello"),
        (control("ping", data=b"\x00\xff"), "ping  00 ff"),
        (control("pong", rtt=0.0118), "pong  11.8 ms"),
        (
            control("close", code=1008, reason="rate limit"),
            "1008 “rate limit” (policy violation), sent by the server",
        ),
        (control("close", "out", code=1000), "1000 normal closure, sent by us"),
        (control("close", code=1006), "1006 connection lost, no close frame"),
        (
            control("close", code=1000, reason="\x1b[2J"),
            r"1000 “\x1b[2J” (normal closure), sent by the server",
        ),
        (binary(b""), ""),
        (binary(b"\x89PNG\r\n"), "89 50 4e 47 0d 0a  .PNG.."),
        (text(""), ""),
        (text("a\nb"), r"a\nb"),
        (text('{\n  "a": 1\n}'), '{ "a": 1 }'),
    ],
)
def test_previews(message: Message, preview: str) -> None:
    assert row(message).preview == preview


@pytest.mark.parametrize(
    ("code", "bad"), [(1000, False), (1001, False), (1005, True), (1011, True), (4000, True)]
)
def test_only_an_ordinary_close_looks_ordinary(code: int, bad: bool) -> None:
    assert ("bad" in row(control("close", code=code)).css.split()) is bad


def test_a_long_preview_is_cut_and_says_so() -> None:
    shown = row(text("x" * 161))
    assert len(shown.preview) == rows.PREVIEW
    assert shown.preview.endswith("x…")
    assert row(text("x" * 160)).preview == "x" * 160


def test_json_that_does_not_fit_its_line_can_be_expanded() -> None:
    data = json.dumps({"book": {"bids": [[1, 2], [3, 4]]}, "more": "x" * 60})
    detail = row(text(data)).detail
    assert detail.startswith('{\n  "book": {\n    "bids": [\n      [1, 2],\n      [3, 4]\n    ]\n  },\n')
    assert json.loads(detail) == json.loads(data)


def test_short_json_has_nothing_to_expand() -> None:
    assert row(text('{"a":1}')).detail == ""


def test_a_text_of_several_lines_is_expanded_line_by_line() -> None:
    assert row(text("one\ntwo\x1b")).detail == "one\ntwo\\x1b"


def test_a_cut_detail_tells_the_whole_size() -> None:
    assert row(text("x" * 5000)).detail.endswith("… cut here, the message has 4.9 kB")


@pytest.mark.parametrize(
    "data",
    [
        '{"a":1.10,"a":1E5,"b":"\\u00e9\\"[x]","c":[],"d":{},"e":[1,[2]]}',
        "[123456789012345678901234567890, -0.0, null]",
        '["{", ",", ":"]',
    ],
)
def test_indenting_json_changes_white_space_only(data: str) -> None:
    pretty = indented_json(data, 10_000)
    assert "".join(pretty.split()) == "".join(data.split())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_indented_json_means_the_same(value: object) -> None:
    assert json.loads(indented_json(json.dumps(value), 100_000)) == value


@pytest.mark.parametrize("data", ["{", "[1,]", "{'a':1}", "[" * 10_000, '["\x07"]', "nope", "1"])
def test_what_is_not_json_is_not_indented(data: str) -> None:
    assert not reads_as_json(data)
    assert row(text(data)).css == "in text"


@pytest.mark.parametrize(
    ("data", "whole"), [("[" + "1" * 5000 + "]", True), ('\n {"a": "\\u0007"}', True), ('{"a": "cut', False)]
)
def test_json_of_any_number_of_digits_and_its_beginning_read_as_json(data: str, whole: bool) -> None:
    assert reads_as_json(data, whole)


def test_indenting_stops_soon_after_its_limit() -> None:
    assert len(indented_json("[" * 500 + "]" * 500, 1000)) < 3000


def test_a_hexdump_has_offset_bytes_and_ascii() -> None:
    assert hexdump(bytes(range(60, 80)), 20).splitlines() == [
        "000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK",
        "000010  4c 4d 4e 4f                                       LMNO",
    ]


def test_a_hexdump_ends_after_512_bytes_and_counts_the_rest() -> None:
    lines = row(binary(bytes(2000))).detail.splitlines()
    assert len(lines) == 33
    assert lines[-1] == "… 1,488 more"


def test_short_binary_has_nothing_to_expand() -> None:
    assert row(binary(bytes(16))).detail == ""


@pytest.mark.parametrize("count", [1, 8213])
def test_a_gap_stands_for_what_it_leaves_out(count: int) -> None:
    shown = rows.gap(count)
    assert shown.stands_for == count
    assert shown.preview.startswith(f"{count:,} message")


@pytest.mark.parametrize("start", [0, 100, 155, 1990])
def test_a_secret_shows_in_no_part_of_a_row_wherever_it_is_cut(token: str, start: int) -> None:
    shown = row(text("x" * start + token + "y" * 3000))
    assert token[:4] not in shown.preview + shown.detail


def test_a_secret_shows_in_no_hexdump(token: str) -> None:
    shown = row(binary(b"\xff\x00" + token.encode() + bytes(40)))
    assert token[:4].encode().hex(" ") not in shown.preview + shown.detail
    assert token[:4] not in shown.preview + shown.detail


def test_a_secret_shows_in_no_control_row_and_no_card(token: str) -> None:
    error = WaitTimeoutError(f"read {token}")
    card = Card("n", "wss://h/", "closed", note=token, opened=token, close=Close(1008, token, "peer", error))
    close = row(control("close", code=1008, reason=token))
    ping = row(control("ping", data=token.encode()))
    assert token not in close.preview + ping.preview + "".join(facts(card))


def test_the_work_for_a_row_does_not_grow_with_the_payload() -> None:
    huge = [text("[" + "1," * 25_000_000), binary(bytes(50_000_000))]
    start = time.thread_time()
    for message in huge:
        row(message)
    assert time.thread_time() - start < 0.5


# -- by their codec ----------------------------------------------------------------------------------


def test_text_and_json_in_binary_messages_are_shown_as_such() -> None:
    plain = row(binary(b"hello there"))
    assert (plain.tag, plain.preview) == ("text", "hello there")
    shown = row(binary(b'{"a": 1, "long": "' + b"x" * 60 + b'"}'))
    assert shown.tag == "json"
    assert shown.preview.startswith('{"a": 1, ')
    assert shown.detail.splitlines()[1] == '  "a": 1,'
    assert "json" in shown.css.split()


def test_a_value_of_msgpack_is_shown_with_its_tag() -> None:
    codec = find_codec("codec", "msgpack")
    payload = codec.encode({"id": 1, "raw": b"\x00\xff"})
    assert isinstance(payload, bytes)
    shown = row(Message("binary", payload, "in", 0, NOW, codec=codec))
    assert shown.tag == "msgpack"
    assert shown.preview == '{"id": 1, "raw": h\'00 ff\'}'
    assert shown.detail == '{\n  "id": 1,\n  "raw": h\'00 ff\'\n}'


def test_what_a_codec_can_not_read_is_said_and_shown_as_it_is() -> None:
    shown = row(Message("binary", b"\xc1\x00", "in", 0, NOW, codec=find_codec("codec", "msgpack")))
    assert shown.preview.startswith("not msgpack: ")
    assert shown.preview.endswith("c1 00  ..")
    assert "bad" in shown.css.split()


def test_a_codec_that_fails_to_show_fails_no_row() -> None:
    class Unshown(Codec):
        name = "unshown"

        def decode(self, payload: Data) -> Any:
            return 1

        def encode(self, value: Any) -> Data:
            return b""

        def preview(self, value: Any, limit: int = 300) -> str:
            raise KeyError("x")

    shown = row(Message("binary", b"\x01", "in", 0, NOW, codec=Unshown()))
    assert shown.preview == "unshown can't show it: KeyError: 01  ."


def test_secrets_in_values_are_masked() -> None:
    token = "tok-0123456789abcdef"
    masking.remember(token)
    codec = find_codec("codec", "msgpack")
    payload = codec.encode({"token": token, "raw": token.encode()})
    shown = row(Message("binary", cast(bytes, payload), "in", 0, NOW, codec=codec))
    assert token not in shown.preview + shown.detail
    assert token.encode().hex(" ") not in shown.preview + shown.detail


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


def test_a_packet_is_shown_by_its_name_and_its_value() -> None:
    shown = row(Message("text", 'news {"t": 21}', "in", 0, NOW, codec=Packets()))
    assert (shown.label, shown.preview, shown.tag) == ("news", '{"t": 21}', "")
    assert (shown.detail, shown.raw) == ('{\n  "t": 21\n}', 'news {"t": 21}')
    bare = row(Message("text", "PUBACK", "in", 0, NOW, codec=Packets()))
    assert (bare.label, bare.preview, bare.line) == ("PUBACK", "", "PUBACK")


def test_a_row_says_what_had_a_message_sent() -> None:
    assert row(Message("text", "ping", "out", 0, NOW, mark="every 20s")).line == "every 20s  ping"
    marked = Message("text", "ping", "out", 0, NOW, codec=Packets(), mark="reply")
    assert row(marked).label == "reply · ping"


def test_raw_rows_show_payloads_as_they_came() -> None:
    packed = MSGPACK.encode({"id": 1})
    shown = row(Message("binary", packed, "in", 0, NOW, codec=MSGPACK), raw=True)
    assert (shown.tag, shown.preview) == ("", "81 a2 69 64 01  ..id.")
    shown = row(Message("text", "PUBACK", "in", 0, NOW, codec=Packets()), raw=True)
    assert (shown.label, shown.preview) == ("", "PUBACK")


def test_what_is_large_once_it_is_unpacked_is_not_read_in_passing() -> None:
    class Bomb(Packets):
        name = "gzip+json"

        def is_larger(self, payload: Data, size: int) -> bool:
            return True

        def read(self, payload: Data) -> Decoded:
            raise AssertionError("it is read in passing")

    shown = row(Message("binary", b"\x1f\x8b", "in", 0, NOW, codec=Bomb()))
    assert (shown.tag, shown.preview) == ("gzip+json", "more than 16.0 kB to read: value has it")
