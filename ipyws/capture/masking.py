"""Secrets in many payloads at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipyws.core.codecs.codec import Data
from ipyws.text.masking import mask, mask_bytes

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


def masked_value(value: Any) -> Any:
    """Return what a codec has made of a payload, fit to be shown; None where it is nested too deeply."""
    try:
        return _without_secrets(value)
    except RecursionError:
        return None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes):
        return mask_bytes(value)
    if isinstance(value, Mapping):
        return {_without_secrets(key): _without_secrets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return value


def _mask(data: Data) -> Data:
    text = mask(_as_text(data))
    return text if isinstance(data, str) else text.encode("utf-8", "surrogateescape")


def _as_text(data: Data) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
