"""``--wire`` and ``%ws log --frames`` in a kernel: what a learner sees, and what nobody may."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel, Result

pytestmark = pytest.mark.kernel

PARTS = ("canary-2b8e", "77c0ffee-yranac")
CANARY = "".join(PARTS)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws\n%ws serve echo -o echo")
        ok(kernel, "Authorization = 'Bearer ' + {!r} + {!r}".format(*PARTS))
        yield kernel


def last_text(result: Result) -> str:
    """Return what a cell shows at its end."""
    return str(result.displays[-1]["data"]["text/plain"])


def test_a_cell_shows_the_frames_that_pass_and_the_next_one_those_of_its_own_time(kernel: Kernel) -> None:
    opened = ok(
        kernel, "shown = %ws {{echo.url}} --wire --as shown --ping-interval none\n_ = shown.request('Hello')"
    )
    assert "GET / HTTP/1.1 → HTTP/1.1 101 Switching Protocols" in last_text(opened)
    assert "text         FIN MASK" in last_text(opened)
    assert "5 B  'Hello'" in last_text(opened)
    later = ok(kernel, "%ws send bye\n_ = shown.recv(), shown.recv()")
    assert "3 B  'bye'" in last_text(later)
    assert "5 B  'Hello'" not in last_text(later)


def test_the_frames_of_the_log_are_shown_returned_and_narrowed(kernel: Kernel) -> None:
    ok(kernel, "logged = %ws {{echo.url}} --wire --as logged --ping-interval none")
    ok(kernel, "logged.request('one'); logged.request('two'); logged.ping('?')")
    result = ok(kernel, "frames = %ws log --frames")
    assert "logged: 6 of 6 frames" in last_text(result)
    assert "Masking-key" in result.displays[-1]["data"]["text/html"]
    assert value(kernel, "type(frames) is ipyws.Frames, [f.opcode for f in frames]") == (
        "(True, [1, 1, 1, 1, 9, 10])"
    )
    ok(kernel, "some = %ws log logged --frames --out --tail 2")
    assert value(kernel, "[(f.number, f.name) for f in some]") == "[(2, 'text'), (4, 'ping')]"
    ok(kernel, "%ws log --frames --control -o beats")
    assert value(kernel, "[f.name for f in beats]") == "['ping', 'pong']"


def test_what_frames_do_not_have_is_refused_and_so_are_frames_nobody_kept(kernel: Kernel) -> None:
    ok(kernel, "kept = %ws {{echo.url}} --wire --as kept")
    for flag in ("--json", "--raw", "--grep x", "--max 1kB"):
        assert "is given with --frames" in fails(kernel, f"%ws log --frames {flag}").evalue
    ok(kernel, "%ws {{echo.url}} --as plain")
    assert "were not kept" in fails(kernel, "%ws log --frames").evalue
    ok(kernel, "plain = ipyws.current(); plain.log.save('plain.jsonl')")
    assert value(kernel, "hasattr(ipyws.load('plain.jsonl'), 'frames')") == "False"


def test_a_file_may_say_it_as_any_option(kernel: Kernel) -> None:
    ok(
        kernel,
        "from pathlib import Path\n"
        "Path('ipyws.toml').write_text(f'[connections.lesson]\\nurl = \"{echo.url}\"\\nwire = true\\n')\n"
        "lesson = %ws connect lesson\nlesson.request('hi')\nPath('ipyws.toml').unlink()",
    )
    assert value(kernel, "lesson.log.frames()[0].payload") == "b'hi'"


@pytest.mark.parametrize("compression", ["disabled", "context_takeover"])
def test_a_credential_leaves_the_kernel_in_no_form(kernel: Kernel, compression: str) -> None:
    """Neither in the handshake, nor as payload, nor as bytes from which it could be computed."""
    start = len(kernel.iopub)
    ok(
        kernel,
        "leak = %ws {{echo.url}}?token={{Authorization[7:]}} -H 'Authorization: {{Authorization}}' --wire "
        f"--as leak --compression {compression} --compression-threshold 1 --ping-interval none",
    )
    ok(kernel, '%ws send {"auth": "{{Authorization}}"}\nreply = leak.recv()')
    ok(kernel, "%ws log --frames")
    ok(kernel, "leak.log.frames()")
    ok(kernel, "leak.log.frames()[0]")
    spelled = json.dumps([message["content"] for message in kernel.iopub[start:]])
    assert CANARY not in spelled
    for payload in ast.literal_eval(value(kernel, "[f.wire[6:].hex(' ') for f in leak.log.frames()]")):
        assert payload
        assert payload[:23] not in spelled
