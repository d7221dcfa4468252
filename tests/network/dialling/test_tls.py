"""TLS: what is trusted, what is not, and what a failure says."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.options.table import check_options
from ipyws.network.dialling import tls
from tests.support.servers import Raw, answering, http, raw_server, server
from tests.support.tls import Authority, handshaking


@pytest.fixture(autouse=True)
def _no_trust_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


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


# -- private authorities and the system's store ------------------------------------------------


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private authority as many are made: its certificates have no Authority Key Identifier."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "ca.cnf").write_text(
        "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=v3\n[dn]\nCN=Plain\n"
        "[v3]\nbasicConstraints=CA:TRUE\n"
    )
    (folder / "leaf.cnf").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=none\n")
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout")
    openssl(folder, "req", "-x509", "-config", "ca.cnf", *new, "ca.key", "-out", "ca.pem", "-days", "9")
    openssl(folder, "req", *new, "leaf.key", "-subj", "/CN=leaf", "-out", "leaf.csr")
    openssl(
        *(folder, "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "9"),
        *("-CAcreateserial", "-extfile", "leaf.cnf", "-out", "leaf.pem"),
    )
    return folder


@pytest.fixture(scope="module")
def plain_context(plain: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(str(plain / "leaf.pem"), str(plain / "leaf.key"))
    return context


def test_private_authority_without_key_identifiers_is_trusted_where_it_is_named(
    plain: Path, plain_context: ssl.SSLContext
) -> None:
    with server(ssl=plain_context) as site:
        assert echoes(site.url, ca=plain / "ca.pem")


@pytest.mark.parametrize("given", [True, False], ids=["ca", "system"])
def test_no_context_is_stricter_than_browsers_are(
    authority: Authority, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ssl.create_default_context

    def as_in_3_13(*arguments: Any, **named: Any) -> ssl.SSLContext:
        made = real(*arguments, **named)
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    monkeypatch.setattr(ssl, "create_default_context", as_in_3_13)
    made = tls.context(check_options({"ca": authority.ca} if given else {}))
    assert not made.verify_flags & ssl.VERIFY_X509_STRICT
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authority_of_the_system_is_trusted_and_none_beside_it(
    plain: Path, plain_context: ssl.SSLContext, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with server(ssl=plain_context) as site:
        error = failure(site.url)
        assert (error.details["phase"], error.retryable) == ("tls", False)
        shutil.copy(plain / "ca.pem", tmp_path / "ca.pem")
        openssl(tmp_path, "rehash", ".")
        value = tmp_path / "ca.pem" if variable == "SSL_CERT_FILE" else tmp_path
        monkeypatch.setenv(variable, str(value))
        assert echoes(site.url)


def test_system_store_is_used_though_openssl_was_built_without_knowing_it(
    plain: Path, plain_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Python of conda, uv or pyenv may be: its OpenSSL looks where the system has nothing."""
    nothing = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")  # type: ignore[arg-type]
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [str(plain / "ca.pem")])
    with server(ssl=plain_context) as site:
        assert echoes(site.url)


def test_without_truststore_the_store_of_openssl_is_used(
    plain: Path, plain_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    with server(ssl=plain_context) as site:
        assert not failure(site.url).retryable
        assert echoes(site.url, ca=plain / "ca.pem")


def test_client_certificate_is_presented_to_a_server_that_the_system_trusts(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")  # type: ignore[arg-type]
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [str(authority.ca)])
    with server(ssl=authority.server(wants_client=True)) as site:
        assert echoes(site.url, cert=authority.cert, key=authority.key)


def test_keys_are_logged_where_the_environment_wants_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    with server(ssl=authority.server()) as site:
        assert echoes(site.url, insecure=True)
    assert "SECRET" in (tmp_path / "keys.log").read_text()


def test_pem_text_is_used_as_files_are_and_leaves_none(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ca, cert, key = (path.read_text() for path in (authority.ca, authority.cert, authority.key))
    with server(ssl=authority.server(wants_client=True)) as site:
        assert echoes(site.url, ca=ca, cert=cert, key=key.replace("\n", "\\n"))
        assert echoes(site.url, ca=authority.ca, cert=cert + key)
        assert echoes(site.url, ca=ca, cert=authority.cert, key=key)
    assert list(tmp_path.iterdir()) == []


def test_pem_text_that_does_not_fit_is_not_repeated(authority: Authority, stranger: Authority) -> None:
    key = stranger.key.read_text()
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect("wss://127.0.0.1:1", cert=authority.cert.read_text(), key=key)
    assert "cert and key can't be used: the PEM text: key values mismatch" in caught.value.message
    broken = key[:90] + key[120:]
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect("wss://127.0.0.1:1", cert=authority.cert, key=broken)
    assert not any(line in str(caught.value) for line in key.splitlines()[1:-1])


@pytest.mark.parametrize("name", ["set_default_verify_paths", "load_verify_locations", "load_cert_chain"])
def test_no_certificates_are_read_on_the_loop(
    name: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, threads = getattr(ssl.SSLContext, name), []

    def noted(*arguments: Any, **named: Any) -> Any:
        threads.append(threading.current_thread().name)
        return real(*arguments, **named)

    secure = authority.server()
    with server(ssl=secure) as site, answering(http("302 Found", f"Location: {site.url}")) as from_there:
        monkeypatch.setattr(ssl.SSLContext, name, noted)
        files = {"cert": authority.cert, "key": authority.key}
        assert echoes(site.url, ca=authority.ca, **files)
        assert echoes(from_there.url, ca=authority.ca, follow_redirects=True)
        assert failure(site.url).details["phase"] == "tls"  # with the system's store
        assert failure("ws://127.0.0.1:9", proxy=f"https://127.0.0.1:{site.port}").details["phase"] == "proxy"
    assert set(threads) == {"ipyws-tls"}
