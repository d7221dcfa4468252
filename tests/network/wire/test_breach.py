"""What a server sends against the protocol is in the log as it came, and the end says what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.network.wire.frame_reader import VARIABLE
from ipyws.view.rows import row
from ipyws.widget.lines import line
from tests.network.wire.test_connection import deflated, ending, sending
from tests.support.servers import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    close_frame,
    frame,
    raw_server,
)

PRICE = b'{"price": "12\x99"}'
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
WRONG_HEADERS = {
    "an opcode that is reserved": frame(3, b"hello"),
    "a reserved bit": frame(TEXT, b"hello", rsv=2),
    "a mask": b"\x81\x85abcdhello",
    "a ping that is too long": frame(PING, b"x" * 126),
    "a ping in fragments": frame(PING, b"x", fin=False),
}
WRONG_PLACES = {
    "a continuation of nothing": frame(CONTINUATION, b"here"),
    "a text within a message": frame(TEXT, b"start", fin=False) + frame(TEXT, b"here"),
    "a close frame of one byte": frame(CLOSE, b"\x03"),
}


@pytest.fixture(params=["fast path", "library"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "library":
        monkeypatch.setenv(VARIABLE, "off")


def received(data: bytes, *headers: str, **options: Any) -> tuple[ipyws.Client, ipyws.Close]:
    """Return a connection to which a server sent a text and then ``data``, and how it ended."""
    with sending(frame(TEXT, b"before") + data, *headers) as site:
        client = ipyws.connect(site.url, close_timeout="200ms", **options)
        close = ending(client)
    assert client.recv("1s").data == "before"
    return client, close


def breach_in(client: ipyws.Client) -> ipyws.Message:
    """Return the one breach of a log: received, behind what came before and before our close."""
    assert [record.type for record in client.log] == ["text", "breach", "close"]
    breach = client.log[1]
    assert breach.direction == "in"
    return breach


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (frame(TEXT, PRICE), ()),
        (frame(TEXT, PRICE[:5], fin=False) + frame(CONTINUATION, PRICE[5:]), ()),
        (frame(TEXT, deflated(PRICE), rsv=4), (DEFLATE,)),
    ],
    ids=["whole", "in fragments", "deflated"],
)
def test_text_that_is_not_utf_8_is_kept_as_it_came(data: bytes, headers: tuple[str, ...]) -> None:
    client, close = received(data, *headers, **({"compression": 1} if headers else {}))
    breach = breach_in(client)
    assert breach.data == PRICE
    assert breach.breach == "not UTF-8: invalid start byte 0x99 at position 13"
    assert close.code == 1007
    assert isinstance(close.error, errors.InvalidError)
    assert "0x99 at position 13" in close.error.message
    assert "text_errors" in close.error.hint


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("code", [1005, 1006, 1015, 999])
def test_code_and_reason_of_a_close_frame_that_may_not_be_sent_are_told(code: int) -> None:
    client, close = received(close_frame(code, "Authorization Violation"))
    breach = breach_in(client)
    assert (breach.code, breach.reason) == (code, "Authorization Violation")
    assert breach.data == code.to_bytes(2) + b"Authorization Violation"
    assert (close.code, close.initiator) == (1002, "us")
    assert close.error is not None
    assert f"{code} 'Authorization Violation'" in close.error.message
    assert close.error.details == {"code": code, "reason": "Authorization Violation"}
    with pytest.raises(errors.ClosedError, match=f"{code} 'Authorization Violation'"):
        client.send("x")


@pytest.mark.usefixtures("_both_ways")
def test_reason_that_is_not_utf_8_is_kept_as_it_came() -> None:
    client, close = received(frame(CLOSE, b"\x0f\xa0bye\xff"))
    breach = breach_in(client)
    assert (breach.code, breach.reason, breach.data) == (4000, "bye\ufffd", b"\x0f\xa0bye\xff")
    assert close.code == 1007
    assert close.error is not None
    assert "4000" in close.error.message


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("sent", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_frame_with_a_wrong_header_is_kept_from_its_header_on(sent: bytes) -> None:
    client, close = received(sent + frame(TEXT, b"after"))
    assert breach_in(client).data == sent
    assert close.error is not None
    assert breach_in(client).breach in close.error.message


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("sent", WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_payload_of_a_frame_in_a_wrong_place_is_kept(sent: bytes) -> None:
    client, _ = received(sent)
    assert breach_in(client).data == (b"\x03" if sent[0] == 0x80 | CLOSE else b"here")


@pytest.mark.usefixtures("_both_ways")
def test_start_of_a_message_that_is_too_big_is_kept_and_no_more() -> None:
    sent = frame(BINARY, b"start" + bytes(1 << 20))
    client, close = received(sent, read_limit=1 << 20)
    kept = breach_in(client).data
    assert isinstance(kept, bytes)
    assert sent.startswith(kept)
    assert len(kept) <= 64 * 1024
    assert close.code == 1009


@pytest.mark.usefixtures("_both_ways")
def test_message_that_can_not_be_inflated_is_kept() -> None:
    client, close = received(frame(TEXT, b"not deflated", rsv=4), DEFLATE, compression=1)
    assert b"not deflated" in bytes(breach_in(client).data)  # type: ignore[arg-type]
    assert close.error is not None
    assert "compression" in close.error.hint


def test_ends_without_a_breach_have_none() -> None:
    async def end(peer: Any) -> None:
        await peer.upgrade(then=frame(TEXT, b"before") + frame(TEXT, b"cut")[:-1])

    with raw_server(end) as site:
        client = ipyws.connect(site.url)
        ending(client)
    assert [record.type for record in client.log if record.type == "breach"] == []


# -- going on --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (frame(TEXT, PRICE), ()),
        (frame(TEXT, PRICE[:5], fin=False) + frame(CONTINUATION, PRICE[5:]), ()),
        (frame(TEXT, deflated(PRICE), rsv=4), (DEFLATE,)),
    ],
    ids=["whole", "in fragments", "deflated"],
)
def test_text_errors_replace_goes_on_and_marks_the_text(data: bytes, headers: tuple[str, ...]) -> None:
    options = {"compression": 1} if headers else {}
    with (
        sending(data + frame(TEXT, "ü".encode()), *headers) as site,
        ipyws.connect(site.url, text_errors="replace", **options) as client,
    ):
        message, after = client.recv("5s"), client.recv("5s")
    assert message.type == "text"
    assert message.data == '{"price": "12\ufffd"}'
    assert message.json() == {"price": "12\ufffd"}
    assert "0x99 at position 13" in message.breach
    assert "not UTF-8" in row(message).preview
    assert (after.data, after.breach) == ("ü", "")


@pytest.mark.parametrize("value", ["ignore", "", 1, None, True])
def test_text_errors_of_another_kind_are_refused(value: Any) -> None:
    with pytest.raises(errors.InvalidError, match="text_errors"):
        ipyws.connect("ws://127.0.0.1:9", text_errors=value)


# -- what is made of it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
@pytest.mark.parametrize(
    "data",
    [frame(TEXT, PRICE), close_frame(1006, "why"), frame(3, b"x")],
    ids=["text", "close frame", "header"],
)
def test_breach_survives_a_file(data: bytes, suffix: str, tmp_path: Path) -> None:
    client, _ = received(data)
    breach = breach_in(client)
    again = ipyws.load(client.log.save(tmp_path / f"session.{suffix}"))
    assert [record.type for record in again] == ["text", "breach", "close"]
    read = list(again)[1]
    for name in ("type", "data", "direction", "code", "reason", "breach"):
        assert getattr(read, name) == getattr(breach, name)


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
def test_mark_of_a_replaced_text_survives_a_file(suffix: str, tmp_path: Path) -> None:
    with (
        sending(frame(TEXT, PRICE)) as site,
        ipyws.connect(site.url, text_errors="replace", record=tmp_path / "journal.jsonl") as client,
    ):
        message = client.recv("5s")
    saved = next(iter(ipyws.load(client.log.save(tmp_path / f"session.{suffix}"))))
    journal = next(iter(ipyws.load(tmp_path / "journal.jsonl")))
    for read in (saved, journal):
        assert (read.data, read.breach) == (message.data, message.breach)


def test_rows_say_what_came_and_what_is_wrong_with_it() -> None:
    client, _ = received(close_frame(1006, "\x1b[31m<b>Authorization Violation"))
    breach = breach_in(client)
    in_cell, in_panel = row(breach), line(0, "c", breach, None)
    for shown in (in_cell.preview, in_panel["preview"], repr(breach)):
        assert "no close frame may carry the code 1006" in shown
        assert "\x1b" not in shown
    assert "Authorization Violation" in in_cell.preview
    assert "bad" in in_cell.css
    assert in_panel["kind"] == "breach"
    assert client.log.filter(types=["breach"]) == [breach]


def test_secret_in_a_breach_is_masked() -> None:
    token = ipyws.secret("CANARY-6f1e-in-a-close-reason")
    client, close = received(close_frame(1006, f"bad token {token[:]}"))
    shown = [repr(breach_in(client)), row(breach_in(client)).preview, str(close.error), repr(client)]
    assert not [text for text in shown if "CANARY" in text]
