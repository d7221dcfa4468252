"""Libraries that only some codecs need: imported when one of these is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ipyws.errors import InvalidError


def library(module: str, what: str, package: str = "") -> Any:
    """Return a module of another package.

    Args:
        module: Its name.
        what: What needs it: "the codec cbor".
        package: What it is installed by, where that has another name.

    Raises:
        InvalidError: It is not installed; the hint says how to get it.
    """
    found = sys.modules.get(module)
    if found is not None:
        return found
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        missing = f"{what} needs {package or module}, which is not installed"
        raise InvalidError(missing, hint="pip install ipyws[codecs]") from None
