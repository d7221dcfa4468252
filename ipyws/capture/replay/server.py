"""A server that plays a capture, so that a lesson runs without the network it was recorded on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from ipyws.capture.replay.playing import Playback, check_playable
from ipyws.capture.replay.recorded import check_repeatable, hides_something
from ipyws.capture.replay.timing import LONGEST_GAP
from ipyws.core.messages.message import Message
from ipyws.core.options.durations import Duration, seconds
from ipyws.errors import InvalidError, brief

if TYPE_CHECKING:
    from ipyws.core.connection.info import About
    from ipyws.demo import RunningServer
    from ipyws.demo.misbehaving import RawConnection
    from ipyws.demo.server import Handler


class ReplayServer:
    """A listening server that plays a capture; made by `serve_capture`.

    Attributes:
        kind: "replay".
        host: The loopback address it listens on.
        port: The port it listens on, 1-65535.
        path: The path of its Unix socket, or None.
        url: The address to connect to; any path will do.
        subprotocol: The recorded subprotocol, which a client has to offer; None: no client gets one.
    """

    kind = "replay"

    def __init__(self, running: RunningServer, playback: Playback, subprotocol: str | None) -> None:
        self.host = running.host
        self.port = running.port
        self.url = running.url
        self.path = running.path
        self.subprotocol = subprotocol
        self._running = running
        self._playback = playback

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._running.connections

    @property
    def differing(self) -> int:
        """How many messages of clients were not the recorded ones, or came after the last of those."""
        return self._playback.differing

    async def close(self) -> None:
        """Stop listening and close every connection with 1001; within a second. Idempotent."""
        await self._running.close()

    def __repr__(self) -> str:
        return f"<replay server {self.url}, {self.connections} open, {self.differing} messages differed>"


async def serve_capture(
    capture: Iterable[Message],
    *,
    about: About | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    unix: object = None,
    speed: float = 1.0,
    longest_gap: Duration = LONGEST_GAP,
) -> ReplayServer:
    """Start a server that does for each client what the recorded server did, from the start.

    What was received before the first send is sent upon connecting. Then each recorded outgoing message is
    awaited (any message counts, one that differs is counted), and what was received after it follows, with
    the recorded gaps. A recorded close of the server is played with its code and reason, a lost connection by
    a reset; what comes after that, as after ``reconnect``, is not played. Without one, the connection stays
    open after the last message. What stands in place of a secret is sent as it stands.

    Args:
        capture: What was recorded, oldest first; it is read again for each client, and never held in memory.
        about: What the capture says of its connection: subprotocol, when it was opened.
        host: A loopback address.
        port: 0-65535; 0 lets the system choose a free one.
        unix: Instead of both, the path of a Unix socket.
        speed: The gaps are divided by this: above 0, ``math.inf`` for none.
        longest_gap: The longest recorded gap that is kept; a longer one is shortened to it.

    Raises:
        InvalidError: An argument is not allowed, the port is taken, or a record can't be sent.
    """
    from ipyws.demo import listen

    if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not speed > 0:
        raise InvalidError(f"speed is {brief(speed)}", hint='a number above 0 is allowed, or float("inf")')
    longest = seconds(longest_gap, name="longest_gap")
    check_repeatable(capture)
    await check_playable(capture)
    playback = Playback(capture, about.opened_at if about else None, longest, speed)
    subprotocol = about.subprotocol if about and not hides_something(about.subprotocol or "") else None
    play = cast("Handler", playback.play)  # the connections are of the class that is given here
    connection = _connection(subprotocol, _origin(about))
    where: dict[str, Any] = {"host": host, "port": port, "unix": unix}
    running = await listen(ReplayServer.kind, play, **where, connection=connection)
    return ReplayServer(running, playback, subprotocol)


def _origin(about: About | None) -> str | None:
    """Return the Origin that the recorded client sent, if it did."""
    headers = about.request_headers if about else ()
    return next((value for name, value in headers if name.lower() == "origin"), None)


def _connection(subprotocol: str | None, origin: str | None) -> type[RawConnection]:
    """Return a class of connections that negotiate ``subprotocol`` and no other (RFC 6455 section 4.2.2).

    Args:
        subprotocol: What the recorded server chose, or None.
        origin: What the recorded client sent: it is allowed too.
    """
    from ipyws.demo.misbehaving import RawConnection
    from ipyws.demo.server import LOCAL_PAGE

    class Replaying(RawConnection):
        def __init__(self, protocol: Any, *args: Any, **settings: Any) -> None:
            super().__init__(protocol, *args, **settings)
            protocol.available_subprotocols = [subprotocol] if subprotocol else None
            protocol.origins = [None, LOCAL_PAGE, *([origin] if origin else [])]

    return Replaying
