"""What a proxy's failure says: whose fault it is, and whether trying again can help."""

from __future__ import annotations

import ssl
from collections.abc import Callable

Description = tuple[str, str, bool]
"""Message, hint, and whether trying again can help."""

_RULES = "ask whoever runs {proxy}; proxy=None connects directly"
_DOWN = "is the server running, and this its port? the proxy {proxy} answered"
_NETWORK = "the network behind {proxy} does not reach the server: try later"
_OTHER = "the proxy {proxy} can't do this: proxy= may name another"

# RFC 1928 section 6; what is over in a moment is worth another try.
_SOCKS5: dict[int, tuple[str, str, bool]] = {
    1: ("general failure", _NETWORK, True),
    2: ("its rules do not allow the connection", _RULES, False),
    3: ("network unreachable", _NETWORK, True),
    4: ("host unreachable", _NETWORK, True),
    5: ("the server refused the connection", _DOWN, True),
    6: ("the server is too far away (TTL expired)", _NETWORK, True),
    7: ("it does not know the command", _OTHER, False),
    8: ("it does not take this kind of address", _OTHER, False),
}
# SOCKS 4 says no more than that it failed, or that it wants to know who asks.
_SOCKS4: dict[int, tuple[str, str, bool]] = {
    91: ("rejected or failed", _DOWN, True),
    92: ("it can't ask this machine who the user is (identd)", _RULES, False),
    93: ("the user is another one (identd)", _RULES, False),
}


class SocksError(Exception):
    """A SOCKS proxy did not connect.

    Attributes:
        said: In its words, or those of the library.
        code: The reply code, or None where there was none: it hung up, or answers nonsense.
        hung_up: Whether it ended the TCP connection.
    """

    def __init__(self, said: str, code: int | None, hung_up: bool) -> None:
        super().__init__(said)
        self.said = said
        self.code = code
        self.hung_up = hung_up

    def describe(self, proxy: str) -> Description:
        """Return what to tell.

        Args:
            proxy: The proxy's URL without credentials.
        """
        known = {**_SOCKS5, **_SOCKS4}.get(self.code or 0)
        if known is not None:
            said, hint, retryable = known
            message = f"the proxy {proxy} did not connect: {said} (SOCKS reply {self.code})"
            return message, hint.format(proxy=proxy), retryable
        if self.hung_up:
            return f"the proxy {proxy} hung up", "try later, or check that it speaks SOCKS", True
        return f"the proxy {proxy} failed: {self.said}", f"check the proxy's URL: {proxy}", False


def describe_proxy(error: SocksError | OSError, proxy: str, why: Callable[[OSError], str]) -> Description:
    """Return what to tell of a proxy that can't be reached, or does not do what it is asked for.

    Args:
        error: What was raised.
        proxy: The proxy's URL without credentials.
        why: Returns what the system said.
    """
    if isinstance(error, SocksError):
        return error.describe(proxy)
    if isinstance(error, ssl.SSLError):
        return _describe_tls(error, proxy)
    hint = "check proxy=, or the environment's proxy variables"
    return f"the proxy {proxy} can't be reached: {why(error)}", hint, True


def _describe_tls(error: ssl.SSLError, proxy: str) -> Description:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_message", "") or str(error)
        return (
            f"the certificate of the proxy {proxy} is not trusted: {why.rstrip('.')}",
            "ca= names an authority to trust, also for the proxy; insecure=True skips the check",
            False,
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason or "record layer" in reason:
        return f"the proxy {proxy} does not speak TLS: {reason}", "try http:// in the proxy's URL", False
    return (
        f"the TLS handshake with the proxy {proxy} failed: {reason}",
        f"check the proxy's URL: {proxy}",
        False,
    )
