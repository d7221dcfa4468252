"""What ipyws is meant to reach: one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.adversarial import SIZES, WAYS
from benchmarks.support.summary import Line, find, ratios


@dataclass(frozen=True)
class Target:
    """A bound on a figure of a contender, or on how many times less it is than that of another.

    Attributes:
        part: The part.
        case: The case.
        contender: Whose figure.
        figure: Which figure.
        bound: The bound.
        less_than: The other contender: the median over the rounds of the other's figure divided by this one's
            must be at least the bound. None: the bound is on the figure itself.
        at_least: Whether a bound on the figure itself is the least, rather than the most.
        beyond: The contender whose figure is subtracted from this one's first.
    """

    part: str
    case: str
    contender: str
    figure: str
    bound: float
    less_than: str | None = None
    at_least: bool = False
    beyond: str | None = None

    def judge(self, lines: Sequence[Line]) -> tuple[bool, str] | None:
        """Return whether it holds, and in words; None if it was not measured."""
        mine = find(lines, self.part, self.case, self.contender, self.figure)
        if mine is None:
            return None
        value, unit, least = mine.median, f" {self.figure}", self.at_least
        if self.less_than is not None:
            other = find(lines, self.part, self.case, self.less_than, self.figure)
            if other is None:
                return None
            value, unit, least = ratios(other, mine).median, f"x {self.less_than}", True
        elif self.beyond is not None:
            below = find(lines, self.part, self.case, self.beyond, self.figure)
            value -= below.median if below else 0.0
        holds = value >= self.bound if least else value <= self.bound
        where = f"{self.part}, {self.case}, {self.contender}"
        bound = f"at {'least' if least else 'most'} {self.bound:g}"
        return holds, f"{'holds ' if holds else 'MISSED'}  {where}: {value:.3g}{unit}, {bound}"


TARGETS = (
    Target("pipeline", "256 B", "payloads", "cpu_us", 6.0, "websockets"),
    Target("pipeline", "256 B", "messages", "cpu_us", 4.0, "websockets"),
    Target("pipeline", "256 B", "async messages", "cpu_us", 4.0, "websockets"),
    Target("pipeline", "256 B", "payloads", "cpu_us", 0.8, "picows"),
    Target("pipeline", "65,536 B", "payloads", "cpu_us", 1.0, "picows, kept"),
    Target("pipeline", "1,048,576 B", "payloads", "cpu_us", 1.0, "picows, kept"),
    *(
        Target("paced", f"{rate} a second", contender, "cpu_us", bound, other)
        for rate in ("200", "2,000")
        for contender, bound, other in (
            ("async for", 1 / 0.9, "websockets"),
            ("for", 1.0, "websocket-client in a thread"),
            ("log only", 1 / 1.25, "picows"),
        )
    ),
    *(
        Target("kernel", f"{rate} a second", "live cell", figure, bound, other)
        for rate in ("50", "1,000")
        for figure, bound, other in (("cpu_us", 1 / 0.7, "print each"), ("kb_per_s", 50.0, None))
    ),
    Target("handoff", "200,000 a second", "ipyws", "core_percent", 15.0, beyond="producer alone"),
    Target("handoff", "200,000 a second", "ipyws", "p99_ms", 1.0),
    Target("echo", "32 B", "send and recv", "p50_us", 1.0, "websockets"),
    Target("echo", "32 B", "send and recv", "p50_us", 1 / 1.2, "websockets.sync"),
    Target("echo", "32 B", "request", "p50_us", 1 / 1.4, "websockets.sync"),
    Target("burst", "256 B", "send_all", "cpu_us", 8.0, "websockets"),
    Target("burst", "256 B", "send", "cpu_us", 1.5, "websockets"),
    Target("burst", "256 B", "await send", "cpu_us", 2.0, "websockets"),
    Target("busy", "flood, Python loop", "ipyws", "per_second", 100_000, at_least=True),
    Target("busy", "20,000 a second, Python loop", "ipyws", "p99_ms", 25.0),
    Target("retained", "batches of 64", "ipyws", "overhead_bytes", 60.0),
    Target("retained", "batches of 64", "ipyws", "append_us", 0.35),
    Target("retained", "batches of 64", "ipyws", "longest_gc_ms", 5.0),
    Target("retained", "one by one", "ipyws", "overhead_bytes", 60.0),
    Target("retained", "one by one", "ipyws", "append_us", 0.5),
    Target("retained", "one by one", "ipyws", "longest_gc_ms", 5.0),
    Target("journal", "256 B", "ipyws", "loop_us", 1.0, beyond="no journal"),
    Target("judging", "10,000 a second", "ipyws", "cpu_us", 1.0, beyond="no contract"),
    # On two quiet cores: 100 MB of payload a second read, 60 written, 40 of HAR read.
    Target("saving", "JSONL", "ipyws", "load_us", 1.6, "json.dumps each"),
    Target("saving", "JSONL", "ipyws", "save_us", 1.3, "json.dumps each"),
    Target("saving", "HAR", "ipyws", "load_us", 0.5, "json.dumps each"),
    Target("rendering", "50 new rows", "ipyws", "update_us", 4000.0),
    Target("connections", "1,000", "ipyws", "open_s", 1.0),
    Target("connections", "1,000", "ipyws", "cpu_ms", 0.36 / 0.55, "websockets"),
    Target("connections", "1,000", "ipyws", "kb_each", 18.0),
    Target("connections", "100", "ipyws", "idle_percent", 0.1),
    # 1.3 times as long, at most.
    Target("connections", "one by one", "ipyws", "open_ms", 0.77, "websockets"),
    Target("connections", "one by one", "ipyws, synchronous", "open_ms", 0.77, "websockets.sync"),
    *(
        Target("adversarial", f"{way}, {size} MB", "ipyws", "held_ms", 50.0, beyond="zlib and UTF-8")
        for way in WAYS
        for size in SIZES
        if way not in ("save", "mask")
    ),
)


def verdicts(lines: Sequence[Line]) -> Iterator[tuple[bool, str]]:
    """Yield for each target that was measured whether it holds, and in words."""
    for target in TARGETS:
        if (judged := target.judge(lines)) is not None:
            yield judged
