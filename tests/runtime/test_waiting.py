from __future__ import annotations

import asyncio
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ipyws import errors
from ipyws.runtime import nested_loop, waiting
from ipyws.runtime.waiting import Signal, Sleeper, wait, wait_async
from tests.support.stopwatch import Stopwatch


def after(seconds: float, function: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    return timer


class Interrupting(Signal):
    """A signal that is never set; who waits for it is interrupted, so many seconds after it began to."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay = delay
        self.timer: threading.Timer | None = None

    def wait(self, timeout: float | None = None) -> bool:
        if self.timer is None:
            self.timer = after(self._delay, lambda: signals.raise_signal(signals.SIGINT))
        return super().wait(timeout)


@pytest.fixture
def idle_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    waiting.set_idle_loop(lambda: loop)
    yield loop
    waiting.set_idle_loop(None)
    loop.close()


# Signal


def test_set_wakes_every_waiting_thread_and_calls_every_callback_once() -> None:
    signal = Signal()
    called: list[int] = []
    for number in range(20):
        signal.add_callback(lambda number=number: called.append(number))
    with ThreadPoolExecutor(24) as pool:
        waiters = [pool.submit(signal.wait, 10) for _ in range(16)]
        for setter in [pool.submit(signal.set) for _ in range(8)]:
            setter.result()
        assert all(waiter.result(timeout=5) for waiter in waiters)
    assert sorted(called) == list(range(20))


def test_callbacks_added_while_the_signal_is_set_run_exactly_once() -> None:
    for _ in range(50):
        signal = Signal()
        called: list[int] = []

        def add(first: int, signal: Signal = signal, called: list[int] = called) -> None:
            for number in range(first, first + 50):
                signal.add_callback(lambda number=number: called.append(number))

        adders = [threading.Thread(target=add, args=(first,)) for first in (0, 50, 100)]
        for adder in adders:
            adder.start()
        signal.set()
        for adder in adders:
            adder.join()
        assert sorted(called) == list(range(150))


def test_a_callback_runs_at_once_when_the_signal_is_set_already_and_never_once_removed() -> None:
    signal = Signal()
    called: list[str] = []
    removed = lambda: called.append("removed")  # noqa: E731
    signal.add_callback(removed)
    signal.remove_callback(removed)
    signal.remove_callback(removed)
    signal.set()
    signal.add_callback(lambda: called.append("late"))
    assert called == ["late"]


@pytest.mark.parametrize("timeout", [0, -1, 0.01, 1e12])
def test_a_set_signal_is_true_whatever_the_timeout(timeout: float) -> None:
    signal = Signal()
    assert timeout > 1 or not signal.wait(timeout)
    signal.set()
    assert signal.is_set()
    assert signal.wait(timeout)
    assert wait(signal, timeout)
    assert asyncio.run(wait_async(signal, timeout))


# wait, wherever it is called


def in_script(signal: Signal, timeout: float | None) -> bool:
    return wait(signal, timeout)


def in_worker_thread(signal: Signal, timeout: float | None) -> bool:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(wait, signal, timeout).result()


def in_task(signal: Signal, timeout: float | None) -> bool:
    async def main() -> bool:
        return wait(signal, timeout)

    return asyncio.run(main())


def in_callback(signal: Signal, timeout: float | None) -> bool:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[bool] = loop.create_future()
        loop.call_soon(lambda: result.set_result(wait(signal, timeout)))
        return await result

    return asyncio.run(main())


def in_worker_loop(signal: Signal, timeout: float | None) -> bool:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(in_task, signal, timeout).result()


def asynchronously(signal: Signal, timeout: float | None) -> bool:
    return asyncio.run(wait_async(signal, timeout))


PLACES = [in_script, in_worker_thread, in_task, in_callback, in_worker_loop, asynchronously]
Place = Callable[[Signal, float | None], bool]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("timeout", [None, 5])
@pytest.mark.parametrize("delay", [0.01, 0.2])
def test_wait_ends_when_another_thread_sets_the_signal(
    place: Place, timeout: float | None, delay: float
) -> None:
    signal = Signal()
    start, watch = time.monotonic(), Stopwatch()
    after(delay, signal.set)
    assert place(signal, timeout)
    assert time.monotonic() - start >= delay
    assert watch.seconds() < delay + 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("timeout", [-1, 0, 0.03, 0.3])
def test_wait_is_false_after_the_timeout(place: Place, timeout: float) -> None:
    start, watch = time.monotonic(), Stopwatch()
    assert not place(Signal(), timeout)
    assert time.monotonic() - start >= timeout - 0.005
    assert watch.seconds() < max(timeout, 0) + 1


def test_wait_in_a_forbidden_thread_says_so_until_it_is_allowed() -> None:
    waiting.forbid(threading.get_ident(), "the core's own thread")
    try:
        with pytest.raises(errors.ContextError, match="from the core's own thread") as caught:
            wait(Signal(), 0)
        assert caught.value.hint
    finally:
        waiting.allow(threading.get_ident())
    assert not wait(Signal(), 0)


def test_cancelling_wait_async_leaves_the_signal_to_others() -> None:
    async def main() -> None:
        signal = Signal()
        first, second = asyncio.create_task(wait_async(signal)), asyncio.create_task(wait_async(signal))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not signal.is_set()
        signal.set()
        assert await second

    asyncio.run(main())


def test_a_signal_may_be_set_after_the_loop_of_its_waiter_has_gone() -> None:
    signal = Signal()
    loop = asyncio.new_event_loop()
    task = loop.create_task(wait_async(signal))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    signal.set()
    assert not task.done()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    task.get_coro().close()  # type: ignore[union-attr]


def test_a_sleeper_that_an_interrupt_cancels_while_it_is_woken_stays_cancelled() -> None:
    class Struck(Sleeper):
        def done(self) -> bool:
            was_done = super().done()
            self.cancel()  # as a signal handler may, between any two steps
            return was_done

    async def main() -> None:
        sleeper = Struck()
        sleeper.set()
        assert sleeper.cancelled()

    asyncio.run(main())


def test_a_sleeper_is_woken_by_its_loop_and_by_any_other_thread() -> None:
    async def main(threaded: bool) -> None:
        sleeper = Sleeper()
        if threaded:
            threading.Thread(target=sleeper.set).start()
        else:
            asyncio.get_running_loop().call_soon(sleeper.set)
        await asyncio.wait_for(sleeper, 60)

    asyncio.run(main(True))
    asyncio.run(main(False))


# The loop goes on


async def tick(times: int, done: Signal) -> None:
    for _ in range(times):
        await asyncio.sleep(0.005)
    done.set()


def test_a_task_of_the_same_loop_can_end_the_wait() -> None:
    async def main() -> None:
        done = Signal()
        task = asyncio.create_task(tick(5, done))
        assert wait(done, 60)
        await task
        assert asyncio.current_task() is not None

    asyncio.run(main())


def test_the_idle_loop_runs_during_a_wait_in_the_main_thread(idle_loop: asyncio.AbstractEventLoop) -> None:
    done = Signal()
    task = idle_loop.create_task(tick(5, done))
    assert wait(done, 60)
    idle_loop.run_until_complete(task)
    assert not wait(Signal(), 0.1)


def test_a_closed_or_absent_idle_loop_is_left_alone() -> None:
    closed = asyncio.new_event_loop()
    closed.close()
    try:
        for loop in (closed, None):
            waiting.set_idle_loop(lambda loop=loop: loop)
            assert not wait(Signal(), 0.1)
    finally:
        waiting.set_idle_loop(None)


def test_many_short_waits_do_not_starve_the_loop() -> None:
    async def main() -> None:
        done = Signal()
        task = asyncio.create_task(tick(5, done))
        end = time.monotonic() + 5
        while not done.is_set() and time.monotonic() < end:
            wait(Signal(), 0.001)
        assert done.is_set()
        await task

    asyncio.run(main())


def test_waits_inside_callbacks_of_a_wait_end_last_in_first_out() -> None:
    async def main() -> None:
        ended: list[str] = []
        signals = {name: Signal() for name in ("outer", "middle", "inner")}

        def waiter(name: str) -> None:
            assert wait(signals[name], 60)
            ended.append(name)

        loop = asyncio.get_running_loop()
        loop.call_later(0.01, waiter, "middle")
        loop.call_later(0.1, waiter, "inner")
        for delay, name in ((0.2, "outer"), (0.3, "middle"), (0.4, "inner")):
            after(delay, signals[name].set)
        waiter("outer")
        assert ended == ["inner", "middle", "outer"]

    asyncio.run(main())


def test_stopping_the_loop_ends_the_wait_and_then_the_loop() -> None:
    loop = asyncio.new_event_loop()

    async def main() -> None:
        loop.call_later(0.1, loop.stop)
        with pytest.raises(errors.CanceledError, match="stopped"):
            wait(Signal(), 5)

    task = loop.create_task(main())
    loop.run_forever()
    loop.run_until_complete(task)
    loop.close()


def test_stopping_the_idle_loop_ends_the_wait(idle_loop: asyncio.AbstractEventLoop) -> None:
    idle_loop.call_later(0.1, idle_loop.stop)
    with pytest.raises(errors.CanceledError, match="stopped"):
        wait(Signal(), 5)


def test_an_error_in_a_callback_goes_to_the_loops_handler_and_not_to_the_waiter() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: seen.append(str(context["exception"])))
        loop.call_later(0.05, lambda: [][0])
        assert not wait(Signal(), 0.2)
        return seen

    assert asyncio.run(main()) == ["list index out of range"]


def test_callbacks_in_the_waiters_own_context_wait_for_it_and_keep_their_order() -> None:
    import contextvars

    context = contextvars.copy_context()
    order: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def waiter() -> None:
            for number in range(3):
                loop.call_soon(order.append, number, context=context)
            loop.call_soon(order.append, "free", context=contextvars.Context())
            wait(Signal(), 0.2)
            order.append("end")

        loop.call_soon(waiter, context=context)
        await asyncio.sleep(0.3)

    asyncio.run(main())
    assert order == ["free", "end", 0, 1, 2]


def test_the_loop_finds_as_many_callbacks_as_it_had_counted_before_a_wait_ran_them() -> None:
    order: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: (wait(Signal(), 0.1), order.append("end of the wait")))
        for _ in range(5):
            loop.call_soon(order.append, "callback")
        await asyncio.sleep(0.2)

    asyncio.run(main())
    assert order == ["callback"] * 5 + ["end of the wait"]


def stress(waits: int = 200, ticks: int = 20) -> Callable[[], object]:
    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        failures: list[object] = []
        loop.set_exception_handler(lambda _, context: failures.append(context))
        timers = [loop.call_later(0.01 * (i % 20), int) for i in range(1000)]
        for timer in timers[::2]:
            timer.cancel()
        counts = [0] * 200

        async def ticker(index: int) -> None:
            for turn in range(ticks):
                counts[index] += 1
                await asyncio.sleep(0.001 * (turn % 3))

        tasks = [asyncio.create_task(ticker(index)) for index in range(200)]
        for _ in range(waits):
            signal = Signal()
            loop.call_later(0.001, signal.set)
            assert wait(signal, 60)
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return sum(counts), len(failures)

    return lambda: asyncio.run(main())


def test_tasks_and_timers_lose_nothing_to_many_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "GRACE", 0.0)
    assert stress()() == (200 * 20, 0)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_a_wait_in_an_eager_task_leaves_its_creator_current() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        creator = asyncio.current_task()

        async def eager() -> bool:
            loop.call_later(0.01, lambda: loop.create_task(asyncio.sleep(0)))
            return wait(Signal(), 0.15)

        task = loop.create_task(eager())
        assert task.done()
        assert asyncio.current_task() is creator
        await asyncio.sleep(0)

    asyncio.run(main())


# Interrupts


def test_an_interrupt_ends_the_wait_of_a_script() -> None:
    with pytest.raises(KeyboardInterrupt):
        wait(Interrupting(0.1), 60)


@pytest.mark.parametrize("delay", [0.01, 0.2])
def test_an_interrupt_ends_the_wait_and_not_the_tasks_of_the_idle_loop(
    idle_loop: asyncio.AbstractEventLoop, delay: float
) -> None:
    done = Signal()
    task = idle_loop.create_task(tick(60, done))
    with pytest.raises(KeyboardInterrupt):
        wait(Interrupting(delay), 60)
    assert signals.getsignal(signals.SIGINT) is signals.default_int_handler
    assert wait(done, 60)
    idle_loop.run_until_complete(task)


@pytest.mark.parametrize("delay", [0.01, 0.2])
def test_an_interrupt_in_a_running_loop_ends_only_the_wait(delay: float) -> None:
    loop = asyncio.new_event_loop()  # asyncio.run would bring a SIGINT handler of its own
    done = Signal()

    async def main() -> None:
        task = asyncio.create_task(tick(60, done))
        with pytest.raises(KeyboardInterrupt):
            wait(Interrupting(delay), 60)
        await task

    loop.run_until_complete(main())
    loop.close()
    assert done.is_set()


def test_asyncio_run_turns_an_interrupt_into_a_cancellation_as_ever() -> None:
    seen: list[type[BaseException]] = []

    async def main() -> None:
        try:
            wait(Interrupting(0.1), 60)
        except BaseException as error:
            seen.append(type(error))
            raise

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert seen == [asyncio.CancelledError]


def test_an_interrupt_of_waits_in_waits_reaches_the_outermost() -> None:
    loop = asyncio.new_event_loop()
    inner: list[type[BaseException]] = []

    async def inner_waiter() -> None:
        try:
            wait(Interrupting(0.1), 60)
        except BaseException as error:
            inner.append(type(error))

    async def main() -> None:
        task = asyncio.create_task(inner_waiter())
        with pytest.raises(KeyboardInterrupt):
            wait(Signal(), 60)
        await task

    loop.run_until_complete(main())
    loop.close()
    assert inner == [asyncio.CancelledError]


def test_an_ignored_interrupt_stays_ignored() -> None:
    loop = asyncio.new_event_loop()
    interrupting = Interrupting(0.1)

    async def main() -> bool:
        return wait(interrupting, 0.3)

    previous = signals.signal(signals.SIGINT, signals.SIG_IGN)
    try:
        assert loop.run_until_complete(main()) is False
        assert signals.getsignal(signals.SIGINT) is signals.SIG_IGN
        assert interrupting.timer is not None
        interrupting.timer.join()
    finally:
        signals.signal(signals.SIGINT, previous)
        loop.close()


# Loops that others patched, each in a process of its own: patches can't be undone


def run_python(code: str) -> str:
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


PRELUDE = """
import asyncio, threading, time
from ipyws.runtime import nested_loop
from ipyws.runtime import waiting
from ipyws.runtime.waiting import Signal, wait
from tests.runtime.test_waiting import stress, tick
"""


@pytest.mark.parametrize("nest", ["nest_asyncio", "nest_asyncio2"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_core_loop_stays_as_asyncio_made_it(nest: str, when: str) -> None:
    apply = f"import {nest}; asyncio.set_event_loop(user); {nest}.apply(user)\n"
    make = "core = nested_loop.new_core_loop()\n"
    order = apply + make if when == "before" else make + apply
    output = run_python(
        PRELUDE
        + "user = asyncio.new_event_loop()\n"
        + order
        + f"import {nest}; {nest}.apply(core)\n"
        + "base = asyncio.BaseEventLoop\n"
        + "names = ('run_forever', 'run_until_complete', '_run_once', '_check_running')\n"
        + "print([getattr(type(user), n) is getattr(base, n) for n in names].count(True))\n"
        + "print([getattr(core, n).__func__ is getattr(base, n) for n in names].count(True))\n"
        + "print(core.run_until_complete(asyncio.sleep(0, 'ran')))\n"
        + "core.close(); user.close()\n"
    )
    assert output.split() == ["0", "4", "ran"]


@pytest.mark.parametrize("nest", ["nest_asyncio", "nest_asyncio2"])
def test_a_core_loop_can_not_be_patched(nest: str) -> None:
    output = run_python(
        PRELUDE
        + f"core = nested_loop.new_core_loop()\nimport {nest}; {nest}.apply(core)\n"
        + "print(type(core)._run_once is asyncio.BaseEventLoop._run_once)\ncore.close()\n"
    )
    assert output.split() == ["True"]


@pytest.mark.parametrize("nest", ["nest_asyncio", "nest_asyncio2"])
def test_waits_lose_nothing_in_a_loop_patched_while_it_runs(nest: str) -> None:
    output = run_python(
        PRELUDE
        + "waiting.GRACE = 0\n"
        + f"import {nest}\nasync def main():\n    {nest}.apply()\n"
        + "    assert nested_loop.supported(asyncio.get_running_loop())\n"
        + "    done = Signal(); task = asyncio.create_task(tick(5, done))\n"
        + "    assert wait(done, 60); await task\n"
        + "loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop)\n"
        + "loop.run_until_complete(main())\nprint(stress()())\n"
    )
    assert output.strip() == str((200 * 20, 0))


def test_a_loop_that_we_do_not_know_is_re_entered_by_nest_asyncio2() -> None:
    output = run_python(
        PRELUDE
        + "nested_loop.supported = lambda loop: False\n"
        + "async def main():\n    done = Signal(); task = asyncio.create_task(tick(5, done))\n"
        + "    print(wait(done, 5), wait(Signal(), 0.2)); await task\n"
        + "asyncio.run(main())\n"
        + "import sys; print('nest_asyncio2' in sys.modules)\n"
    )
    assert output.split() == ["True", "False", "True"]


def test_a_loop_that_nobody_can_re_enter_is_blocked() -> None:
    output = run_python(
        PRELUDE
        + "import sys; sys.modules['nest_asyncio2'] = None\n"
        + "nested_loop.supported = lambda loop: False\n"
        + "async def main():\n    done = Signal(); other = Signal()\n"
        + "    task = asyncio.create_task(tick(5, done))\n"
        + "    threading.Timer(0.2, other.set).start()\n"
        + "    print(wait(other, 5), done.is_set()); await task\n"
        + "asyncio.run(main())\n"
    )
    assert output.split() == ["True", "False"]


def test_importing_the_wait_imports_no_patching_library() -> None:
    output = run_python(
        "import sys, ipyws.runtime.waiting; print([n for n in sys.modules if n.startswith('nest_asyncio')])"
    )
    assert output.strip() == "[]"


def test_only_loops_that_turn_as_asyncios_own_are_supported() -> None:
    class Foreign(asyncio.SelectorEventLoop):
        def call_soon(self, *args: object, **kwargs: object) -> asyncio.Handle:
            raise NotImplementedError

    loops = {kind: kind() for kind in (asyncio.SelectorEventLoop, Foreign)}
    core = nested_loop.new_core_loop()
    try:
        assert [nested_loop.supported(loop) for loop in (*loops.values(), core)] == [True, False, True]
    finally:
        for loop in (*loops.values(), core):
            loop.close()
