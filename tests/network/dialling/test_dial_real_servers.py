"""Servers that nobody here wrote, beside nginx: HAProxy, Prosody, NATS, Mosquitto."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

import ipyws
from ipyws import errors
from tests.support.debian import free_port, running
from tests.support.servers import server
from tests.support.tls import Authority

HAPROXY = """
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend plain
    bind 127.0.0.1:{port}
    http-request deny deny_status 403 content-type text/plain string "not from here" if {{ path /denied }}
    use_backend up if {{ path /up }}
    use_backend auth if {{ path /auth }}
    default_backend down
frontend secure
    bind 127.0.0.1:{secure} ssl crt {folder}/both.pem
    use_backend up if {{ path /up }}
    default_backend down
frontend mutual
    bind 127.0.0.1:{mutual} ssl crt {folder}/both.pem ca-file {ca} verify required
    default_backend up
backend up
    server echo 127.0.0.1:{echo}
backend down
backend auth
    http-request auth realm lessons
"""
PROSODY = """
pidfile = "{folder}/pid"
run_as_root = true
log = "*console"
data_path = "{folder}"
modules_enabled = {{ "websocket", "saslauth", "http" }}
modules_disabled = {{ "s2s", "tls" }}
http_ports = {{ {port} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{}}
c2s_ports = {{}}
s2s_ports = {{}}
consider_websocket_secure = true
VirtualHost "localhost"
"""
NATS = """
listen: "127.0.0.1:{plain}"
max_payload: 1024
ping_interval: "500ms"
ping_max: 1
websocket {{ listen: "127.0.0.1:{port}", no_tls: true, same_origin: true, compression: true }}
"""
MOSQUITTO = """
user root
allow_anonymous true
listener {plain} 127.0.0.1
listener {port} 127.0.0.1
protocol websockets
socket_domain ipv4
"""
MQTT_CONNECT = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03abc"
MQTT_ACCEPTED = b"\x20\x02\x00\x00"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def haproxy(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URLs of a HAProxy without TLS, with it, and with client certificates."""
    folder = tmp_path_factory.mktemp("haproxy")
    authority.write_as(folder / "both.pem", "127.0.0.1")
    ports = {name: free_port() for name in ("port", "secure", "mutual")}
    with server() as site:
        config = HAPROXY.format(folder=folder, ca=authority.ca, echo=site.port, **ports)
        (folder / "haproxy.cfg").write_text(config)
        with running(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], ports["port"], folder / "log"):
            yield {
                name: f"{'ws' if name == 'port' else 'wss'}://127.0.0.1:{port}"
                for name, port in ports.items()
            }


@pytest.fixture(scope="module")
def prosody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("prosody"), free_port()
    (folder / "prosody.cfg.lua").write_text(PROSODY.format(folder=folder, port=port))
    command = ["prosody", "--config", str(folder / "prosody.cfg.lua"), "-F"]
    with running(command, port, folder / "log"):
        yield f"ws://localhost:{port}/xmpp-websocket"


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("nats"), free_port()
    (folder / "nats.conf").write_text(NATS.format(port=port, plain=free_port()))
    with running(["nats-server", "-c", str(folder / "nats.conf")], port, folder / "log"):
        yield f"ws://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mosquitto"), free_port()
    (folder / "mosquitto.conf").write_text(MOSQUITTO.format(port=port, plain=free_port()))
    with running(["mosquitto", "-c", str(folder / "mosquitto.conf")], port, folder / "log"):
        yield f"ws://127.0.0.1:{port}"


def refusal(url: str, **options: object) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def end_of(client: ipyws.Client) -> ipyws.Close:
    """Read until the connection is closed."""
    with contextlib.suppress(errors.ClosedError):
        while True:
            client.recv("10s")
    assert client.closed is not None
    return client.closed


@pytest.mark.debian("haproxy")
def test_haproxy_carries_messages_with_and_without_tls(haproxy: dict[str, str], authority: Authority) -> None:
    certificate = {"cert": authority.cert, "key": authority.key}
    for name, options in (("port", {}), ("secure", {}), ("mutual", certificate)):
        trust = {} if name == "port" else {"ca": authority.ca}
        with ipyws.connect(f"{haproxy[name]}/up", **trust, **options) as client:
            assert client.request("hello").data == "hello"
            assert client.response is not None
            assert client.response.oddities == ()


@pytest.mark.debian("haproxy")
@pytest.mark.parametrize(
    ("path", "status", "said", "hint", "retryable"),
    [
        ("/down", 503, "No server is available to handle this request.", "out of order", True),
        ("/denied", 403, "not from here", "forbids", False),
        ("/auth", 401, "You need a valid user and password", "auth=(USER, PASSWORD)", False),
    ],
)
def test_refusal_of_haproxy_is_in_its_own_words(
    haproxy: dict[str, str], path: str, status: int, said: str, hint: str, retryable: bool
) -> None:
    error = refusal(haproxy["port"] + path)
    assert (error.details["status"], error.retryable) == (status, retryable)
    assert said in error.message
    assert hint in error.hint


@pytest.mark.debian("haproxy")
def test_haproxy_with_tls_that_has_no_server_says_so(haproxy: dict[str, str], authority: Authority) -> None:
    error = refusal(f"{haproxy['secure']}/down", ca=authority.ca)
    assert (error.details["status"], error.retryable) == (503, True)
    assert "ws://" not in error.hint
    assert refusal(f"{haproxy['mutual']}/up", ca=authority.ca).details["phase"] == "tls"


@pytest.mark.debian("prosody")
def test_prosody_wants_its_subprotocol_and_says_so_for_good(prosody: str) -> None:
    for options in ({}, {"protocols": ["chat"]}):
        error = refusal(prosody, **options)
        assert (error.details["status"], error.retryable) == (501, False)
        assert "protocols=" in error.hint


@pytest.mark.debian("prosody")
def test_prosody_talks_and_says_why_it_closes(prosody: str) -> None:
    opening = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
    with ipyws.connect(prosody, protocols=["xmpp"]) as client:
        assert client.subprotocol == "xmpp"
        assert "<open " in str(client.request(opening).data)
        client.send(b"\x00")
        close = end_of(client)
    assert (close.code, close.initiator) == (1003, "peer")
    assert "text frames" in close.reason


@pytest.mark.debian("nats-server")
@pytest.mark.parametrize("compression", [0, 1, 2])
def test_nats_talks_and_its_close_with_1006_is_told(nats: str, compression: int) -> None:
    with ipyws.connect(nats, compression=compression) as client:
        assert client.recv("10s").data.startswith(b"INFO ")
        client.send(b'CONNECT {"verbose": true}\r\n')
        assert client.recv("10s").data == b"+OK\r\n"
        close = end_of(client)  # it wants its own pings answered, which are messages
    assert close.initiator == "us"
    assert close.error is not None
    assert close.error.details == {"code": 1006, "reason": "Stale Connection"}
    breach = next(message for message in client.log if message.type == "breach")
    assert (breach.code, breach.reason) == (1006, "Stale Connection")


@pytest.mark.debian("nats-server")
def test_nats_says_why_it_closes_and_whom_it_refuses(nats: str) -> None:
    with ipyws.connect(nats) as client:
        client.send(b"NONSENSE\r\n")
        assert end_of(client).reason == "Protocol Violation"
    assert refusal(nats, origin="https://evil.example").details["status"] == 403


@pytest.mark.debian("mosquitto")
@pytest.mark.parametrize("offered", [["mqtt"], ["chat", "mqtt"], ["mqttv3.1"]])
def test_mosquitto_talks_mqtt(mosquitto: str, offered: list[str]) -> None:
    with ipyws.connect(mosquitto, protocols=offered) as client:
        assert client.subprotocol == offered[-1]
        assert client.request(MQTT_CONNECT).data == MQTT_ACCEPTED


@pytest.mark.debian("mosquitto")
def test_mosquitto_hangs_up_on_another_subprotocol_and_the_hint_says_what_it_may_be(mosquitto: str) -> None:
    error = refusal(mosquitto, protocols=["chat"])
    assert error.details["phase"] == "handshake"
    assert "check protocols=" in error.hint
