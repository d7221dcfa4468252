"""Payloads within packets: written and read by the codec of the connection, for dialects that carry bytes."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.formats.json import JsonText
from ipyws.core.codecs.formats.text import as_text
from ipyws.errors import InvalidError

_BYTES: Final = (bytes, bytearray, memoryview)


def write_payload(value: Any, codec: Codec) -> bytes:
    """Return a value as the bytes within a packet.

    Args:
        value: Text and bytes are sent as they are, None as nothing, all else as the codec writes it.
        codec: That of the connection.

    Raises:
        InvalidError: It can't be written.
    """
    if value is None:
        return b""
    if isinstance(value, _BYTES):
        return bytes(value)
    try:
        written = value if _is_text(value) else _written(value, codec)
        return written.encode() if isinstance(written, str) else written
    except InvalidError:
        raise
    except Exception as error:  # codecs may be anybody's
        raise InvalidError(f"the payload can't be written as {codec.name}: {error}") from None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, JsonText)


def _written(value: Any, codec: Codec) -> str | bytes:
    return codec.from_json(value) if isinstance(value, JsonText) else codec.encode(value)


def read_payload(data: bytes, codec: Codec, is_text: bool = False) -> Decoded:
    """Return what the bytes within a packet mean; never raises.

    Args:
        data: The bytes.
        codec: That of the connection.
        is_text: Whether the packet says that they are text, which a codec may read otherwise than bytes.
    """
    text = as_text(data) if is_text else None
    return codec.read(data if text is None else text)
