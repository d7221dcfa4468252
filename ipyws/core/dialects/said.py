"""What a server says in an error, as part of ours."""

from __future__ import annotations

from typing import Any

from ipyws.errors import brief
from ipyws.text.masking import mask_head

_SHOWN = 200  # characters of a server's words in a message
_WINDOW = 4096


def said(words: Any) -> str:
    """Return the words of a server without secrets, cut to 200 characters; of what is no text the repr."""
    if not isinstance(words, str):
        return brief(words)
    # Masked before it is cut: half a secret would not be recognised.
    shown = mask_head(words[:_WINDOW], len(words) > _WINDOW)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
