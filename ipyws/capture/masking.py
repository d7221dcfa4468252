"""Secrets in many payloads at once."""

from __future__ import annotations

from collections.abc import Sequence

from ipyws.core.codecs.codec import Data
from ipyws.text.masking import mask

_TOGETHER = 128


def hold_no_secret(payloads: Sequence[Data]) -> bool:
    """Tell whether none of the payloads holds anything to be masked; looking at them together is cheap."""
    # What is a secret in one of them is one in all of them too: no place that usually holds one goes over a
    # line break, and a known value is found anywhere.
    text = "\n".join(map(_as_text, payloads))
    return mask(text) == text


def masked(payloads: Sequence[Data]) -> list[Data]:
    """Return payloads fit to be shown."""
    shown: list[Data] = []
    for start in range(0, len(payloads), _TOGETHER):
        some = payloads[start : start + _TOGETHER]
        shown += some if hold_no_secret(some) else map(_mask, some)
    return shown


def _mask(data: Data) -> Data:
    text = mask(_as_text(data))
    return text if isinstance(data, str) else text.encode("utf-8", "surrogateescape")


def _as_text(data: Data) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
