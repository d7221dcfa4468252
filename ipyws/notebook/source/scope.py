"""Which names the expressions of a magic mean: those of the code that calls it.

IPython's own ``needs_local_scope`` gives a line magic the locals of its caller, or those of an alias in
between; a cell magic gets the notebook's names whatever calls it; neither gets the globals of a module.
So the frame that calls is looked up here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, Final

_PASSED_OVER: Final = ("IPython", "ipyws")
"""Packages whose frames stand between a magic and the code that calls it."""
_NOBODY: Final = ("ipykernel", "asyncio", "tornado", "threading")
"""Packages that call where no code of a user does."""


def calling_frame() -> FrameType | None:
    """Return the frame of the user's code that calls a magic; None where there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame) in _PASSED_OVER:
        frame = frame.f_back
    return None if frame is None or _package(frame) in _NOBODY else frame


def names_at(
    frame: FrameType | None, notebook: dict[str, Any], local_names: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the names that code in a frame knows: its locals, its module's, then the notebook's.

    Args:
        frame: As `calling_frame` found it.
        notebook: The notebook's variables; returned themselves where there is nothing else, so that what
            changes while a magic waits is seen.
        local_names: Further locals, which come first.
    """
    if frame is None or (frame.f_globals is notebook and frame.f_locals is notebook):
        return notebook if local_names is None or local_names is notebook else notebook | local_names
    names = notebook | frame.f_globals
    for function in reversed(list(_functions(frame))):
        for name in (*function.f_code.co_cellvars, *function.f_code.co_freevars):
            names.pop(name, None)  # one that has no value yet hides a global all the same
        names.update(function.f_locals)
    return names | (local_names or {})


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _functions(frame: FrameType) -> Iterator[FrameType]:
    """Yield a frame, and those that run of the functions around its code; the innermost first."""
    yield frame
    inner, outer = frame.f_code, frame.f_back
    while outer is not None and inner.co_flags & inspect.CO_NESTED:
        if _holds(outer.f_code, inner):
            yield outer
            inner = outer.f_code
        outer = outer.f_back


def _holds(outer: CodeType, inner: CodeType) -> bool:
    """Tell whether code stands in other code, be it in the body of a class there."""
    return outer.co_flags & inspect.CO_OPTIMIZED != 0 and any(
        const is inner or (_is_class(const) and _contains(const, inner)) for const in outer.co_consts
    )


def _contains(body: CodeType, inner: CodeType) -> bool:
    return any(const is inner or (_is_class(const) and _contains(const, inner)) for const in body.co_consts)


def _is_class(const: object) -> bool:
    return isinstance(const, CodeType) and not const.co_flags & inspect.CO_OPTIMIZED
