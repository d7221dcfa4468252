"""CoilMQ, whose only virtual host is this machine."""

import contextlib
import socket

from tests.support.coilmq import coilmq

keep = contextlib.ExitStack()
url, host = keep.enter_context(coilmq()).url, socket.getfqdn()
