"""RabbitMQ, whose server of STOMP and of MQTT nobody here wrote, and stomp.py at its other end."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stomp

import ipyws
from ipyws import errors
from tests.support.brokers import rabbitmq
from tests.support.servers import PATIENCE, until

pytestmark = [pytest.mark.debian("rabbitmq-server"), pytest.mark.xdist_group("rabbitmq")]

WAIT = f"{PATIENCE:.0f}s"
GUEST = ("guest", "guest")


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


def connect(ports: dict[str, int], dialect: Any = "stomp", **options: Any) -> ipyws.Client:
    name = dialect if isinstance(dialect, str) else dialect["name"]
    url = f"ws://127.0.0.1:{ports[f'web_{name}']}/ws"
    return ipyws.connect(url, dialect=dialect, **{"auth": GUEST, **options})


def next_of(subscription: Any) -> Any:
    value, ok = subscription.receive(WAIT)
    assert ok
    return value


def labels(client: ipyws.Client, direction: str) -> list[str]:
    messages = (message for message in client.log if message.direction == direction)
    return [message.read().label for message in messages if message.type in ("text", "binary")]


# -- STOMP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.2", "1.1", "1.0"])
def test_what_is_published_comes_to_whoever_subscribed(ports: dict[str, int], version: str) -> None:
    protocols = [f"v{version.replace('.', '')}.stomp"]
    with connect(ports, protocols=protocols) as client:
        assert client.log[1].value["version"] == version
        topic = f"/topic/news-{version}"
        subscription = client.subscribe(topic)
        client.publish(topic, {"price": "21 €"})
        client.publish(topic, "21")
        client.publish(topic, b"a\x00b")
        assert [next_of(subscription) for _ in range(3)] == [{"price": "21 €"}, "21", b"a\x00b"]
        assert labels(client, "out")[:3] == ["CONNECT", f"SUBSCRIBE {topic}", f"SEND {topic}"]
        assert {f"MESSAGE {topic}", "RECEIPT r1"} <= set(labels(client, "in"))


@pytest.mark.parametrize("version", ["1.2", "1.1"])
def test_headers_go_through_with_all_that_has_to_be_escaped(ports: dict[str, int], version: str) -> None:
    with connect(ports, protocols=[f"v{version.replace('.', '')}.stomp"]) as client:
        subscription = client.subscribe("/topic/headers", details=True)
        client.publish("/topic/headers", "x", headers={"x-odd": "a:b\\c\nd"})
        assert next_of(subscription)["headers"]["x-odd"] == "a:b\\c\nd"


def test_messages_are_acknowledged_and_not_delivered_again(ports: dict[str, int]) -> None:
    with connect(ports) as client:
        first = client.subscribe("/queue/jobs", ack="client-individual", headers={"prefetch-count": "1"})
        for number in range(3):
            client.publish("/queue/jobs", number)
        # With one unacknowledged message at a time, the next comes only once the last was acknowledged.
        assert [next_of(first) for _ in range(3)] == [0, 1, 2]
        first.close()
    with connect(ports) as client:
        later = client.subscribe("/queue/jobs")
        client.publish("/queue/jobs", "last")
        assert next_of(later) == "last"


class _Listener(stomp.ConnectionListener):
    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def on_message(self, frame: Any) -> None:
        self.heard.put(frame)

    def on_receipt(self, frame: Any) -> None:
        self.heard.put(frame.headers["receipt-id"])


def test_stomp_py_at_the_other_end(ports: dict[str, int]) -> None:
    listener, other = _Listener(), stomp.Connection12([("127.0.0.1", ports["stomp"])], vhost="/")
    other.set_listener("", listener)
    other.connect(*GUEST, wait=True)
    try:
        other.subscribe("/topic/to-others", id="1", receipt="ready")
        assert listener.heard.get(timeout=PATIENCE) == "ready"
        with connect(ports) as client:
            client.publish("/topic/to-others", {"n": 1}, headers={"x-unit": "°C"})
            frame = listener.heard.get(timeout=PATIENCE)
            assert (frame.body, frame.headers["x-unit"]) == ('{"n":1}', "°C")
            assert frame.headers["content-type"] == "application/json;charset=utf-8"
            subscription = client.subscribe("/topic/from-others")
            other.send("/topic/from-others", '{"n": 2}', content_type="application/json")
            assert next_of(subscription) == {"n": 2}
    finally:
        other.disconnect()


def test_heartbeats_go_both_ways(ports: dict[str, int]) -> None:
    with connect(ports, {"name": "stomp", "heartbeat": "200ms"}) as client:
        until(lambda: labels(client, "in").count("heartbeat") >= 3)
        until(lambda: labels(client, "out").count("heartbeat") >= 3)
        assert client.state == "open"


@pytest.mark.parametrize(
    ("dialect", "auth", "says"),
    [
        ("stomp", ("guest", "open-sesame-13"), "Access refused for user 'guest'"),
        ({"name": "stomp", "host": "nowhere"}, GUEST, "Virtual host 'nowhere' access denied"),
        ({"name": "mqtt", "version": "3.1.1"}, ("guest", "open-sesame-13"), "unauthenticated"),
    ],
)
def test_a_refused_login_says_what_the_server_said(
    ports: dict[str, int], dialect: Any, auth: Any, says: str
) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        connect(ports, dialect, auth=auth)
    assert says in caught.value.message
    assert (caught.value.retryable, caught.value.details["phase"]) == (False, "dialect")


def test_an_error_of_the_server_is_that_of_the_word_it_is_about(ports: dict[str, int]) -> None:
    with connect(ports) as client:
        subscription = client.subscribe("/topic/fine")
        with pytest.raises(errors.ReplyError) as caught:
            client.subscribe("/nowhere/x")
        assert "'/nowhere/x' is not a valid destination" in caught.value.message
        assert caught.value.details["message"] == "Unknown destination"
        with pytest.raises(errors.ClosedError, match="Unknown destination"):
            subscription.receive(WAIT)
        assert client.state == "closed"


def test_the_passcode_shows_up_nowhere(ports: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        connect(ports, auth=("guest", "open-sesame-13"), record=tmp_path / "log.jsonl")
    assert "open-sesame-13" not in f"{caught.value!r} {caught.value.details}"
    assert b"open-sesame-13" not in (tmp_path / "log.jsonl").read_bytes()


# -- MQTT --------------------------------------------------------------------------------------------


def test_mqtt_3_1_1_and_stomp_meet_in_one_broker(ports: dict[str, int]) -> None:
    with connect(ports, {"name": "mqtt", "version": "3.1.1"}, name="mqtt") as mqtt, connect(ports) as other:
        by_mqtt, by_stomp = mqtt.subscribe("sensors/+", qos=1), other.subscribe("/topic/sensors.#")
        mqtt.publish("sensors/1", {"t": 21.5}, qos=1)
        assert (next_of(by_mqtt), next_of(by_stomp)) == ({"t": 21.5}, {"t": 21.5})
        other.publish("/topic/sensors.2", {"t": 7})
        assert next_of(by_mqtt) == {"t": 7}


def test_a_broker_that_does_not_know_mqtt_5_leads_to_the_older_version(ports: dict[str, int]) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        connect(ports, "mqtt")
    assert "3.1.1" in caught.value.hint
