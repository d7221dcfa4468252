"""Servers that want to be answered, logged in to and signed for; see `tests.support.exchanges`."""

import contextlib
import os

import ipyws
from tests.network.handshake.test_signing import KEY, SECRET, SESSION, judged
from tests.support import exchanges
from tests.support.servers import server

keep = contextlib.ExitStack()
spot = keep.enter_context(exchanges.gzip_pings()).url
options = keep.enter_context(exchanges.heartbeat_requests()).url
tokens, new_token = keep.enter_context(exchanges.short_tokens(life=0.3))
broker = tokens.url
stocks = keep.enter_context(exchanges.one_session()).url
private = keep.enter_context(exchanges.login_first()).url
gateway = keep.enter_context(server(process_request=judged)).url
echo = ipyws.serve("echo")
os.environ.update(API_SECRET="the secret of the tests", API_KEY="the key of the tests")
os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=SESSION)
