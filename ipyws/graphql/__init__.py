"""GraphQL over WebSocket: queries, mutations and subscriptions.

::

    from ipyws import graphql

    with graphql.connect("wss://example.com/graphql", init={"authorization": "Bearer …"}) as gql:
        gql.query("{ me { name } }")
        for event in gql.subscribe("subscription { messages { text } }"):
            print(event["messages"]["text"])

Speaks *graphql-transport-ws* and the older *graphql-ws*, whichever the server chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any

from ipyws.core.checks import protocols
from ipyws.core.client import AsyncClient
from ipyws.core.deadline import Deadline
from ipyws.core.durations import Duration
from ipyws.core.forms import GRAPHQL, Unawaited
from ipyws.errors import InvalidError, brief
from ipyws.graphql.client import GraphQL
from ipyws.graphql.greeting import check_init
from ipyws.graphql.protocol import DIALECTS
from ipyws.graphql.session import AsyncGraphQL
from ipyws.graphql.subscription import Subscription

__all__ = ["AsyncGraphQL", "GraphQL", "Subscription", "connect", "connect_async"]

_ACK_TIMEOUT = "10s"


def connect(
    url: str,
    init: Mapping[str, Any] | None = None,
    *,
    ack_timeout: Duration | None = _ACK_TIMEOUT,
    **options: Any,
) -> GraphQL:
    """Open a connection for GraphQL and wait until the server acknowledges it.

    Args:
        url: A ``ws://`` or ``wss://`` URL.
        init: The payload of ``connection_init``; values under names like authorization or token are masked.
        ack_timeout: How long the acknowledgement may take: milliseconds, "5s", a timedelta, None for ever.
        options: As for `ipyws.connect`; ``protocols`` are both of GraphQL's unless given. A ``reconnect``
            greets again, so its ``on_open`` must not.

    Returns:
        The conversation, also a context manager.

    Raises:
        InvalidError: An argument or an option is not allowed; nothing was dialled.
        PermissionDeniedError: The policy does not allow it; nothing was dialled.
        ConnectError: The connection could not be opened, or the server took no subprotocol of GraphQL's.
        ReplyError: The server refused, in words.
        ClosedError: The server refused by closing; the message repeats code and reason.
        WaitTimeoutError: No acknowledgement came in time; the connection is closed.
        ContextError: Called from the core's own thread.
    """
    from ipyws.api import open_client
    from ipyws.bridge.registry import REGISTRY

    greet = _check(init, ack_timeout, options)
    client = open_client(url, options)
    core = REGISTRY.core()
    try:
        session = core.call(lambda: greet(client.async_client))
    except BaseException:
        core.post(client.async_client.abort)  # an interrupt may come before the greeting begins
        raise
    return GraphQL(core, client, session)


class connect_async(Unawaited):  # noqa: N801 - it is called like a function
    """Open a connection for GraphQL on the running loop: awaited, or as an asynchronous context manager.

    Arguments and errors are those of `connect`.
    """

    _forms = GRAPHQL

    def __init__(
        self,
        url: str,
        init: Mapping[str, Any] | None = None,
        *,
        ack_timeout: Duration | None = _ACK_TIMEOUT,
        **options: Any,
    ) -> None:
        from ipyws import api

        self._greet = _check(init, ack_timeout, options)
        self._dialing = api.connect_async(url, **options)
        self._session: AsyncGraphQL | None = None
        self._dialing._used = True  # this one warns
        self._used = False

    async def _open(self) -> AsyncGraphQL:
        self._used = True
        self._session = await self._greet(await self._dialing)
        return self._session

    def __await__(self) -> Generator[Any, None, AsyncGraphQL]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncGraphQL:
        return await self._open()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, error, traceback)


def _check(
    init: object, ack_timeout: Duration | None, options: dict[str, Any]
) -> Callable[[AsyncClient], Coroutine[Any, Any, AsyncGraphQL]]:
    """Check what is GraphQL's own, complete the options, and return what opens the conversation."""
    Deadline(ack_timeout, "ack_timeout")
    payload = check_init(init)
    offered = protocols("protocols", options.get("protocols") or list(DIALECTS))
    if not set(offered) & set(DIALECTS):
        raise InvalidError(
            f"protocols is {brief(list(offered))}", hint=f"one of them must be {' or '.join(DIALECTS)}"
        )
    options["protocols"] = offered
    return lambda client: AsyncGraphQL(client, offered, payload, ack_timeout).open()
