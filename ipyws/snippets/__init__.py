"""Commands of other programs, pasted in; connections, copied out."""

from __future__ import annotations

from ipyws.snippets.reading import Pasted, read_command
from ipyws.snippets.writing import FORMS, copy_as

__all__ = ["FORMS", "Pasted", "copy_as", "read_command"]
