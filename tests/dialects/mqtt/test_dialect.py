"""What may be chosen of MQTT, and what is refused before anything is dialled."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws.dialects.mqtt.dialect import Mqtt
from ipyws.dialects.mqtt.packets import V5, V311, Connect
from ipyws.dialects.mqtt.reading import Raw, read_packet, split
from ipyws.errors import ClosedError, ConnectError, InvalidError, ReplyError
from tests.support.servers import server
from tests.support.sessions import opening


def connect(**settings: Any) -> Connect:
    (data,) = Mqtt.configure("dialect", settings).begin(opening()).open()
    (raw, _) = split(bytes(data))
    assert isinstance(raw, Raw)
    packet = read_packet(raw, V5)
    assert isinstance(packet, Connect)
    return packet


@pytest.mark.parametrize(
    ("version", "level"), [(5, V5), ("5", V5), ("5.0", V5), ("3.1.1", V311), (4, V311), ("4", V311)]
)
def test_versions_by_their_names_and_by_their_levels(version: Any, level: int) -> None:
    assert connect(version=version).version == level
    assert connect().version == V5


@pytest.mark.parametrize(("keepalive", "seconds"), [("200ms", 1), ("90s", 90), ("24h", 65_535), (None, 0)])
def test_the_keepalive_is_told_in_whole_seconds(keepalive: Any, seconds: int) -> None:
    assert connect(keepalive=keepalive).keepalive == seconds
    assert Mqtt.configure("dialect", {"keepalive": keepalive}).begin(opening()).beat_every != 0


def test_a_session_that_is_kept_is_kept_for_an_hour_unless_said() -> None:
    assert connect(clean=False, client_id="me").properties == {"session_expiry_interval": 3600}
    assert connect(clean=False, client_id="me", session_expiry="5m").properties == {
        "session_expiry_interval": 300
    }
    assert connect(clean=False, client_id="me", version="3.1.1").properties == {}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"version": 3}, "version is 3"),
        ({"version": True}, "version is True"),
        ({"keepalive": 0}, "keepalive is 0"),
        ({"clean": False}, "without a client_id"),
        ({"client_id": 5}, "client_id is 5"),
        ({"client_id": "x" * 65_536}, "client_id can't be sent"),
        ({"session_expiry": "1h", "version": "3.1.1"}, "session_expiry"),
        ({"will": "gone"}, "will is 'gone'"),
        ({"will": {"payload": "x"}}, "will is of type dict"),
        ({"will": {"topic": "a/#"}}, "holds a wildcard"),
        ({"will": {"topic": "a", "qos": 3}}, "will qos is 3"),
        ({"will": {"topic": "a", "retian": True}}, "will has no 'retian'"),
        ({"will": {"topic": "a", "payload": {1, 2}}}, "can't be written"),
        ({"will": {"topic": "a", "payload": "x" * 70_000}}, "70,000 bytes"),
        ({"qos": 1}, "has no setting 'qos'"),
    ],
)
def test_what_can_not_be_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Mqtt.configure("dialect", settings)
    assert says in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        ("publish", {"qos": 3}),
        ("publish", {"qos": True}),
        ("publish", {"retain": 1}),
        ("publish", {"no_local": True}),
        ("publish", {"expiry": "soon"}),
        ("subscribe", {"qos": -1}),
        ("subscribe", {"retain": True}),
    ],
)
def test_flags_are_checked(word: Any, flags: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        Mqtt.check_flags(word, flags)


def test_a_server_that_ends_the_session_is_quoted_where_somebody_waits() -> None:
    async def serve(connection: ServerConnection) -> None:
        async for message in connection:
            if message[0] == 0x10:
                await connection.send(b"\x20\x03\x00\x00\x00")
            elif message[0] == 0x82:
                await connection.send(b"\x90\x04\x00\x01\x00\x00")
                await connection.send(b"\xe0\x01\x8e")

    with server(serve, subprotocols=["mqtt"]) as site, ipyws.connect(site.url, dialect="mqtt") as client:
        subscription = client.subscribe("a")
        with pytest.raises(ClosedError, match="the server ended the session: session taken over"):
            subscription.receive("10s")
        assert client.closed is not None
        assert isinstance(client.closed.error, ReplyError)
        assert client.closed.error.details["code"] == 0x8E


def test_a_server_that_closes_in_place_of_its_answer_leads_to_the_older_version() -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1011)

    with server(hang_up, subprotocols=["mqtt"]) as site, pytest.raises(ConnectError) as caught:
        ipyws.connect(site.url, dialect="mqtt")
    assert '"version": "3.1.1"' in caught.value.hint
