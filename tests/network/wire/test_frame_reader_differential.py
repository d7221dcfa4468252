"""Any bytes, cut anywhere: the fast path and the parser of `websockets` alone make the same of them.

The reference reads byte by byte with the fast path off, so that it sees every frame alone, whatever the
bytes are. ``python -m tests.fuzz_fast_path`` tries more of the same.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.streams import Case, cases, check, large_cases

LENIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(300)
@settings(LENIENT, max_examples=1200)
@given(cases())
def test_any_stream_cut_anywhere_is_the_same_with_and_without_the_fast_path(case: Case) -> None:
    check(case)


@pytest.mark.timeout(300)
@settings(LENIENT, max_examples=300)
@given(large_cases())
def test_messages_of_any_length_cut_anywhere_are_the_same(case: Case) -> None:
    check(case)
