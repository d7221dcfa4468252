"""Streams of frames, right and wrong, for the comparison of the fast path with the library's parser alone."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ipyws.core.constants import Compression
from tests.support.servers import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, frame
from tests.support.tube import ALONE, PLAIN, TAKEOVER, Outcome, exchange, switch

SMALL = 300
"""The limit of a message in most cases: low, so that it is often met."""

RSV1 = 4


class Case(NamedTuple):
    """A stream and how it comes."""

    stream: bytes
    cuts: tuple[int, ...]
    mode: Compression
    limit: int
    close_at: int | None

    def __repr__(self) -> str:
        start = bytes(self.stream[:400])
        return (
            f"Case({start!r}, {len(self.stream)} B, {self.cuts}, {self.mode}, {self.limit}, {self.close_at})"
        )


class Deflater:
    """The server's end of permessage-deflate."""

    def __init__(self, mode: Compression) -> None:
        self._mode = mode
        self._packer = zlib.compressobj(wbits=-15)

    def deflate(self, data: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
        """Return a message as it is sent (RFC 7692 section 7.2.1)."""
        if self._mode is not TAKEOVER:
            self._packer = zlib.compressobj(wbits=-15)
        made = self._packer.compress(data) + self._packer.flush(flush)
        if flush == zlib.Z_FINISH:
            self._packer = zlib.compressobj(wbits=-15)
            return made
        return made[:-4]


Item = Callable[[Deflater], bytes]

sizes = st.one_of(
    st.integers(0, 8),
    st.sampled_from([124, 125, 126, 127, 128, 200, SMALL - 1, SMALL, SMALL + 1, 2 * SMALL]),
)
texts = st.one_of(
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
    sizes.map(lambda size: b"x" * size),
    sizes.map(lambda size: ("ü" * (size // 2)).encode()),
)
payloads = st.one_of(texts, st.binary(max_size=40), sizes.map(bytes))
kinds = st.sampled_from([TEXT, BINARY])
controls = st.sampled_from([PING, PONG])
short = st.binary(max_size=125)


def _fixed(data: bytes) -> Item:
    return lambda _: data


def _message(kind: int, data: bytes) -> Item:
    return _fixed(frame(kind, data))


def _deflated(kind: int, data: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> Item:
    return lambda deflater: frame(kind, deflater.deflate(data, flush), rsv=RSV1)


def _fragments(kind: int, parts: list[bytes], between: list[bytes], deflated: bool) -> Item:
    """Return a message in fragments, with pings between them."""

    def make(deflater: Deflater) -> bytes:
        pieces = parts
        if deflated:
            whole = deflater.deflate(b"".join(parts))
            pieces = [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        pings = [frame(PING, data) for data in between]
        made = b""
        for number, piece in enumerate(pieces):
            first, last = number == 0, number == len(pieces) - 1
            rsv = RSV1 if deflated and first else 0
            made += frame(kind if first else CONTINUATION, piece, fin=last, rsv=rsv)
            made += b"" if last else b"".join(pings)
        return made

    return make


def _wrong_length(kind: int, data: bytes, form: str) -> Item:
    """Return a frame whose length is not in its shortest form."""
    return _fixed(struct.pack("!BB" + form, 0x80 | kind, 126 if form == "H" else 127, len(data)) + data)


def _announced(kind: int, size: int) -> Item:
    return _fixed(struct.pack("!BBQ", 0x80 | kind, 127, size))


good = st.one_of(
    st.builds(_message, st.just(TEXT), texts),
    st.builds(_message, st.just(BINARY), payloads),
    st.builds(_deflated, st.just(TEXT), texts),
    st.builds(_deflated, st.just(BINARY), payloads),
    st.builds(lambda kind, data: _fixed(frame(kind, data)), controls, short),
    st.builds(
        _fragments,
        kinds,
        st.lists(texts, min_size=2, max_size=4),
        st.lists(short, max_size=2),
        st.booleans(),
    ),
)
odd = st.one_of(
    st.builds(lambda kind, data: _fixed(frame(kind, data, fin=False)), kinds, payloads),  # and never ended
    st.builds(lambda data, fin: _fixed(frame(CONTINUATION, data, fin=fin)), payloads, st.booleans()),
    st.builds(_message, kinds, payloads),
    st.builds(_deflated, kinds, payloads, st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])),
    st.builds(lambda kind, data: _fixed(frame(kind, data, rsv=RSV1)), kinds, st.binary(max_size=30)),
    st.builds(_wrong_length, kinds, payloads, st.sampled_from("HQ")),
    st.builds(
        _announced, kinds, st.sampled_from([SMALL + 1, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
    ),
    st.builds(
        lambda opcode, data, fin, rsv: _fixed(frame(opcode, data, fin=fin, rsv=rsv)),
        st.integers(0, 15),
        st.one_of(payloads, short),
        st.booleans(),
        st.integers(0, 7),
    ),
    st.builds(
        lambda code, reason: _fixed(close_frame(code, reason)), st.integers(0, 5000), st.text(max_size=8)
    ),
    st.builds(lambda data: _fixed(frame(CLOSE, data)), st.binary(max_size=6)),
    st.just(_fixed(b"\x81\x81abcd\x00")),
    st.builds(_fixed, st.binary(max_size=12)),
)
modes = st.sampled_from([PLAIN, TAKEOVER, ALONE])


lengths = st.sampled_from([65534, 65535, 65536, 65537, 70_000, 200_000])
large = st.one_of(
    st.builds(lambda kind, size: _message(kind, b"y" * size), kinds, lengths),
    st.builds(lambda kind, size: _deflated(kind, b"y" * size), kinds, lengths),
    st.builds(lambda size: _message(TEXT, "ü".encode() * (size // 2) + b"\xff"), lengths),
    st.builds(lambda size: _fragments(TEXT, [b"y" * size, b"z" * size], [b"?"], False), lengths),
)

# Strategies that are made for each example take a sixth of the time, so places don't depend on the stream.
places = st.integers(0, 10**9)
items = st.lists(st.one_of(good, good, good, odd), max_size=12)
limits = st.sampled_from([1, SMALL, SMALL, SMALL, 1 << 20])
large_items = st.lists(st.one_of(large, good), max_size=4)
large_limits = st.sampled_from([65535, 65536, 1 << 20])
missing = st.one_of(st.just(0), st.just(0), st.integers(0, 5))
cuttings = st.one_of(st.just([]), st.lists(places, max_size=20))
closings = st.one_of(st.none(), st.none(), st.none(), places)


@st.composite
def cases(draw: Any) -> Case:
    """Small streams: good frames mostly, and something odd in most of them."""
    return _case(draw, draw(items), draw(limits))


@st.composite
def large_cases(draw: Any) -> Case:
    """Messages about the lengths where headers change, among small ones."""
    return _case(draw, draw(large_items), draw(large_limits))


def _case(draw: Any, parts: list[Item], limit: int) -> Case:
    mode = draw(modes)
    deflater = Deflater(mode)
    stream = b"".join(part(deflater) for part in parts)
    stream = stream[: len(stream) - draw(missing)]
    cuts = sorted(place % (len(stream) + 61) - 60 for place in draw(cuttings))  # some in the handshake
    closing = draw(closings)
    close_at = None if closing is None else closing % (len(stream) + 1)
    return Case(stream, tuple(cuts), mode, limit, close_at)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of all cases: `asyncio.run` makes one for each, with a handler of interrupts."""
    return asyncio.new_event_loop()


def outcome(case: Case, cuts: Sequence[int], fast: bool) -> Outcome:
    """Return what comes of a case, cut so."""
    with switch(fast):
        return _loop().run_until_complete(exchange(case.stream, cuts, case.mode, case.limit, case.close_at))


def check(case: Case) -> None:
    """Compare the fast path, cut so and not cut at all, with the plain path that sees each frame alone."""
    expected = outcome(case, _alone(case.stream), fast=False)
    _compare(outcome(case, case.cuts, fast=True), expected)
    _compare(outcome(case, (), fast=True), expected)


def _compare(found: Outcome, expected: Outcome) -> None:
    """Compare two outcomes: all is the same, but that more may have come of a frame whose header is wrong."""
    came = [record[2] for made in (found, expected) for record in made.records if record[0] == "breach"]
    common = min(came, key=len, default=b"")
    assert all(start.startswith(common) for start in came)
    assert _with_start(found, common) == _with_start(expected, common)


def _with_start(made: Outcome, start: Any) -> Outcome:
    """Return the outcome with the start of the refused frame in its place."""
    records = [(*each[:2], start, *each[3:]) if each[0] == "breach" else each for each in made.records]
    return made._replace(records=records)


def _alone(stream: bytes) -> Sequence[int]:
    """Return cuts that leave no two frames in one read: every byte, unless that would take for ever."""
    if len(stream) < 8192:
        return range(len(stream))
    cuts, pos = [], 0
    while pos + 10 <= len(stream):  # whatever stands there: a wrong header ends the connection
        size, start = stream[pos + 1] & 0x7F, pos + 2
        if size > 125:
            extra = 2 if size == 126 else 8
            size, start = int.from_bytes(stream[start : start + extra]), start + extra
        pos = start + size
        cuts.append(pos)
    return cuts
