"""What a dial asks the policy: each question once, and all again where the policy changes meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ipyws.config.current import CURRENT
from ipyws.config.enforcement import (
    certificate_url,
    check_addresses,
    check_proxy,
    check_proxy_addresses,
    check_socket,
    check_url,
    check_way,
    destination,
)
from ipyws.core.options.table import ConnectOptions
from ipyws.network.dialling.connection_limit import SLOTS
from ipyws.network.dialling.resolve import Resolved
from ipyws.policy.policy import Policy
from ipyws.policy.url import URL
from ipyws.policy.verdict import Verdict

_UNASKED: Final = Verdict(False, "nobody was asked")


class _Step:
    """What a coroutine does up to its next wait: nothing else runs on its thread meanwhile.

    Whatever wakes it comes into the loop's queue behind `_end`, so that this is called first.

    Attributes:
        lasts: Whether it still does.
    """

    __slots__ = ("lasts",)

    def __init__(self) -> None:
        self.lasts = True
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self.lasts = False


@dataclass(slots=True)
class Permission:
    """All that one hop of a dial needs leave for, as far as it is known yet.

    Attributes:
        url: Where it leads, by its name.
        options: How; ``connect_to`` says where it is dialled.
        redirected: Whether a redirect leads there.
        proxy_addresses: Where the proxy is.
        addresses: Where the URL's name leads; of a name that the proxy resolves, none.
        socket: Where the links of a Unix socket's path lead, or "".
        policy: What was asked last, or what is to be asked first where it was got this moment.
    """

    url: URL
    options: ConnectOptions
    redirected: bool = False
    proxy_addresses: Sequence[Resolved] = ()
    addresses: Sequence[Resolved] = ()
    socket: str = ""
    policy: Policy | None = None
    _step: _Step | None = field(default=None, init=False)
    _questions: list[Callable[[Policy], object]] = field(default_factory=list, init=False)
    _allowed: Verdict = field(default=_UNASKED, init=False)

    def __post_init__(self) -> None:
        if self.policy is not None:
            self._step = _Step()

    @property
    def there(self) -> URL:
        """What is dialled: the URL, at the host and port of ``connect_to`` where that is given."""
        return destination(self.url, self.options)

    @property
    def tls_name(self) -> str:
        """The name that the certificate must have, and that is asked for (RFC 6066 section 3)."""
        return certificate_url(self.url, self.options).host

    def begin(self) -> Policy:
        """Ask whether the URL may be dialled in this way, before its name is resolved; return the policy.

        Raises:
            PermissionDeniedError: It may not.
            InvalidError: A policy file can't be read.
        """
        return self._ask(self._may_dial)

    def lead_to(self, addresses: Sequence[Resolved]) -> None:
        """Ask about the addresses that the URL's name resolved to; raises as `begin`."""
        self.addresses = addresses
        self._ask(
            lambda policy: check_addresses(
                policy, self.there, addresses, self._allowed, redirected=self.redirected
            )
        )

    def follow_links(self) -> None:
        """Ask about the Unix socket that the links of the URL's path lead to; raises as `begin`."""
        self.socket = os.path.realpath(self.url.socket)
        self._ask(lambda policy: check_socket(policy, self.url, self.socket, self._allowed))

    def go_through(self, proxy: str) -> None:
        """Ask about a proxy, named without its credentials; raises as `begin`."""
        self._ask(lambda policy: check_proxy(policy, self.there, proxy))

    def go_through_at(self, proxy: str, addresses: Sequence[Resolved]) -> None:
        """Ask about the addresses of that proxy's name; raises as `begin`."""
        self.proxy_addresses = addresses
        self._ask(lambda policy: check_proxy_addresses(policy, proxy, addresses))

    def ask_again(self) -> Policy:
        """Return the policy of this moment, which still allows all of it: before anything more is sent.

        Raises:
            PermissionDeniedError: It was narrowed in the meantime.
            InvalidError: As `begin`.
        """
        before, now = self.policy, self._ask()
        if now != before:
            SLOTS.check(now)
        return now

    def _ask(self, *questions: Callable[[Policy], object]) -> Policy:
        """Ask something more, and all that was asked before where the policy is another now.

        Its files are looked at again after each wait. In between, whatever runs on this thread is ours and
        changes none of them, and a look is 25 µs, a thirtieth of what opening a connection costs.
        """
        known, step = self.policy, self._step
        self.policy = self._step = None  # until all of it is allowed
        policy = known
        if policy is None or step is None or not step.lasts:
            policy, step = CURRENT.policy(), _Step()
        self._questions += questions
        for question in questions if policy == known else self._questions:
            question(policy)
        self.policy, self._step = policy, step
        return policy

    def _may_dial(self, policy: Policy) -> None:
        allowed = check_url(policy, self.url, redirected=self.redirected)
        self._allowed = check_way(policy, self.url, self.options) or allowed
