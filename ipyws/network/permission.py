"""What a dial asks the policy, and asks again: the policy may be narrowed while a name is resolved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ipyws.config.current import CURRENT
from ipyws.config.enforcement import (
    certificate_url,
    check_addresses,
    check_connection,
    check_proxy,
    check_proxy_addresses,
    check_socket,
    destination,
)
from ipyws.core.options.table import ConnectOptions
from ipyws.network.connection_limit import SLOTS
from ipyws.network.resolve import Resolved
from ipyws.policy.policy import Policy
from ipyws.policy.url import URL


@dataclass(slots=True)
class Permission:
    """All that one hop of a dial needs leave for, as far as it is known yet.

    Attributes:
        url: Where it leads, by its name.
        options: How; ``connect_to`` says where it is dialled.
        redirected: Whether a redirect leads there.
        proxy: The proxy it goes through, without credentials, or None.
        proxy_addresses: Where the proxy is.
        addresses: Where the URL's name leads; of a name that the proxy resolves, none.
        socket: Where the links of a Unix socket's path lead, or "".
        policy: What was asked last.
    """

    url: URL
    options: ConnectOptions
    redirected: bool = False
    proxy: str | None = None
    proxy_addresses: Sequence[Resolved] = ()
    addresses: Sequence[Resolved] = ()
    socket: str = ""
    policy: Policy = field(default_factory=Policy)

    @property
    def there(self) -> URL:
        """What is dialled: the URL, at the host and port of ``connect_to`` where that is given."""
        return destination(self.url, self.options)

    @property
    def tls_name(self) -> str:
        """The name that the certificate must have, and that is asked for (RFC 6066 section 3)."""
        return certificate_url(self.url, self.options).host

    def ask(self) -> Policy:
        """Return the policy of this moment, which allows all of it.

        Raises:
            PermissionDeniedError: It does not.
            InvalidError: A policy file can't be read.
        """
        policy = CURRENT.policy()
        check_connection(policy, self.url, self.options, redirected=self.redirected)
        if self.proxy is not None:
            check_proxy(policy, self.there, self.proxy)
            check_proxy_addresses(policy, self.proxy, self.proxy_addresses)
        if self.socket:
            check_socket(policy, self.url, self.socket)
        check_addresses(policy, self.there, self.addresses, redirected=self.redirected)
        self.policy = policy
        return policy

    def follow_links(self) -> None:
        """Ask about the Unix socket that the links of the URL's path lead to, which is then dialled.

        Raises:
            PermissionDeniedError: It is not allowed.
        """
        self.socket = os.path.realpath(self.url.socket)
        self.ask()

    def ask_again(self) -> Policy:
        """Return the policy of this moment, which still allows all of it: before anything more is sent.

        Raises:
            PermissionDeniedError: It was narrowed in the meantime.
            InvalidError: As `ask`.
        """
        if CURRENT.policy() != self.policy:
            SLOTS.check(self.ask())
        return self.policy
