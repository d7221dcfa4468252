"""The request of a handshake, for who signs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipyws.text.masking import mask


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """The request of a handshake as it will be sent, for whoever signs it: the option ``sign``.

    Attributes:
        method: "GET".
        url: Where it goes, with its query; its scheme is ws or wss.
        headers: Its headers by their names; several of one name are joined by a comma.
    """

    method: str
    url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<HandshakeRequest {self.method} {mask(self.url)}>"
