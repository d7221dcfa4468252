"""Arguments as one value: of an event, an invocation, a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def value_of(arguments: Sequence[Any]) -> Any:
    """Return what stands for several arguments: none is None, one itself, more a list."""
    return (None, *arguments)[-1] if len(arguments) < 2 else list(arguments)
