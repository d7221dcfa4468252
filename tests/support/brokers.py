"""Message brokers that nobody here wrote, from Debian's packages: Mosquitto and RabbitMQ."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.debian import find_program, free_port, wait_for

_MOSQUITTO = """
user root
persistence true
persistence_location {folder}/
listener {plain} 127.0.0.1
listener {port} 127.0.0.1
protocol websockets
socket_domain ipv4
{more}
"""


class Mosquitto:
    """A broker that can be stopped and started again.

    Attributes:
        port: Where it speaks MQTT over WebSocket.
        plain: Where it speaks it over TCP.
    """

    def __init__(self, folder: Path, more: Sequence[str] = ("allow_anonymous true",)) -> None:
        self.port, self.plain = free_port(), free_port()
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        names = {"folder": folder, "port": self.port, "plain": self.plain, "more": "\n".join(more)}
        self._config.write_text(_MOSQUITTO.format(**names))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self._folder / "log"
        program = find_program("mosquitto")
        assert program is not None
        with log.open("ab") as output:
            self._process = subprocess.Popen([program, "-c", self._config], stdout=output, stderr=output)
        for port in (self.port, self.plain):
            wait_for(self._process, port, log)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    def publish(self, topic: str, payload: str, *more: str) -> None:
        """Have mosquitto_pub publish a message, acknowledged by the broker."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.plain), "-q", "1", "-t", topic]
        subprocess.run([*command, "-m", payload, *more], check=True, timeout=60)


@contextlib.contextmanager
def mosquitto(folder: Path, more: Sequence[str] = ("allow_anonymous true",)) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, more)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


_RABBITMQ = """
listeners.tcp.1 = 127.0.0.1:{amqp}
stomp.listeners.tcp.1 = 127.0.0.1:{stomp}
mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}
web_stomp.tcp.ip = 127.0.0.1
web_stomp.tcp.port = {web_stomp}
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = {web_mqtt}
log.console = true
log.file = false
"""
_PORTS = ("amqp", "stomp", "mqtt", "web_stomp", "web_mqtt", "distribution", "names")


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[dict[str, int]]:
    """Run RabbitMQ with STOMP and MQTT, over TCP and over WebSocket; it takes some 10 seconds to start.

    Yields:
        Where it listens, by the names of its plugins: "stomp", "mqtt", "web_stomp", "web_mqtt".
    """
    ports = {name: free_port() for name in _PORTS}
    (folder / "plugins").write_text("[rabbitmq_web_stomp,rabbitmq_web_mqtt].\n")
    (folder / "rabbitmq.conf").write_text(_RABBITMQ.format(**ports))
    # One scheduler: it starts as fast on a single core, and leaves the others alone.
    erlang = "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none"
    env = {
        "HOME": folder,
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_NODENAME": f"tests{ports['distribution']}@localhost",
        "RABBITMQ_DIST_PORT": ports["distribution"],
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": ports["names"],
        "ERL_EPMD_RELAXED_COMMAND_CHECK": 1,  # so that it can be ended below, whoever is still known to it
    }
    # The program of the package itself: the one in /usr/sbin becomes another user first.
    program, log = "/usr/lib/rabbitmq/bin/rabbitmq-server", folder / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program],
            env={**os.environ, **{name: str(value) for name, value in env.items()}},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        for name in ("web_stomp", "web_mqtt"):
            wait_for(process, ports[name], log, 90)
        yield ports
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        # Erlang's name server, which it has started as well, left the group.
        subprocess.run(
            ["epmd", "-port", str(ports["names"]), "-kill"], stdout=subprocess.DEVNULL, check=False
        )
