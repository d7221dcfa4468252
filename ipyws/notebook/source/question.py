"""A question mark at the end of a ``%ws`` line is a part of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Self

from IPython.core.inputtransformer2 import (
    assemble_continued_line,
    find_end_of_continued_line,
)

from ipyws.notebook.source.aliases import means_ws
from ipyws.notebook.source.scope import calling_frame
from ipyws.notebook.source.transform import LAYOUT, ShellTransform
from ipyws.notebook.verbs.table import VERBS

_LINE = re.compile(r"(?P<before>\s*(?:[^%=]+=\s*)?)%(?P<name>\w+)\s+(?P<rest>\S.*?)\s*", re.DOTALL)
_WITHOUT_PERCENT = re.compile(r"(?P<before>\s*)(?P<name>\w+)\s+(?P<rest>(?P<verb>\w+)\s.*?)\s*", re.DOTALL)
_HELP = ("pinfo", "pinfo2", "psearch")


class QuestionLine(ShellTransform):
    """Calls the magic where IPython would look up help on the last word: ``%ws send how are you?``.

    So it does where another magic runs ours, as ``%time`` can, and for aliases. ``%ws?`` is left to IPython.
    """

    @classmethod
    def find(cls, tokens_by_line: list[list[Any]]) -> Self | None:
        """Return the first such line among those of a cell, or None."""
        for tokens in tokens_by_line:
            if len(tokens) > 2 and tokens[-2].string == "?":
                first = next(token for token in tokens if token.type not in LAYOUT)
                if cls._match(_source(tokens)) is not None:
                    return cls(first.start)
        return None

    @classmethod
    def _match(cls, line: str) -> re.Match[str] | None:
        """Match a line that calls the magic, be it behind another one."""
        if found := _LINE.fullmatch(line):
            called = (word[1:] for word in found["rest"].split() if word.startswith("%"))
            return found if any(means_ws(cls.shell, name) for name in (found["name"], *called)) else None
        found = _WITHOUT_PERCENT.fullmatch(line) if cls.shell.automagic else None
        ours = found is not None and found["verb"] in VERBS and means_ws(cls.shell, found["name"])
        return found if found is not None and ours and found["name"] not in cls.shell.user_ns else None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell with the one that was found as Python."""
        end = find_end_of_continued_line(lines, self.start_line)
        line = assemble_continued_line(lines, (self.start_line, 0), end)
        found = self._match(line)
        if found is None:
            raise SyntaxError(line)  # IPython asks the next one
        call = f"{found['before']}get_ipython().run_line_magic({found['name']!r}, {found['rest']!r})\n"
        return [*lines[: self.start_line], call, *lines[end + 1 :]]


def _source(tokens: list[Any]) -> str:
    """Return the physical lines of tokens as the one line that they are."""
    rows = {token.start[0]: token.line for token in tokens if token.type not in LAYOUT}
    lines = [line for text in rows.values() for line in text.splitlines(keepends=True)]
    lines = list(dict.fromkeys(lines)) if len(rows) > 1 else lines
    if any(not line.endswith("\\\n") for line in lines[:-1]):
        return ""
    return str(assemble_continued_line(lines, (0, 0), len(lines) - 1))


def mend_running_cell(shell: Any) -> Callable[[], object] | None:
    """Have the lines of the running cell send their question mark too; return what undoes that.

    The cell that loads the extension was made Python before: its ``%ws send how?`` asks for help on "how".
    """
    history = shell.history_manager
    raw, parsed = (getattr(history, name, [""])[-1] for name in ("input_hist_raw", "input_hist_parsed"))
    frame = calling_frame()
    if "?" not in raw or frame is None:
        return None
    asked = parsed.splitlines()
    meant = shell.input_transformer_manager.transform_cell(raw).splitlines()
    wrong = {number for number, line in enumerate(asked) if meant[number : number + 1] not in ([line], [])}
    if len(asked) != len(meant) or not wrong:
        return None
    return _replace_help(shell, frame.f_code.co_filename, {number + 1: meant[number] for number in wrong})


def _replace_help(shell: Any, cell: str, meant: dict[int, str]) -> Callable[[], object]:
    """Have calls for help on some lines of a cell do what was meant there."""
    magics = shell.magics_manager.magics["line"]
    before = {name: shell.find_line_magic(name) for name in _HELP}  # one that is not loaded yet is now

    def wrapped(help_on: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(help_on)
        def help_or_run(*args: Any, **options: Any) -> Any:
            frame = calling_frame()
            if frame is None or frame.f_code.co_filename != cell or frame.f_lineno not in meant:
                return help_on(*args, **options)
            source = "\n" * (frame.f_lineno - 1) + meant[frame.f_lineno].lstrip()
            return exec(compile(source, cell, "exec"), frame.f_globals, frame.f_locals)

        return help_or_run

    magics.update({name: wrapped(magic) for name, magic in before.items()})
    return lambda: magics.update(before)
