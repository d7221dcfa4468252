"""What ``%ws log --frames`` does."""

from __future__ import annotations

from ipyws.core.messages.message import Direction
from ipyws.core.wire.frame import CLOSE
from ipyws.core.wire.frame_log import Frames
from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.runtime.client import Client
from ipyws.view import frames as view

_NOT_OF_FRAMES = ("grep", "json", "max", "raw")


def show_frames(
    session: Session, parsed: Parsed, client: Client, tail: int, direction: Direction | None
) -> Frames:
    """Show the newest frames of a connection, and return them.

    Raises:
        InvalidError: They were not kept, or something is asked for that frames do not have.
    """
    if other := next((name for name in _NOT_OF_FRAMES if name in parsed.options), None):
        raise InvalidError(
            f"--{other} is given with --frames", hint="--tail, --in, --out and --control may be"
        )
    control = parsed.take("control", False)
    kept = client.log.frames()
    wanted = kept.only(
        lambda frame: direction in (None, frame.direction) and (not control or frame.opcode >= CLOSE)
    )
    found = wanted[-tail:]
    before = len(kept) + kept.dropped - len(found)
    head = f"{client.name}: {len(found):,} of {len(kept) + kept.dropped:,} frames"
    plain = {
        "text/plain": view.text(
            found, head, before=before, room=view.TEXT if session.publisher.live else None
        )
    }
    if session.publisher.live:
        plain["text/html"] = view.render(found, client.name, before=before)
    session.publisher.show(plain)
    return found
