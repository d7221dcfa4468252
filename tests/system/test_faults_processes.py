"""Faults of processes: killed, suspended, terminated, with a clock that jumps, under a flood of messages."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.registry import REGISTRY
from tests.support.flood import Flood
from tests.support.holdings import assert_adds_up, assert_released, holdings
from tests.support.peer import DIGITS, Peer, peer, stop
from tests.support.servers import CLOSE, PATIENCE, PONG, TEXT, Raw, frame, raw_server, until
from tests.support.stopwatch import Stopwatch
from tests.support.witness import witness

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

MANY = 20_000
MB = 1 << 20


@pytest.fixture(scope="module")
def lasting() -> Iterator[Peer]:
    with peer() as running:
        yield running


@pytest.fixture(autouse=True)
def _released(lasting: Peer) -> Iterator[None]:
    REGISTRY.shut_down()
    before = holdings()
    yield
    for client in ipyws.connections().values():
        assert client.state == "closed", client
        assert_adds_up(client)
    assert_released(before)
    REGISTRY.shut_down()


def ending(client: ipyws.Client) -> ipyws.Close:
    """Wait for the end without holding the connection back; return how it ended."""
    until(lambda: client.closed is not None)
    assert client.closed is not None
    return client.closed


def a_ping_waits(client: ipyws.Client) -> bool:
    """Tell whether a ping is on its way: what was sent before it may come after it."""
    control = (message.type for message in reversed(client.log) if message.type in ("ping", "pong"))
    return next(control, "") == "ping"


# -- the server's process --------------------------------------------------------------------------------


def test_server_that_is_killed_during_a_flood_loses_nothing_that_came() -> None:
    with peer() as server:
        flood = Flood(server.url, log_messages=1000, ping_interval=None)
        channel = flood.client.channel()
        taken = [channel.receive("5s").value.data for _ in range(MANY)]
        server.kill()
        taken += [message.data for message in channel]
    close = ending(flood.client)
    assert (close.code, close.initiator, type(close.error)) == (1006, "none", errors.ConnectError)
    assert taken == [b"%0*d" % (DIGITS, number) for number in range(len(taken))]
    assert (flood.client.stats.received, flood.gaps) == (len(taken), [])


def test_server_that_is_suspended_is_given_up_by_keep_alive() -> None:
    with peer() as server:
        flood = Flood(server.url, ping_interval="20ms", ping_timeout="200ms", close_timeout="50ms")
        flood.wait(1)
        server.suspend()
        close = ending(flood.client)
    assert (close.code, close.initiator, type(close.error)) == (1011, "us", errors.WaitTimeoutError)
    assert (flood.client.stats.received, flood.gaps) == (flood.count, [])


def test_server_that_is_suspended_for_less_than_ping_timeout_goes_on() -> None:
    with peer() as server:
        flood = Flood(server.url, ping_interval="20ms", ping_timeout="10s")
        flood.wait(1)
        server.suspend()
        until(lambda: a_ping_waits(flood.client))
        server.resume()
        flood.wait(MANY)
        assert flood.client.state == "open"
        flood.client.close()
    assert (flood.client.stats.received, flood.gaps) == (flood.count, [])


# -- our own process ---------------------------------------------------------------------------------------

SUSPENDED = """
    import json, sys, ipyws
    client = ipyws.connect(sys.argv[1], ping_interval="50ms", **json.loads(sys.argv[2]))
    client.send("ready")
    numbers = [int(client.recv("20s").data) for _ in range(100)]
    assert numbers == list(range(100)), numbers
    print(client.state, client.stats.received, client.ping(timeout="5s") < 5)
    client.close()
"""


@contextlib.contextmanager
def run_script(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script as long as the block lasts."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **streams) as script:
        try:
            yield script
        finally:
            script.kill()


def printed_by(script: subprocess.Popen[str]) -> str:
    """Wait for a script's end; return what it printed."""
    out, err = script.communicate(timeout=PATIENCE)
    assert (script.returncode, err) == (0, "")
    return out


@pytest.mark.parametrize(
    ("seconds", "options"),
    [
        (1.5, {"ping_timeout": "1s"}),  # it must not pass before the suspension, on a busy machine either
        (3.0, {"ping_timeout": "1s"}),
        (2.5, {"ping_timeout": None, "read_timeout": "2s"}),
    ],
)
def test_client_that_was_suspended_beyond_a_timeout_reads_what_came_meanwhile_and_goes_on(
    seconds: float, options: dict[str, Any]
) -> None:
    suspended = threading.Event()

    async def send_meanwhile(peer: Raw) -> None:
        await peer.upgrade()
        assert (await peer.read_frame()).opcode == TEXT
        ping = await peer.read_frame()
        peer.site.seen.put("suspend")
        await peer.site.loop.run_in_executor(None, suspended.wait, PATIENCE)
        await peer.write(frame(PONG, ping.payload) + b"".join(frame(TEXT, b"%d" % n) for n in range(100)))
        peer.site.seen.put("sent")
        while (got := await peer.read_frame()).opcode != CLOSE:
            await peer.write(frame(PONG, got.payload))
        await peer.write(frame(CLOSE, got.payload))

    with (
        raw_server(send_meanwhile) as site,
        run_script(SUSPENDED, site.url, json.dumps(options)) as script,
    ):
        assert site.next() == "suspend"
        stop(script)
        suspended.set()
        assert site.next() == "sent"
        time.sleep(seconds)  # that long it is to be suspended
        script.send_signal(signal.SIGCONT)
        assert printed_by(script) == "open 100 True\n"


INTERRUPTED = """
    import contextlib, signal, sys, time, ipyws

    def interrupt(_, frame):
        if frame.f_code is again.__code__:  # there was no core for its end: it would be ignored once more
            signal.setitimer(signal.ITIMER_REAL, 0.001)
        else:
            signal.raise_signal(signal.SIGINT)

    def again(unraisable):
        assert unraisable.exc_type is KeyboardInterrupt, unraisable
        signal.setitimer(signal.ITIMER_REAL, 0.001)

    signal.signal(signal.SIGALRM, interrupt)
    sys.unraisablehook = again  # an interrupt that meets a finalizer has no effect
    ipyws.connect(sys.argv[1], name="warm").close()
    for step in range(int(sys.argv[2])):
        with contextlib.suppress(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, (1 + step) * 0.00001)
            ipyws.connect(sys.argv[1], name="one")
            time.sleep(10)  # the interrupt is still to come
    for client in ipyws.connections().values():
        client.close()
    print("closed", flush=True)
    sys.stdin.read()
"""


def test_interrupt_at_any_moment_of_a_connect_leaves_no_connection() -> None:
    with witness() as server, run_script(INTERRUPTED, server.url, "600") as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "closed\n"
        assert server.wait(lambda server: server.open == 0), f"{server.open} connections are left"
        out, err = script.communicate()
    assert (out, err) == ("", "")
    assert len(server.closes) > 100


UNDER_LOAD = """
    import sys, time, ipyws
    for _ in range(4):
        client = ipyws.connect(sys.argv[1] + "/flood")
        client.send("go")
    while client.stats.received < 1000:
        time.sleep(0.01)
    print("flooded", flush=True)
    time.sleep(60)
"""


def test_sigterm_under_load_ends_the_process_at_once(lasting: Peer) -> None:
    with run_script(UNDER_LOAD, lasting.url) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == "flooded\n"
        watch = Stopwatch(script.pid, lasting.pid)
        script.terminate()
        _, err = script.communicate(timeout=PATIENCE)
    assert watch.seconds() < 2
    assert (script.returncode, err) == (-signal.SIGTERM, "")


def test_shutdown_under_load_closes_every_connection_within_2_s(lasting: Peer) -> None:
    floods = [Flood(lasting.url, log_messages=1000) for _ in range(4)]
    for flood in floods:
        flood.wait(MANY)
    watch = Stopwatch(lasting.pid)
    REGISTRY.shut_down()
    assert watch.seconds() < 2
    for flood in floods:
        close = ending(flood.client)
        assert (close.code, close.initiator) == (1001, "us")
        assert (flood.client.stats.received, flood.gaps) == (flood.count, [])
        assert_adds_up(flood.client)


def test_flood_is_counted_to_the_last_message_and_fills_no_memory(lasting: Peer) -> None:
    flood = Flood(lasting.url, log_messages=10_000, log_bytes=MB)
    flood.wait(MANY)  # by now the log is as full as it gets
    grown = flood.watch_memory(3)
    flood.client.close()
    assert grown < 16 * MB
    assert (flood.client.stats.received, flood.gaps) == (flood.count, [])
    assert flood.client.stats.bytes_received == flood.count * DIGITS
    assert flood.client.stats.kept <= 10_000


# -- the clock -----------------------------------------------------------------------------------------------

JUMPS = """
    import sys, time

    # The machine's own clock can't be set from here: this one is put in its place before anybody reads it.
    shown, shift = time.time, 0
    time.time = lambda: shown() + shift

    import ipyws

    client = ipyws.connect(sys.argv[1] + "/echo", ping_interval="20ms", ping_timeout="2s", read_timeout="5s")
    for shift in (-7200, 7200, -400 * 86400, 0):
        steady = time.monotonic()
        sent = client.send(str(shift))
        assert abs(sent.time - time.time()) < 5, "the log has another clock"
        assert client.recv("5s").data == str(shift)
        try:
            client.recv("200ms")
        except ipyws.errors.WaitTimeoutError:
            pass
        assert ipyws.after("100ms").receive("5s").ok
        assert 0.25 < time.monotonic() - steady < 5
        assert 0 <= client.ping() < 5
    assert [message.seq for message in client.log] == list(range(client.log.total))
    stats = client.stats
    assert 1 < stats.duration < 30 and all(0 <= rtt < 5 for rtt in stats.rtts), stats
    print(client.state, client.stats.received, client.close().describe())
"""


def test_clock_that_jumps_moves_no_timer(lasting: Peer) -> None:
    with run_script(JUMPS, lasting.url) as script:
        assert printed_by(script) == "open 4 closed by us: 1000 normal closure\n"
