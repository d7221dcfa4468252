"""``%autoreload`` leaves ipyws alone."""

from __future__ import annotations

import sys
from typing import Any


def keep_from_autoreload(shell: Any) -> None:
    """Have ``%autoreload`` pass over the modules of ipyws.

    After an upgrade it would load some of them again, and change the classes of connections that are open and
    of callbacks that are registered: every later cell fails then. Who names a module in ``%aimport`` has it
    loaded again all the same.
    """
    magics = shell.magics_manager.registry.get("AutoreloadMagics")
    reloader = getattr(magics, "_reloader", None)
    if reloader is None:
        return
    for name in list(sys.modules):
        if name.partition(".")[0] == "ipyws" and name not in reloader.modules:
            reloader.skip_modules[name] = True
