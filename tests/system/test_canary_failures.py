"""Every way in which a connection fails, with a server or a proxy that repeats our secret wherever it can."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.canary import Canary, Watched, watched
from tests.support.servers import Raw, black_hole, dead_port, http, raw_server
from tests.support.tls import Authority

pytestmark = pytest.mark.kernel

Answer = Callable[[str], bytes]

BEARER = "-H 'Authorization: Bearer {{canary}}'"
HEADERS = "headers={'Authorization': 'Bearer ' + canary}"


def authorization(secret: str) -> str:
    """Return what of a secret is sent to a proxy."""
    return base64.b64encode(f"u:{secret}".encode()).decode()


class Failure(NamedTuple):
    """How a connection fails.

    Attributes:
        error: The error's class.
        answer: What a server answers, or None where there is none.
        options: What stands on a line of %ws besides the server.
        keywords: The same for `ipyws.connect`.
        url: Whom to dial instead: a template, PORT is the server's port.
    """

    error: str
    answer: Answer | None = None
    options: str = BEARER
    keywords: str = HEADERS
    url: str = "ws://127.0.0.1:PORT/"


def proxied(answer: Answer) -> Failure:
    return Failure(
        "ConnectError",
        answer,
        "--proxy http://u:{{canary}}@127.0.0.1:PORT",
        "proxy='http://u:' + canary + '@127.0.0.1:PORT'",
        "ws://host.invalid/",
    )


def refused(options: str, keywords: str, url: str = "ws://127.0.0.1:PORT/") -> Failure:
    """What is not dialled at all: the secret stands beside something wrong, or in it."""
    return Failure("InvalidError", None, f"{BEARER} {options}", f"{HEADERS}, {keywords}", url)


FAILURES = {
    "nobody listens": Failure("ConnectError"),
    "no such host": Failure("ConnectError", url="ws://nowhere.invalid/"),
    "a status": Failure(
        "ConnectError",
        lambda secret: http(f"401 No {secret}", f"X-Echo: {secret}", body=f'{{"you": "{secret}"}}'.encode()),
    ),
    "a long body": Failure(
        "ConnectError", lambda secret: http("500 Oh", body=f"{'.' * 2040}{secret}".encode())
    ),
    "a redirect": Failure(
        "ConnectError", lambda secret: http("302 Go", f"Location: ws://u:{secret}@h/?token={secret}")
    ),
    "a redirect that is followed": Failure(
        "ConnectError",
        lambda secret: http("302 Go", f"Location: /{secret}?a={secret}"),
        f"{BEARER} -L",
        f"{HEADERS}, follow_redirects=True",
    ),
    "a redirect to what is no URL": Failure(
        "ConnectError",
        lambda secret: http("302 Go", f"Location: ws://u:{secret}@h/"),
        f"{BEARER} -L",
        f"{HEADERS}, follow_redirects=True",
    ),
    "a wrong upgrade": Failure(
        "ConnectError",
        lambda secret: f"HTTP/1.1 101 {secret}\r\nUpgrade: {secret}\r\nConnection: Upgrade\r\n\r\n".encode(),
    ),
    "a wrong subprotocol": Failure(
        "ConnectError",
        lambda secret: (
            "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {secret}\r\nSec-WebSocket-Protocol: {secret}\r\n\r\n"
        ).encode(),
    ),
    "no HTTP": Failure("ConnectError", lambda secret: f"{secret}\r\n\r\n".encode()),
    "no answer": Failure(
        "ConnectError",
        lambda secret: b"",
        f"{BEARER} --dial-timeout 200ms",
        f"{HEADERS}, dial_timeout='200ms'",
    ),
    "a proxy's refusal": proxied(lambda secret: http(f"407 {authorization(secret)} {secret}")),
    "a proxy that talks no HTTP": proxied(
        lambda secret: f"{authorization(secret)} {secret}\r\n\r\n".encode()
    ),
    "a bad option": refused("--ping-timeout nonsense", "ping_timeout='nonsense'"),
    "a bad number": refused("--channel-capacity many", "channel_capacity='many'"),
    "an unknown option": refused("--nonsense x", "nonsense=1"),
    "two credentials": refused("--auth u:{{canary}}", "auth=('u', canary)"),
    "a secret as an option": refused("--dial-timeout {{canary}}", "dial_timeout=canary"),
    "a bad header": Failure(
        "InvalidError",
        options="-H 'Cookie: {{canary + chr(10) + canary}}'",
        keywords="headers={'Cookie': canary + chr(10) + canary}",
    ),
    "a header of the handshake": Failure(
        "InvalidError",
        options="-H 'Proxy-Authorization: {{canary}}'",
        keywords="headers={'Proxy-Authorization': canary}",
    ),
    "a bad subprotocol": refused("-s bearer -s '{{canary}} x'", "protocols=['bearer', canary + ' x']"),
    "a bad proxy": refused("--proxy http://u:{{canary}}@h/x", "proxy='http://u:' + canary + '@h/x'"),
    "a bad certificate": refused("--ca {{canary}}", "ca=canary"),
    "a user in the URL": refused("", "", "ws://u:CANARY@127.0.0.1:PORT/"),
    "a fragment in the URL": refused("", "", "ws://127.0.0.1:PORT/#access_token=CANARY"),
    "a bad port in the URL": refused("", "", "ws://127.0.0.1:0/?token=CANARY"),
}

WAYS = {
    "%ws": "%ws {url} {failure.options}",
    "%%ws": "%%ws {url} {failure.options}\nhello",
    "Python": "ipyws.connect(f'{url}', {failure.keywords})",
}


@contextlib.contextmanager
def listening(answer: Answer | None, canary: Canary) -> Iterator[int]:
    """A port that gives this answer to everybody, or where nobody listens."""

    async def handle(peer: Raw) -> None:
        await peer.read_request()
        assert answer is not None
        await peer.write(answer(canary.value))
        if not answer(canary.value):
            await peer.forever()

    with contextlib.ExitStack() as stack:
        yield stack.enter_context(raw_server(handle)).port if answer else stack.enter_context(dead_port())


@pytest.fixture(scope="module")
def kernel() -> Iterator[Watched]:
    with watched(colours=False) as kernel:
        yield kernel


def check(kernel: Watched, way: str, failure: Failure, port: int, canary: Canary) -> None:
    kernel.hold(canary)
    template = "{canary}" if way == "Python" else "{{canary}}"
    cell = WAYS[way].format(url=failure.url.replace("CANARY", template), failure=failure)
    failed = kernel.run(cell.replace("PORT", str(port)))
    traceback = kernel.traceback()
    assert failed.ename == failure.error, failed.traceback
    assert len(traceback) > 1
    assert canary.found_in(kernel.shown()) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_shows_a_secret(kernel: Watched, failure: str, way: str) -> None:
    canary = Canary()
    with listening(FAILURES[failure].answer, canary) as port:
        check(kernel, way, FAILURES[failure], port, canary)


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_that_is_not_trusted_shows_no_secret(kernel: Watched, way: str, tmp_path: Path) -> None:
    async def handle(peer: Raw) -> None:
        await peer.rest()

    with raw_server(handle, tls=Authority(tmp_path).server()) as site:
        untrusted = Failure("ConnectError", url="wss://127.0.0.1:PORT/?token=CANARY")
        check(kernel, way, untrusted, site.port, Canary())


@pytest.mark.parametrize("way", WAYS)
def test_a_network_that_swallows_everything_shows_no_secret(kernel: Watched, way: str) -> None:
    timeout = Failure(
        "ConnectError",
        options=f"{BEARER} --dial-timeout 200ms",
        keywords=f"{HEADERS}, dial_timeout='200ms'",
        url="ws://127.0.0.1:PORT/?token=CANARY",
    )
    with black_hole() as port:
        check(kernel, way, timeout, port, Canary())
