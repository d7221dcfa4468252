"""What outer parts bring for the core to find by name; filled when `ipyws` is imported, and light."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.dialects.dialect import Dialect

DIALECTS: Final[dict[str, Callable[[], type[Dialect]]]] = {}
"""What loads each dialect, by name."""

WRAPS: Final[dict[str, Callable[[Codec], Codec]]] = {}
"""What makes codecs of others that stand behind them, by name; alone they hold payloads of `auto`."""
