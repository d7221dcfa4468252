"""What codecs of binary formats have in common: text that comes beside their messages."""

from __future__ import annotations

from typing import Any

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data, Decoded


class BinaryCodec(Codec):
    """A binary format: who sends text beside it means text or JSON by it."""

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; text is read as if no codec were named."""
        return AUTO.read(payload) if isinstance(payload, str) else super().read(payload)

    def rewrite(self, payload: Data, value: Any) -> Data:
        """Return a value written as ``payload`` is."""
        return AUTO.rewrite(payload, value) if isinstance(payload, str) else super().rewrite(payload, value)
