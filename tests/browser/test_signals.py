"""A signal turns the loop where it strikes the user's own code, and nothing else."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from ipyws.browser.signals import Turns, is_the_users


class Loop:
    """Counts its turns."""

    turns = 0

    def turn(self) -> None:
        self.turns += 1


def frame_in(*modules: str) -> FrameType:
    """Return the frame of a function of the last module, called by the one before it, and so on."""
    found: list[Any] = []
    call: Any = lambda: found.append(sys._getframe(1))  # noqa: E731
    for name in reversed(modules):
        scope: dict[str, Any] = {"__name__": name, "call": call}
        exec("def step():\n    call()\n", scope)
        call = scope["step"]
    call()
    return found[0]  # type: ignore[no-any-return]


CELL = "IPython.core.interactiveshell"


@pytest.mark.parametrize(
    ("modules", "turns"),
    [
        ((CELL, "__main__"), 1),
        ((CELL, "__main__", "json.decoder"), 1),
        ((CELL, "__main__", "ipyws.core.messages.log"), 0),
        ((CELL, "__main__", "asyncio.base_events", "__main__"), 0),
        ((CELL, "__main__", "traitlets.traitlets", "json"), 0),
        ((CELL, "__main__", "ipywsx"), 1),
    ],
)
def test_only_the_users_own_code_is_struck(modules: tuple[str, ...], turns: int) -> None:
    loop: Any = Loop()
    Turns(loop).on_signal(10, frame_in(*modules))
    assert loop.turns == turns


def test_a_cell_that_is_done_has_no_code_to_strike() -> None:
    assert is_the_users(None)
