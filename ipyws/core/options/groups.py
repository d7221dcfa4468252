"""The options of a connection in groups, and in words: for the help, and for forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Connection": (
        "name",
        "headers",
        "protocols",
        "params",
        "origin",
        "proxy",
        "connect_to",
        "dial_timeout",
        "close_timeout",
        "follow_redirects",
        "strict",
    ),
    "Security": ("auth", "cookies", "sign", "ca", "cert", "key", "insecure", "server_hostname"),
    "Keep-alive": ("ping_interval", "ping_timeout", "keepalive", "read_timeout", "reconnect"),
    "Messages": (
        "codec",
        "dialect",
        "spec",
        "every",
        "reply",
        "compression",
        "compression_threshold",
        "text_errors",
    ),
    "Limits": ("read_limit", "write_timeout", "channel_capacity"),
    "Log": ("log_messages", "log_bytes", "record", "record_size", "record_time", "record_format", "wire"),
}
"""The names of options by what they are about; each stands in one group."""

_WORDS: Final[Mapping[str, str]] = {
    "protocols": "Subprotocols",
    "params": "Query parameters",
    "connect_to": "Connect to",
    "ca": "CA certificates",
    "cert": "Client certificate",
    "key": "Private key",
    "insecure": "Accept any certificate",
    "server_hostname": "TLS server name",
    "strict": "Strict handshake",
    "keepalive": "Keep-alive",
    "spec": "Contract",
    "every": "Send in intervals",
    "reply": "Automatic replies",
    "record": "Record to",
}


def label(name: str) -> str:
    """Return an option in words, as a form names it: "Headers" for ``headers``."""
    return _WORDS.get(name) or name.replace("_", " ").capitalize()
