"""What the header of a view says, taken from a connection."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ipyws.core.connection.connection import Connection
from ipyws.core.connection.reconnect import Retry
from ipyws.core.connection.transport import Handshake
from ipyws.core.messages.counts import count
from ipyws.core.rules.rule import Rule
from ipyws.text.masking import known, mask, mask_headers
from ipyws.view.card import Card
from ipyws.view.format import clock

if TYPE_CHECKING:
    from ipyws.capture.journal.journal import Journal


def card(client: Connection, *, current: bool = False, hint: str = "", handshake: bool = True) -> Card:
    """Return the card of a connection as it is now.

    Args:
        client: The connection.
        current: Whether it is the one that the magics use.
        hint: How to look further.
        handshake: Whether it tells of the handshake.
    """
    counts, rtts = count(client.log), client.keepalive.rtts
    response = client.response if handshake else None
    return Card(
        name=client.name,
        url=_url(client.url, known()),
        state=client.state,
        note=_note(client),
        badges=_badges(client),
        received=counts.received,
        sent=counts.sent,
        bytes_received=counts.bytes_received,
        bytes_sent=counts.bytes_sent,
        kept=counts.kept,
        evicted=counts.evicted,
        total=counts.total,
        rtt=rtts[-1] if rtts else None,
        opened=_opened(response, client.sessions.begun) if response else "",
        headers=_headers(response, known()) if response else (),
        opened_at=client.opened_at if handshake else None,
        close=client.closed,
        lasted=client.sessions.duration if client.closed else None,
        hint=hint,
        current=current,
    )


@lru_cache(maxsize=32)  # the same in every drawing of a view
def _url(url: str, secrets: tuple[str, ...]) -> str:
    """Return a URL without secrets, as long as these are the known ones."""
    return mask(url)


def _opened(response: Handshake, sessions: int) -> str:
    """Return the last handshake in words, and how often there was one before it."""
    again = sessions - 1
    times = "" if again < 1 else ", opened again once" if again == 1 else f", opened again {again:,} times"
    status = f"{response.status} {response.reason}".rstrip()
    return f"{status} in {response.elapsed * 1000:.0f} ms{times}"


@lru_cache(maxsize=32)  # the same in every drawing of a view
def _headers(response: Handshake, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the headers of a response as lines, as long as these are the secrets."""
    return tuple(f"{name}: {value}" for name, value in mask_headers(response.headers))


def _note(client: Connection) -> str:
    notes = [
        _retry(client.retry) if client.retry is not None else "",
        "reading paused: channel full" if client.held else "",
        "insecure: the server's certificate was not checked" if client.insecure else "",
        *(f"{name} was not sent: a redirect led to another origin" for name in client.withheld),
        _oddities(client),
        *(_rule(rule) for rule in client.rules.listed),
        _recording(client.journal) if client.journal is not None else "",
        f"{client.sending.unsent:,} messages were not sent: the connection was lost just then"
        if client.sending.unsent
        else "",
    ]
    return "; ".join(filter(None, notes))


def _rule(rule: Rule) -> str:
    """Return in words what went wrong with a rule; "" as long as nothing did."""
    if rule.error is not None:
        return f"rule {rule.number} ({rule.words}) stopped: {rule.error.message}"
    skipped = f"rule {rule.number} skipped {rule.skipped:,}: the server does not read"
    return skipped if rule.skipped else ""


def _oddities(client: Connection) -> str:
    """Return in words in what the server's handshake is odd, or ""."""
    oddities = client.response.oddities if client.response is not None else ()
    return f"the server's handshake is odd: {', '.join(oddities)}" if oddities else ""


def _recording(journal: Journal) -> str:
    """Return in words what is missing in the journal; "" as long as nothing is."""
    stopped = journal.error.message if journal.error is not None else ""
    lost = f"{journal.lost:,} records are not in {journal.path.name}" if journal.lost else ""
    trouble = journal.file.trouble.message if journal.file and journal.file.trouble else ""
    return ", ".join(filter(None, (stopped, lost, trouble)))


def _retry(retry: Retry) -> str:
    """Return in words why there is no connection now, and when there may be one."""
    why = retry.error.message if retry.error is not None else retry.lost.describe()
    return f"{why}; attempt {retry.attempt} of {retry.attempts} at {clock(retry.at)}"


def _badges(client: Connection) -> tuple[str, ...]:
    response = client.response
    if response is None:
        return ()
    badges = [
        response.subprotocol or "",
        "deflate" if "permessage-deflate" in response.extensions else "",
        "wire" if client.log.wire is not None else "",
        f"proxy {response.proxy}" if response.proxy else "",
        f"redirected from {' → '.join(response.redirects)}" if response.redirects else "",
    ]
    return tuple(badge for badge in badges if badge)
