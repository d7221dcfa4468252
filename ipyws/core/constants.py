"""Constants of the WebSocket protocol (RFC 6455) and of permessage-deflate (RFC 7692)."""

from __future__ import annotations

import enum
from typing import Final, Literal

TEXT: Final = 1
BINARY: Final = 2
"""Numeric message types, for sending (RFC 6455 section 5.6)."""

MessageType = Literal["text", "binary", "ping", "pong", "close", "open", "breach"]
"""Types of a log's records; "open" says that a lost connection was opened again, "breach" is what broke the
protocol."""

TYPE_TEXT: Final = "text"
TYPE_BINARY: Final = "binary"
TYPE_PING: Final = "ping"
TYPE_PONG: Final = "pong"
TYPE_CLOSE: Final = "close"
"""Values of `Message.type`."""

MB: Final = 1 << 20

KEEP_ALIVE: Final = b"ipyws "
"""How the payload of a ping begins that keeps a connection alive; a number follows."""

SERVER_KINDS: Final = ("echo", "chat", "prices", "chaos", "socketio")
"""The demo servers; here, so that completion and help need not load them."""


class Compression(enum.IntEnum):
    """Mode of permessage-deflate (RFC 7692 section 7.1)."""

    DISABLED = 0
    """No compression is offered to the server."""
    CONTEXT_TAKEOVER = 1
    """One sliding window over all messages; smallest on the wire, most memory."""
    NO_CONTEXT = 2
    """Each message is compressed on its own."""


class CloseCode(enum.IntEnum):
    """Registered close codes (RFC 6455 section 7.4.1 and the IANA registry)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    RESERVED = 1004
    NO_STATUS = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_PAYLOAD = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015
