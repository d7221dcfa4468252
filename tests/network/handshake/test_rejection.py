"""Handshakes that servers refuse, with real ones: what the error says, and that nothing else is printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ipyws
from ipyws import errors
from tests.support.debian import free_port, running
from tests.support.tls import Authority

TRIES = 25
"""Whether TLS and TCP end in one read or in two is chance: each is tried as often."""

NGINX = """
daemon off;
master_process off;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_client_certificate {ca};
        ssl_verify_client optional;
        keepalive_timeout 0;
        location /cert {{ if ($ssl_client_verify != SUCCESS) {{ return 496; }} return 204; }}
        location /403 {{ return 403 "not for you"; }}
        location /503 {{ return 503; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def nginx(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an nginx with TLS that looks at the client's certificate, without a path."""
    folder = tmp_path_factory.mktemp("nginx")
    authority.write_server(folder / "server.pem", folder / "server.key")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, ca=authority.ca))
    with running(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port, folder / "log"):
        yield f"wss://127.0.0.1:{port}"


def refusal(url: str, **options: object) -> errors.ConnectError:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(url, **options)
    return caught.value


@pytest.mark.debian("nginx")
@pytest.mark.parametrize(("path", "status"), [("/cert", 400), ("/403", 403), ("/503", 503)])
def test_tls_server_that_refuses_and_hangs_up_gives_one_error_and_no_other_output(
    nginx: str, authority: Authority, caplog: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    statuses = {refusal(nginx + path, ca=str(authority.ca)).details["status"] for _ in range(TRIES)}
    assert statuses == {status}
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.debian("nginx")
@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        (
            "/cert",
            "No required SSL certificate was sent",
            "the server wants a client certificate: give cert= and key=",
        ),
        ("/403", "not for you", "the server forbids it"),
        ("/503", "HTTP 503 Service Temporarily Unavailable instead of 101", "try later"),
    ],
)
def test_refusal_of_nginx_is_in_its_own_words(
    nginx: str, authority: Authority, path: str, message: str, hint: str
) -> None:
    error = refusal(nginx + path, ca=str(authority.ca))
    assert error.message.endswith(message)
    assert hint in error.hint
    assert "wss://" not in error.hint


@pytest.mark.debian("nginx")
def test_plain_request_to_a_tls_port_of_nginx_leads_to_wss(nginx: str) -> None:
    error = refusal(nginx.replace("wss:", "ws:"))
    assert error.message.endswith("The plain HTTP request was sent to HTTPS port")
    assert error.hint == "the server wants TLS: use wss://"
