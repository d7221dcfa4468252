"""The lock of logs and channels: nothing is left half done by an interrupt."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ipyws.core.lock import LOCK, Lock


@pytest.fixture(autouse=True)
def handler() -> Iterator[Any]:
    before = signal.getsignal(signal.SIGINT)
    yield before
    assert signal.getsignal(signal.SIGINT) is before


def test_interrupt_inside_is_raised_when_the_lock_is_free_again() -> None:
    done = []

    def work() -> None:
        with LOCK:
            signal.raise_signal(signal.SIGINT)
            done.append("first")
            with LOCK:
                signal.raise_signal(signal.SIGINT)
                done.append("second")
            done.append("third")
        done.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["first", "second", "third"]
    taken = threading.Thread(target=lambda: LOCK.__enter__() or LOCK.__exit__())
    taken.start()
    taken.join(60)
    assert not taken.is_alive()


def test_interrupt_is_raised_once() -> None:
    with pytest.raises(KeyboardInterrupt), LOCK:
        signal.raise_signal(signal.SIGINT)
    with LOCK:
        pass


def test_error_inside_is_raised_and_the_handler_is_put_back() -> None:
    with pytest.raises(ValueError, match="inside"), LOCK, LOCK:
        raise ValueError("inside")


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_handler_that_is_none_is_left_alone(ignored: Any, handler: Any) -> None:
    signal.signal(signal.SIGINT, ignored)
    try:
        with LOCK:
            assert signal.getsignal(signal.SIGINT) is ignored
        assert signal.getsignal(signal.SIGINT) is ignored
    finally:
        signal.signal(signal.SIGINT, handler)


def test_handler_of_the_users_is_called_afterwards(handler: Any) -> None:
    called: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: called.append(number))
    try:
        with LOCK:
            signal.raise_signal(signal.SIGINT)
            assert called == []
        assert called == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, handler)


def test_asyncio_run_cancels_at_once_and_its_handler_is_left_alone() -> None:
    done = []

    async def main() -> None:
        theirs = signal.getsignal(signal.SIGINT)
        with LOCK.section(), LOCK:
            assert signal.getsignal(signal.SIGINT) is theirs
            signal.raise_signal(signal.SIGINT)
            done.append("inside")
        done.append("behind")
        await asyncio.sleep(60)
        done.append("never")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert done == ["inside", "behind"]


@pytest.mark.parametrize("section", [LOCK, LOCK.section], ids=["lock", "section"])
def test_what_asyncio_run_raises_the_second_time_waits(section: Any) -> None:
    done = []

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        with section() if callable(section) else section:
            signal.raise_signal(signal.SIGINT)
            done.append("inside")
        done.append("never")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert done == ["inside"]


def test_a_task_of_asyncio_run_that_is_over_is_not_cancelled_any_more() -> None:
    done = []

    def behind(task: asyncio.Task[None]) -> None:
        with LOCK.section():
            signal.raise_signal(signal.SIGINT)
            done.append("inside")
        done.append("never")

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(behind)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert done == ["inside"]


def test_other_threads_wait_and_change_no_handler(handler: Any) -> None:
    seen: list[Any] = []
    lock = Lock()

    def work() -> None:
        with lock:
            seen.append(signal.getsignal(signal.SIGINT))

    with lock:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.05)
        assert seen == []
    thread.join(60)
    assert seen == [handler]
