from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import ipyws
from ipyws.core.messages.budget import BUDGET, DEFAULT_BUDGET, Budget
from ipyws.core.messages.log import Log
from ipyws.errors import InvalidError


def log_in(budget: Budget, *sizes: int) -> Log:
    log = Log(1000, 1 << 20, budget)
    for size in sizes:
        log.append("in", ["x" * size], size)
    return log


def held(log: Log) -> list[int]:
    return [message.size for message in log]


def test_all_logs_together_hold_no_more_than_the_budget() -> None:
    budget = Budget(100)
    logs = [log_in(budget, 30, 30) for _ in range(5)]
    assert budget.total == sum(log.bytes for log in logs) <= 100
    assert held(logs[-1]) == [30, 30]


def test_a_log_alone_evicts_its_own_oldest() -> None:
    budget = Budget(100)
    log = log_in(budget, 40, 40, 40)
    assert held(log) == [40, 40]
    assert (log.evicted, log.evicted_in, budget.total) == (1, 1, 80)


def test_exactly_the_budget_fits() -> None:
    budget = Budget(100)
    assert held(log_in(budget, 40, 60)) == [40, 60]


def test_logs_of_closed_connections_give_way_first() -> None:
    budget = Budget(100)
    opened, closed = log_in(budget, 60), log_in(budget, 10, 10, 10)
    closed.account.close()
    asking = log_in(budget, 20)
    assert held(opened) == [60]
    assert held(closed) == [10, 10]
    assert held(asking) == [20]


def test_of_open_logs_the_largest_gives_way_and_the_asking_one_last() -> None:
    budget = Budget(100)
    small, large = log_in(budget, 10, 10), log_in(budget, 30, 30)
    asking = log_in(budget, 25)
    assert (held(small), held(large), held(asking)) == ([10, 10], [30], [25])


def test_a_log_that_nobody_holds_gives_its_bytes_back() -> None:
    budget = Budget(100)
    log = log_in(budget, 60)
    assert (budget.total, len(budget.accounts)) == (60, 1)
    del log
    gc.collect()
    assert (budget.total, len(budget.accounts)) == (0, 0)


def test_a_log_collected_while_room_is_made_does_no_harm() -> None:
    budget = Budget(100)
    logs = [log_in(budget, 1) for _ in range(20)]

    class Dropping:
        """A log whose eviction frees others, as the garbage collector may at any moment."""

        bytes = 70

        def evict_oldest(self) -> bool:
            logs.clear()
            gc.collect()
            self.bytes = 0
            return True

    dropping = Dropping()
    budget.open(dropping).settle(70)
    asking = log_in(budget, 50)
    assert held(asking) == [50]
    assert (budget.total, len(budget.accounts)) == (50, 2)


def test_a_smaller_budget_evicts_at_once_closed_logs_first() -> None:
    budget = Budget(100)
    opened, closed = log_in(budget, 20, 20), log_in(budget, 20, 20)
    closed.account.close()
    budget.resize(50)
    assert (held(opened), held(closed)) == ([20, 20], [])
    budget.resize(20)
    assert held(opened) == [20]
    assert budget.total == 20


def test_a_larger_budget_lets_logs_grow() -> None:
    budget = Budget(50)
    log = log_in(budget, 50)
    budget.resize(100)
    log.append("in", ["x" * 50], 50)
    assert held(log) == [50, 50]


@pytest.fixture
def shared_budget() -> Iterator[Budget]:
    yield BUDGET
    ipyws.set_log_budget(DEFAULT_BUDGET)


def test_the_budget_of_a_process_is_256_mib_and_settable(shared_budget: Budget) -> None:
    assert shared_budget.limit == 256 * 1024 * 1024
    ipyws.set_log_budget(1000)
    log = Log()
    for _ in range(3):
        log.append("in", ["x" * 400], 400)
    assert held(log) == [400, 400]


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1MB", None, pytest.param(-(10**5000), id="huge")])
def test_a_budget_is_a_positive_number_of_bytes(size: object, shared_budget: Budget) -> None:
    with pytest.raises(InvalidError, match="log budget is"):
        ipyws.set_log_budget(size)  # type: ignore[arg-type]
    assert shared_budget.limit == DEFAULT_BUDGET
