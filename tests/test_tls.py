"""TLS: what is trusted, what is not, and what a failure says."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.servers import Raw, raw_server, server
from tests.support.tls import Authority, handshaking


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


def failure(url: str, **options: Any) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    assert caught.value.kind is errors.INTERNAL
    return caught.value


def echoes(url: str, **options: Any) -> bool:
    with ipyws.connect(url, **options) as client:
        client.send("hello")
        return client.recv("5s").data == "hello"


def test_server_of_a_named_authority_is_trusted(authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        assert echoes(site.url, ca=authority.ca)


def test_path_of_a_file_may_be_text(authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        assert echoes(site.url, ca=str(authority.ca))


def test_server_of_an_unknown_authority_is_refused_for_good(authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        error = failure(site.url)
    assert (error.details["phase"], error.retryable) == ("tls", False)
    assert "not trusted" in error.message
    assert "ca=" in error.hint
    assert "insecure" in error.hint


def test_certificate_for_another_host_is_refused_and_the_host_named(authority: Authority) -> None:
    with server(ssl=authority.server("elsewhere.test")) as site:
        error = failure(site.url, ca=authority.ca)
    assert (error.details["phase"], error.retryable) == ("tls", False)
    assert "127.0.0.1" in error.message


def test_insecure_accepts_any_certificate(authority: Authority) -> None:
    with server(ssl=authority.server("elsewhere.test")) as site:
        assert echoes(site.url, insecure=True)


def test_server_without_tls_is_recognised() -> None:
    async def answer_in_plain_text(peer: Raw) -> None:
        await peer.reader.read(1 << 16)
        await peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.rest()

    with raw_server(answer_in_plain_text) as site:
        error = failure(site.url.replace("ws://", "wss://"))
    assert (error.details["phase"], error.retryable) == ("tls", False)
    assert "does not speak TLS" in error.message
    assert "ws://" in error.hint


def test_tls_server_dialled_without_tls_is_hinted_at(authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        error = failure(site.url.replace("wss://", "ws://"))
    assert not error.retryable or "dropped" in error.message
    assert "phase" in error.details


@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
def test_missing_client_certificate_fails_in_the_tls_phase(authority: Authority, newest: bool) -> None:
    context = authority.server(wants_client=True)
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with handshaking(context) as port:
        error = failure(f"wss://127.0.0.1:{port}", ca=authority.ca)
    assert (error.details["phase"], error.retryable) == ("tls", False)
    assert "cert=" in error.hint


def test_server_that_hangs_up_without_a_client_certificate_is_hinted_at(authority: Authority) -> None:
    with server(ssl=authority.server(wants_client=True)) as site:
        error = failure(site.url, ca=authority.ca)
    assert "dropped" in error.message
    assert "cert=" in error.hint


def test_client_certificate_is_presented(authority: Authority) -> None:
    with server(ssl=authority.server(wants_client=True)) as site:
        assert echoes(site.url, ca=authority.ca, cert=authority.cert, key=authority.key)


def test_client_certificate_of_a_stranger_is_refused(authority: Authority, stranger: Authority) -> None:
    with handshaking(authority.server(wants_client=True)) as port:
        error = failure(f"wss://127.0.0.1:{port}", ca=authority.ca, cert=stranger.cert, key=stranger.key)
    assert (error.details["phase"], error.retryable) == ("tls", False)


@pytest.mark.parametrize("name", ["ca", "cert"])
def test_file_that_holds_no_certificate_is_invalid_before_anything_is_dialled(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "not.pem"
    path.write_text("no certificate")
    options: dict[str, Any] = {name: path}
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        with pytest.raises(errors.InvalidError) as caught:
            ipyws.connect(f"wss://127.0.0.1:{listening.getsockname()[1]}", **options)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert name in caught.value.message
    assert "ssl.c" not in caught.value.message
    assert "not.pem" in caught.value.message


def test_key_of_another_certificate_is_invalid(authority: Authority, stranger: Authority) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect("wss://127.0.0.1:1", cert=authority.cert, key=stranger.key)
    assert "key" in caught.value.message


def test_file_that_does_not_exist_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidError, match="ca names"):
        ipyws.connect("wss://127.0.0.1:1", ca=tmp_path / "missing.pem")


def test_server_that_drops_the_connection_during_the_tls_handshake_is_worth_another_try() -> None:
    async def drop(peer: Raw) -> None:
        await peer.reader.read(1)
        peer.reset()

    with raw_server(drop) as site:
        error = failure(site.url.replace("ws://", "wss://"))
    assert (error.details["phase"], error.retryable) == ("tls", True)
    assert "TLS" in error.message
    assert "ws://" in error.hint
    assert "client certificate" in error.hint


def test_silence_during_the_tls_handshake_ends_with_the_dial_timeout() -> None:
    async def ignore(peer: Raw) -> None:
        await peer.forever()

    with raw_server(ignore) as site:
        error = failure(site.url.replace("ws://", "wss://"), dial_timeout="200ms")
    assert (error.details["phase"], error.retryable) == ("tls", True)
    assert "200ms" in error.message


def test_close_over_tls_is_clean(authority: Authority) -> None:
    with server(ssl=authority.server()) as site:
        close = ipyws.connect(site.url, ca=authority.ca).close(1000, "bye")
    assert (close.code, close.reason, close.initiator, close.error) == (1000, "bye", "us", None)


@pytest.mark.parametrize("data", ["x" * 100_000, b"\x00" * 1_000_000])
def test_large_messages_pass_tls_unchanged(authority: Authority, data: str | bytes) -> None:
    with server(ssl=authority.server()) as site, ipyws.connect(site.url, ca=authority.ca) as client:
        client.send(data)
        assert client.recv("10s").data == data
