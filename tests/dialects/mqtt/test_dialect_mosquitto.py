"""MQTT with Mosquitto, and with clients of others at its other end: mosquitto_pub, mosquitto_sub, paho."""

from __future__ import annotations

import asyncio
import queue
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import ipyws
from ipyws import errors
from tests.support.brokers import Mosquitto, mosquitto
from tests.support.servers import PATIENCE, until

pytestmark = [pytest.mark.debian("mosquitto"), pytest.mark.debian("mosquitto_pub")]

PASSWORD = "open-sesame-41"
WAIT = f"{PATIENCE:.0f}s"
VERSIONS = [5, "3.1.1"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


def connect(broker: Mosquitto, *, dialect: Any = "mqtt", **options: Any) -> ipyws.Client:
    return ipyws.connect(broker.url, dialect=dialect, **options)


def next_of(subscription: Any) -> Any:
    value, ok = subscription.receive(WAIT)
    assert ok
    return value


def labels(client: ipyws.Client | ipyws.AsyncClient, direction: str) -> list[str]:
    messages = (message for message in client.log if message.direction == direction)
    return [message.read().label for message in messages if message.type == "binary"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_what_is_published_comes_to_whoever_subscribed(broker: Mosquitto, version: Any, qos: int) -> None:
    with connect(broker, dialect={"name": "mqtt", "version": version}) as client:
        topic = f"round/{version}/{qos}"
        everything, one = client.subscribe("round/#", qos=2), client.subscribe(topic, qos=qos, details=True)
        client.publish(topic, {"n": qos}, qos=qos)
        assert next_of(everything) == {"n": qos}
        item = next_of(one)
        assert (item["topic"], item["payload"], item["qos"]) == (topic, {"n": qos}, qos)
        client.publish(topic, b"\x00\xff", qos=qos)
        assert next_of(everything) == b"\x00\xff"
        assert "CONNECT" in labels(client, "out")
        assert f"PUBLISH {topic}" in labels(client, "in")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hundred_messages_of_qos_2_come_once_each_and_in_order(broker: Mosquitto, version: Any) -> None:
    with connect(broker, dialect={"name": "mqtt", "version": version}) as client:
        topic = f"many/{version}"
        subscription = client.subscribe(topic, qos=2)
        for number in range(100):
            client.publish(topic, number, qos=2 if number % 10 == 0 else 0)
        assert [next_of(subscription) for _ in range(100)] == list(range(100))


def test_more_publications_than_the_broker_takes_at_once(broker: Mosquitto) -> None:
    async def publish() -> list[str]:
        async with ipyws.connect_async(broker.url, dialect="mqtt") as client:
            assert client.log[1].value["properties"]["receive_maximum"] < 60
            await asyncio.gather(*(client.publish("burst", n, qos=n % 2 + 1) for n in range(60)))
            return labels(client, "in")

    answers = [label.partition(" ")[0] for label in asyncio.run(publish())]
    assert (answers.count("PUBACK"), answers.count("PUBCOMP")) == (30, 30)


def test_retained_messages_come_to_who_subscribes_later(broker: Mosquitto) -> None:
    with connect(broker) as client:
        client.publish("kept/a", "21.5", retain=True, qos=1)
        item = next_of(client.subscribe("kept/+", details=True))
        assert (item["payload"], item["retain"]) == (21.5, True)
        client.publish("kept/a", None, retain=True, qos=1)
        later = client.subscribe("kept/#")
        client.publish("kept/b", "now")
        assert next_of(later) == "now"


def test_mosquitto_pub_and_mosquitto_sub_at_the_other_end(broker: Mosquitto) -> None:
    with connect(broker) as client:
        subscription = client.subscribe("tools/in", qos=2)
        broker.publish("tools/in", '{"from": "mosquitto_pub"}', "-V", "mqttv5")
        assert next_of(subscription) == {"from": "mosquitto_pub"}
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.plain), "-t", "tools/out", "-C", "1"]
        client.publish("tools/out", "from ipyws", retain=True, qos=2)
        heard = subprocess.run([*command, "-v"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        assert heard.stdout == "tools/out from ipyws\n"


def test_paho_at_the_other_end_sees_the_properties(broker: Mosquitto) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    other = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, transport="websockets")
    other.on_subscribe = lambda *_: heard.put("subscribed")
    other.on_message = lambda _client, _data, message: heard.put(message)
    other.connect("127.0.0.1", broker.port)
    other.loop_start()
    try:
        other.subscribe("paho/to", qos=2)
        assert heard.get(timeout=PATIENCE) == "subscribed"
        with connect(broker) as client:
            client.publish(
                "paho/to",
                "Grüße",
                qos=2,
                content_type="text/plain",
                user_properties={"unit": "°C"},
                expiry="1m",
            )
            message = heard.get(timeout=PATIENCE)
            assert (message.payload.decode(), message.qos) == ("Grüße", 2)
            assert message.properties.ContentType == "text/plain"
            assert message.properties.UserProperty == [("unit", "°C")]
            subscription = client.subscribe("paho/from", details=True)
            properties = Properties(PacketTypes.PUBLISH)
            properties.ResponseTopic, properties.CorrelationData = "back", b"\x01"
            other.publish("paho/from", b"x" * 300, qos=1, properties=properties)
            item = next_of(subscription)
            assert item["payload"] == "x" * 300
            assert (item["properties"]["response_topic"], item["properties"]["correlation_data"]) == (
                "back",
                b"\x01",
            )
    finally:
        other.disconnect()
        other.loop_stop()


def test_a_will_is_published_once_its_client_is_lost(broker: Mosquitto) -> None:
    will = {"topic": "wills/me", "payload": {"gone": True}, "qos": 1}
    with connect(broker) as client:
        subscription = client.subscribe("wills/#")
        with connect(broker, dialect={"name": "mqtt", "will": will}, name="left"):
            pass
        lost = connect(broker, dialect={"name": "mqtt", "will": will}, name="lost")
        lost.send(b"\x00\x00")  # no packet: the broker hangs up
        assert next_of(subscription) == {"gone": True}
        with pytest.raises(errors.WaitTimeoutError):
            subscription.receive("1ms")


def test_what_came_while_nobody_was_there_comes_later(broker: Mosquitto) -> None:
    settings = {"name": "mqtt", "client_id": "sleeper", "clean": False, "session_expiry": "1m"}
    with connect(broker, dialect=settings) as client:
        client.subscribe("sleep/#", qos=1)
    for number in range(3):
        broker.publish(f"sleep/{number}", str(number))
    with connect(broker, dialect=settings) as client:
        subscription = client.subscribe("sleep/#", qos=1)
        assert [next_of(subscription) for _ in range(3)] == [0, 1, 2]


def test_heartbeats_go_at_their_pace_and_are_answered(broker: Mosquitto) -> None:
    with connect(broker, dialect={"name": "mqtt", "keepalive": "200ms"}) as client:
        until(lambda: labels(client, "in").count("PINGRESP") >= 3)
        assert client.state == "open"
        assert all(
            message.read().heartbeat for message in client.log if message.data in (b"\xc0\x00", b"\xd0\x00")
        )


def test_subscriptions_come_back_after_the_broker_was_restarted(tmp_path: Path) -> None:
    reconnect = {"attempts": 200, "first": "20ms", "max": "100ms"}
    with mosquitto(tmp_path) as broker, connect(broker, reconnect=reconnect) as client:
        first, second = client.subscribe("again/a"), client.subscribe("again/#", qos=1)
        broker.publish("again/a", "before")
        assert (next_of(first), next_of(second)) == ("before", "before")
        broker.stop()
        broker.start()
        until(lambda: labels(client, "in").count("SUBACK 1: granted 0") == 2)
        until(lambda: labels(client, "in").count("SUBACK 2: granted 1") == 2)
        broker.publish("again/a", "after")
        assert (next_of(first), next_of(second)) == ("after", "after")
        client.publish("again/a", "ours", qos=1)
        assert next_of(second) == "ours"


# -- logins and what is refused ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("guarded")
    users, rights = folder / "users", folder / "rights"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "ann", PASSWORD], check=True, timeout=PATIENCE)
    rights.write_text("user ann\ntopic readwrite open/#\n")
    with mosquitto(folder, [f"password_file {users}", f"acl_file {rights}"]) as running:
        yield running


@pytest.mark.parametrize("version", VERSIONS)
def test_auth_logs_in_and_the_password_shows_up_nowhere(
    guarded: Mosquitto, version: Any, tmp_path: Path
) -> None:
    settings = {"name": "mqtt", "version": version}
    with connect(guarded, dialect=settings, auth=("ann", PASSWORD)) as client:
        subscription = client.subscribe("open/a")
        client.publish("open/a", "in", qos=1)
        assert next_of(subscription) == "in"
        assert client.log[0].value["password"] == "***"
        client.log.save(tmp_path / "log.jsonl")
        assert PASSWORD not in repr(client.log[0])
    assert PASSWORD.encode() not in (tmp_path / "log.jsonl").read_bytes()
    assert ipyws.load(tmp_path / "log.jsonl")[0].data.find(PASSWORD.encode()) < 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_password_is_refused_in_words(guarded: Mosquitto, version: Any) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        connect(guarded, dialect={"name": "mqtt", "version": version}, auth=("ann", "open-sesame-13"))
    assert "the server refused the connection: not authorized" in str(caught.value)
    assert (caught.value.retryable, caught.value.details["phase"]) == (False, "dialect")
    assert "open-sesame-13" not in str(caught.value)


def test_what_may_not_be_published_is_refused_with_the_reason(guarded: Mosquitto) -> None:
    with connect(guarded, auth=("ann", PASSWORD)) as client:
        with pytest.raises(errors.ReplyError) as caught:
            client.publish("closed/a", "x", qos=1)
        assert (caught.value.kind, caught.value.details["code"]) == (errors.PERMISSION_DENIED, 0x87)
        client.publish("open/b", "x", qos=1)
        assert labels(client, "in")[-1].endswith(": no matching subscribers")


def test_bad_input_is_refused_before_anything_is_sent(broker: Mosquitto) -> None:
    with connect(broker) as client:
        sent = len(client.log)
        for wrong in (
            lambda: client.publish("a/#", "x"),
            lambda: client.publish("a", "x", qos=3),
            lambda: client.publish("a", {1, 2}),
            lambda: client.subscribe("a/#/b"),
            lambda: client.subscribe("a", colour="red"),
            lambda: client.call("a"),
            lambda: client.emit("a"),
            lambda: client.send({"a": 1}),
        ):
            with pytest.raises(errors.InvalidError):
                wrong()
        assert len(client.log) == sent
