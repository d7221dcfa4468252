"""What holds unless a codec is named: JSON where it is some, else text where it is some, else bytes.

What is compressed as a whole, and says so by its first bytes, is inflated before it is read.
"""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.bounds import INFLATED, check_json_depth
from ipyws.core.codecs.codec import Codec, Data, Decoded, Detail, refused
from ipyws.core.codecs.compression import FIRST, INFLATERS, TooLargeError, deflated, inflates_to, mark_of
from ipyws.core.codecs.formats.json import JSON, JsonWriter
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.codecs.formats.raw import RAW
from ipyws.core.codecs.formats.text import TEXT, as_text

_LAYERS: Final = 3  # of compression around each other


class AutoCodec(JsonWriter):
    """Recognises compression, JSON and UTF-8, also in binary messages; writes dict and list as JSON text.

    Args:
        limit: Bytes that a payload may inflate to.
    """

    name = "auto"

    def __init__(self, limit: int = INFLATED) -> None:
        self._limit = limit

    def limited(self, limit: int) -> Codec:
        """Return the codec that inflates to at most so many bytes."""
        return self if limit == self._limit else AutoCodec(limit)

    def decode(self, payload: Data) -> Any:
        """Return the value of JSON; of what is none the text, or the bytes.

        Raises:
            InvalidError: It inflates to more than the limit.
        """
        decoded = self.read(payload)
        if decoded.problem is not None:
            raise decoded.problem
        return decoded.value

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; unless it is too large inflated, there is something that it is."""
        if isinstance(payload, bytes) and payload and payload[0] in FIRST:
            return self._read_marked(payload, _LAYERS)
        return _read(payload)

    def is_larger(self, payload: Data, size: int) -> bool:
        """Tell whether a payload, inflated, has more than so many bytes; it is inflated no further."""
        if len(payload) > size or isinstance(payload, str) or not payload or payload[0] not in FIRST:
            return len(payload) > size
        mark = mark_of(payload)
        return bool(mark) and inflates_to(payload, size, INFLATERS[mark])

    def rewrite(self, payload: Data, value: Any) -> Data:
        """Return a value as JSON, compressed as the payload is.

        Raises:
            InvalidError: It has no form in JSON, or the payload's compression can't be written.
        """
        marks = self.read(payload).format.split("+")[:-1]
        written: Data = self.encode(value)
        for mark in reversed(marks):
            written = deflated(mark, written)
        return written

    def preview(self, value: Any, limit: int = 300) -> str:
        """Return a value on one line: text and bytes as they are, all else as JSON."""
        if isinstance(value, (str, bytes)):
            return _shown_by(value).preview(value, limit)
        return super().preview(value, limit)

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        """Return a value in full."""
        if isinstance(value, (str, bytes)):
            return _shown_by(value).detail(value, limit)
        return super().detail(value, limit)

    def _read_marked(self, payload: bytes, layers: int) -> Decoded:
        mark = mark_of(payload) if layers else ""
        if not mark:
            return _read(payload)
        try:
            content = INFLATERS[mark](payload, self._limit)
        except TooLargeError as error:
            return Decoded(None, mark, problem=refused(mark, error))
        except Exception:  # its first bytes may have been so by chance, and the library may be missing
            return _read(payload)
        found = self._read_marked(content, layers - 1)
        return found._replace(format=f"{mark}+{found.format}")


def _read(payload: Data) -> Decoded:
    try:
        return Decoded(check_json_depth(parse_json(payload), payload), JSON.name)
    except (ValueError, RecursionError):
        text = payload if isinstance(payload, str) else as_text(payload)
    if text is None or not payload:
        return Decoded(payload, RAW.name, structured=False)
    return Decoded(text, TEXT.name, structured=False)


def _shown_by(value: str | bytes) -> Codec:
    return TEXT if isinstance(value, str) else RAW


AUTO: Final = AutoCodec()
