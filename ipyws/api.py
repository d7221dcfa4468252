"""The ways in: `connect` for synchronous code, `connect_async` for coroutines."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from ipyws.config.current import CURRENT
from ipyws.config.enforcement import check_connect, check_connection, check_url
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.forms import CONNECT, Unawaited
from ipyws.core.options.credentials import remember_credentials, remember_host
from ipyws.core.options.table import ConnectOptions, check_options, check_secure
from ipyws.policy.url import URL, parse
from ipyws.runtime.platform import check_sockets

if TYPE_CHECKING:
    from ipyws.runtime.client import Client


def connect(url: str, **options: Any) -> Client:
    """Open a WebSocket connection and wait until it is open.

    Works in a cell, in a script and in plain IPython; the connection lives on a background thread, so
    messages are received and pings answered while the caller computes. It becomes the connection that the
    magics use.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        options: Those of a connection, such as ``ping_interval="5s"``. A ``name`` that an open connection
            has replaces it.

    Returns:
        The open connection, also a context manager.

    Raises:
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        InvalidError: The URL or an option is not allowed, or a policy file is wrong; nothing was dialled.
        ConnectError: The connection could not be opened; ``details["phase"]`` says how far it got.
        ContextError: Called from the core's own thread.
    """
    return open_client(url, options)


def open_client(url: str, options: Mapping[str, Any], *, replacing: bool = False) -> Client:
    """Open a connection; the one way to one for synchronous code, in Python and in the magics.

    Args:
        url: As in `connect`.
        options: As in `connect`.
        replacing: Close an open connection of the default name, rather than number the new one.

    Raises:
        WebSocketError: As in `connect`.
    """
    from ipyws.runtime.registry import REGISTRY

    target, checked = _check(url, options)
    return REGISTRY.connect(target, checked, replacing=replacing)


def _check(url: str, options: Mapping[str, Any]) -> tuple[URL, ConnectOptions]:
    """Return URL and options as they are dialled; in the order of the actions, connecting comes first."""
    check_sockets()
    remember_credentials(url, options)
    policy = CURRENT.policy()
    check_connect(policy)
    target = parse(url)
    remember_host(url, target.host)
    check_url(policy, target)
    checked = check_options(options)
    check_secure(checked, target.secure, checked.proxy)
    check_connection(policy, target, checked)
    return target, checked


class connect_async(Unawaited):  # noqa: N801 - it is called like a function
    """Open a WebSocket connection on the running loop: awaited, or as an asynchronous context manager.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        options: Those of a connection, such as ``ping_interval="5s"``.

    Raises:
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        InvalidError: The URL or an option is not allowed, or a policy file is wrong; nothing was dialled.
        ConnectError: The connection could not be opened; ``details["phase"]`` says how far it got.
    """

    _forms = CONNECT

    def __init__(self, url: str, **options: Any) -> None:
        self._url, self._options = _check(url, options)
        self._client: AsyncClient | None = None
        self._used = False

    async def _open(self) -> AsyncClient:
        self._used = True
        from ipyws.network.dial import dial

        self._client = await AsyncClient(self._url, self._options, dial).open()
        return self._client

    def __await__(self) -> Generator[Any, None, AsyncClient]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncClient:
        return await self._open()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._client is not None:
            await self._client.__aexit__(kind, error, traceback)


def current() -> Client | None:
    """Return the connection that the magics use now, or None."""
    from ipyws.runtime.registry import REGISTRY

    return REGISTRY.current()


def connections() -> dict[str, Client]:
    """Return all connections of this process by name, open and closed ones."""
    from ipyws.runtime.registry import REGISTRY

    return REGISTRY.all()
