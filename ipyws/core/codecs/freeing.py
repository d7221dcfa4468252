"""Large values: made and given up without holding the interpreter lock for long.

Python frees a million lists in one go when the list around them is dropped, and looks for garbage among all
that were just made. The background loop with all its connections waits as long as either takes.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from sys import getrefcount
from typing import Any, Final

_TOGETHER: Final = 256  # items that are given up before other threads have their turn
_FEW: Final = 16
_CONTAINERS: Final = (list, dict)
_CONTAINERS_AT_ALL: Final = frozenset((list, dict, tuple, set))
_of_thread: Final = threading.local()

_frozen: Final[list[bool]] = []
"""Not empty once somebody else's frozen objects were found."""

_held_once: Final[list[Any]] = [[]]
_ONCE: Final = getrefcount(_held_once[-1])
"""What is counted for the last item of a list that nothing else holds; versions of Python differ in it."""


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage while a large value is made; what there is then counts as old.

    Else all of it would be young when it is looked for the next time, which is soon, and the lock is held as
    long as that takes.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            if not _is_frozen():
                gc.freeze()
                gc.unfreeze()  # into the oldest generation: two lists are joined, and none is gone through
            gc.enable()


def _is_frozen() -> bool:
    """Tell whether somebody has frozen objects of his own.

    Once he has, it is not asked again: to give their number, Python goes through them all (5 ns each).
    """
    if not _frozen and gc.get_freeze_count():
        _frozen.append(True)
    return bool(_frozen)


def free(values: list[Any]) -> None:
    """Give up the values of a list as far as nobody else holds them, some at a time; the list is empty then.

    What is held elsewhere too, as a whole or in part, is left as it is.
    """
    while values:
        # Looked at where it lies, as a name would be one more that holds it.
        if type(values[-1]) not in _CONTAINERS or not values[-1] or getrefcount(values[-1]) != _ONCE:
            values.pop()
        else:
            values += _take_some(values[-1])


def _take_some(container: Any) -> list[Any]:
    """Take some of a container's items out of it; return those that hold others."""
    if isinstance(container, list):
        some = container[-_TOGETHER:]
        del container[-_TOGETHER:]
    else:
        some = [container.popitem()[1] for _ in range(min(_TOGETHER, len(container)))]
    return [item for item in some if type(item) in _CONTAINERS and not _is_small(item)]


def _is_small(container: Any) -> bool:
    """Tell whether a container is given up in no time: few items, none of which holds others."""
    if not container:
        return True
    items = container.values() if isinstance(container, dict) else container
    return len(items) <= _FEW and _CONTAINERS_AT_ALL.isdisjoint(map(type, items))


@contextlib.contextmanager
def keeping(values: list[Any]) -> Iterator[None]:
    """Add to a list the large values that this thread makes meanwhile: who has the list can `free` them."""
    before, _of_thread.kept = getattr(_of_thread, "kept", None), values
    try:
        yield
    finally:
        _of_thread.kept = before


def keep(value: Any) -> Any:
    """Return a large value that was just made, kept if this thread is `keeping`."""
    kept = getattr(_of_thread, "kept", None)
    if kept is not None:
        kept.append(value)
    return value
