"""A hub of SignalR."""

import contextlib

from tests.support.hub import Hub
from tests.support.servers import server

keep = contextlib.ExitStack()
url = keep.enter_context(server(Hub())).url + "/hub"
