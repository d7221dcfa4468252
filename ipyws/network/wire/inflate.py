"""Inflating whole messages (RFC 7692) without the library's frames, but with the state of its decoder."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate

Inflate = Callable[[bytes], bytes | None]
"""Inflates the payload of a message; None where the library has to."""

_TAIL = b"\x00\x00\xff\xff"  # what a sender cuts off a message (RFC 7692 section 7.2.1)
_DECODER = type(zlib.decompressobj())


def inflate_for(deflate: object, limit: int) -> Inflate | None:
    """Return what inflates in place of the library's extension, or None if that is not as it must be.

    What it returns raises what the library raises: `ProtocolError` where a message can't be inflated, and
    `PayloadTooBig` where it would be larger than ``limit``.

    Args:
        deflate: The extension that was agreed on.
        limit: Bytes that a message may have when inflated.
    """
    if type(deflate) is not PerMessageDeflate:
        return None
    if deflate.remote_no_context_takeover:
        return _alone(deflate.remote_max_window_bits, limit)
    # The library inflates fragments with the same decoder: there is one window over all messages.
    return _inflating(deflate.decoder, limit) if isinstance(deflate.decoder, _DECODER) else None


def _alone(bits: int, limit: int) -> Inflate:
    return lambda payload: _inflating(zlib.decompressobj(-bits), limit)(payload)


def _inflating(decoder: Any, limit: int) -> Inflate:
    decompress = decoder.decompress

    def inflate(payload: bytes) -> bytes | None:
        if decoder.eof:
            return None
        try:
            message: bytes = decompress(payload + _TAIL, limit)
        except zlib.error as error:
            raise ProtocolError("decompression failed") from error
        if decoder.unconsumed_tail:  # it stopped at the limit: a bomb never gets into memory
            raise PayloadTooBig(None, limit)
        return message

    return inflate
