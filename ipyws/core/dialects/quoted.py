"""What a server says, as part of what we say: of an error, or of a row's name."""

from __future__ import annotations

from typing import Any, Final

from ipyws.errors import brief
from ipyws.text.masking import mask_head

_SHOWN: Final = 200  # characters of a server's words
_WINDOW: Final = 4096


def quoted(words: Any) -> str:
    """Return the words of a server without secrets, cut to 200 characters; of what is not text the repr."""
    if not isinstance(words, str):
        return brief(words)
    # Masked before it is cut: half a secret would not be recognised.
    shown = mask_head(words[:_WINDOW], len(words) > _WINDOW)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
