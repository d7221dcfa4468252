"""Faults of the peer and of the network: how each is told, that all which came is counted, nothing is kept.

Every test here also checks that threads, sockets and tasks are released, and that the log adds up.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.registry import REGISTRY
from tests.support.holdings import assert_adds_up, assert_released, holdings
from tests.support.servers import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PATIENCE,
    TEXT,
    Raw,
    close_frame,
    frame,
    raw_server,
)

MESSAGES = 100
CAME = b"".join(frame(BINARY, b"%d" % number) for number in range(MESSAGES))
EXPECTED = [b"%d" % number for number in range(MESSAGES)]


@pytest.fixture(autouse=True)
def _released() -> Iterator[None]:
    REGISTRY.shut_down()
    before = holdings()
    yield
    for client in ipyws.connections().values():
        assert client.state == "closed", client
        assert_adds_up(client)
    assert_released(before)
    REGISTRY.shut_down()


def ending(client: ipyws.Client) -> ipyws.Close:
    """Receive all that came before the end; return how it ended."""
    received = [message.data for message in client.channel()]
    assert received == EXPECTED
    assert client.stats.received == MESSAGES
    assert client.closed is not None
    return client.closed


# -- ways for a connection to break --------------------------------------------------------------------

LOST = (1006, "none", errors.ConnectError)
BROKEN = (1002, "us", errors.InvalidError)
OPTIONS: dict[str, Any] = {"close_timeout": "200ms"}


async def _then_end(peer: Raw) -> None:
    peer.writer.close()


async def _then_reset(peer: Raw) -> None:
    await peer.writer.drain()
    peer.reset()


async def _then_half_close(peer: Raw) -> None:
    """Say that no more will come, and go on reading."""
    peer.writer.write_eof()
    peer.site.seen.put(await peer.rest())


async def _then_silence(peer: Raw) -> None:
    """Neither answer nor close; end when the client does."""
    await peer.rest()


@dataclass(frozen=True)
class Fault:
    """What a server does after its messages, and how that is to be told.

    Attributes:
        sends: Bytes that follow the messages.
        then: What it does next.
        told: Close code, who closed, and the class of the error.
        options: Of the connection.
    """

    sends: bytes
    then: Callable[[Raw], Awaitable[None]]
    told: tuple[int, str, type[Exception] | None]
    options: dict[str, Any] = field(default_factory=dict)


HALF_A_MESSAGE = frame(TEXT, b"half", fin=False)
FAULTS = {
    "end": Fault(b"", _then_end, LOST),
    "end within a header": Fault(b"\x82", _then_end, LOST),
    "end within a frame": Fault(frame(TEXT, b"whole")[:-1], _then_end, LOST),
    "end within a fragmented message": Fault(HALF_A_MESSAGE, _then_end, LOST),
    "reset": Fault(b"", _then_reset, LOST),
    "reset within a fragmented message": Fault(HALF_A_MESSAGE, _then_reset, LOST),
    "half-close": Fault(b"", _then_half_close, LOST),
    "half-close within a frame": Fault(frame(TEXT, b"whole")[:-1], _then_half_close, LOST),
    "close frame, then reset": Fault(close_frame(4000), _then_reset, (4000, "peer", None)),
    "close frame, then half-close": Fault(close_frame(4000), _then_half_close, (4000, "peer", None)),
    "close frame, then silence": Fault(close_frame(4000), _then_silence, (4000, "peer", None)),
    "close frame without a code": Fault(frame(CLOSE), _then_silence, (1005, "peer", None)),
    "close frame within a fragmented message": Fault(
        HALF_A_MESSAGE + close_frame(4000), _then_silence, (4000, "peer", None)
    ),
    "continuation of nothing": Fault(frame(CONTINUATION, b"x"), _then_silence, BROKEN),
    "another protocol": Fault(b"HTTP/1.1 200 OK\r\n" * 10, _then_silence, BROKEN),
    "breach of the protocol, then half-close": Fault(frame(3), _then_half_close, BROKEN),
    "silence": Fault(
        b"",
        _then_silence,
        (1011, "us", errors.WaitTimeoutError),
        {"ping_interval": "20ms", "ping_timeout": "50ms"},
    ),
    "silence within a frame": Fault(
        frame(TEXT, b"whole")[:-1],
        _then_silence,
        (1011, "us", errors.WaitTimeoutError),
        {"ping_interval": "20ms", "ping_timeout": "50ms"},
    ),
    "no message": Fault(b"", _then_silence, (1001, "us", errors.WaitTimeoutError), {"read_timeout": "50ms"}),
}


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "with the handshake"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_of_the_server_is_told_and_loses_nothing_that_came(fault: Fault, at_once: bool) -> None:
    async def serve(peer: Raw) -> None:
        if at_once:
            await peer.upgrade(then=CAME + fault.sends)
        else:
            await peer.upgrade()
            assert (await peer.read_frame()).payload == b"go"
            await peer.write(CAME + fault.sends)
        await fault.then(peer)

    with raw_server(serve) as site:
        client = ipyws.connect(site.url, **{**OPTIONS, **fault.options})
        if not at_once:
            client.send("go")
        close = ending(client)
    code, initiator, error = fault.told
    assert (close.code, close.initiator) == (code, initiator)
    assert type(close.error) is (error or type(None))
    for operation in (lambda: client.send("x"), client.ping):
        with pytest.raises(errors.ClosedError) as caught:
            operation()
        assert caught.value.details["code"] == code


# -- close codes -----------------------------------------------------------------------------------------

VALID = [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999]
RESERVED = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "with the handshake"])
@pytest.mark.parametrize("code", VALID + RESERVED)
def test_close_code_of_the_server_is_told_if_valid_and_a_breach_if_not(code: int, at_once: bool) -> None:
    """RFC 6455 section 7.4; 1012-1014 as registered with IANA."""
    data = CAME + frame(CLOSE, struct.pack("!H", code) + b"why")

    async def close(peer: Raw) -> None:
        await peer.upgrade(then=data if at_once else b"")
        if not at_once:
            await peer.write(data)
        peer.site.seen.put(await peer.read_frame())

    with raw_server(close) as site:
        client = ipyws.connect(site.url, **OPTIONS)
        end = ending(client)
        answer = site.next()
    assert answer.opcode == CLOSE
    if code in VALID:
        assert answer.close_code == code
        assert (end.code, end.reason, end.initiator, end.error) == (code, "why", "peer", None)
    else:
        assert answer.close_code == 1002
        assert (end.code, end.initiator, type(end.error)) == (1002, "us", errors.InvalidError)


def _serving_a_close_with_the_handshake() -> Any:
    async def close_at_once(peer: Raw) -> None:
        await peer.upgrade(then=CAME + close_frame(4000, "full"))
        await peer.rest()

    return raw_server(close_at_once)


@pytest.mark.parametrize("operation", ["send", "ping"])
def test_server_that_closed_with_its_handshake_is_not_taken_for_open(operation: str) -> None:
    with _serving_a_close_with_the_handshake() as site:
        client = ipyws.connect(site.url, close_timeout="300ms")
        with pytest.raises(errors.ClosedError):
            getattr(client, operation)(b"x")
        assert ending(client).code == 4000


# -- names -------------------------------------------------------------------------------------------------

NAMES = {
    "no such host": ("no-such-host.invalid", "20s", "dns"),
    "no such host, longest label": (f"{'a' * 63}.invalid", "20s", "dns"),
    "no time to look it up": ("no-such-host.invalid", "1ms", "dns"),
}


@pytest.mark.parametrize(("host", "timeout", "phase"), NAMES.values(), ids=NAMES)
def test_name_that_gives_no_address_fails_in_its_phase_and_leaves_no_thread(
    host: str, timeout: str, phase: str
) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://{host}", dial_timeout=timeout, proxy=None)
    assert (caught.value.details["phase"], caught.value.retryable) == (phase, True)
    assert host in caught.value.message
    assert ipyws.connections() == {}


# -- a peer that reads slowly ---------------------------------------------------------------------


def test_peer_that_reads_again_gets_every_message_that_was_logged_as_sent() -> None:
    told = threading.Event()

    async def read_when_told(peer: Raw) -> None:
        await peer.upgrade()
        await peer.site.loop.run_in_executor(None, told.wait, PATIENCE)
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got.payload[:12])
        await peer.write(frame(CLOSE, got.payload))

    with raw_server(read_when_told, limit=1024) as site:
        client = ipyws.connect(site.url, write_timeout="50ms", ping_interval=None)
        refused = 0
        while refused < 3:
            try:
                client.send(b"%012d" % client.stats.sent + bytes(1 << 18))
            except errors.WaitTimeoutError:
                refused += 1
        told.set()
        assert client.close().clean
        sent = client.stats.sent
        assert [site.next() for _ in range(sent)] == [b"%012d" % number for number in range(sent)]
        assert site.seen.empty()
