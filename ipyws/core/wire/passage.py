"""A frame while it passes, and the message it is a part of: what of them is kept, and what may be shown."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.constants import KEEP_ALIVE
from ipyws.core.messages.message import Direction, payload_size
from ipyws.core.wire.frame import CLOSE, PING, PONG, Frame, masked
from ipyws.text.masking import MASK, mask_head, mask_start
from ipyws.text.printable import visible

KEPT: Final = 1024
"""Bytes that are kept of a message's payload as it was on the wire, of all its frames together."""

READ: Final = 16 * 1024
"""Bytes of a deflated message, inflated, up to which its payload is kept: all of them are looked at for
secrets, for whoever has the deflated bytes can inflate them."""

COST: Final = 600
"""Bytes that the record of a frame takes beside its payload, as it was measured."""

_PREVIEW: Final = 60


class Whole:
    """A message, or a control frame, as its frames have brought it so far.

    Args:
        opcode: Of its first frame.
        compressed: Whether it is deflated.

    Attributes:
        kept: The start of its payload, with the masks taken off.
        size: Bytes of its payload on the wire so far.
        frames: How many frames it had so far.
        plain: What a deflated one says, once that is known.
        plain_size: Bytes of it, inflated; None while that is not known.
    """

    __slots__ = ("compressed", "frames", "kept", "opcode", "plain", "plain_size", "size")

    def __init__(self, opcode: int, compressed: bool) -> None:
        self.opcode = opcode
        self.compressed = compressed
        self.kept = bytearray()
        self.size = self.frames = 0
        self.plain: Any = None
        self.plain_size: int | None = None

    def end(self) -> None:
        """Note that its last frame has passed."""
        if not self.compressed:
            self.plain_size = self.size

    def say(self, payload: Any) -> int:
        """Note what it says, inflated; return by how many bytes more is kept then."""
        if not self.compressed:
            return 0
        size = payload_size(payload)
        fits = size <= READ
        freed = 0 if fits else len(self.kept)
        if not fits:
            self.kept = bytearray()
        self.plain = payload if fits else mask_start(payload, READ)[:_PREVIEW]
        self.plain_size = size  # last: what is shown meanwhile depends on it
        return len(self.plain) - freed

    def hides(self, kept: bytes) -> bool:
        """Tell whether bytes of it are not to be shown: a secret is in them, or that can't be told.

        Args:
            kept: What was kept of it just now; more may come meanwhile.
        """
        if not kept:
            return False
        if self.compressed:
            size = self.plain_size
            return size is None or size > READ or _has_secret(self.plain, False)
        return _has_secret(kept, self.size > len(kept))


class Passage:
    """A frame while it passes.

    Args:
        number: As of `Frame`.
        dial: As of `Frame`.
        direction: As of `Frame`.
        time: As of `Frame`.
        header: As of `Frame`.
        length: As of `Frame`.
        whole: The message it is a part of.
        by_itself: As of `Frame`, as far as its header tells.
    """

    __slots__ = (
        *("by_itself", "dial", "direction", "fragment", "header", "length", "number"),
        *("received", "room", "start", "stop", "time", "whole"),
    )

    def __init__(
        self,
        number: int,
        dial: int,
        direction: Direction,
        time: float,
        header: bytes,
        length: int,
        whole: Whole,
        by_itself: str,
    ) -> None:
        self.number = number
        self.dial = dial
        self.direction = direction
        self.time = time
        self.header = header
        self.length = length
        self.whole = whole
        self.by_itself = by_itself
        self.received = 0
        self.fragment = whole.frames
        self.start = self.stop = len(whole.kept)
        whole.frames += 1

    @property
    def opcode(self) -> int:
        """Its opcode."""
        return self.header[0] & 0x0F

    @property
    def key(self) -> bytes:
        """The masking key, or b""."""
        return self.header[-4:] if self.header[1] & 0x80 else b""

    def add(self, data: memoryview) -> int:
        """Take some bytes of the payload, masked as they came; return how many of them are kept."""
        room = KEPT - len(self.whole.kept)
        kept = data[: max(0, room)]
        if kept:
            key = self.key
            if key and (turn := self.received % 4):
                key = key[turn:] + key[:turn]
            self.whole.kept += masked(bytes(kept), key)
            self.stop += len(kept)
        self.received += len(data)
        self.whole.size += len(data)
        return len(kept)

    def frame(self) -> Frame:
        """Return it as it stands."""
        first, whole = self.header[0], self.whole
        kept = bytes(whole.kept)
        payload, hidden = kept[self.start : self.stop], whole.hides(kept)
        return Frame(
            number=self.number,
            dial=self.dial,
            direction=self.direction,
            time=self.time,
            header=self.header,
            fin=bool(first & 0x80),
            rsv1=bool(first & 0x40),
            rsv2=bool(first & 0x20),
            rsv3=bool(first & 0x10),
            opcode=self.opcode,
            masked=bool(self.header[1] & 0x80),
            key=self.key,
            length=self.length,
            received=self.received,
            payload=payload,
            compressed=whole.compressed,
            fragment=self.fragment,
            plain_size=whole.plain_size,
            by_itself=self._by_itself(payload),
            hidden=hidden,
            preview=self._preview(payload, hidden),
        )

    def _by_itself(self, payload: bytes) -> str:
        if self.direction == "in" or self.by_itself:
            return self.by_itself
        if self.opcode == PONG:
            return "answers the ping"
        return "keep-alive" if self.opcode == PING and payload.startswith(KEEP_ALIVE) else ""

    def _preview(self, payload: bytes, hidden: bool) -> str:
        whole = self.whole
        if self.opcode == CLOSE and len(payload) >= 2:
            code, reason = int.from_bytes(payload[:2]), payload[2:].decode("utf-8", "replace")
            return visible(f"{code} {mask_head(reason, False)!r}" if reason else str(code))
        if whole.compressed:
            if self.fragment or whole.plain is None:
                return ""
            plain = mask_start(whole.plain, READ)
            if whole.opcode == 1 and isinstance(plain, bytes):
                plain = plain.decode("utf-8", "replace")
            return _spelled(plain, (whole.plain_size or 0) > READ)
        if hidden and whole.frames > 1:
            return MASK  # a part of a secret is not known for one
        is_cut = self.received > len(payload) or self.received < self.length
        shown = mask_head(payload.decode("utf-8", "surrogateescape"), is_cut)
        is_text = whole.opcode == 1
        return _spelled(shown if is_text else shown.encode("utf-8", "surrogateescape"), is_cut)


def _spelled(data: Any, is_cut: bool) -> str:
    if not data:
        return ""
    start = data[:_PREVIEW]
    return visible(f"{start!r}…" if is_cut or len(data) > _PREVIEW else repr(start))


def _has_secret(data: Any, is_cut: bool) -> bool:
    text = data if isinstance(data, str) else bytes(data).decode("utf-8", "surrogateescape")
    return mask_head(text, is_cut) != text
