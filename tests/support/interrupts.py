"""Interrupts at random moments during every verb, in a real kernel; and what must hold after each."""

from __future__ import annotations

import random
import time

from tests.support.kernel import Kernel, Result
from tests.support.stopwatch import Stopwatch
from tests.support.witness import Witness

LATEST = 0.15
"""Seconds from the start of a cell to the latest interrupt."""

PROMPT = 2.0
"""Seconds in which an interrupt ends a cell, on a machine that does nothing else."""

SWALLOWED = "Exception ignored in"
"""What Python prints when an interrupt meets a finalizer, where it has no effect: one presses again."""

VERBS = {
    "connect": "%ws {url} --as other",
    "send": "%ws send hello",
    "send and recv": "%ws send hello\n    %ws recv --timeout 5s",
    "recv": "%ws send hello\n    %ws recv --timeout 5s --where 'msg.data == \"never\"'",
    "ping": "%ws ping",
    "body": "get_ipython().run_cell_magic('ws', '', 'a\\n=== wait 1 5s\\n===\\nb\\n=== sleep 1ms')",
    "close": "%ws {url} --as other\n    %ws close other\n    %ws use main",
    "ls": "%ws ls",
    "use": "%ws use main",
    "log": "%ws log --tail 5",
    "serve": "%ws serve echo\n    %ws serve --stop",
    "policy": "%ws policy",
    "help": "%ws help send",
    "reading a channel": "ipyws.current().send('hello')\n    ipyws.current().channel().receive('5s')",
}
"""By name: what a cell does again and again until it is interrupted."""

STATE = """
import threading
main = ipyws.connections()["main"]
print(
    main.state,
    main.stats.sent,
    sum(client.state != "closed" for client in ipyws.connections().values()),
    [thread.name for thread in threading.enumerate()].count("ipyws"),
)
"""


def prepare(kernel: Kernel, server: Witness) -> None:
    """Load the extension and open the connection that the verbs use."""
    _ok(kernel, f"%load_ext ipyws\nimport ipyws\n%ws {server.url} --as main")


def interrupt_all(kernel: Kernel, server: Witness, rounds: int, seed: int) -> None:
    """Interrupt the verbs in turn, so many times; check kernel, connection and counters after each.

    Args:
        kernel: One that was prepared.
        server: What its connections lead to.
        rounds: How often.
        seed: Of the random moments.
    """
    moments = random.Random(seed)
    names = list(VERBS)
    for number in range(rounds):
        verb = names[number % len(names)]
        delay = moments.uniform(0, LATEST)
        what = f"round {number} (seed {seed}): {verb} interrupted after {delay * 1000:.0f} ms"
        _interrupt(kernel, VERBS[verb].format(url=server.url), delay, what)
        _check(kernel, server, what)


def _interrupt(kernel: Kernel, verb: str, delay: float, what: str) -> None:
    request = kernel.send(f"%ws use main\nprint('start')\nwhile True:\n    {verb}")
    assert kernel.wait_for_text(request, "start"), what
    time.sleep(delay)  # any moment will do: it is to be a random one
    watch = Stopwatch(kernel.pid)
    kernel.interrupt()
    while kernel.reply(request, PROMPT) is None and watch.seconds() < PROMPT:
        pass  # others have the machine
    if kernel.reply(request, 0) is None and SWALLOWED in kernel.text(request, "stderr"):
        watch = Stopwatch(kernel.pid)
        kernel.interrupt()
    result = kernel.result(request)
    assert (result.status, result.ename) == ("error", "KeyboardInterrupt"), (what, result)
    assert watch.seconds(result.answered) < PROMPT, what


def _check(kernel: Kernel, server: Witness, what: str) -> None:
    _ok(kernel, "%ws close other" if "other" in _ok(kernel, "print(*ipyws.connections())").stdout else "")
    state, sent, connections, threads = _ok(kernel, STATE).stdout.split()
    assert (state, connections, threads) == ("open", "1", "1"), what
    assert server.wait(lambda server: len(server.messages) == int(sent)), (what, sent, len(server.messages))
    assert server.wait(lambda server: server.open == 1), (what, server.open)
    told = _ok(kernel, "%ws use main\nmessage = %ws send done\nprint(message.data)").stdout
    assert told.endswith("done\n"), what


def _ok(kernel: Kernel, code: str) -> Result:
    result = kernel.run(code)
    assert result.status == "ok", (code, result.traceback)
    return result
