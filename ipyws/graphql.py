"""GraphQL over WebSocket: queries, mutations and subscriptions.

::

    from ipyws import graphql

    with graphql.connect("wss://example.com/graphql", init={"authorization": "Bearer …"}) as gql:
        gql.query("{ me { name } }")
        for event in gql.subscribe("subscription { messages { text } }"):
            print(event["messages"]["text"])

Speaks *graphql-transport-ws* and the older *graphql-ws*: both are offered, today's first. A server that takes
that and then shows that it speaks the older one only is dialled once more.
"""

from ipyws.dialects.graphql.client import GraphQL
from ipyws.dialects.graphql.connect import connect, connect_async
from ipyws.dialects.graphql.session import AsyncGraphQL
from ipyws.dialects.graphql.subscription import Subscription

__all__ = ["AsyncGraphQL", "GraphQL", "Subscription", "connect", "connect_async"]
