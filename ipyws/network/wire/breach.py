"""What the log keeps of a frame that breaks the protocol (RFC 6455 section 7.1.7): it ends the connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from websockets.exceptions import PayloadTooBig

from ipyws.core.connection.closing import close_meaning
from ipyws.core.messages.message import Control
from ipyws.network.wire.assembler import FAULTS, UnreadPongsError, not_utf8, payload_bounds

LIMIT: Final = 64 * 1024
"""Bytes that are kept of a frame whose header is wrong; a payload is kept whole, as that of any message."""

_CLOSE: Final = 8
_OPCODES: Final = (0, 1, 2, _CLOSE, 9, 10)
_FIN, _RESERVED, _OPCODE, _MASKED = 0x80, 0x70, 0x0F, 0x80
_KEY: Final = 4  # bytes of a masking key
_LONGEST_CONTROL: Final = 125


def breach_of(error: Exception, frame: bytes) -> Control:
    """Return the record of a breach.

    Args:
        error: What the parser says of it.
        frame: What came of the frame, from its header on; more may follow it. Empty for a whole message
            that is not UTF-8, whichever frames it came in.
    """
    if not frame and isinstance(error, UnicodeDecodeError):
        return Control(bytes(error.object), breach=not_utf8(error))
    span = payload_bounds(frame, 0)
    if span is None or isinstance(error, PayloadTooBig) or _is_header_wrong(frame, span):
        whole = frame if span is None else frame[: span[1] + _key(frame, 0)]
        return Control(bytes(whole[:LIMIT]), breach=_words(error))
    payload = bytes(frame[slice(*span)])
    if frame[0] & _OPCODE != _CLOSE or len(payload) < 2:
        return Control(payload, breach=_words(error))
    return _close_of(error, payload)


def _close_of(error: Exception, payload: bytes) -> Control:
    """Return the record of a close frame, with what it says (section 5.5.1)."""
    code, reason = int.from_bytes(payload[:2]), payload[2:].decode("utf-8", "replace")
    words = _words(error)
    if "status code" in words:
        words = f"no close frame may carry the code {code} ({close_meaning(code)})"
    elif isinstance(error, UnicodeDecodeError):
        words = f"its reason is {words}"
    return Control(payload, code=code, reason=reason, breach=words)


def _words(error: Exception) -> str:
    return not_utf8(error) if isinstance(error, UnicodeDecodeError) else str(error)


def _is_header_wrong(frame: bytes, span: tuple[int, int]) -> bool:
    first, size = frame[0], span[1] - span[0]
    is_control = first & _OPCODE >= _CLOSE
    return (
        first & _OPCODE not in _OPCODES
        or bool(first & _RESERVED)
        or bool(frame[1] & _MASKED)
        or (is_control and (size > _LONGEST_CONTROL or not first & _FIN))
    )


def _key(data: bytes, pos: int) -> int:
    """Return the bytes of the masking key of the frame at ``pos``: a server must not mask."""
    return _KEY if data[pos + 1] & _MASKED else 0


class Breaches:
    """Finds the frame that ends a connection, and tells of it once.

    Args:
        tell: Is given the record.

    Attributes:
        found: The record, or None.
    """

    def __init__(self, tell: Callable[[Control], object]) -> None:
        self.found: Control | None = None
        self._tell = tell
        self._cutter = _Cutter()
        self._frames: list[bytes] = []

    def given(self, data: bytes | bytearray, is_cut: bool) -> None:
        """Note what the library is given to parse; ``is_cut`` says that a frame begins where it begins."""
        self._frames = [bytes(data)] if is_cut else self._cutter.cut(bytes(data))

    def note(self, error: Exception | None, taken: int) -> None:
        """Tell of a fault that the library found, behind so many frames of what it was given."""
        if isinstance(error, FAULTS):
            self.tell(error, self._frames[taken] if taken < len(self._frames) else b"")

    def tell(self, error: Exception, frame: bytes) -> None:
        """Tell of a frame; see `breach_of`."""
        if self.found is None and not isinstance(error, UnreadPongsError):
            self.found = breach_of(error, frame)
            self._tell(self.found)


class _Cutter:
    """Cuts what the library reads into frames, so that the one that it refuses is known.

    Of a frame that several reads bring it keeps the start.
    """

    def __init__(self) -> None:
        self._start = b""  # of the frame that is not whole
        self._missing = 0  # bytes of its end; 0 while not even its header is whole

    def cut(self, data: bytes) -> list[bytes]:
        """Return the frames of a read, each from its header on; the first may have begun earlier."""
        if not self._missing:
            return self._cut_all(self._start + data)
        taken = min(self._missing, len(data))
        first = self._start + data[: max(0, min(taken, LIMIT - len(self._start)))]
        self._missing -= taken
        if self._missing:
            self._start = first
            return [first]
        return [first, *self._cut_all(data[taken:])]

    def _cut_all(self, data: bytes) -> list[bytes]:
        frames, pos = [], 0
        self._start = b""
        while pos < len(data):
            span = payload_bounds(data, pos)
            stop = len(data) if span is None else span[1] + _key(data, pos)
            frames.append(data[pos : min(stop, pos + LIMIT)])
            if span is None or stop > len(data):
                self._start, self._missing = frames[-1], max(0, stop - len(data))
            pos = stop
        return frames
