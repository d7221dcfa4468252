"""Work beside the loop, and the thread that is kept for it."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from ipyws.runtime import aside as module
from ipyws.runtime.aside import Worker, aside

NAME = "test-worker"


def test_what_is_done_aside_gives_its_result_or_its_error() -> None:
    async def run() -> None:
        assert await aside(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await aside(lambda: 1 // 0)

    asyncio.run(run())


def test_a_worker_has_one_thread_for_all_its_work_in_order() -> None:
    async def run() -> list[tuple[int, int]]:
        return await asyncio.gather(
            *(worker.do(lambda n=number: (n, threading.get_ident())) for number in range(5))
        )

    worker = Worker(NAME)
    done = asyncio.run(run())
    worker.stop()
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]
    assert len({thread for _, thread in done} - {threading.get_ident()}) == 1


def test_a_worker_goes_on_after_an_error_and_after_it_was_stopped() -> None:
    async def run() -> None:
        with pytest.raises(ZeroDivisionError):
            await worker.do(lambda: 1 // 0)
        assert await worker.do(lambda: 1) == 1
        worker.stop()
        assert NAME not in {thread.name for thread in threading.enumerate()}
        assert await worker.do(lambda: 2) == 2
        worker.stop()

    worker = Worker(NAME)
    asyncio.run(run())


def test_the_thread_of_a_worker_ends_where_no_work_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        thread = await worker.do(threading.current_thread)
        await asyncio.to_thread(thread.join, 60)
        assert not thread.is_alive()
        assert await worker.do(threading.current_thread) is not thread

    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    worker = Worker(NAME)
    asyncio.run(run())
    worker.stop()


def test_a_worker_keeps_nothing_of_what_it_did_before() -> None:
    class Thing:
        pass

    async def run() -> None:
        thing = Thing()
        kept.append(weakref.ref(thing))
        await worker.do(lambda thing=thing: None)
        del thing
        await worker.do(lambda: None)  # by then the first is done with

    worker = Worker(NAME)
    kept: list[weakref.ref[Thing]] = []
    asyncio.run(run())
    assert kept[0]() is None
    worker.stop()


def test_a_worker_does_later_what_it_was_told_to_in_the_order_of_the_moments() -> None:
    def begin() -> None:
        worker.tell_later(0.02, lambda: done("later"))
        worker.tell_later(0.01, lambda: done("soon"))
        worker.tell(lambda: done("at once"))

    def done(what: str) -> None:
        order.append((what, threading.current_thread().name))
        if len(order) == 3:
            over.set()

    worker, over = Worker(NAME), threading.Event()
    order: list[tuple[str, str]] = []
    worker.tell(begin)
    assert over.wait(60)
    worker.stop()
    assert order == [("at once", NAME), ("soon", NAME), ("later", NAME)]


def test_a_worker_that_is_stopped_drops_what_was_to_be_done_later() -> None:
    worker, begun = Worker(NAME), threading.Event()
    done: list[int] = []

    def begin() -> None:
        worker.tell_later(3600, lambda: done.append(1))
        begun.set()

    worker.tell(begin)
    assert begun.wait(60)
    worker.stop()
    assert NAME not in {thread.name for thread in threading.enumerate()}
    assert not done
