"""Opening a connection from a magic: at a URL, or by the name it is saved under."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ipyws.api import open_client
from ipyws.config.current import CURRENT
from ipyws.config.enforcement import check_connect
from ipyws.runtime.client import Client

_UNIX = re.compile(r"wss?\+unix:", re.IGNORECASE)


def is_url(word: str) -> bool:
    """Tell whether a word is meant as a URL, and not as the name of a saved connection."""
    return "://" in word or _UNIX.match(word) is not None


def open_at(word: str, options: Mapping[str, Any]) -> Client:
    """Open a connection; one of the same name is replaced, so that re-running a cell never leaves two.

    Args:
        word: A URL, or the name of a saved connection.
        options: As in `ipyws.connect`; of a saved connection they replace what is saved.

    Raises:
        WebSocketError: As `ipyws.connect`.
    """
    check_connect(CURRENT.policy())
    if is_url(word):
        return open_client(word, options, replacing=True)
    url, its_options = CURRENT.connection(word).fill()
    return open_client(url, {**its_options, **options}, replacing=True)
