"""The benchmarks run: every part in its smallest form, in this process; no figure is judged here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as suite
from benchmarks.support.part import SCALES, Case, Part, Ports
from benchmarks.support.processes import serving
from benchmarks.support.summary import Line, lines_of
from benchmarks.support.targets import TARGETS, Target
from tests.support.lab import ROOT

SMALLEST = SCALES["smallest"]
NOWHERE = Ports(0, 0)


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    with serving("sender") as sender, serving("peer") as peer:
        yield Ports(sender, peer)


def first_case(part: Part, ports: Ports, contender: str) -> Case:
    cases: list[Case] = part.module.cases(SMALLEST, ports)
    return next(case for case in cases if contender not in case.without)


@pytest.mark.parametrize(
    ("name", "contender"), [(name, each) for name, part in suite.PARTS.items() for each in suite.able(part)]
)
def test_a_contender_gives_figures(name: str, contender: str, ports: Ports) -> None:
    part = suite.PARTS[name]
    case = first_case(part, ports, contender)
    count = {} if case.most is None else {"count": 100}
    figures = part.module.CONTENDERS[contender](**case.arguments, **count)
    assert figures
    assert all(math.isfinite(value) for value in figures.values())
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize("way", suite.adversarial.WAYS)
def test_hostile_bytes_hold_the_loop_for_a_moment_whatever_is_done_with_them(way: str, ports: Ports) -> None:
    figures = suite.adversarial.ipyws(way, 300_000, ports.peer)
    assert 0 < figures["held_ms"] < 2000  # less than any of it took before it was bounded, on any machine


@pytest.mark.parametrize("part", [*suite.PARTS.values()], ids=list(suite.PARTS))
def test_what_all_are_compared_with_is_one_of_them(part: Part) -> None:
    assert part.base in part.module.CONTENDERS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.part} {target.contender}")
def test_a_target_is_about_something_that_is_measured(target: Target) -> None:
    part = suite.PARTS[target.part]
    assert target.case in {case.name for case in part.module.cases(SCALES["full"], NOWHERE)}
    named = {target.contender, target.less_than, target.beyond} - {None}
    assert named <= set(part.module.CONTENDERS)


def test_a_run_writes_every_round_with_versions_and_load(tmp_path: Path) -> None:
    output = tmp_path / "made.json"
    assert suite.main(["journal", "--scale", "smallest", "--output", str(output)]) == 0
    made = json.loads(output.read_text())
    assert {run["contender"] for run in made["runs"]["journal"]} == set(suite.journal.CONTENDERS)
    assert all(run["load"] >= 0 for run in made["runs"]["journal"])
    assert made["machine"]["python"]
    assert {"part", "case", "contender", "figure", "low", "median", "high"} == set(made["summary"][0])


def test_receiving_alone_is_measured_of_every_client_that_needs_nothing_more(tmp_path: Path) -> None:
    output = tmp_path / "made.json"
    clients = {"ipyws", "ipyws-plain", "websockets", "websockets.sync"}
    command = (sys.executable, "-m", "benchmarks.receive", "--rounds=1", "--seconds=0.001", "--sizes=32")
    options = ("--kinds=text", "--no-deflate", "--clients", *clients, f"--output={output}")
    ran = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stderr
    (case,) = json.loads(output.read_text())["cases"]
    assert {line["client"] for line in case["summary"]} == clients
    assert all(line["cpu_us"] > 0 for line in case["summary"])


@pytest.mark.parametrize(("arguments", "scale"), [([], "full"), (["--quick"], "quick")])
def test_all_is_measured_unless_it_must_be_quick(arguments: list[str], scale: str) -> None:
    assert suite.parse(arguments).scale == scale


def test_a_part_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        suite.parse(["pipelines"])
    assert "there is no part pipelines" in capsys.readouterr().err


def lines(contender: str, *values: float) -> list[Line]:
    runs = [
        {"case": "c", "contender": contender, "round": n, "cpu_us": value} for n, value in enumerate(values)
    ]
    return lines_of("p", runs)


@pytest.mark.parametrize(
    ("bound", "less_than", "at_least", "beyond", "holds"),
    [
        (4.0, None, False, None, True),
        (3.9, None, False, None, False),
        (4.0, None, True, None, True),
        (4.1, None, True, None, False),
        (3.0, "theirs", False, None, True),  # round by round: 12 / 2, 12 / 4, 12 / 6
        (3.1, "theirs", False, None, False),
        (1.0, None, False, "floor", True),
        (0.9, None, False, "floor", False),
    ],
)
def test_a_target_judges_the_median(
    bound: float, less_than: str | None, at_least: bool, beyond: str | None, holds: bool
) -> None:
    measured = [*lines("ours", 2.0, 4.0, 6.0), *lines("theirs", 12.0, 12.0, 12.0), *lines("floor", 3.0, 3.0)]
    judged = Target("p", "c", "ours", "cpu_us", bound, less_than, at_least, beyond).judge(measured)
    assert judged is not None
    assert judged[0] is holds
    assert ("holds" in judged[1]) is holds


def test_a_target_that_was_not_measured_is_not_judged() -> None:
    assert Target("p", "c", "ours", "cpu_us", 1.0).judge(lines("theirs", 1.0)) is None
    assert Target("p", "c", "theirs", "cpu_us", 1.0, less_than="ours").judge(lines("theirs", 1.0)) is None


def test_the_picture_is_a_png_that_needs_not_everything_measured(tmp_path: Path) -> None:
    from benchmarks.support.picture import draw

    runs = [{"case": "256 B", "contender": "payloads", "round": 0, "cpu_us": 1.0}]
    draw(lines_of("pipeline", runs), tmp_path / "made.png")
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG\r\n")
