from __future__ import annotations

import pytest

from tests.support.kernel import Kernel
from tests.support.socketio_site import socketio_site

COMPUTE = """
import time
until = time.monotonic() + 3
while time.monotonic() < until:
    sum(range(1000))
"""
"""A cell that computes for longer than the server waits for the answer to a ping."""


@pytest.mark.kernel
def test_pings_are_answered_while_the_kernel_computes_and_words_work_in_lines() -> None:
    with socketio_site(ping_interval=0.2, ping_timeout=1.5) as site, Kernel() as kernel:
        for cell in (
            "%load_ext ipyws",
            f"%ws connect {site.url} --dialect socketio --as desk",
            "%ws subscribe news -o news",
            COMPUTE,
            "reply = %ws call echo 1 '{\"a\": [2]}' three",
            "assert reply == [1, {'a': [2]}, 'three'], reply",
            "%ws emit tell news late",
            "assert news.receive('10s').value == 'late'",
            'door = %ws subscribe /door \'{"token": "right-token"}\' -n 1',
            "assert door == [['welcome']], door",
            "import ipyws; client = ipyws.current()",
            "assert client.state == 'open'",
            "assert sum(message.label == 'ping' for message in client.log) >= 8",
        ):
            result = kernel.run(cell)
            assert result.status == "ok", f"{cell}\n{result.ename}: {result.evalue}"
        refused = kernel.run("%ws subscribe /door", 30)
        assert "no such user" in refused.evalue
