"""A frame drawn as RFC 6455 section 5.2 draws it, with its own bits and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

from ipyws.core.wire.frame import Frame, masked
from ipyws.view.pretty import hex_line, hexdump

ROW: Final = 32
"""Bits on one row."""

DRAWN: Final = 24
"""Bytes of payload that are drawn."""

_DUMPED: Final = 128
_UNMASKED: Final = 16
_HIDDEN: Final = "not shown: it holds a secret, or what it says is not known"
_RULER: Final = (
    " 0                   1                   2                   3",
    " " + " ".join(str(bit % 10) for bit in range(ROW)),
)


class Piece(NamedTuple):
    """What of a field stands on one row.

    Attributes:
        bits: How many bits.
        name: The name of the field.
        value: Its bits or bytes.
    """

    bits: int
    name: str
    value: str


def diagram(frame: Frame) -> str:
    """Return a frame as the diagram, with what its fields mean and its bytes below."""
    drawn = list(rows(frame))
    lines = [*_RULER]
    above: list[Piece] = []
    for row in drawn:
        lines += (_border(above, row), *_drawn(row))
        above = row
    lines.append(_border(above, []))
    return "\n".join([*lines, "", *meanings(frame), "", dump(frame)])


def meanings(frame: Frame) -> list[str]:
    """Return what the fields of a frame say, one on each line, and what else there is to say."""
    lines = [f"{field.name:<24}{field.value:<24} {field.meaning}".rstrip() for field in frame.fields]
    first, *more = notes(frame)
    return [*lines, f"{'Payload Data':<24}{first}", *(f"{'':<24}{note}" for note in more)]


def notes(frame: Frame) -> list[str]:
    """Return what there is to say of a frame's payload, its size first."""
    told = [frame.sizes]
    if frame.masked and (payload := shown_payload(frame)):
        data, more = payload[:_UNMASKED], "…" if len(payload) > _UNMASKED else ""
        told.append(f"without the mask: {hex_line(data)}{more}")
    if frame.fragment or not frame.fin:
        told.append(f"fragment {frame.fragment + 1} of its message")
    if frame.by_itself:
        told.append(f"sent by itself: {frame.by_itself}")
    return told


def shown_payload(frame: Frame) -> bytes:
    """Return what may be shown of a payload, with the mask taken off; nothing where it is hidden."""
    return b"" if frame.hidden else frame.payload


def dump(frame: Frame) -> str:
    """Return the start of a frame's bytes as a hexdump."""
    payload = shown_payload(frame)
    data = frame.header + masked(payload, frame.key)
    dump = hexdump(data[:_DUMPED], min(len(data), _DUMPED))
    if frame.hidden:
        return f"{dump}\npayload {_HIDDEN}"
    left = frame.received - max(0, min(len(data), _DUMPED) - len(frame.header))
    return f"{dump}\n… {left:,} more" if left > 0 else dump


def rows(frame: Frame) -> Iterator[list[Piece]]:
    """Yield the rows, each of pieces that have at most 32 bits together."""
    row: list[Piece] = []
    room = ROW
    for bits, name, value in _spans(frame):
        while bits:
            taken = min(bits, room)
            row.append(Piece(taken, name, _start(value, taken)))
            value = value[len(_start(value, taken)) :].lstrip() if taken >= 8 else ""
            bits, room, name = bits - taken, room - taken, _continued(name)
            if not room:
                yield row
                row, room = [], ROW
    if row:
        yield row


def _continued(name: str) -> str:
    return name if name.endswith(" continued") else f"{name} continued"


def _spans(frame: Frame) -> Iterator[tuple[int, str, str]]:
    for field in frame.fields:
        yield field.bits, field.name, " ".join(field.value) if field.bits < 8 else field.value
    payload = shown_payload(frame)[:DRAWN]
    if payload:
        yield 8 * len(payload), "Payload Data", masked(payload, frame.key).hex(" ")


def _start(value: str, bits: int) -> str:
    return value if bits < 8 else value[: 3 * (bits // 8) - 1]


def _border(above: list[Piece], below: list[Piece]) -> str:
    """Return the line between two rows, with the corners of both."""
    corners = {0, *_ends(above), *_ends(below)}
    return "".join(
        "+" if place % 2 == 0 and place // 2 in corners else "-" for place in range(2 * max(corners) + 1)
    )


def _ends(row: list[Piece]) -> Iterator[int]:
    """Yield the bits at which the pieces of a row end."""
    return accumulate(piece.bits for piece in row)


def _drawn(row: list[Piece]) -> Iterator[str]:
    height = max(len(piece.name) if piece.bits == 1 else 1 for piece in row)
    for line in range(height):
        yield _line(row, [_name(piece, line) for piece in row])
    yield _line(row, [piece.value for piece in row])


def _name(piece: Piece, line: int) -> str:
    if piece.bits == 1:
        return piece.name[line : line + 1]
    return piece.name if line == 0 else ""


def _line(row: list[Piece], texts: list[str]) -> str:
    cells = (
        f"{text:^{2 * piece.bits - 1}.{2 * piece.bits - 1}}" for piece, text in zip(row, texts, strict=True)
    )
    return f"|{'|'.join(cells)}|"
