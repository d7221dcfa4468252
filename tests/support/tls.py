"""A certificate authority of the tests' own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import trustme


class Authority:
    """Issues certificates, and writes them to files where a client wants files.

    Attributes:
        ca: File of the authority's certificate.
        cert: File of a client certificate.
        key: File of its private key.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._ca = trustme.CA()
        self.ca, self.cert, self.key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
        self._ca.cert_pem.write_to_path(str(self.ca))
        client = self._ca.issue_cert("client@example.test")
        client.cert_chain_pems[0].write_to_path(str(self.cert))
        client.private_key_pem.write_to_path(str(self.key))

    def write_server(self, cert: Path, key: Path) -> None:
        """Write certificate and private key of a server on the loopback, for programs that want files."""
        issued = self._ca.issue_cert("127.0.0.1", "localhost")
        cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))

    def server(self, *hosts: str, wants_client: bool = False) -> ssl.SSLContext:
        """Return the context of a server that is called so."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(*(hosts or ("127.0.0.1", "localhost"))).configure_cert(context)
        if wants_client:
            self._ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def write_as(self, path: Path, *hosts: str) -> None:
        """Write the certificate and the key of a server that is called so into one file."""
        self._ca.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(str(path))


@contextlib.contextmanager
def handshaking(context: ssl.SSLContext) -> Iterator[int]:
    """A port that does one TLS handshake and sends an alert if it fails, as asyncio's servers do not."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_shake_hands, args=(listening, context), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(60)


def _shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    accepted, _ = listening.accept()
    with accepted, context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as secured:
        try:
            secured.do_handshake()
        except ssl.SSLError:
            # To close with something unread would reset the connection, and the alert might be lost.
            secured.shutdown(socket.SHUT_WR)
            while socket.socket.recv(secured, 1 << 16):
                pass
