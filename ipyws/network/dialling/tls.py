"""TLS settings from options.

Reading the system's store takes OpenSSL some 30 ms, and on slow machines 200: where a loop runs, ask for
`make_context` and `make_proxy_context`, which do it beside the loop.
"""

from __future__ import annotations

import os
import platform
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipyws.core.options.table import ConnectOptions
from ipyws.errors import InvalidError
from ipyws.runtime.aside import aside

_THREAD = "ipyws-tls"
_JUDGED_BY_THE_SYSTEM = ("Darwin", "Windows")  # there truststore asks the system itself about a certificate


async def make_context(options: ConnectOptions) -> ssl.SSLContext:
    """Return what `context` does, made beside the loop."""
    return await aside(lambda: context(options), _THREAD)


async def make_proxy_context(options: ConnectOptions) -> ssl.SSLContext:
    """Return what `proxy_context` does, made beside the loop."""
    return await aside(lambda: proxy_context(options), _THREAD)


def context(options: ConnectOptions) -> ssl.SSLContext:
    """Return the TLS context for a connection: verified, unless ``insecure``.

    Raises:
        InvalidError: ``ca``, ``cert`` or ``key`` names a file that holds no such thing.
    """
    made = _trusting(options) if options.ca else _system()
    if options.insecure:
        _trust_anyone(made)
    if options.cert:
        try:
            # A passphrase can't be asked for in a cell: an empty one makes OpenSSL fail instead of prompt.
            with _as_files(options.cert, options.key) as (cert, key):
                made.load_cert_chain(cert or "", key, password="")
        except (ssl.SSLError, OSError) as error:
            raise _unusable("cert" if options.key is None else "cert and key", options.cert, error) from None
    return made


def proxy_context(options: ConnectOptions) -> ssl.SSLContext:
    """Return the TLS context for a proxy: it trusts the system's authorities and those of ``ca``.

    The client certificate is meant for the server.

    Raises:
        InvalidError: ``ca`` names a file that holds no certificate.
    """
    made = _system()
    if options.ca:
        try:
            if isinstance(options.ca, str):
                made.load_verify_locations(cadata=options.ca)
            else:
                made.load_verify_locations(cafile=str(options.ca))
        except (ssl.SSLError, OSError) as error:
            raise _unusable("ca", options.ca, error) from None
    if options.insecure:
        _trust_anyone(made)
    return made


def _system() -> ssl.SSLContext:
    """Return a context that trusts the system's store, or what SSL_CERT_FILE or SSL_CERT_DIR names."""
    if any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")):
        return _lenient(ssl.create_default_context())
    try:
        import truststore

        made = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except (ImportError, NotImplementedError):  # an old system, or a Python without the means
        return _lenient(ssl.create_default_context())
    if keys := os.environ.get("SSLKEYLOGFILE"):  # as ssl.create_default_context does
        made.keylog_filename = keys
    return made if platform.system() in _JUDGED_BY_THE_SYSTEM else _loaded(made)


def _loaded(made: ssl.SSLContext) -> ssl.SSLContext:
    """Return the context of OpenSSL within one of truststore, with the store in it.

    Truststore reads the store each time that a connection is made, and that is on the loop.
    """
    return made.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost").context


def _trusting(options: ConnectOptions) -> ssl.SSLContext:
    """Return a context that trusts the authorities of ``ca`` and no others."""
    try:
        return _lenient(_with_authorities(options.ca))
    except (ssl.SSLError, OSError) as error:
        raise _unusable("ca", options.ca, error) from None


def _lenient(made: ssl.SSLContext) -> ssl.SSLContext:
    """Take private authorities as they are: Python 3.13 wants an Authority Key Identifier, browsers don't."""
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made


def _trust_anyone(made: ssl.SSLContext) -> None:
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE


def _with_authorities(ca: Path | str | None) -> ssl.SSLContext:
    if isinstance(ca, str):
        return ssl.create_default_context(cadata=ca)
    return ssl.create_default_context(cafile=str(ca))


@contextmanager
def _as_files(*given: Path | str | None) -> Iterator[list[str | None]]:
    """Give the paths of PEM files, of new ones for what is text: OpenSSL as Python has it reads only files.

    Those are for this user alone, and gone as soon as they are read.
    """
    with tempfile.TemporaryDirectory(prefix="ipyws-") as folder:
        paths: list[str | None] = []
        for number, pem in enumerate(given):
            if isinstance(pem, str):
                paths.append(os.path.join(folder, f"{number}.pem"))
                opened = os.open(paths[-1] or "", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(opened, "w", encoding="utf-8", errors="replace") as stream:
                    stream.write(pem)
            else:
                paths.append(None if pem is None else str(pem))
        yield paths


def _unusable(name: str, given: Path | str | None, error: OSError) -> InvalidError:
    known = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    reason = known or "nothing in it can be read"
    shown = "the PEM text" if isinstance(given, str) else repr(str(given))
    return InvalidError(
        f"{name} can't be used: {shown}: {reason.replace('_', ' ').lower()}",
        hint="PEM without a passphrase is allowed",
    )
