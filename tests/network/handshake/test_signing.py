"""Signed handshakes: AWS Signature Version 4 by botocore, which the server computes once more."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

import ipyws
from ipyws import errors
from ipyws.core.options.handshake_request import HandshakeRequest
from tests.support.acting import acts, noting, opening
from tests.support.servers import Site, http, server, until

KEY, SESSION = "AKIDEXAMPLE", "a-session-token-of-the-tests"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials(KEY, SECRET, SESSION)
REGION, SERVICE = "eu-central-1", "execute-api"
Sign = Callable[[HandshakeRequest], Any]


def in_headers(credentials: Credentials = CREDENTIALS) -> Sign:
    """Sign as Amazon API Gateway wants it."""

    def sign(request: HandshakeRequest) -> dict[str, str]:
        signed = AWSRequest(request.method, request.url.replace("ws", "http", 1))
        SigV4Auth(credentials, SERVICE, REGION).add_auth(signed)
        return dict(signed.headers)

    return sign


def in_query(credentials: Credentials = CREDENTIALS) -> Sign:
    """Sign as AWS IoT, Transcribe and Neptune want it."""

    def sign(request: HandshakeRequest) -> str:
        signed = AWSRequest(request.method, request.url.replace("ws", "http", 1))
        SigV4QueryAuth(credentials, SERVICE, REGION, expires=60).add_auth(signed)
        return str(signed.url).replace("http", "ws", 1)

    return sign


def signature_of(request: Request, moment: str, url: str, signer: Any) -> str:
    """Return what the signature of a request must be, by botocore."""
    again = AWSRequest("GET", url, headers={"Host": request.headers["Host"]})
    again.context["timestamp"] = moment
    if signer is SigV4Auth:
        again.headers["X-Amz-Date"] = moment
        again.headers["X-Amz-Security-Token"] = request.headers["X-Amz-Security-Token"]
    auth = signer(CREDENTIALS, SERVICE, REGION)
    canonical = auth.canonical_request(again)
    return str(auth.signature(auth.string_to_sign(again, canonical), again))


def judged(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse a handshake whose signature is not that of the request."""
    url = f"http://{request.headers['Host']}{request.path}"
    query = dict(parse_qsl(urlsplit(url).query))
    if "X-Amz-Signature" in query:
        given = query["X-Amz-Signature"]
        url = url.replace(f"&X-Amz-Signature={given}", "")
        wanted = signature_of(request, query["X-Amz-Date"], url, SigV4QueryAuth)
    else:
        given = request.headers.get("Authorization", "").rpartition("Signature=")[2]
        wanted = (
            signature_of(request, request.headers.get("X-Amz-Date", ""), url, SigV4Auth) if given else "-"
        )
    if hmac.compare_digest(given, wanted):
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "the signature does not match")


@pytest.fixture
def aws() -> Iterator[Site]:
    async def echo_or_drop(connection: ServerConnection) -> None:
        async for message in connection:
            if message == "drop":
                connection.transport.abort()
            await connection.send(message)

    with server(echo_or_drop, process_request=judged) as site:
        yield site


@pytest.mark.parametrize("way", [in_headers, in_query])
def test_a_server_that_computes_the_signature_takes_it(aws: Site, way: Callable[..., Sign]) -> None:
    with ipyws.connect(f"{aws.url}/prod?room=blue%20sky", sign=way()) as client:
        client.send("hello")
        assert client.recv("5s").data == "hello"
        shown = f"{client!r} {client.response!r} {client.response.request_headers!r}"  # type: ignore[union-attr]
    for secret in (SECRET, SESSION):
        assert secret not in shown


@pytest.mark.parametrize("way", [in_headers, in_query])
def test_a_wrong_key_is_refused(aws: Site, way: Callable[..., Sign]) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(aws.url, sign=way(Credentials(KEY, "another secret key", SESSION)))
    assert caught.value.details["status"] == 403


def test_it_is_signed_at_each_dial(aws: Site) -> None:
    signed: list[str] = []

    def sign(request: HandshakeRequest) -> Any:
        headers = in_headers()(request)
        signed.append(request.headers["Sec-WebSocket-Key"])
        return headers

    with ipyws.connect(aws.url, sign=sign, reconnect={"first": "1ms", "max": "1ms"}) as client:
        client.send("drop")
        until(lambda: client.stats.ws_sessions == 2)
    assert len(set(signed)) == 2


def test_what_is_signed_is_what_is_sent() -> None:
    seen: list[HandshakeRequest] = []

    def sign(request: HandshakeRequest) -> dict[str, str]:
        seen.append(request)
        return {"X-Signature": "abc", "X-Replaced": "new"}

    heads: list[bytes] = []

    async def keep(peer: Any) -> None:
        heads.append(await peer.upgrade())
        await noting(peer)

    with acts(keep) as site:
        headers = {"X-Replaced": "old"}
        with ipyws.connect(f"{site.url}/a?b=c", sign=sign, headers=headers, params={"d": "e"}) as client:
            sent = dict(client.response.request_headers)  # type: ignore[union-attr]
    (request,) = seen
    assert (request.method, request.url) == ("GET", f"{site.url}/a?b=c&d=e")
    assert request.headers["X-Replaced"] == "old"
    assert request.headers["Host"] == f"127.0.0.1:{site.port}"
    assert request.headers["Sec-WebSocket-Key"] == sent["Sec-WebSocket-Key"]
    assert (sent["X-Signature"], sent["X-Replaced"]) == ("abc", "new")


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (3, "sign returned something of type int"),
        ("wss://elsewhere.example/", "sign returned a URL of another origin: wss://elsewhere.example:443"),
        ("nonsense", "URL does not begin with"),
        ({"Connection": "close"}, "header Connection belongs to the handshake"),
        ({"X-A": "a\nb"}, "the value of header X-A holds"),
    ],
)
def test_what_can_not_be_sent_is_refused(aws: Site, returned: Any, what: str) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        ipyws.connect(aws.url, sign=lambda _: returned)


def test_a_function_that_raises_or_never_ends_is_the_error_of_the_dial(aws: Site) -> None:
    def raises(_: HandshakeRequest) -> None:
        raise LookupError("no credentials")

    with pytest.raises(errors.InvalidError, match="the function of sign raised LookupError: no credentials"):
        ipyws.connect(aws.url, sign=raises)
    never = threading.Event()
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(aws.url, sign=lambda _: never.wait(10), dial_timeout="100ms")
    never.set()
    assert caught.value.details["phase"] == "credentials"
    assert "signing the handshake took too long: 100ms passed" in caught.value.message


def test_another_origin_gets_no_signature() -> None:
    signed: list[str] = []

    def sign(request: HandshakeRequest) -> dict[str, str]:
        signed.append(request.url)
        return {"X-Signature": "abc"}

    with acts(opening(end=noting)) as there:

        async def redirect(peer: Any) -> None:
            await peer.read_request()
            await peer.write(http("302 Found", f"Location: {there.url}/"))

        with acts(redirect) as here, ipyws.connect(here.url, sign=sign, follow_redirects=True) as client:
            assert "X-Signature" not in dict(client.response.request_headers)  # type: ignore[union-attr]
    assert signed == [f"{here.url}/"]
