"""The synchronous face of a GraphQL conversation: `GraphQL`, for cells and scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.connection.forms import GRAPHQL, Synchronous
from ipyws.core.constants import CloseCode
from ipyws.dialects.graphql.session import AsyncGraphQL
from ipyws.dialects.graphql.subscription import Subscription

if TYPE_CHECKING:
    from ipyws.core.connection.closing import Close
    from ipyws.core.options.durations import Duration
    from ipyws.runtime.client import Client
    from ipyws.runtime.loop_thread import CoreThread


class GraphQL(Synchronous):
    """A GraphQL conversation for synchronous code; made by `ipyws.graphql.connect`.

    All its methods may be called from any thread; waiting keeps the caller's own event loop alive.

    Attributes:
        client: The connection, with its log.
    """

    _forms = GRAPHQL

    def __init__(self, core: CoreThread, client: Client, session: AsyncGraphQL) -> None:
        self.client = client
        self._core = core
        self._session = session

    @property
    def protocol(self) -> str:
        """The subprotocol that is spoken, "graphql-transport-ws" or the older "graphql-ws"."""
        return self._session.protocol

    @property
    def ignored(self) -> int:
        """Messages of operations that we don't, or no longer, know; they are in the log."""
        return self._session.ignored

    def query(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation: str | None = None,
        timeout: Duration | None = "10s",
    ) -> Any:
        """Run a query or a mutation and return its data; see `AsyncGraphQL.query`."""
        self.client.connection.check_open()
        return self._core.call(lambda: self._session.query(query, variables, operation, timeout))

    def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> Subscription:
        """Start a subscription and return the channel of its events; see `AsyncGraphQL.subscribe`."""
        self.client.connection.check_open()
        return self._core.call(lambda: self._session.subscribe(query, variables, operation))

    def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection, and with it every operation; as `Client.close`."""
        return self.client.close(code, reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.close(CloseCode.NORMAL if error is None else CloseCode.INTERNAL_ERROR)

    def __repr__(self) -> str:
        return (
            repr(self._session).replace("<AsyncGraphQL", "<GraphQL", 1).replace("<AsyncClient", "<Client", 1)
        )
