"""Whether a 101 is the agreement that was asked for (RFC 6455 section 4.1).

Judged by us from end to end; of the library's protocol, which begins as an open one (`State.OPEN`) and so
reads nothing but frames, only the extensions are asked. Reading an answer a second time was a twentieth of
what a connection cost, and kept that answer in memory.

What the standard has a client refuse is refused. What a server should not write, and what leaves no doubt
about the outcome, is taken, as browsers do, and told: an oddity.
"""

from __future__ import annotations

from dataclasses import replace

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from ipyws.errors import brief
from ipyws.network.handshake.answer import AnswerError, Head

_ACCEPT, _EXTENSIONS, _PROTOCOL = "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"
_MISPLACED = ("Sec-WebSocket-Version", "Sec-WebSocket-Key", "Content-Length", "Transfer-Encoding")
_USUAL = (["websocket"], ["Upgrade"])
_OTHER_MODE = 'compression="context_takeover", or none, may do'
_GATEWAY = "a proxy or gateway in between may not let WebSockets through"


def agree(head: Head, protocol: ClientProtocol, strict: bool) -> Head:
    """Take an answer of 101 for what ``protocol`` speaks; return the answer, with all its oddities.

    Args:
        head: The answer.
        protocol: It gets its extensions and its subprotocol.
        strict: Refuse what is odd.

    Raises:
        AnswerError: It is no agreement, or odd where that is refused.
    """
    odd = [*head.oddities, *_of_version(head)]
    _check_upgrade(head, odd)
    _check_accept(head, protocol.key, odd)
    extensions = _extensions(head, protocol, odd)
    chosen = _subprotocol(head, protocol, odd)
    odd += [f"a {name} header" for name in _MISPLACED if head.values(name)]
    if odd:
        head = replace(head, oddities=tuple(dict.fromkeys(odd)))
    if strict and odd:
        raise AnswerError(
            f"the server's handshake is not as the standard has it: {told(head)}",
            "strict=False connects all the same",
            head,
        )
    if extensions:
        _extend(head, protocol, extensions)
    protocol.subprotocol = Subprotocol(chosen[0]) if chosen else None
    return head


def told(head: Head) -> str:
    """Return the oddities of an answer in words."""
    return ", ".join(head.oddities)


def _extend(head: Head, protocol: ClientProtocol, values: list[str]) -> None:
    try:
        protocol.extensions = protocol.process_extensions(Headers((_EXTENSIONS, value) for value in values))
    except InvalidHandshake as error:
        what = str(error)
        raise _broken(what, head, _OTHER_MODE if "permessage-deflate" in what else "") from None


def _broken(what: str, head: Head, hint: str = "") -> AnswerError:
    blame = "the fault is the server's"
    return AnswerError(
        f"the server's handshake breaks the protocol: {what}", f"{blame}; {hint}" if hint else blame, head
    )


def _of_version(head: Head) -> list[str]:
    if not head.version.startswith("1"):
        raise _broken(f"it answers by HTTP/{head.version}", head)
    return [] if head.version == "1.1" else [f"HTTP/{head.version} instead of HTTP/1.1"]


def _items(head: Head, name: str) -> list[str]:
    """Return the items of a header that is a list, its empty ones left out."""
    return [item.strip() for value in head.values(name) for item in value.split(",") if item.strip()]


def _check_upgrade(head: Head, odd: list[str]) -> None:
    given = head.values("Upgrade"), head.values("Connection")
    if given == _USUAL:  # as nearly every server says it: 4 µs of 9
        return
    upgrade, connection = _items(head, "Upgrade"), _items(head, "Connection")
    what = "the server did not upgrade to WebSocket"
    if not upgrade or not connection:
        missing = "Connection" if upgrade else "Upgrade"
        raise AnswerError(f"{what}: its answer lacks the header {missing}", _GATEWAY, head)
    if others := [item for item in upgrade if item.lower() != "websocket"]:
        raise AnswerError(f"{what}: it upgrades to {brief(', '.join(others))}", _GATEWAY, head)
    if "upgrade" not in (item.lower() for item in connection):
        raise AnswerError(
            f"{what}: its header Connection says {brief(', '.join(connection))}", _GATEWAY, head
        )
    if len(upgrade) > 1:
        odd.append("Upgrade says websocket more than once")
    for name, items in (("Upgrade", upgrade), ("Connection", connection)):
        if sum(value.count(",") + 1 for value in head.values(name)) > len(items):
            odd.append(f"an empty item in {name}")
    if any(" " in item or "\t" in item for item in connection):
        odd.append("an item of Connection that is not a token")


def _check_accept(head: Head, key: str, odd: list[str]) -> None:
    accepted = head.values(_ACCEPT)
    if not accepted:
        raise _broken(f"it lacks the header {_ACCEPT}", head)
    if set(accepted) != {accept_key(key)}:
        raise _broken(f"{_ACCEPT} does not fit the key that was sent", head)
    if len(accepted) > 1:
        odd.append(f"{_ACCEPT} more than once")


def _extensions(head: Head, protocol: ClientProtocol, odd: list[str]) -> list[str]:
    given = head.values(_EXTENSIONS)
    if not given:
        return []
    agreed = [value for value in given if value.strip(", \t")]
    if len(agreed) < len(given):
        odd.append(f"an empty {_EXTENSIONS} header")
    if agreed and protocol.available_extensions is None:
        deflate = "permessage-deflate" in agreed[0].lower()
        hint = "compression=1 offers permessage-deflate" if deflate else ""
        raise _broken(f"it uses an extension that was not offered: {brief(', '.join(agreed))}", head, hint)
    return agreed


def _subprotocol(head: Head, protocol: ClientProtocol, odd: list[str]) -> list[str]:
    given = head.values(_PROTOCOL)
    if not given:
        return []
    chosen = _items(head, _PROTOCOL)
    if any(not value.strip(", \t") for value in given):
        odd.append(f"an empty {_PROTOCOL} header")
    names = list(dict.fromkeys(chosen))
    if len(names) > 1:
        raise _broken(f"it chose several subprotocols: {brief(', '.join(names))}", head)
    if len(chosen) > 1:
        odd.append(f"the subprotocol more than once in {_PROTOCOL}")
    if names and names[0] not in (protocol.available_subprotocols or ()):
        hint = "protocols= offers what it speaks"
        raise _broken(f"it chose the subprotocol {brief(names[0])}, which was not offered", head, hint)
    return names
