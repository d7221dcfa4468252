"""Which gap of a stream is unusual."""

from __future__ import annotations

import pytest

from ipyws.view.pace import Pace


@pytest.mark.parametrize(
    ("gaps", "last", "unusual"),
    [
        ([2.0] * 8, 2.1, False),
        ([2.0] * 8, 6.0, True),
        ([0.01] * 8, 3.0, True),
        ([0.01] * 8, 0.9, False),
        ([0.3, 1.7, 2.0, 2.0, 0.0, 0.03, 2.0, 2.0], 2.0, False),
        ([0.01] * 3, 3.0, False),
    ],
    ids=["regular", "a beat is missing", "silence", "too short to tell", "with pings", "too few to tell"],
)
def test_a_gap_is_unusual_for_its_stream(gaps: list[float], last: float, unusual: bool) -> None:
    pace = Pace()
    for gap in gaps:
        pace.is_unusual(gap)
    assert pace.is_unusual(last) is unusual
