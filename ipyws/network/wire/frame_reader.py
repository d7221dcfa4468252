"""The fast path: whole data messages straight out of what was read, everything else by `websockets`.

The parser of `websockets` costs some 5 µs a frame however small it is, and nearly all frames are whole
messages that need none of its care. `FastPath` makes one pass over each read. It takes unmasked,
unfragmented text and binary frames itself, deflated ones too, and gives every other frame to the library,
alone and in its place: control frames, fragments, reserved bits, lengths that are not minimal, and all that
is wrong. Once the connection is not open any more, or while a fragmented message is under way, it takes
nothing.

``IPYWS_FAST_PATH=off`` in the environment switches it off for connections opened from then on. It stays off
by itself where `websockets` is not as it must be for this: see `path_for`.

A read is parsed as bytes: reading into a buffer of ours (`asyncio.BufferedProtocol`) was measured, and is
slower for small messages. Large ones are read so (`ipyws.network.wire.large_frames`). Any other frame that
several reads bring is put together in a buffer of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from struct import Struct

from websockets.client import ClientProtocol
from websockets.protocol import State

from ipyws.network.wire.assembler import FAULTS, Inbox, payload_bounds, read_text
from ipyws.network.wire.inflate import Inflate, inflate_for

VARIABLE = "IPYWS_FAST_PATH"
"""The environment variable that switches the fast path off."""

_TEXT, _BINARY = 0x81, 0x82  # first bytes of the frames that are taken: FIN and opcode (RFC 6455 section 5.2)
_PLAIN = (_TEXT, _BINARY)
_DEFLATED = {0xC1: _TEXT, 0xC2: _BINARY}  # with RSV1 (RFC 7692 section 6)

_OPCODES = (0, 1, 2, 8, 9, 10)
_COPIED = 16 * 1024  # bytes of the largest payload that is cut out before it is decoded
# Bytes of the frames for which a buffer is read into. What is larger costs the memory that it is kept in.
_LARGE, _LARGEST = 32 * 1024, 2 * 1024 * 1024
_SLICE = 1 << 20  # bytes, inflated, after which the loop gets its turn
_MASKED = 0x80
_OPEN = State.OPEN  # Python 3.11 calls a function to look it up
_SHORT = Struct("!H")
_LONG = Struct("!BBQ")  # a header with the longest length


class FastPath:
    """Cuts what is read into frames, takes those it can, and has the library take the others.

    Args:
        protocol: The library's protocol, between two frames.
        inbox: Where messages go.
        give: Has the library parse some bytes, and what comes of it handed over.
        limit: Bytes of the largest message, after inflating.
        inflate: Inflates the payload of a message; None where nothing may be deflated.

    Attributes:
        rest: What of a read waits for the next call of `receive`.
        refused: The frame that a fault was found in, where it was found here.
        size: Bytes of the message that `lone` returned.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        inbox: Inbox,
        give: Callable[[bytes | bytearray], None],
        limit: int,
        inflate: Inflate | None,
    ) -> None:
        self._protocol = protocol
        self._inbox = inbox
        self._give = give
        self._limit = limit
        self._inflate = inflate or _refuse
        self._decode: Callable[[bytes], str] = read_text if inbox.replaces else bytes.decode
        self._deflated = _DEFLATED if inflate else {}
        self._held = bytearray()  # the start of a frame whose end has not come
        self._missing = 0  # bytes of its end; 0 while not even its header is whole
        self.refused = b""
        self.size = 0
        self._pos = 0  # how far the last run got
        self.rest = b""
        self._over = False  # nothing is cut any more: the library discards what comes
        self._is_between = True  # two messages: nothing of another is held, here or by the inbox

    def receive(self, data: bytes) -> None:
        """Take or give away every frame that ``data`` completes, in order; hold the rest.

        What is deflated may grow a thousandfold: what follows a slice is left in ``rest``, for the next call.

        Raises:
            UnicodeDecodeError: A text is not UTF-8.
            ProtocolError: Of `websockets`: a message can't be inflated.
            PayloadTooBig: Of `websockets`: a message is larger than the limit when inflated.
        """
        if self.rest:
            data, self.rest = self.rest + data, b""
        self._is_between = False
        if self._missing:
            self._run(data, self._fill(data))
        elif self._held:
            held, self._held = self._held, bytearray()
            self._run(bytes(held) + data, 0)
        else:
            self._run(data, 0)
        if not (self.rest or self._missing or self._held or self._over):
            self._is_between = self._inbox.partial_size is None

    def lone(self, data: bytes) -> bytes | str | None:
        """Return the message of a read that is one whole frame of one, not deflated; None of any other.

        A paced feed brings such reads. `receive` takes them as well, and what is wrong in any way: this does
        a quarter of what it does. It is called only while no close frame has passed, either way.
        """
        size, start, end = data[1] if len(data) > 1 else 0, 2, len(data)
        if size == 126 and end > 4:
            (size,) = _SHORT.unpack_from(data, 2)
            start = 4 if size > 125 else 0
        elif size > 126:  # longer, or masked
            return None
        if end - start != size or size > self._limit or data[0] not in _PLAIN or not self._is_between:
            return None
        self.size = size
        try:
            return data[start:] if data[0] == _BINARY else self._decode(data[start:])
        except UnicodeDecodeError:
            return None

    def _run(self, data: bytes, pos: int) -> None:
        most = self._inbox.taken + _SLICE
        while pos < len(data):
            if self._inbox.taken > most and not self._over:
                self.rest = data[pos:]
                return
            if self._may_take():
                try:
                    pos = self._take_run(data, pos)
                except FAULTS:
                    self.refused = data[self._pos :]
                    raise
                if pos == len(data):
                    return
                if self._inbox.taken > most:
                    continue
            bounds = payload_bounds(data, pos)
            if self._over or self._is_wrong(data, pos, bounds):
                self._over = True
                self._give(data[pos:])
                return
            if bounds is None or bounds[1] > len(data):
                self._hold(data, pos, bounds)
                return
            self._pass_on(data, pos, bounds)
            pos = bounds[1]

    def _may_take(self) -> bool:
        return not self._over and self._protocol.state is _OPEN and self._inbox.partial_size is None

    def _take_run(self, data: bytes, pos: int) -> int:
        """Take the ordinary frames from ``pos`` on; return where the first other one begins."""
        append, short = self._inbox.payloads.append, _SHORT.unpack_from
        decode, inflate, deflated = self._decode, self._inflate, self._deflated
        limit, end, taken, most = min(self._limit, _COPIED), len(data), 0, _SLICE
        text, binary = _TEXT, _BINARY
        last = end - 4  # so that the header is whole: `_take_one` sees to shorter frames at the end
        try:
            while pos <= last and taken <= most:
                size, start = data[pos + 1], pos + 2
                if size == 126:
                    (size,) = short(data, start)
                    start += 2
                    if size < 126:
                        break
                elif size > 126:
                    break
                stop = start + size
                if stop > end or size > limit:
                    break
                first = data[pos]
                if first == text:
                    append(decode(data[start:stop]))
                elif first == binary:
                    append(data[start:stop])
                elif first in deflated:
                    if (message := inflate(data[start:stop])) is None:
                        break
                    append(decode(message) if deflated[first] == text else message)
                    size = len(message)
                else:
                    break
                taken += size
                pos = stop
        finally:
            self._pos = pos
            self._inbox.size += taken
            self._inbox.taken += taken
        return pos

    def _pass_on(self, data: bytes | bytearray, pos: int, bounds: tuple[int, int]) -> None:
        """Take one whole frame if it can be taken, else have the library take it."""
        if not self._may_take() or not self._take_one(data, pos, bounds):
            self._give(data[pos : bounds[1]])
            # Once the library has seen the end, or a fault, it discards what comes: that needs no cutting.
            protocol = self._protocol
            self._over = protocol.close_rcvd is not None or protocol.parser_exc is not None

    def _take_one(self, data: bytes | bytearray, pos: int, bounds: tuple[int, int]) -> bool:
        start, stop = bounds
        if start - pos != _shortest_header(stop - start):
            return False
        first, payload = data[pos], memoryview(data)[start:stop]
        try:
            if first in self._deflated:
                if (message := self._inflate(bytes(payload))) is None:
                    return False
                first, payload = self._deflated[first], memoryview(message)
            if first not in (_TEXT, _BINARY):
                return False
            self._inbox.put(payload, first == _TEXT)
        except FAULTS:
            self.refused = bytes(data[pos:stop])
            raise
        return True

    # -- large frames ------------------------------------------------------------------------------------

    def give_large(self) -> tuple[bytearray, int] | None:
        """Return the start of a large frame that is held, and its bytes; None if no such one is."""
        size = len(self._held) + self._missing
        if not self._missing or not _LARGE <= size <= _LARGEST or self.rest or not self._may_take():
            return None
        if self._held[0] not in _PLAIN:
            return None
        held, self._held, self._missing = self._held, bytearray(), 0
        return held, size

    def take_large(self, data: memoryview) -> tuple[int, int]:
        """Take whole large frames; see `large_frames.Wire`.

        Raises:
            UnicodeDecodeError: A text is not UTF-8.
        """
        put = self._inbox.put
        pos, end = 0, len(data)
        # Straight on: calls for each step cost a tenth of what 64 KiB cost.
        while self._may_take() and pos + _LONG.size <= end:
            first, code, size = _LONG.unpack_from(data, pos)
            start = pos + _LONG.size
            if code == 126:
                start, size = pos + 4, size >> 48
            elif code != 127 or size < 1 << 16:
                break
            stop = start + size
            if not _LARGE <= stop - pos <= _LARGEST or size > self._limit or first not in _PLAIN:
                break
            if stop > end:
                return pos, stop - pos
            try:
                put(data[start:stop], first == _TEXT)
            except UnicodeDecodeError:
                self.refused = bytes(data[pos:stop])
                raise
            pos = stop
        return pos, 0

    def _is_wrong(self, data: bytes | memoryview, pos: int, bounds: tuple[int, int] | None) -> bool:
        """Tell whether the header at ``pos`` alone, as far as it is there, is a breach of the protocol."""
        if len(data) - pos >= 2 and (data[pos] & 0x0F not in _OPCODES or data[pos + 1] & _MASKED):
            return True
        return bounds is not None and bounds[1] - bounds[0] > self._limit - (self._inbox.partial_size or 0)

    # -- frames that several reads bring ---------------------------------------------------------------

    def _hold(self, data: bytes, pos: int, bounds: tuple[int, int] | None) -> None:
        self._held += data[pos:]
        self._missing = bounds[1] - len(data) if bounds else 0

    def _fill(self, data: bytes) -> int:
        """Complete the frame that is held, or as much of it as came; return how many bytes that took."""
        taken = min(self._missing, len(data))
        self._held += data[:taken]
        self._missing -= taken
        if not self._missing:
            frame, self._held = self._held, bytearray()
            bounds = payload_bounds(frame, 0)
            assert bounds is not None
            self._pass_on(frame, 0, bounds)
        return taken


def _refuse(payload: bytes) -> None:
    """Inflate nothing."""


def _shortest_header(size: int) -> int:
    """Return the bytes of the header that a frame of so many bytes must have (RFC 6455 section 5.2)."""
    if size < 126:
        return 2
    return 4 if size < 1 << 16 else 10


# -- whether ---------------------------------------------------------------------------------------------


def path_for(
    protocol: ClientProtocol, inbox: Inbox, give: Callable[[bytes | bytearray], None]
) -> FastPath | None:
    """Return the fast path for a connection whose handshake is done, or None: then the library parses all.

    It is None where ``IPYWS_FAST_PATH`` is "off", and where `websockets` lacks or has changed what this
    relies on: the limit of a message is ``max_message_size``, and fragments have none of their own; between
    two frames nothing is in ``reader.buffer``; the one extension, if there is any, is a `PerMessageDeflate`
    (bare, or as ``inner`` of ours) that inflates with zlib.

    Args:
        protocol: The library's protocol, between two frames.
        inbox: Where messages go.
        give: Has the library parse some bytes, and what comes of it handed over.
    """
    if os.environ.get(VARIABLE, "").strip().lower() == "off":
        return None
    try:
        return _path(protocol, inbox, give)
    except AttributeError:
        return None


def _path(
    protocol: ClientProtocol, inbox: Inbox, give: Callable[[bytes | bytearray], None]
) -> FastPath | None:
    limit = protocol.max_message_size
    if type(protocol) is not ClientProtocol or protocol.state is not State.OPEN or protocol.reader.buffer:
        return None
    if not isinstance(limit, int) or protocol.max_fragment_size is not None:
        return None
    if not protocol.extensions:
        return FastPath(protocol, inbox, give, limit, None)
    [*others, extension] = protocol.extensions
    inflate = inflate_for(getattr(extension, "inner", extension), limit)
    return FastPath(protocol, inbox, give, limit, inflate) if inflate and not others else None
