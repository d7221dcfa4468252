"""Loading the extension into a shell, and taking every trace of it out again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from ipyws.notebook.completion import make_matcher
from ipyws.notebook.magic import Magic
from ipyws.notebook.publisher import publisher_for
from ipyws.notebook.reloading import keep_from_autoreload
from ipyws.notebook.results import HideResults, ends_with_magic
from ipyws.notebook.session import MakePanel, Session
from ipyws.notebook.settings import settings_of
from ipyws.notebook.source.aliases import NAME, leave_templates, means_ws
from ipyws.notebook.source.closures import KeepNames
from ipyws.notebook.source.misplaced import LINE_NAME, MisplacedCell
from ipyws.notebook.source.question import QuestionLine, mend_running_cell
from ipyws.notebook.source.whole_line import join_lines
from ipyws.notebook.tracebacks import mask_result, mask_tracebacks
from ipyws.notebook.verbs.help import overview
from ipyws.runtime import waiting
from ipyws.runtime.core import prepare
from ipyws.runtime.registry import REGISTRY

_KINDS = ("line", "cell")
_loaded: WeakKeyDictionary[Any, Extension] = WeakKeyDictionary()


class Extension:
    """The extension in one shell: what it put there, and how to take it back."""

    def __init__(self, shell: Any, make_panel: MakePanel) -> None:
        self.shell = shell
        self.publisher = publisher_for(shell)
        self.session = Session(shell, self.publisher, make_panel)
        self.magic = Magic(self.session)
        self._means_ws = partial(means_ws, shell)
        self._undo: list[Callable[[], object]] = []

    def load(self) -> None:
        self._undo.append(mask_tracebacks(self.shell))
        self._register_magic()
        self._append(self.shell.configurables, settings_of(self.shell, self.session.views))
        self._register_event("pre_run_cell", lambda *_: self.publisher.cell_starts())
        self._register_event("post_run_cell", self._cell_ends)
        self._register_event("post_run_cell", mask_result)
        self._undo.append(leave_templates(self.shell, self._mend_running_cell))
        self._append(self.shell.ast_transformers, KeepNames(self._means_ws))
        self._append(self.shell.ast_transformers, HideResults(self._means_ws))
        transformers = self.shell.input_transformer_manager.token_transformers
        self._append(transformers, QuestionLine.of(self.shell))
        self._append(transformers, MisplacedCell.of(self.shell))
        self._append(self.shell.input_transformers_cleanup, join_lines)
        if completer := getattr(self.shell, "Completer", None):
            self._append(completer.custom_matchers, make_matcher(self.session))
        self._hide_result_of_this_cell()
        self._mend_running_cell()
        keep_from_autoreload(self.shell)
        if not self.publisher.live:
            waiting.set_idle_loop(_terminal_loop)
            self._undo.append(lambda: waiting.set_idle_loop(None))

    def unload(self) -> None:
        REGISTRY.shut_down()
        self.session.views.close()
        while self._undo:
            self._undo.pop()()

    def _mend_running_cell(self) -> None:
        if undo := mend_running_cell(self.shell):
            self._undo.append(undo)

    def _cell_ends(self, *_: object) -> None:
        self.session.views.flush()
        self.publisher.cell_ends()
        keep_from_autoreload(self.shell)

    def _register_magic(self) -> None:
        magics = self.shell.magics_manager.magics
        before = {kind: magics[kind].get(NAME) for kind in _KINDS}
        run = self.magic

        def ws(line: str, body: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
            return run(line, body, local_ns)

        ws.__doc__ = overview()
        ws._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
        self.shell.register_magic_function(ws, "line_cell", NAME)
        self.shell.register_magic_function(self.magic.misplaced, "line", LINE_NAME)

        def restore() -> None:
            # IPython has no way to unregister a magic.
            magics["line"].pop(LINE_NAME, None)
            for kind, magic in before.items():
                magics[kind].pop(NAME, None)
                if magic is not None:
                    magics[kind][NAME] = magic

        self._undo.append(restore)

    def _hide_result_of_this_cell(self) -> None:
        """Keep a bare ``%ws`` at the end of the loading cell from adding to ``Out``.

        The cell was compiled before `HideResults` came, so that only its display can still be held back.
        """
        history = getattr(self.shell.history_manager, "input_hist_parsed", [""])
        if not ends_with_magic(history[-1], self._means_ws):
            return
        hook = self.shell.displayhook
        hook.quiet = lambda: True

        def restore(*_: object) -> None:
            vars(hook).pop("quiet", None)
            self.shell.events.unregister("post_run_cell", restore)

        self.shell.events.register("post_run_cell", restore)

    def _register_event(self, event: str, callback: Callable[..., object]) -> None:
        self.shell.events.register(event, callback)
        self._undo.append(lambda: self.shell.events.unregister(event, callback))

    def _append(self, entries: list[Any], entry: object) -> None:
        entries.append(entry)
        self._undo.append(lambda: entries.remove(entry) if entry in entries else None)


def load(shell: Any, make_panel: MakePanel) -> None:
    """Give the shell the magics; does nothing where they are loaded already.

    Args:
        shell: An IPython shell.
        make_panel: What ``%ws panel`` opens.
    """
    missing = prepare()
    if shell not in _loaded:
        if missing:
            print(missing)  # noqa: T201 - what the user has to know is the cell's output
        _loaded[shell] = Extension(shell, make_panel)
        _loaded[shell].load()


def unload(shell: Any) -> None:
    """Take the magics back, close every connection with 1001 and end the background thread."""
    extension = _loaded.pop(shell, None)
    if extension is not None:
        extension.unload()


def _terminal_loop() -> Any:
    from IPython.core.async_helpers import get_asyncio_loop

    return get_asyncio_loop()
