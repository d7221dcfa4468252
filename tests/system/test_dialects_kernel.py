"""Dialects in a real kernel: the four words as verbs, and heartbeats while a cell computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.desk import desk_server
from tests.support.kernel import Kernel
from tests.support.servers import Site

COMPUTE = """
import time
before, end = client.log.received, time.monotonic() + 1.5
while time.monotonic() < end:
    sum(range(10_000))
beats = [message for message in client.log if message.label == "beat"]
assert client.state == "open" and len(beats) >= 3, (client, len(beats))
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as running:
        ok(running, "%load_ext ipyws")
        ok(running, "import ipyws, tests.support.desk")
        ok(running, "from ipyws.core.offers import DIALECTS")
        ok(running, "DIALECTS['desk'] = lambda: tests.support.desk.Desk")
        yield running


@pytest.fixture
def site() -> Iterator[Site]:
    with desk_server(beat=0.2, silence=5.0) as made:
        yield made


def ok(kernel: Kernel, cell: str) -> str:
    result = kernel.run(cell)
    assert result.status == "ok", f"{cell}\n{result.ename}: {result.evalue}"
    return result.stdout


def failure(kernel: Kernel, cell: str) -> str:
    result = kernel.run(cell)
    assert result.status == "error", cell
    return f"{result.evalue} {result.traceback}"


@pytest.mark.kernel
def test_the_words_are_verbs_with_the_flags_of_the_dialect(kernel: Kernel, site: Site) -> None:
    ok(kernel, f"client = %ws connect {site.url} --dialect desk --as desk")
    said = ok(kernel, '%ws call echo {"a": [1]} two "3" -4 {{[5]}} --weight 6 -o reply')
    ok(kernel, 'assert reply == [{"a": [1]}, "two", "3", -4, [5], 6], reply')
    assert "'echo' → " in said
    assert '"two"' in said
    ok(kernel, "%ws emit shout -c desk 'hello all'")
    ok(kernel, "%ws publish open 1.50")
    ok(kernel, "values = %ws subscribe news 1 2 -n 3")
    ok(kernel, 'assert values == ["news", 1, 2], values')
    ok(kernel, "%ws subscribe topic -o first")
    ok(kernel, "%ws subscribe topic -o second")  # as when the cell is run again
    ok(kernel, "assert first.closed and not second.closed")
    heard = []
    while not any(message == {"tell": "shout", "part": "hello all"} for message in heard):
        heard.append(site.next())
    while not any("put" in message for message in heard):
        heard.append(site.next())
    assert heard[-1]["payload"] == "1.50"
    for cell, words in {
        "%ws call echo --wieght 3": "did you mean --weight",
        "%ws call echo --weight 10": "call weight is 10",
        "%ws publish open": "there is nothing to publish",
        "%ws publish open a b": "more than one payload",
        "%ws subscribe news -n 9 --timeout 100ms": "1 of 9 values came on 'news': 100ms passed",
        "%ws call fail": "it failed",
        f"%ws connect {site.url} --dialect dask": "did you mean desk",
        f"%ws connect {site.url} --dialect 'desk colour=red'": "dialect desk has no setting 'colour'",
    }.items():
        assert words in failure(kernel, cell)
    ok(kernel, "%ws close desk")


@pytest.mark.kernel
def test_heartbeats_go_on_while_a_cell_computes(kernel: Kernel, site: Site) -> None:
    ok(kernel, f"client = %ws connect {site.url} --dialect desk --as busy")
    ok(kernel, COMPUTE)
    ok(kernel, "assert client.call('echo') == [0]")
    ok(kernel, "%ws close busy")
