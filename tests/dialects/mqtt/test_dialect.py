"""What may be chosen of MQTT, and what is refused before anything is dialled."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.dialects.mqtt.dialect import Mqtt
from ipyws.dialects.mqtt.packets import V5, V311, Connect
from ipyws.dialects.mqtt.reading import Raw, read_packet, split
from ipyws.errors import InvalidError
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
