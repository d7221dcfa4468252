"""Other names for ``%ws``, as ``%alias_magic`` gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR, MagicAlias

NAME: Final = "ws"
_LONGEST: Final = 10  # aliases of aliases


def means_ws(shell: Any, name: str) -> bool:
    """Tell whether a magic of this name is ``%ws``, or an alias of it."""
    magics = shell.magics_manager.magics
    for _ in range(_LONGEST):
        if name == NAME:
            return True
        alias = magics["line"].get(name) or magics["cell"].get(name)
        if not isinstance(alias, MagicAlias):
            return False
        name = alias.magic_name
    return False


def leave_templates(shell: Any, made: Callable[[], object]) -> Callable[[], object]:
    """Have IPython leave the lines of our aliases as they are, as those of ``%ws``; return what undoes that.

    It would take ``{{price}}`` for its own ``{price}``, and an alias doesn't say what its magic says.

    Args:
        shell: Has the aliases.
        made: Called when there is a new one.
    """
    manager = shell.magics_manager
    register = manager.register_alias

    def mark() -> None:
        for kind in ("line", "cell"):
            for name, magic in manager.magics[kind].items():
                if isinstance(magic, MagicAlias) and means_ws(shell, name):
                    setattr(magic, MAGIC_NO_VAR_EXPAND_ATTR, True)

    def register_marked(*args: Any, **options: Any) -> None:
        register(*args, **options)
        mark()
        made()

    mark()
    manager.register_alias = register_marked
    return lambda: vars(manager).pop("register_alias", None)
