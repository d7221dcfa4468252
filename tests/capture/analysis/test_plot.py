"""Messages as a figure of matplotlib."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest

from ipyws.capture.analysis.plot import plot
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Control
from tests.support.missing import without

pytest.importorskip("matplotlib")

import numpy as np
from matplotlib.image import imread


def new_log() -> Log:
    return Log(10_000_000, 1 << 40, Budget(1 << 40))


def receive(log: Log, moment: float, *payloads: str) -> None:
    log.append("in", list(payloads), 0, moment=moment)


def pong(log: Log, moment: float, rtt: float) -> None:
    log.append("in", [Control(b"", rtt=rtt)], 0, type="pong", moment=moment)


def stairs(axes: Any) -> dict[str, tuple[list[float], list[float]]]:
    """Return rates and edges of the lines in a panel, by their label."""
    named = [patch for patch in axes.patches if patch.get_label()]
    return {each.get_label(): tuple(map(list, each.get_data()[:2])) for each in named}


def dots(axes: Any) -> list[tuple[float, float]]:
    return [tuple(point) for line in axes.lines for point in line.get_xydata()]


def words(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def picture(figure: Any) -> Any:
    """Return what is drawn: height x width x (red, green, blue, alpha), each 0 to 1."""
    return imread(io.BytesIO(figure._repr_png_()[0]))


def test_a_figure_has_panels_for_rate_size_and_round_trips() -> None:
    log = new_log()
    for second in range(4):
        receive(log, 100.0 + second, *["x" * 10 * (second + 1)] * 10)
    log.append("out", ["hello"], 5, moment=100.0)
    pong(log, 102.0, 0.25)
    rates, sizes, pings = plot(log).axes
    assert set(stairs(rates)) == {"in", "out"}
    assert dots(sizes) == [(0.0, 10.0), (1.0, 20.0), (2.0, 30.0), (3.0, 40.0), (0.0, 5.0)]
    assert dots(pings) == [(2.0, 0.25)]


def test_the_area_below_a_rate_is_the_number_of_messages() -> None:
    log = new_log()
    for number in range(1000):
        receive(log, number * 0.0371, "x")
    figure = plot(log)
    rates, edges = stairs(figure.axes[0])["in"]
    assert float(np.dot(rates, np.diff(edges))) == pytest.approx(1000)


def test_one_message_is_one_a_second() -> None:
    log = new_log()
    receive(log, 100.0, "hello")
    rates, sizes, pings = plot(log).axes
    assert stairs(rates) == {"in": ([1.0], [0.0, 1.0])}
    assert dots(sizes) == [(0.0, 5.0)]
    assert words(pings) == ["no pings"]


def test_nothing_is_said_where_there_is_nothing_to_draw() -> None:
    assert [words(axes) for axes in plot(new_log()).axes] == [["no messages"], ["no messages"], ["no pings"]]


def test_control_frames_are_no_messages() -> None:
    log = new_log()
    log.append("in", [Control(b"")], 0, type="ping", moment=1.0)
    pong(log, 2.0, 0.1)
    rates, sizes, pings = plot(log).axes
    assert words(rates) == words(sizes) == ["no messages"]
    assert dots(pings) == [(1.0, 0.1)]


def test_of_many_messages_in_one_place_the_median_and_the_extremes_are_drawn() -> None:
    log = new_log()
    receive(log, 0.0, "x" * 7, "x" * 3, "x" * 90)
    receive(log, 10.0, "x")
    sizes = plot(log).axes[1]
    assert dots(sizes) == [(0.0, 7.0), (10.0, 1.0)]
    spans = [segment[:, 1].tolist() for segment in sizes.collections[0].get_segments()]
    assert spans == [[3.0, 90.0], [1.0, 1.0]]


def test_a_million_messages_are_drawn_by_a_bounded_number_of_points() -> None:
    log = new_log()
    for number in range(10_000):
        receive(log, number * 1.0, *["x" * (number % 300)] * 100)
        pong(log, number * 1.0, 0.001)
    figure = plot(log)
    rates, sizes, pings = figure.axes
    assert len(stairs(rates)["in"][0]) <= 240
    assert 100 < len(dots(sizes)) <= 240
    assert 100 < len(dots(pings)) <= 240
    assert rates.get_shared_x_axes().joined(rates, pings)
    assert pings.get_xlabel() == "minutes since the first record"
    assert len(figure._repr_png_()[0]) < 300_000


@pytest.mark.parametrize(
    ("span", "unit"), [(179, "seconds"), (180, "minutes"), (10_799, "minutes"), (10_800, "hours")]
)
def test_the_unit_of_time_fits_what_it_spans(span: int, unit: str) -> None:
    log = new_log()
    receive(log, 1e9, "x")
    receive(log, 1e9 + span, "x")
    figure = plot(log)
    assert figure.axes[2].get_xlabel().split()[0] == unit
    assert figure.axes[2].get_xlim()[1] < 200


@pytest.mark.parametrize("sizes", [(0,), (0, 0), (0, 1_000_000), (5, 5), (1, 128 << 20)])
def test_sizes_of_all_kinds_can_be_drawn(sizes: tuple[int, ...]) -> None:
    log = new_log()
    for moment, size in enumerate(sizes):
        receive(log, float(moment), "x" * size)
    figure = plot(log)
    assert picture(figure)[..., 3].max() == 1
    assert figure.axes[1].get_ylim()[0] == 0


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    log = new_log()
    receive(log, 1000.0, "a")
    receive(log, 900.0, "b")
    pong(log, 950.0, 0.1)
    _, sizes, pings = plot(log).axes
    assert dots(sizes) == [(0.0, 1.0), (100.0, 1.0)]
    assert dots(pings) == [(50.0, 0.1)]


def test_a_figure_reads_on_light_and_on_dark() -> None:
    log = new_log()
    receive(log, 0.0, "x" * 5)
    receive(log, 20.0, "x" * 50)
    pong(log, 10.0, 0.1)
    drawn = picture(plot(log))
    corner, ink = drawn[0, 0], drawn[drawn[..., 3] > 0.95][:, :3]
    assert corner[3] == 0
    for background in (1.0, 17 / 255):
        assert min(contrast(colour, background) for colour in np.unique(ink, axis=0)) >= 3


def contrast(colour: Any, background: float) -> float:
    """Return the contrast of WCAG 2.2 between a colour and a grey."""
    lights = sorted((luminance(colour), luminance([background] * 3)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: Any) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_a_notebook_shows_it_at_its_size() -> None:
    log = new_log()
    receive(log, 0.0, "x")
    data, metadata = plot(log)._repr_png_()  # type: ignore[attr-defined]
    assert data.startswith(b"\x89PNG")
    assert metadata == {"width": 800, "height": 480}
    assert imread(io.BytesIO(data)).shape == (960, 1600, 4)


def test_pyplot_is_not_loaded() -> None:
    code = """
import sys
from ipyws.capture.analysis.plot import plot
plot([])
print("matplotlib.pyplot" in sys.modules)
"""
    assert run(code) == "False\n"


@pytest.mark.parametrize("missing", ["matplotlib", "numpy"])
def test_without_matplotlib_one_line_says_what_to_install(missing: str) -> None:
    code = f"""
{without(missing)}
from ipyws.capture.analysis.plot import plot
from ipyws.errors import InvalidError
try:
    plot([])
except InvalidError as error:
    print(error)
"""
    assert run(code) == f"a plot needs matplotlib: {missing} is not installed; pip install ipyws[plot]\n"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
