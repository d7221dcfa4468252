"""Errors as a notebook shows them: those of a magic in one line, and no traceback with a secret in it.

A traceback repeats source lines, and the values of variables too after ``%xmode Verbose``: places that no
error of ours can mask where it is made. Every traceback of the shell is masked, not only those of our errors:
an interrupt, or a mistake of the user's own, shows the same lines. The source of a cell stays as it was
written, in the notebook and in the history: who writes a secret there has it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ipyws.errors import WebSocketError
from ipyws.text.masking import mask, mask_cut
from ipyws.text.printable import visible

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OUR_FRAME = re.compile(r"\s*File [^\n]*[/\\]ipyws[/\\](?:\w+[/\\])*\w+\.py\b")
_SHOWN = "_ipyws_was_shown"


def _on_line(hint: str) -> str:
    from ipyws.view.wording import on_line

    return on_line(hint)


def headline(error: WebSocketError) -> str:
    """Return an error in one line: its class, what happened, what to do on a line."""
    hint = f"; {_on_line(error.hint)}" if error.hint else ""
    return visible(f"{type(error).__name__}: {error.message}{hint}")


def shorten(error: WebSocketError) -> WebSocketError:
    """Have IPython show ``error`` in one line, the first time: what ``%tb`` shows later is the traceback.

    The hook is looked up on the exception itself, so that the same class keeps its traceback where a user's
    own Python raised it.
    """

    def render_once() -> list[str]:
        del error._render_traceback_  # type: ignore[attr-defined]
        return [headline(error)]

    error.hint = _on_line(error.hint)
    error._render_traceback_ = render_once  # type: ignore[attr-defined]
    return error


def mask_tracebacks(shell: Any) -> Callable[[], None]:
    """Mask secrets in every traceback that the shell shows or keeps; return what undoes that."""
    show = shell._showtraceback
    keep = getattr(shell, "_format_exception_for_storage", None)  # what %notebook saves, since IPython 9

    def show_masked(kind: type[BaseException], error: BaseException, lines: list[str]) -> None:
        show(kind, _without_secrets(error), [masked(line) for line in _brief(error, lines)])

    def keep_masked(*args: Any, **options: Any) -> dict[str, Any]:
        kept: dict[str, Any] = keep(*args, **options)  # type: ignore[misc]
        return kept | {
            "evalue": masked(kept["evalue"]),
            "traceback": [masked(line) for line in kept["traceback"]],
        }

    ours = {"_showtraceback": show_masked} | ({"_format_exception_for_storage": keep_masked} if keep else {})
    theirs = vars(shell).copy()
    vars(shell).update(ours)

    def undo() -> None:
        for name, function in ours.items():
            if vars(shell).get(name) is function:  # else somebody has put theirs around ours
                del vars(shell)[name]
                vars(shell).update({name: theirs[name]} if name in theirs else {})

    return undo


def _brief(error: BaseException, lines: list[str]) -> list[str]:
    """Return a traceback, one item a frame, without what lies inside of ipyws; all of it the second time.

    For one of our errors that a user's own Python raised: what is wrong is in the cell and in the last line.
    """
    if not isinstance(error, WebSocketError) or hasattr(error, _SHOWN):
        return lines
    setattr(error, _SHOWN, True)
    lines = _without_notes(error, lines)
    ours = [place for place, line in enumerate(lines) if _OUR_FRAME.match(_COLOUR.sub("", line))]
    if not ours:
        return lines
    hidden = len(lines) - 1 - ours[0]
    frames = "1 frame" if hidden == 1 else f"{hidden} frames"
    return [*lines[: ours[0]], f"[... {frames} of ipyws: %tb shows them ...]\n", lines[-1]]


def _without_notes(error: BaseException, lines: list[str]) -> list[str]:
    """Return a traceback without the notes below its error, such as the whole answer of a server."""
    notes = list(getattr(error, "__notes__", ()))
    while notes and len(lines) > 1 and _COLOUR.sub("", lines[-1]).strip() == notes.pop().strip():
        lines = lines[:-1]
    return lines


def mask_result(result: Any) -> None:
    """Mask the error that a cell ended with, whose text a kernel repeats in its reply."""
    if result is not None and result.error_in_exec is not None:
        result.error_in_exec = _without_secrets(result.error_in_exec)


def masked(text: str) -> str:
    """Return text of a traceback without its secrets; where it holds one it loses its colours.

    Colours stand between the parts of a string, so that they may cut a secret in pieces.
    """
    plain = _COLOUR.sub("", text)
    shown = mask_cut(mask(plain))
    return text if shown == plain else shown


def _without_secrets(error: BaseException) -> BaseException:
    """Return the error, or one of its name whose text holds no secret: ours hold none, a user's own may."""
    try:
        text = str(error)
    except Exception:  # a foreign __str__
        return error
    shown = masked(text)
    return error if shown == text else type(type(error).__name__, (Exception,), {})(shown)
