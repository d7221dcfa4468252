"""TLS settings from options."""

from __future__ import annotations

import ssl

from ipyws.core.options import ConnectOptions
from ipyws.errors import InvalidError


def context(options: ConnectOptions) -> ssl.SSLContext:
    """Return the TLS context for a connection: verified, unless ``insecure``.

    Raises:
        InvalidError: ``ca``, ``cert`` or ``key`` names a file that holds no such thing.
    """
    try:
        made = ssl.create_default_context(cafile=options.ca and str(options.ca))
    except (ssl.SSLError, OSError) as error:
        raise _unusable("ca", options.ca, error) from None
    if options.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if options.cert:
        try:
            # A passphrase can't be asked for in a cell: an empty one makes OpenSSL fail instead of prompt.
            made.load_cert_chain(str(options.cert), options.key and str(options.key), password="")
        except (ssl.SSLError, OSError) as error:
            raise _unusable("cert" if options.key is None else "cert and key", options.cert, error) from None
    return made


def _unusable(name: str, path: object, error: OSError) -> InvalidError:
    known = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    reason = known or "nothing in it can be read"
    return InvalidError(
        f"{name} can't be used: {str(path)!r}: {reason.replace('_', ' ').lower()}",
        hint="PEM files without a passphrase are allowed",
    )
