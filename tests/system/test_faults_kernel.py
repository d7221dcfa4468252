"""Faults in a real kernel: interrupts at random moments, and reloading while messages pour in."""

from __future__ import annotations

import pytest

from tests.support import interrupts
from tests.support.cells import ok
from tests.support.kernel import Kernel
from tests.support.peer import peer
from tests.support.stopwatch import Stopwatch
from tests.support.witness import witness

pytestmark = pytest.mark.kernel

RELOADS = 5

FLOOD = """
for name in ("a", "b"):
    ipyws.connect("{url}/flood", name=name, log_messages=1000).send("go")
while any(client.stats.received < 1000 for client in ipyws.connections().values()):
    time.sleep(0.01)
old = list(ipyws.connections().values())
"""

AFTER = """
import threading
print([(int(client.closed.code), client.closed.initiator) for client in old])
print(all(client.log.total == client.log.evicted + len(client.log) for client in old))
print([int(client.log[len(client.log) - 3].data) >= 0 for client in old])
print([thread.name for thread in threading.enumerate() if thread.name.startswith("ipyws")])
"""


def test_reloading_under_load_closes_within_2_s_and_leaves_no_thread() -> None:
    with peer() as server, Kernel(plain=True) as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws, time")
        for _ in range(RELOADS):
            ok(kernel, FLOOD.format(url=server.url))
            watch = Stopwatch(kernel.pid)
            ok(kernel, "%reload_ext ipyws")
            assert watch.seconds() < 2
            assert ok(kernel, AFTER).stdout.splitlines() == [
                "[(1001, 'us'), (1001, 'us')]",
                "True",
                "[True, True]",
                "[]",
            ]
            ok(kernel, "import ipyws")


# Python itself says so, and nothing else of an interrupt that comes while it runs a finalizer.
IN_A_FINALIZER = (
    r"^Exception ignored in: <finalize|^Traceback \(|weakref\.py|def __call__|^KeyboardInterrupt:? *$"
)


def test_interrupt_at_any_moment_of_any_verb_ends_it_and_nothing_else() -> None:
    with witness() as server, Kernel(complains=IN_A_FINALIZER, plain=True) as kernel:
        interrupts.prepare(kernel, server)
        interrupts.interrupt_all(kernel, server, rounds=2 * len(interrupts.VERBS), seed=1)
