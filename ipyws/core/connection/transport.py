"""The seam between a connection and whatever carries its frames.

A transport works on one event loop and calls its `Sink` there. The core decides; the transport carries.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.messages.message import Control, Direction
from ipyws.errors import WebSocketError
from ipyws.text.masking import conceal_headers, mask, mask_headers
from ipyws.text.printable import visible

if TYPE_CHECKING:
    from ipyws.core.connection.info import About
    from ipyws.core.options.table import ConnectOptions
    from ipyws.core.wire.frame_log import FrameLog
    from ipyws.policy.url import URL


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a connection was opened.

    Attributes:
        status: HTTP status of the response: 101.
        reason: Its reason phrase.
        subprotocol: The subprotocol the server chose, or None.
        extensions: The negotiated extensions as in the header, or "".
        local_address: Our host and port.
        peer_address: Host and port at the other end of the TCP connection (a proxy's, if there is one).
        proxy: The proxy's URL without credentials, or None.
        url: The URL that was reached: another than the one dialled where that redirected.
        redirects: The URLs that redirected there, first first.
        oddities: In words, in what the answer differs from what the standard has a server send.
        moved: Whether one of them led to another origin: what was meant for the first is not sent there.
        elapsed: Seconds from the start of dialling to the response.
    """

    status: int
    reason: str
    _answered: tuple[tuple[str, str], ...]
    _asked: tuple[tuple[str, str], ...] = ()
    subprotocol: str | None = None
    extensions: str = ""
    local_address: tuple[str, int] | None = None
    peer_address: tuple[str, int] | None = None
    proxy: str | None = None
    url: str = ""
    redirects: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    moved: bool = False
    elapsed: float = field(default=0.0, compare=False)

    # Concealed when they are looked at: concealed ones are two dozen objects of each connection, for the
    # garbage collector too.
    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the response, in order; exact as text, without secrets in a repr."""
        return conceal_headers(self._answered)

    @property
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers we sent, in order; likewise."""
        return conceal_headers(self._asked)

    def add_to(self, about: About) -> About:
        """Return what a capture says of a connection, with how it was opened."""
        return replace(
            about,
            subprotocol=self.subprotocol,
            status=self.status,
            reason=self.reason,
            headers=self.headers,
            request_headers=self.request_headers,
            extensions=self.extensions,
            proxy=self.proxy,
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}: {value}" for name, value in mask_headers(self._answered))
        status = f"{self.status} {mask(self.reason)}".rstrip()
        return visible(f"<Handshake {status} in {self.elapsed * 1000:.0f} ms, {shown}>")


class Sink(Protocol):
    """What a transport tells its connection, on the loop it works on."""

    @property
    def frames(self) -> FrameLog | None:
        """Where a tap puts what it finds, or None for nowhere."""

    def on_data(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        """Data messages of one read, complete and in order.

        Args:
            payloads: The messages.
            size: Their bytes together.
            moment: When they came: seconds since the epoch; now if None.
        """

    def on_control(self, kind: Any, direction: Direction, control: Control) -> None:
        """A control frame that came, or that the transport sent by itself."""

    def on_lost(self, close: Close) -> None:
        """The connection is over; nothing is called after this."""


class Transport(Protocol):
    """An open WebSocket connection, as far as the core drives it."""

    handshake: Handshake
    heard: float
    """When something last came, were it a part of a frame: monotonic seconds."""
    pings: bool
    """Whether it can send pings."""
    max_message: int | None
    """Bytes of the largest message that may be sent, or None for no limit."""
    refuse_message: Callable[[int], WebSocketError]
    """Returns the error for a message of so many bytes, where that is too many."""

    @property
    def writable(self) -> bool:
        """Whether the peer keeps up: less than the high-water mark waits to be written."""

    async def wait_writable(self) -> None:
        """Wait until `writable`, or until the connection is lost."""

    def send(self, messages: Sequence[tuple[bytes, bool]]) -> bool:
        """Write data messages: payloads, each with whether it is text.

        Returns:
            False if none was: the connection is closing, or lost.
        """

    def begin_now(self, size: int) -> bool:
        """Begin to write a data message in this very thread, whichever it is: `send_now` has to follow.

        Returns:
            False if nothing was begun: something waits to be written, or only the loop may write here.
        """

    def send_now(self, payload: bytes, is_text: bool) -> None:
        """Write the message that `begin_now` was called for."""

    def ping(self, payload: bytes) -> None:
        """Write a ping frame."""

    def close(self, code: int, reason: str) -> None:
        """Write a close frame; the sink's `on_lost` follows when the peer has closed too."""

    def abort(self) -> None:
        """Drop the TCP connection at once; `on_lost` follows."""

    def pause(self) -> None:
        """Stop reading from the network."""

    def resume(self) -> None:
        """Read again."""


Dial = Callable[["URL", "ConnectOptions", Sink], Awaitable[Transport]]
"""Opens a connection; raises the errors of `ipyws.errors`."""
