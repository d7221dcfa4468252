"""CoilMQ, a broker of STOMP that nobody here wrote, behind a bridge from WebSocket to its TCP port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator

from coilmq.auth.simple import SimpleAuthenticator
from coilmq.queue import QueueManager
from coilmq.scheduler import FavorReliableSubscriberScheduler, RandomQueueScheduler
from coilmq.server.socket_server import ThreadedStompServer
from coilmq.store.memory import MemoryQueue
from coilmq.topic import TopicManager
from websockets.asyncio.server import ServerConnection

from tests.support.servers import Site, server

SUBPROTOCOLS = ["v12.stomp", "v11.stomp", "v10.stomp"]


@contextlib.contextmanager
def coilmq(users: dict[str, str] | None = None, piece: int = 65_536) -> Iterator[Site]:
    """Run the broker.

    Args:
        users: Passwords by the names of those who may come; None for everybody.
        piece: Bytes that a message over the bridge has at most, wherever the frames in it begin and end.

    Yields:
        The bridge; each connection over it is among what it has `seen`.
    """
    logging.getLogger("coilmq").addHandler(logging.NullHandler())  # what it refuses is meant
    broker = _broker(users)
    port = broker.server_address[1]

    async def bridge(connection: ServerConnection) -> None:
        site.seen.put(connection)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.ensure_future(_back(reader, connection, piece))
        try:
            async for message in connection:
                writer.write(message.encode() if isinstance(message, str) else message)
        finally:
            writer.close()
            back.cancel()

    thread = threading.Thread(target=broker.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with server(bridge, subprotocols=SUBPROTOCOLS) as site:
            yield site
    finally:
        broker.shutdown_requested.set()
        broker.shutdown()
        broker.server_close()
        thread.join()


def _broker(users: dict[str, str] | None) -> ThreadedStompServer:
    queues = QueueManager(
        store=MemoryQueue(),
        subscriber_scheduler=FavorReliableSubscriberScheduler(),
        queue_scheduler=RandomQueueScheduler(),
    )
    authenticator = None if users is None else SimpleAuthenticator(store=users)
    broker = ThreadedStompServer(
        ("127.0.0.1", 0),
        timeout=0.2,
        authenticator=authenticator,
        queue_manager=queues,
        topic_manager=TopicManager(),
    )
    broker.daemon_threads = True
    return broker


async def _back(reader: asyncio.StreamReader, connection: ServerConnection, piece: int) -> None:
    while data := await reader.read(piece):
        await connection.send(data)
    await connection.close()
