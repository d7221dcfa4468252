"""WebSocket requests as JetBrains' HTTP client documents them, pasted into a cell below ``%%ws``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

FIRST, SECOND, THIRD = ({"message": text} for text in ("first", "at once", "after the server"))

BARE = """WEBSOCKET URL

{
  "message": "first"
}
===
{
  "message": "at once"
}
=== wait-for-server
{
  "message": "after the server"
}
"""
HEADED = """### Say three things
WEBSOCKET URL
Content-Type: application/json
X-Trace: {{trace}}

{"message": "first"}
===
{"message": "at once"}
=== wait-for-server
=== wait-for-server
{"message": "after the server"}

###
"""
LEADING = """// the first slot is empty
WEBSOCKET URL
Content-Type: application/json

===
{"message": "first"}
===  // message separator
{"message": "at once"}
=== wait-for-server  // keyword used to wait for the server response
{"message": "after the server"}
"""
REPEATED = """WEBSOCKET URL

{"message": "first"}
===
{"message": "at once"}
=== wait-for-server
=== wait-for-server
{"message": "after the server"}
=== wait-for-server"""
COMMENTED = """WEBSOCKET URL
Content-Type: application/json // Used for content highlighting only

// Request body, for example:
{
  "message": "first" // with a // comment
}
===  // message separator
{
  "message": "at once" // will be sent right after the previous one
}
=== wait-for-server  // keyword used to wait for the server response
{
  "message": "after the server"
}
"""
EXAMPLES = {
    "without headers": BARE,
    "with a name, headers, a variable and an end": HEADED,
    "with a leading separator and comments": LEADING,
    "with comments everywhere": COMMENTED,
    "with a wait for each reply": REPEATED,
    "with line ends of Windows": BARE.replace("\n", "\r\n"),
}


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        assert kernel.run("%load_ext ipyws\ntrace = 'abc'").status == "ok"
        yield kernel


@pytest.fixture
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_documented_example_runs_when_it_is_pasted(kernel: Kernel, server: Witness, example: str) -> None:
    result = kernel.run("%%ws\n" + example.replace("URL", server.url))
    assert result.status == "ok", result.traceback
    assert server.wait(lambda server: len(server.messages) == 3)
    assert [json.loads(message) for message in server.messages] == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("example", [HEADED, COMMENTED])
def test_the_headers_of_an_example_are_sent(kernel: Kernel, server: Witness, example: str) -> None:
    kernel.run("%%ws\n" + example.replace("URL", server.url))
    [request] = server.requests
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers.get("X-Trace") == ("abc" if example is HEADED else None)


def test_the_messages_alone_run_on_the_connection_there_is(kernel: Kernel, server: Witness) -> None:
    kernel.run(f"%ws {server.url}")
    body = BARE.partition("\n\n")[2]
    assert kernel.run(f"%%ws\n{body}").status == "ok"
    assert server.wait(lambda server: len(server.messages) == 3)


def test_a_wait_that_nobody_answers_fails_on_its_line(kernel: Kernel, server: Witness) -> None:
    body = f"%%ws\nWEBSOCKET {server.url}\n\n=== wait 60ms\nnever sent"
    result = kernel.run(body)
    assert result.evalue.startswith("line 4: wait 1 60ms: no message within 60ms"), result.evalue
    assert server.messages == []
