"""What is dialled this time: options that are made at each dial are made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipyws.core.options.fresh import made_in_time
from ipyws.core.options.table import BY_NAME, ConnectOptions, FreshOptions, check_together

if TYPE_CHECKING:
    from ipyws.policy.url import URL


async def freshen(url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
    """Return URL and options as they are for this dial: what is made at each dial is made, and checked.

    Raises:
        WebSocketError: A function raised, took too long, or made what can't be used.
    """
    if not isinstance(options, FreshOptions):
        return url, options
    found, spent = await made_in_time(options.fresh, options.dial_timeout)
    url = found.pop("url", url)
    for name, value in found.items():
        BY_NAME[name].kind.remember(value)
    checked = {name: BY_NAME[name].kind.check(name, value) for name, value in found.items()}
    options = replace(options, **checked, spent=spent)
    check_together(options)
    return url, options
