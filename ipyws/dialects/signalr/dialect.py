"""SignalR as a dialect: its settings, its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.msgpack import MSGPACK
from ipyws.core.dialects.dialect import Dialect, Opening, Session, Word
from ipyws.core.options.kinds import ChoiceKind, DurationKind, SwitchKind
from ipyws.core.options.option import Option
from ipyws.dialects.signalr.codec import HubProtocol, SignalRCodec
from ipyws.dialects.signalr.json_protocol import JsonProtocol
from ipyws.dialects.signalr.msgpack_protocol import MessagePackProtocol
from ipyws.dialects.signalr.session import SignalRSession


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
        packed = protocol == MessagePackProtocol.name
        self._protocol: HubProtocol = MessagePackProtocol() if packed else JsonProtocol()
        self._keep_alive = keep_alive
        self._timeout = timeout

    def check(self) -> None:
        """Refuse MessagePack without msgspec."""
        if isinstance(self._protocol, MessagePackProtocol):
            MSGPACK.check()

    def codec(self, inner: Codec) -> Codec:
        """Return what reads its messages."""
        return SignalRCodec(self._protocol)

    def begin(self, opening: Opening) -> Session:
        """Return the state machine of one opening."""
        return SignalRSession(self._protocol, self._keep_alive, self._timeout)
