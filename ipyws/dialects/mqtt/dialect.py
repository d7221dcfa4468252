"""The dialect mqtt."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ipyws.core.codecs.codec import Codec
from ipyws.core.dialects.dialect import Dialect, Opening, Word
from ipyws.dialects.mqtt import failures
from ipyws.dialects.mqtt.codec import MqttCodec
from ipyws.dialects.mqtt.packets import V5, Connect
from ipyws.dialects.mqtt.session import MqttSession
from ipyws.dialects.mqtt.settings import FLAGS, SETTINGS, whole_seconds, will_of
from ipyws.errors import InvalidError

_KEPT: Final = 3600.0  # seconds that a session is kept, unless said
_LONGEST_KEEPALIVE: Final = 65_535


class Mqtt(Dialect):
    """MQTT 5 or 3.1.1.

    Args:
        version: The protocol level.
        client_id: The client identifier, or None for a random one in each session.
        clean: Begin without what the server kept.
        keepalive: Seconds, or None.
        will: What the server publishes once this client is lost, or None.
        session_expiry: Seconds that the server keeps the session, or None.

    Raises:
        InvalidError: These do not go together.
    """

    name = "mqtt"
    title = "MQTT"
    words: ClassVar[Mapping[Word, str]] = {"subscribe": "TOPIC", "publish": "TOPIC PAYLOAD"}
    flags = FLAGS
    settings = SETTINGS
    subprotocols = ("mqtt",)
    opens_with = "the server's CONNACK"

    def __init__(
        self,
        *,
        version: int,
        client_id: str | None,
        clean: bool,
        keepalive: float | None,
        will: Mapping[str, Any] | None,
        session_expiry: float | None,
    ) -> None:
        if not clean and not client_id:
            hint = "a session that goes on is found by its client_id"
            raise InvalidError("dialect mqtt has clean=False without a client_id", hint=hint)
        if session_expiry is not None and version != V5:
            hint = "there the server decides; clean=False has it keep the session"
            raise InvalidError("dialect mqtt has session_expiry, which MQTT 3.1.1 does not have", hint=hint)
        self._version = version
        self.advice = failures.OLDER if version == V5 else ""
        self._client_id = client_id
        self._clean = clean
        self._keepalive = keepalive
        self._will = will
        self._expiry = session_expiry

    @property
    def logs_in(self) -> bool:
        return True

    def codec(self, inner: Codec) -> Codec:
        return MqttCodec(inner, self._version)

    def begin(self, opening: Opening) -> MqttSession:
        username = password = None
        if opening.credentials is not None and not opening.moved:
            username, password = opening.credentials[0], opening.credentials[1].encode()
        connect = Connect(
            self._version,
            # 21 letters and digits, which every server takes (section 3.1.3.1 of MQTT 3.1.1).
            self._client_id or f"ipyws{secrets.token_hex(8)}",
            self._clean,
            whole_seconds(self._keepalive, _LONGEST_KEEPALIVE) if self._keepalive else 0,
            username,
            password,
            will_of(self._will, opening.codec) if self._will else None,
            self._properties(),
        )
        return MqttSession(connect, self._keepalive, opening)

    def _properties(self) -> dict[str, Any]:
        expiry = self._expiry if self._clean or self._expiry else _KEPT
        return {"session_expiry_interval": whole_seconds(expiry)} if expiry and self._version == V5 else {}
