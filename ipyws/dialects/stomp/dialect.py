"""The dialect stomp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from ipyws.core.codecs.codec import Codec
from ipyws.core.dialects.dialect import Dialect, Opening, Word
from ipyws.dialects.stomp.codec import StompCodec
from ipyws.dialects.stomp.frames import NEWEST, VERSIONS, Frame, can_hold
from ipyws.dialects.stomp.session import StompSession
from ipyws.dialects.stomp.settings import FLAGS, SETTINGS
from ipyws.errors import InvalidError, brief

_BY_SUBPROTOCOL: Final = {f"v{version.replace('.', '')}.stomp": version for version in VERSIONS}


class Stomp(Dialect):
    """STOMP 1.2, 1.1 or 1.0: the newest that the server speaks.

    Args:
        host: The virtual host.
        heartbeat: Seconds between heartbeats, or None.
        headers: Headers of CONNECT.
        receipts: Whether the server is asked to confirm; None for one that says what server it is.

    Raises:
        InvalidError: A header can't be sent.
    """

    name = "stomp"
    title = "STOMP"
    words: ClassVar[Mapping[Word, str]] = {"subscribe": "DESTINATION", "publish": "DESTINATION PAYLOAD"}
    flags = FLAGS
    settings = SETTINGS
    subprotocols = tuple(reversed(_BY_SUBPROTOCOL))
    opens_with = "the server's CONNECTED"

    def __init__(
        self, *, host: str, heartbeat: float | None, headers: Mapping[str, str], receipts: bool | None
    ) -> None:
        self._heartbeat = max(1, round(heartbeat * 1000)) if heartbeat else 0
        self._headers = {"host": host, **headers}
        self._receipts = receipts
        _check(self._headers)

    @property
    def logs_in(self) -> bool:
        return True

    def codec(self, inner: Codec) -> Codec:
        return StompCodec(inner)

    def begin(self, opening: Opening) -> StompSession:
        chosen = _BY_SUBPROTOCOL.get(opening.subprotocol or "")
        headers = {
            "accept-version": chosen or ",".join(VERSIONS),
            "heart-beat": f"{self._heartbeat},{self._heartbeat}",
            "host": self._headers["host"],
        }
        if not opening.moved:  # credentials may be among them
            headers |= self._headers
            if opening.credentials is not None:
                login = dict(zip(("login", "passcode"), opening.credentials, strict=True))
                _check(login)
                headers |= login
        return StompSession(Frame("CONNECT", headers), self._heartbeat, self._receipts, opening)


def _check(headers: Mapping[str, str]) -> None:
    """Refuse what can't stand in CONNECT, which has no escapes.

    Raises:
        InvalidError: It holds a line end, or the name of a header a colon.
    """
    for name, value in headers.items():
        if ":" in name or not can_hold(name + value, "CONNECT", NEWEST):
            what = f"the header {brief(name)} of CONNECT can't be sent"
            raise InvalidError(what, hint="text on one line is allowed")
