"""Where a connection is put together from its parts, those of the outer rooms included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.connection import Connection
from ipyws.core.connection.opening import Greeter
from ipyws.core.dialects.conversation import Conversation
from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.line import Line
from ipyws.core.options.file_kinds import Folder
from ipyws.core.options.table import ConnectOptions
from ipyws.core.wire.frame_log import FrameLog
from ipyws.runtime.core import dial_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipyws.capture.journal.journal import Journal
    from ipyws.core.connection.info import About
    from ipyws.core.messages.log import Log
    from ipyws.errors import WebSocketError
    from ipyws.policy.url import URL


def new_client(url: URL, options: ConnectOptions) -> AsyncClient:
    """Return a connection for coroutines, which `AsyncClient.open` opens."""
    return AsyncClient(new_connection(url, options))


def new_connection(url: URL, options: ConnectOptions) -> Connection:
    """Return a connection, which its `Opening` opens."""
    from ipyws.capture.recording import RecordedLog

    log = RecordedLog(options.log_messages, options.log_bytes, codec=options.packets)
    if options.spec is not None:
        log.contract = options.spec
    if options.wire:
        log.wire = FrameLog()
    connection = log.source = Connection(url, options, dial_here(), log, _new_journal)
    if options.dialect is not None:
        _speak(connection, options.dialect)
    return connection


def _new_journal(
    options: ConnectOptions,
    log: Log,
    about: Callable[[], About | None],
    on_failure: Callable[[WebSocketError], object],
) -> Journal:
    """Return what records a connection, as its options say."""
    from ipyws.capture.journal.journal import Journal
    from ipyws.capture.journal.rotation import Rotation
    from ipyws.capture.load import write_table

    where = options.record
    if isinstance(where, Folder):
        tables = write_table if options.record_format == "parquet" else None
        return Journal(
            Rotation(where.path, options.record_size, options.record_time, tables), log, about, on_failure
        )
    assert where is not None
    return Journal(where, log, about, on_failure)


def _speak(connection: Connection, dialect: Dialect) -> None:
    """Have a connection speak a dialect: from the handshake of it to the words of farewell."""
    conversation = Conversation(Line(connection), dialect)
    connection.private = (*dialect.private, *(("auth",) if connection.options.dialect_auth else ()))
    connection.conversation = conversation
    opening, ending = connection.opening, connection.ending
    opening.greeters = (Greeter("dialect", conversation.open), *opening.greeters)
    ending.farewells = (*ending.farewells, conversation.farewell)
