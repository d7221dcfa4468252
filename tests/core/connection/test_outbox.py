"""What waits to be written, and for how long it is on its way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from ipyws.core.connection.outbox import Framed, Outbox


def test_a_message_is_on_its_way_until_the_transport_has_it() -> None:
    """Whoever took the place before it meanwhile would go first on the wire, and second in the log."""
    seen: list[tuple[int, bool]] = []

    def look() -> None:
        seen.append((outbox.size, outbox.is_idle))

    def look_from_elsewhere() -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    def write(messages: Sequence[Framed]) -> None:
        look_from_elsewhere()

    outbox = Outbox(write)
    look_from_elsewhere()
    outbox.put([(b"1234", True)], 4)
    look_from_elsewhere()
    outbox.flush()
    look_from_elsewhere()
    assert seen == [(0, True), (4, False), (4, False), (0, True)]


def test_what_can_not_be_written_is_on_its_way_no_longer() -> None:
    def write(messages: Sequence[Framed]) -> None:
        raise OSError("gone")

    outbox = Outbox(write)
    outbox.put([(b"1234", True)], 4)
    with pytest.raises(OSError, match="gone"):
        outbox.flush()
    assert outbox.size == 0
    assert outbox.drop() == 0
