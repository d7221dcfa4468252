"""What the fuzzing server says of us: read, counted, and compared with what is allowed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MAY_FAIL = frozenset({"7.1.5"})
"""A close frame within a fragmented message: to us it breaks the protocol, and is answered with 1002."""

MAY_BE_NON_STRICT = frozenset(
    {
        # A message and a breach of the protocol in one packet: the message is delivered, and the connection
        # is failed before whoever reads it can answer. Which of 4.1.5 and the like are cut off depends on
        # how the network cuts the packets.
        *("3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15"),
        # Text that is not UTF-8 is found when its message is whole, not at the first wrong byte.
        *("6.4.1", "6.4.2", "6.4.3", "6.4.4"),
    }
)
"""Cases that a client may answer in more than one way, and where ours is not the suite's favourite."""

_FINE = ("OK", "INFORMATIONAL")
_COLUMNS = ("OK", "INFORMATIONAL", "NON-STRICT", "other")


@dataclass(frozen=True)
class Result:
    """How one case went.

    Attributes:
        case: Its number, such as "1.1.1".
        behavior: The judgement of what we did.
        close: The judgement of how we closed.
        seconds: How long it took.
    """

    case: str
    behavior: str
    close: str
    seconds: float

    @property
    def group(self) -> int:
        """The first part of its number."""
        return int(self.case.split(".")[0])

    @property
    def judgement(self) -> str:
        """The judgement of what we did; that of the close where only the close was wrong."""
        passed = self.behavior in _FINE or self.behavior == "NON-STRICT"
        return self.close if passed and self.close not in _FINE else self.behavior


def read_results(folder: Path, agent: str) -> list[Result]:
    """Return all results in the server's report, in the order of the cases."""
    report = json.loads((folder / "index.json").read_text())[agent]
    results = [
        Result(case, found["behavior"], found["behaviorClose"], found["duration"] / 1000)
        for case, found in report.items()
    ]
    return sorted(results, key=lambda result: [int(part) for part in result.case.split(".")])


def table(results: list[Result]) -> str:
    """Return the counts and times of each group, and of all."""
    groups = sorted({result.group for result in results})
    rows = [_row(f"{group}.*", [r for r in results if r.group == group]) for group in groups]
    head = f"{'group':>6}{'cases':>7}" + "".join(f"{name:>15}" for name in _COLUMNS) + f"{'seconds':>9}"
    return "\n".join([head, *rows, _row("all", results)])


def _row(name: str, results: list[Result]) -> str:
    counts = Counter(r.judgement if r.judgement in _COLUMNS else "other" for r in results)
    seconds = sum(result.seconds for result in results)
    numbers = "".join(f"{counts[column]:>15}" for column in _COLUMNS)
    return f"{name:>6}{len(results):>7}{numbers}{seconds:>9.1f}"


def remarkable(results: list[Result]) -> list[Result]:
    """Return the cases that are neither fine nor informational."""
    return [result for result in results if result.judgement not in _FINE]


def faults(results: list[Result], expected: int) -> list[str]:
    """Return in words what is not allowed; nothing if the run passed.

    Args:
        results: The results there are.
        expected: How many there should be.
    """
    allowed = {"NON-STRICT": MAY_BE_NON_STRICT, "FAILED": MAY_FAIL}
    found = [
        f"case {result.case}: {result.judgement}"
        for result in remarkable(results)
        if result.case not in allowed.get(result.judgement, ())
    ]
    if len(results) != expected:
        found.append(f"{expected} cases were run, {len(results)} are in the report")
    return found
