"""What whoever looks at a panel may do with it.

The kernel decides, request by request: a browser is not asked, for a visitor of a dashboard can send what
he likes. In a notebook the one who looks at a panel may run any cell, and the panel gives him nothing more.
A dashboard shows the outputs of a kernel to people who may not: Voilà takes no code from a browser, but
passes on the messages of widgets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from IPython import get_ipython

from ipyws.errors import InvalidError, PermissionDeniedError, brief
from ipyws.notebook.audience import is_voila

ALL: Final = "*"
"""The name under which all connections are shown together."""

LOOKING: Final = frozenset(
    {"hello", "here", "bye", "ack", "filter", "load", "fetch", "show", "copy", "frames", "frame"}
)
"""The requests that change nothing but what the one who asks is shown."""

_MARIMO: Final = ("edit", "run", "script", "unknown")


@dataclass(frozen=True, slots=True)
class Rights:
    """What a panel's front ends may ask for.

    Attributes:
        read_only: They may look, filter and copy, and nothing else.
        templates: ``{{ }}`` in what they send is evaluated, and options may name files of this machine.
        only: The one connection that they may look at; None for all.
    """

    read_only: bool = False
    templates: bool = True
    only: str | None = None

    def check(self, kind: str) -> None:
        """Check that a request of a kind may be made.

        Raises:
            PermissionDeniedError: It may not.
        """
        if self.read_only and kind not in LOOKING:
            raise PermissionDeniedError(
                f"this panel is read-only: {kind!r:.40} is not done",
                hint="ipyws.panel(read_only=False) makes one for those who may run code here",
            )

    def check_shown(self, name: str) -> None:
        """Check that a connection may be looked at.

        Raises:
            PermissionDeniedError: It may not.
        """
        if self.only not in (None, name):
            raise PermissionDeniedError(
                f"this panel shows {self.only} and no other connection",
                hint="ipyws.panel('*', read_only=True) shows all of them",
            )


def decide(name: str | None, current: str | None, read_only: object, templates: object) -> Rights:
    """Return the rights of a panel that is being made.

    Args:
        name: The connection that it was asked to show; None for the current one, "*" for all.
        current: The connection in use, if there is one.
        read_only: As given; None where who looks at it may run code decides.
        templates: The same.

    Raises:
        InvalidError: One of them is neither True, False nor None.
    """
    for option, value in (("read_only", read_only), ("templates", templates)):
        if value is not None and not isinstance(value, bool):
            raise InvalidError(f"{option} is {brief(value)}", hint="True, False or None is allowed")
    trusted = runs_code()
    looking = not trusted if read_only is None else bool(read_only)
    # Others' connections may be in the same process: all visitors of a marimo app share one.
    asked = current if name is None and not trusted else name
    return Rights(
        read_only=looking,
        templates=(trusted if templates is None else bool(templates)) and not looking,
        only=None if not looking or asked == ALL else asked,
    )


def runs_code(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether whoever sees this process's outputs can run code in it; where that isn't known, no.

    Args:
        environment: The variables of the environment.
    """
    mode = _marimo_mode()
    if mode in _MARIMO:
        return bool(mode == "edit")
    return _is_kernel(get_ipython()) and not is_voila(environment)


def _marimo_mode() -> Any:
    """Return how a marimo notebook is run, "edit", "run", "script"…; None outside of marimo."""
    marimo = sys.modules.get("marimo")
    try:
        return None if marimo is None else marimo.app_meta().mode
    except Exception:  # another version of marimo, which says it otherwise
        return "unknown"


def _is_kernel(shell: Any) -> bool:
    """Tell whether a shell is that of a Jupyter kernel, and not of something that looks like one."""
    zmqshell, ipkernel = sys.modules.get("ipykernel.zmqshell"), sys.modules.get("ipykernel.ipkernel")
    if zmqshell is None or ipkernel is None:
        return False
    return isinstance(shell, zmqshell.ZMQInteractiveShell) and isinstance(
        shell.kernel, ipkernel.IPythonKernel
    )
