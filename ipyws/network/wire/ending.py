"""How a connection ended, as far as the protocol of `websockets` knows."""

from __future__ import annotations

from websockets.protocol import Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.messages.message import Control
from ipyws.network.dialling.error_map import close_error, lost_error


def how_closed(protocol: Protocol, breach: Control | None, lost: Exception | None) -> Close:
    """Return code, reason and who closed first.

    Args:
        protocol: The protocol, behind its end.
        breach: The record of the frame that we closed for, or None.
        lost: What ended the TCP connection, where that was an error.
    """
    received, sent = protocol.close_rcvd, protocol.close_sent
    if received is not None and (sent is None or protocol.close_rcvd_then_sent):
        return Close(int(received.code), received.reason, "peer")
    if sent is not None:
        error = close_error(protocol.parser_exc, breach)
        return Close(int(sent.code), sent.reason, "us", error, clean=received is not None)
    return Close(1006, "", "none", lost_error(lost), clean=False)
