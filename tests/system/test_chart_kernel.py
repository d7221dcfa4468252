"""``%ws plot`` and ``log.live_plot`` in a kernel that nobody watches with widgets: a picture that ticks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel

pytestmark = pytest.mark.kernel

SUBSCRIBE = '{"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 20}'


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(
            kernel,
            "%load_ext ipyws\nimport ipyws, time\n%ws serve prices -o server\n%ws {{server.url}} --as prices",
        )
        ok(kernel, f"%ws send {SUBSCRIBE}\nfor _ in range(10): ipyws.current().recv()")
        yield kernel


def pictures(kernel: Kernel, since: int) -> list[dict[str, Any]]:
    """Return the bundles with a chart that were published from some message on."""
    contents = [message["content"] for message in list(kernel.iopub)[since:]]
    return [content["data"] for content in contents if "image/svg+xml" in content.get("data", {})]


def test_a_chart_is_a_widget_with_a_picture_and_the_picture_takes_its_place_where_nobody_has_widgets(
    kernel: Kernel,
) -> None:
    since = len(kernel.iopub)
    result = ok(kernel, 'chart = %ws plot json["value"] by json["symbol"] --last 1m')
    first, *_, last = pictures(kernel, since)
    assert "application/vnd.jupyter.widget-view+json" in first
    assert "application/vnd.jupyter.widget-view+json" not in last
    assert result.status == "ok"
    lines = last["text/plain"].splitlines()
    assert lines[0] == 'prices: json["value"] by json["symbol"], last 1m'
    assert {line.split()[0] for line in lines[1:3]} == {"BTC-USD", "ETH-USD"}
    assert value(kernel, "type(chart).__name__") == "'LiveChart'"


def test_it_ticks_while_a_cell_computes(kernel: Kernel) -> None:
    ok(kernel, "chart = ipyws.current().log.live_plot('json[\"value\"]', 'json[\"symbol\"]')\nchart")
    since = len(kernel.iopub)
    ok(kernel, "end = time.monotonic() + 3\nwhile time.monotonic() < end: pass")
    during = pictures(kernel, since)
    assert len({made["text/plain"] for made in during}) >= 2
    assert len(during) <= 15  # five a second
    ok(kernel, "chart.close()")


def test_what_can_not_be_drawn_is_told_at_once(kernel: Kernel) -> None:
    assert "not a Python expression" in fails(kernel, "%ws plot json[").evalue
    assert "'jsn' is not defined" in fails(kernel, '%ws plot jsn["value"]').evalue
    assert "nothing to plot" in fails(kernel, "%ws plot").evalue
    assert "last" in fails(kernel, '%ws plot json["value"] --last 5').evalue
    too_low = kernel.run("ipyws.current().log.live_plot('1', height=5)")
    assert (too_low.ename, too_low.evalue.partition(";")[0]) == ("InvalidError", "height is 5")


def test_the_names_that_are_given_are_meant(kernel: Kernel) -> None:
    ok(
        kernel,
        "def draw(factor):\n    made = %ws plot json['value'] * factor\n    return made\ndraw(3).close()",
    )
    ok(kernel, "ipyws.current().log.live_plot('json[\"value\"] * own', names={'own': 2}).close()")
