"""The frames of a connection as HTML and as text: one line each, with the diagram below it to unfold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from ipyws.capture.recording import RecordedLog
from ipyws.core.wire.frame import Frame, HandshakeText
from ipyws.core.wire.frame_log import FrameLog, Frames
from ipyws.view.diagram import diagram
from ipyws.view.escape import html_text
from ipyws.view.format import byte_size, clock
from ipyws.view.theme import theme

ROWS: Final = 50
"""Most frames of a view."""

BYTES: Final = 56 * 1024
"""Most bytes of its rows; of what is unfolded the newest has room first."""

TEXT: Final = 2000
"""Most bytes of the text beside it."""

_LIVE: Final = 12  # frames below a view that goes on
_LIVE_TEXT: Final = 800  # bytes

_READING: Final = 0.002  # seconds from the frame of a message to its place in the log

_ARROWS: Final = {"in": "↓", "out": "↑"}
_COLUMNS: Final = ("#", "time", "↓↑", "opcode", "bits set", "on the wire", "payload")


class FrameStretch:
    """The frames that pass while a view goes on.

    Args:
        kept: The frames of the connection.
        start: The number of the first one.
    """

    def __init__(self, kept: FrameLog, start: int) -> None:
        self._kept = kept
        self._start = start
        self._stop: int | None = None

    def draw(self, ended: bool, *, unfold: bool) -> dict[str, str]:
        """Return the newest of them as HTML and as text, to stand below a view.

        Args:
            ended: Whether what passes from now on belongs to a later view.
            unfold: Whether there is room for their diagrams.
        """
        if ended and self._stop is None:
            self._stop = self._kept.total
        stop = self._kept.total if self._stop is None else self._stop
        first = max(self._start, stop - _LIVE)
        newest = self._kept.frames(first, stop - first)
        before = max(0, first - self._start)
        html = render(newest, "", unfold=unfold, before=before)
        return {"text/html": html, "text/plain": "\n" + text(newest, before=before, room=_LIVE_TEXT)}


def frames_from(log: RecordedLog, start: int) -> FrameStretch | None:
    """Return the frames that pass from a message on, where frames are kept.

    Args:
        log: The log of the connection.
        start: The seq of the message; it need not have passed yet.
    """
    wire = log.wire
    if wire is None:
        return None
    if not start:
        return FrameStretch(wire, 0)
    first = log.read(start, 1)
    # What was sent is logged before its frame is written, and what came after its frame was read.
    early = _READING if first and first[0].direction == "in" else 0.0
    return FrameStretch(wire, wire.since(first[0].time - early) if first else wire.total)


def words(frame: Frame) -> str:
    """Return what is to be said of a frame's payload, on one line."""
    parts = [frame.sizes, frame.preview, f"({frame.by_itself})" if frame.by_itself else ""]
    if frame.fragment or not frame.fin:
        parts.insert(1, f"fragment {frame.fragment + 1}")
    return "  ".join(filter(None, parts))


def line(frame: Frame) -> str:
    """Return a frame on one line of text."""
    arrow = _ARROWS[frame.direction]
    key = frame.key.hex()
    return (
        f"{frame.number:>4} {clock(frame.time)} {arrow} {frame.name:<12} {frame.flags:<9} "
        f"{key:<8} {byte_size(frame.size):>8}  {words(frame)}"
    ).rstrip()


def text(frames: Frames, head: str = "", *, before: int = 0, room: int | None = TEXT) -> str:
    """Return frames as text, the first lines of the last handshake above them.

    Args:
        frames: The frames; the newest are there where not all have room.
        head: What stands above.
        before: How many frames were left out before them.
        room: Most bytes; None for as many as it takes.
    """
    opening = frames.handshakes[-1:]
    told = [head] if head else []
    told += [f"{_first(one.request)} → {_first(one.response)}" for one in opening]
    room = 1 << 30 if room is None else room
    room -= sum(len(each.encode()) + 1 for each in told) + 80
    lines: list[str] = []
    for frame in reversed(frames):
        drawn = line(frame)
        if (room := room - len(drawn.encode()) - 1) < 0:
            break
        lines.append(drawn)
    if before := before + len(frames) - len(lines):
        lines.append(f"… {before:,} frames before these")
    return "\n".join([*told, *reversed(lines)])


def render(frames: Frames, name: str, *, unfold: bool = True, before: int = 0) -> str:
    """Return frames as a fragment of HTML, bounded in rows and bytes.

    Args:
        frames: The frames; the newest 50 are drawn.
        name: Of the connection, or "" where that stands above.
        unfold: Whether each can be unfolded to its diagram, and the handshakes stand above.
        before: How many frames were left out before them.
    """
    handshakes = "".join(map(_opening, frames.handshakes[-5:])) if unfold else ""
    drawn = frames[-ROWS:]
    left_out = before + len(frames) - len(drawn)
    rows = "".join(_rows(drawn, BYTES - len(handshakes.encode()), unfold=unfold))
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    title = f"frames of <code>{html_text(name)}</code>" if name else "frames on the wire"
    told = f" · {left_out:,} before these" if left_out else ""
    table = (
        f'<table aria-label="frames"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else ""
    )
    header = f'<div class="h"><strong>{title}</strong>{told}</div>'
    return f'<div class="ipyws-wire"><style>{_style()}</style>{header}{handshakes}{table}</div>'


@cache
def _style() -> str:
    return theme("ipyws-wire") + files("ipyws.view").joinpath("frames.css").read_text("utf-8")


def _opening(opening: HandshakeText) -> str:
    summary = f"{html_text(_first(opening.request))} → {html_text(_first(opening.response) or '…')}"
    whole = f"{opening.request}\n\n{opening.response}".rstrip()
    ended = f'<div class="e">{html_text(opening.ended)}</div>' if opening.ended else ""
    return _folded(f"<code>{summary}</code>", f"<pre>{html_text(whole)}</pre>{ended}")


def _rows(frames: Sequence[Frame], room: int, *, unfold: bool) -> Iterable[str]:
    bare = [_row(frame, "") for frame in frames]
    room -= sum(len(row.encode()) for row in bare)
    made: list[str] = []
    for frame, row in zip(reversed(frames), reversed(bare), strict=True):
        whole = _row(frame, diagram(frame)) if unfold and room > 0 else row
        extra = len(whole.encode()) - len(row.encode())
        made.append(whole if extra <= room else row)
        room -= extra
    return reversed(made)


def _row(frame: Frame, detail: str) -> str:
    cells = (
        str(frame.number),
        clock(frame.time),
        _ARROWS[frame.direction],
        frame.name,
        frame.flags,
        byte_size(frame.size),
    )
    said = f"<code>{html_text(words(frame))}</code>"
    body = _folded(said, f"<pre>{html_text(detail)}</pre>") if detail else said
    numbers = "".join(f"<td>{html_text(cell).replace(' ', '&nbsp;')}</td>" for cell in cells)
    look = f"{frame.direction} control" if frame.opcode >= 8 else frame.direction
    return f'<tr class="{look}">{numbers}<td>{body}</td></tr>'


def _folded(summary: str, content: str) -> str:
    # The attribute keeps JupyterLab from taking a key that is pressed here for its own.
    return f'<details><summary data-lm-suppress-shortcuts="true">{summary}</summary>{content}</details>'


def _first(head: str) -> str:
    return head.partition("\n")[0]
