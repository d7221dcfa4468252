"""What the header of a view says, taken from a connection."""

from __future__ import annotations

from ipyws.core.connection import Connection
from ipyws.notebook.rows import Card
from ipyws.secrets import mask


def card(client: Connection, *, current: bool = False, hint: str = "") -> Card:
    """Return the card of a connection as it is now."""
    log, stats = client.log, client.stats
    response = client.response
    opened = (
        "" if response is None else f"{response.status} {response.reason} in {response.elapsed * 1000:.0f} ms"
    )
    return Card(
        name=client.name,
        url=mask(client.url),
        state=client.state,
        note=_note(client),
        badges=_badges(client),
        received=log.received,
        sent=log.sent,
        bytes_received=log.bytes_received,
        bytes_sent=log.bytes_sent,
        kept=len(log),
        evicted=log.evicted,
        rtt=stats.rtt,
        opened=opened,
        opened_at=client.opened_at,
        close=client.closed,
        lasted=stats.duration if client.closed else None,
        hint=hint,
        current=current,
    )


def _note(client: Connection) -> str:
    if client.held:
        return "reading paused: channel full"
    return "insecure: the server's certificate was not checked" if client.insecure else ""


def _badges(client: Connection) -> tuple[str, ...]:
    response = client.response
    if response is None:
        return ()
    badges = [
        response.subprotocol or "",
        "deflate" if "permessage-deflate" in response.extensions else "",
        f"proxy {response.proxy}" if response.proxy else "",
        f"redirected from {response.redirects[-1]}" if response.redirects else "",
    ]
    return tuple(badge for badge in badges if badge)
