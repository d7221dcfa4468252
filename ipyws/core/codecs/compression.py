"""Payloads that are compressed as a whole: made, and inflated, but never to more than a limit.

A kilobyte may inflate to a megabyte, and one of Zstandard to thirty. Work ends as soon as the limit is
passed, and the interpreter lock is free meanwhile.
"""

from __future__ import annotations

import contextlib
import gzip
import threading
import zlib
from collections.abc import Callable
from typing import Final

from ipyws.core.codecs.optional import library
from ipyws.text.sizes import show_size

Inflate = Callable[[bytes, int], bytes]
"""Gives the content of a payload, of at most so many bytes."""

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
FIRST: Final = frozenset(b"\x1f\x28\x78")
"""With what a payload begins that may be one of those that have a mark."""

_PIECE: Final = 256 * 1024
_MEMBERS: Final = 1000  # of one payload of gzip
_FLUSHED: Final = b"\x00\x00\xff\xff"  # ends a message of a stream that goes on (RFC 7692 section 7.2.1)
_of_thread: Final = threading.local()
_WINDOW: Final = 8 * 1024 * 1024  # what a decoder has to support (RFC 8878 section 3.1.1.1.2)


class TooLargeError(ValueError):
    """A payload inflates to more than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it inflates to more than {show_size(limit)}")


def gunzip(data: bytes, limit: int) -> bytes:
    """Return the content of gzip (RFC 1952), of all its members.

    Raises:
        ValueError: It is none, breaks off, or inflates to more than ``limit`` bytes.
    """
    content, rest = _inflate(data, 16 + zlib.MAX_WBITS, limit)
    for _ in range(_MEMBERS):
        if not rest.startswith(GZIP):
            break
        more, rest = _inflate(rest, 16 + zlib.MAX_WBITS, limit - len(content))
        content += more
    return _whole(content, rest.strip(b"\x00"))  # as tapes are filled up


def unzlib(data: bytes, limit: int) -> bytes:
    """Return the content of zlib (RFC 1950); raises as `gunzip` does."""
    return _whole(*_inflate(data, zlib.MAX_WBITS, limit))


def inflate_raw(data: bytes, limit: int) -> bytes:
    """Return the content of deflate without a header (RFC 1951); raises as `gunzip` does."""
    return _whole(*_inflate(data, -zlib.MAX_WBITS, limit))


def inflate_any(data: bytes, limit: int) -> bytes:
    """Return the content of what servers call deflate: zlib, or without a header; raises as `gunzip` does."""
    if not has_zlib_header(data):
        return inflate_raw(data, limit)
    try:
        return unzlib(data, limit)
    except TooLargeError:
        raise
    except ValueError as error:
        try:
            return inflate_raw(data, limit)  # whose first bytes may be any
        except TooLargeError:
            raise
        except ValueError:
            raise error from None


def unzstd(data: bytes, limit: int) -> bytes:
    """Return the content of one frame of Zstandard (RFC 8878); raises as `gunzip` does.

    Raises:
        InvalidError: zstandard is not installed.
    """
    zstandard = library("zstandard", "the codec zstd")
    inflater = getattr(_of_thread, "zstd", None)
    if inflater is None:  # making one takes longer than a small message; no two threads may use the same
        inflater = _of_thread.zstd = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        told = zstandard.frame_content_size(data)  # -1 where it is not
        if told > limit:
            raise TooLargeError(limit)
        content: bytes = inflater.decompress(data, max_output_size=limit, allow_extra_data=False)
        return content
    except zstandard.ZstdError as error:
        with contextlib.suppress(
            zstandard.ZstdError
        ):  # which does not tell a full buffer from what breaks off
            if len(inflater.stream_reader(data).read(limit + 1)) > limit:
                raise TooLargeError(limit) from None
        raise ValueError(str(error).rpartition(": ")[2].lower()) from None


INFLATERS: Final[dict[str, Inflate]] = {
    "gzip": gunzip,
    "zlib": unzlib,
    "deflate": inflate_any,
    "zstd": unzstd,
}
"""What inflates, by the names of codecs."""


def deflated(name: str, data: str | bytes) -> bytes:
    """Return data compressed, by the name of a codec.

    Raises:
        InvalidError: zstandard is needed, and not installed.
    """
    content = data.encode() if isinstance(data, str) else data
    if name == "zstd":
        packed: bytes = library("zstandard", "the codec zstd").ZstdCompressor().compress(content)
        return packed
    return gzip.compress(content, mtime=0) if name == "gzip" else zlib.compress(content)


def mark_of(data: bytes) -> str:
    """Return the name of the compression that a payload's first bytes say it has, or ""."""
    if data.startswith(GZIP):
        return "gzip"
    if data.startswith(ZSTD):
        return "zstd"
    return "zlib" if data[:1] == b"x" and has_zlib_header(data) else ""


def has_zlib_header(data: bytes) -> bool:
    """Tell whether two bytes are the header of zlib (RFC 1950 section 2.2)."""
    return len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def inflates_to(data: bytes, size: int, inflate: Inflate) -> bool:
    """Tell whether a payload inflates to more than so many bytes; False if it can't be inflated."""
    try:
        inflate(data, size)
    except TooLargeError:
        return True
    except Exception:  # it is somebody else's, and a library may be missing
        return False
    return False


def _inflate(data: bytes, bits: int, limit: int) -> tuple[bytes, bytes]:
    """Return the content of one stream, and what stands behind it."""
    stream, pieces, size, left = zlib.decompressobj(bits), [], 0, data
    try:
        while not stream.eof:
            piece = stream.decompress(left, _PIECE)
            left = stream.unconsumed_tail
            if not piece and not left:
                break
            size += len(piece)
            if size > limit:
                raise TooLargeError(limit)
            pieces.append(piece)
    except zlib.error as error:
        raise ValueError(str(error).rpartition(": ")[2]) from None
    if not stream.eof and not (bits <= zlib.MAX_WBITS and data.endswith(_FLUSHED)):
        raise ValueError("it breaks off")
    return b"".join(pieces), stream.unused_data


def _whole(content: bytes, rest: bytes) -> bytes:
    if rest:
        raise ValueError("something stands behind it")
    return content
