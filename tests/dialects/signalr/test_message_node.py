"""The hub protocol as SignalR's own client writes and reads it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ipyws.dialects.signalr.codec import HubProtocol
from ipyws.dialects.signalr.json_protocol import JsonProtocol
from ipyws.dialects.signalr.message import HubMessage
from ipyws.dialects.signalr.msgpack_protocol import MessagePackProtocol
from tests.support.node import node_server

pytestmark = pytest.mark.node

FOLDER = Path(__file__).resolve().parents[2] / "data" / "signalr"
PROTOCOLS: tuple[HubProtocol, ...] = (JsonProtocol(), MessagePackProtocol())

OURS = [
    (
        HubMessage("invocation", "7", "Add", [1, {"a": [None, True]}]),
        (1, "7", "Add", [1, {"a": [None, True]}]),
    ),
    (HubMessage("invocation", None, "Say", ["x" * 20_000]), (1, None, "Say", ["x" * 20_000])),
    (HubMessage("stream invocation", "8", "Count", []), (4, "8", "Count", [])),
    (HubMessage("completion", "9", error="no result"), (3, "9", None, None)),
    (HubMessage("cancel", "8"), (5, "8", None, None)),
    (HubMessage("ping"), (6, None, None, None)),
    (HubMessage("close"), (7, None, None, None)),
]
THEIRS = [
    HubMessage("invocation", None, "Say", ["hi", 2, {"a": [None, True]}]),
    HubMessage("invocation", "7", "Ask", []),
    HubMessage("stream invocation", "8", "Count", [3]),
    HubMessage("stream item", "8", value={"n": 1}),
    HubMessage("completion", "7", value="x" * 300),
    HubMessage("completion", "8", error="it broke"),
    HubMessage("completion", "9"),
    HubMessage("cancel", "8"),
    HubMessage("ping"),
]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What SignalR's client reads of ours, and writes itself."""
    payloads = {
        protocol.name: [encoded(protocol.write(message)) for message, _ in OURS] for protocol in PROTOCOLS
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAYLOADS", json.dumps(payloads))
        with node_server(FOLDER, "protocol.mjs") as client:
            return {"read": client.next("read"), "written": client.next("written")}


def encoded(payload: str | bytes) -> str:
    return base64.b64encode(payload.encode() if isinstance(payload, str) else payload).decode()


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_its_client_reads_what_we_write(told: dict[str, Any], protocol: HubProtocol) -> None:
    for (message, expected), found in zip(OURS, told["read"][protocol.name], strict=True):
        if message.kind in ("stream invocation", "cancel"):  # which only clients send: it passes them over
            assert found == []
            continue
        (read,) = found
        assert (read["type"], read.get("invocationId"), read.get("target"), read.get("arguments")) == expected
        assert read.get("error") == message.error


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_we_read_what_its_client_writes(told: dict[str, Any], protocol: HubProtocol) -> None:
    for text, expected in zip(told["written"][protocol.name], THEIRS, strict=True):
        data = base64.b64decode(text)
        assert list(protocol.read(data.decode() if protocol.name == "json" else data)) == [expected]


@pytest.mark.parametrize("kind", ["invocation", "stream invocation", "cancel", "ping"])
def test_we_write_what_its_client_writes(told: dict[str, Any], kind: str) -> None:
    for protocol in PROTOCOLS:
        for text, message in zip(told["written"][protocol.name], THEIRS, strict=True):
            if message.kind == kind:
                assert fields(protocol.write(message)) == fields(base64.b64decode(text))


def fields(payload: str | bytes) -> Any:
    if isinstance(payload, str) or payload.endswith(b"}\x1e"):
        found = json.loads(payload[:-1])
        return {name: value for name, value in found.items() if name not in ("headers", "streamIds")}
    return msgspec.msgpack.decode(payload[1:])


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_several_messages_may_come_in_one(told: dict[str, Any], protocol: HubProtocol) -> None:
    whole = b"".join(base64.b64decode(text) for text in told["written"][protocol.name])
    assert list(protocol.read(whole.decode() if protocol.name == "json" else whole)) == THEIRS
