"""The long run of `test_fast_path_differential`: ``python -m tests.fuzz_fast_path --examples 100000``."""

from __future__ import annotations

import argparse
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.streams import Case, cases, check, large_cases

EACH = 2000
"""Examples of one run of hypothesis: it keeps note of every one it has tried."""


def fuzz(number: int, examples: int) -> None:
    """Check so many examples; every fifth run has large messages."""
    strategy = large_cases() if number % 20 == 19 else cases()

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def examine(case: Case) -> None:
        check(case)

    examine()


def main() -> None:
    """Run until the examples are done, or one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_fast_path", description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first run: another one, other examples"
    )
    options = parser.parse_args()
    begin = time.monotonic()
    for number in range(-(-options.examples // EACH)):
        fuzz(options.first + number, min(EACH, options.examples - number * EACH))
        done = min(options.examples, (number + 1) * EACH)
        print(f"{done:,} examples, {time.monotonic() - begin:,.0f} s", flush=True)


if __name__ == "__main__":
    main()
