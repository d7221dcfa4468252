"""Who sees what a magic shows, and whether they follow it when it is replaced.

The protocol has no way to ask: a front end that does not know ``update_display_data`` drops it. What is known
is who sent the request that runs, and what stands between it and the screen.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from IPython.core.displaypub import CapturingDisplayPublisher


class Audience(Enum):
    """How a display is seen."""

    NOTEBOOK = auto()
    """By a front end that replaces it when it is told to."""
    CONSOLE = auto()
    """At a prompt: what is printed stays as it is."""
    STILL = auto()
    """Kept, passed on or lost: a capture, an output widget, a page that Voilà made, a callback's nowhere."""


_VOILA: Final = re.compile("VOILA_")
_OF_JUPYTER_CLIENT: Final = re.compile(r"_\d+$")
"""How an id ends that the Python package made; those of JupyterLab and VS Code are plain UUIDs."""


def audience_of(shell: Any, parent: Mapping[str, Any]) -> Audience:
    """Return who sees a display of a kernel now.

    Args:
        shell: The kernel's shell.
        parent: The request that it is published for.
    """
    header = parent.get("header", {})
    if header.get("msg_type") != "execute_request" or _is_still(shell, header):
        return Audience.STILL
    # What executes notebooks speaks through the same package, and can't be asked for input.
    asks = parent.get("content", {}).get("allow_stdin", False)
    return Audience.CONSOLE if is_by_python(parent) and asks else Audience.NOTEBOOK


def appends_late(shell: Any, parent: Mapping[str, Any]) -> bool:
    """Tell whether a front end adds displays to a cell that has run: JupyterLab and Notebook do.

    What executes notebooks by the Python package listens to a cell only as long as it runs. VS Code and Colab
    are known by what they leave in a kernel.

    Args:
        shell: The kernel's shell.
        parent: The request that a display is published for.
    """
    elsewhere = "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules
    return not elsewhere and not is_by_python(parent)


def is_by_python(parent: Mapping[str, Any]) -> bool:
    """Tell whether a request came from the Python package: what executes notebooks, or a console.

    Args:
        parent: The request.
    """
    return bool(_OF_JUPYTER_CLIENT.search(str(parent.get("header", {}).get("msg_id", ""))))


def is_voila(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this is a kernel of Voilà's; one that was started ahead knows of no request yet.

    Args:
        environment: The variables of the environment.
    """
    server = environment.get("SERVER_SOFTWARE", "").lower()
    return server.startswith("voila") or any(map(_VOILA.match, environment))


def _is_still(shell: Any, header: Mapping[str, Any]) -> bool:
    return (
        isinstance(shell.display_pub, CapturingDisplayPublisher)  # %%capture
        or type(shell.kernel).__module__.startswith("ipyparallel.")  # %%px
        or is_voila()
        or _in_output_widget(str(header.get("msg_id", "")))
    )


def _in_output_widget(request: str) -> bool:
    """Tell whether the displays of a request go into an output widget: ``with Output():``."""
    widgets = sys.modules.get("ipywidgets.widgets.widget")
    output = getattr(sys.modules.get("ipywidgets.widgets.widget_output"), "Output", None)
    if widgets is None or output is None:
        return False
    made = list(getattr(widgets, "_instances", {}).values())
    return any(isinstance(widget, output) and widget.msg_id == request for widget in made)
