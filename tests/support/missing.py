"""Libraries that are not installed, for a process of its own."""

from __future__ import annotations


def without(name: str) -> str:
    """Return code after which the library ``name`` can't be imported, as if it were not installed."""
    return f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
