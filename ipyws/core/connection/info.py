"""What a capture says of the connection whose messages it holds."""

from __future__ import annotations

from dataclasses import dataclass

from ipyws.text.masking import mask
from ipyws.text.printable import visible


@dataclass(frozen=True, slots=True)
class About:
    """The connection that messages passed.

    Attributes:
        url: Where it was connected to.
        name: The name it went by, or "".
        opened_at: When it was opened, in seconds since the epoch; None if it is not known.
        subprotocol: The subprotocol the server chose, or None.
        status: HTTP status of the handshake's response: 101; 0 if there was none.
        reason: Its reason phrase.
        headers: Its headers, in order.
        request_headers: The headers that were sent, in order.
        extensions: The negotiated extensions as in the header, or "".
        proxy: The proxy's URL without credentials, or None.
        codec: What read the payloads, as the option ``codec`` or ``dialect`` names it.
        refs: The references that stand in these texts in place of secrets, if they come from a file.
        masked: Whether stars stand in them in place of other secrets.
    """

    url: str
    name: str = ""
    opened_at: float | None = None
    subprotocol: str | None = None
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    request_headers: tuple[tuple[str, str], ...] = ()
    extensions: str = ""
    proxy: str | None = None
    refs: tuple[str, ...] = ()
    masked: bool = False
    codec: str = "auto"

    def __repr__(self) -> str:
        return visible(mask(f"<About {self.name!r} {self.url!r} {self.status} {self.reason}>"))
