"""SignalR as a dialect: its settings, its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.dialects.dialect import Dialect, Opening, Session, Word
from ipyws.core.options.kinds import ChoiceKind, DurationKind, SwitchKind
from ipyws.core.options.option import Option
from ipyws.dialects.signalr.codec import HubProtocol, SignalRCodec
from ipyws.dialects.signalr.json_protocol import JsonProtocol
from ipyws.dialects.signalr.msgpack_protocol import MessagePackProtocol
from ipyws.dialects.signalr.session import SignalRSession
from ipyws.errors import InvalidError, brief

_INNER: Final = ("auto", "json", MSGPACK.name)


class SignalR(Dialect):
    """SignalR of ASP.NET Core, without negotiation: the URL is that of the hub, with the scheme ws or wss."""

    name: ClassVar[str] = "signalr"
    title: ClassVar[str] = "SignalR"
    words: ClassVar[Mapping[Word, str]] = {
        "call": "METHOD ARGUMENT…",
        "emit": "METHOD ARGUMENT…",
        "subscribe": "METHOD ARGUMENT…",
    }
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {
        "subscribe": (
            Option("listen", SwitchKind(), False, "follow what the server invokes by this name, no stream"),
        )
    }
    settings: ClassVar[tuple[Option, ...]] = (
        Option("protocol", ChoiceKind("json", "messagepack"), "json", "what messages are encoded in"),
        Option("keep_alive", DurationKind(), "15s", "how often we ping; None for never"),
        Option("timeout", DurationKind(), "30s", "how long the server may be silent; None for ever"),
    )
    opens_with: ClassVar[str] = "the server's answer to the handshake"

    def __init__(self, protocol: str, keep_alive: float | None, timeout: float | None) -> None:
        self._packed = protocol == MessagePackProtocol.name
        self._keep_alive = keep_alive
        self._timeout = timeout

    def check(self) -> None:
        """Refuse MessagePack without msgspec."""
        if self._packed:
            MSGPACK.check()

    def codec(self, inner: Codec) -> Codec:
        """Return what reads its messages.

        Raises:
            InvalidError: The hub protocol is not there in that codec.
        """
        return SignalRCodec(self._protocol(inner))

    def begin(self, opening: Opening) -> Session:
        """Return the state machine of one opening."""
        return SignalRSession(self._protocol(opening.codec), self._keep_alive, self._timeout)

    def _protocol(self, inner: Codec) -> HubProtocol:
        if inner.name not in _INNER:
            hint = 'protocol="messagepack" of the dialect, or the codec msgpack, has another one than JSON'
            raise InvalidError(f"SignalR has no messages in the codec {brief(inner.name)}", hint=hint)
        return MessagePackProtocol() if self._packed or inner.name == MSGPACK.name else JsonProtocol()
