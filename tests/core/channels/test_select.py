from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest

from ipyws import Channel, after, select, select_async
from ipyws.core.channels.select import Case
from ipyws.errors import ClosedError, InvalidError, WaitTimeoutError


def ready(*values: object) -> Channel:
    channel = Channel(max(1, len(values)))
    for value in values:
        channel.send(value)
    return channel


class Endless(Channel):
    """A stream that is always ready."""

    def __init__(self) -> None:
        super().__init__(1)

    def _take(self) -> tuple[object, bool]:
        return "tick", True


def test_it_takes_from_the_channel_that_is_ready() -> None:
    empty, full = Channel(1), ready("x")
    chosen = select(empty.case_receive(), full.case_receive())
    assert (chosen.channel, chosen.value, chosen.ok, chosen.default) == (full, "x", True, False)
    assert len(full) == 0


def test_only_the_chosen_case_happens() -> None:
    channels = [ready("a"), ready("b"), ready("c")]
    target = Channel(1)
    cases = [*(channel.case_receive() for channel in channels), target.case_send("d")]
    left = []
    for _ in range(4):
        select(*cases)
        left.append(sum(map(len, channels)) + (1 - len(target)))
    assert left == [3, 2, 1, 0]


def test_it_waits_for_the_first_to_become_ready() -> None:
    slow, fast = Channel(1), Channel(1)
    waiting = threading.Event()

    def feed() -> None:
        waiting.wait(60)
        fast.send("x")

    thread = threading.Thread(target=feed)
    thread.start()
    waiting.set()
    chosen = select(slow.case_receive(), fast.case_receive(), timeout="10s")
    thread.join(60)
    assert (chosen.channel, chosen.value) == (fast, "x")
    assert list(slow._waiting) == []
    assert list(fast._waiting) == []


def test_sending_goes_on_when_there_is_room() -> None:
    full, free = ready("x"), Channel(1)
    chosen = select(full.case_send("y"), free.case_send("z"))
    assert (chosen.channel, chosen.value, chosen.ok) == (free, "z", True)
    assert free.receive().value == "z"
    assert full.receive().value == "x"


def test_sending_waits_for_room() -> None:
    full = ready("x")
    thread = threading.Thread(target=full.receive)
    thread.start()
    assert select(full.case_send("y"), timeout="10s").channel is full
    thread.join(60)
    assert full.receive() == ("y", True)


def test_a_closed_channel_is_ready_and_not_ok() -> None:
    channel = ready("last")
    channel.close()
    results = [select(channel.case_receive()) for _ in range(2)]
    assert [(r.value, r.ok) for r in results] == [("last", True), (None, False)]


def test_sending_to_a_closed_channel_raises() -> None:
    channel = Channel(1)
    channel.close()
    with pytest.raises(ClosedError):
        select(channel.case_send("x"))


def test_default_returns_at_once_when_nothing_is_ready() -> None:
    chosen = select(Channel(1).case_receive(), ready("x").case_send("y"), default=True)
    assert chosen.default
    assert (chosen.channel, chosen.value) == (None, None)


def test_default_is_not_taken_when_something_is_ready() -> None:
    assert select(ready("x").case_receive(), default=True).value == "x"


@pytest.mark.parametrize(("timeout", "said"), [(5, "5 ms"), ("5ms", "5ms"), ("0.005s", "0.005s")])
def test_a_timeout_that_passes_raises_and_repeats_the_value(timeout: object, said: str) -> None:
    channels = [Channel(1), Channel(1)]
    with pytest.raises(WaitTimeoutError, match=f"^no channel was ready: {said} passed"):
        select(*(channel.case_receive() for channel in channels), timeout=timeout)  # type: ignore[arg-type]
    assert [list(channel._waiting) for channel in channels] == [[], []]


@pytest.mark.parametrize("timeout", [0, -1, "5", "", False])
def test_a_timeout_is_a_positive_duration(timeout: object) -> None:
    with pytest.raises(InvalidError, match="timeout"):
        select(ready("x").case_receive(), timeout=timeout)  # type: ignore[arg-type]


def test_it_needs_a_case() -> None:
    with pytest.raises(InvalidError, match="no case"):
        select()
    with pytest.raises(InvalidError, match="no case"):
        select(default=True)


@pytest.mark.parametrize("case", [Channel(1), None, "x", ("receive", Channel(1))])
def test_a_case_comes_from_a_channel(case: object) -> None:
    with pytest.raises(InvalidError, match=f"got a {type(case).__name__}"):
        select(case)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [1, -1])
def test_a_busy_stream_does_not_starve_a_timer(order: int) -> None:
    busy, timer = Endless(), after(5)
    cases = [busy.case_receive(), timer.case_receive()][::order]
    rounds_after_due = 0
    end = time.monotonic() + 10
    while select(*cases).channel is busy:
        rounds_after_due += time.monotonic() >= timer._due
        assert time.monotonic() < end
    assert rounds_after_due <= 2


def test_channels_that_are_always_ready_take_turns() -> None:
    streams = [Endless() for _ in range(3)]
    cases = [stream.case_receive() for stream in streams]
    chosen = Counter(id(select(*cases).channel) for _ in range(300))
    assert [chosen[id(stream)] for stream in streams] == [100, 100, 100]


def test_a_timer_ends_a_wait() -> None:
    timer = after(10)
    start = time.monotonic()
    chosen = select(Channel(1).case_receive(), timer.case_receive(), timeout="10s")
    assert chosen.channel is timer
    assert 0.01 <= time.monotonic() - start < 5


def test_the_earliest_of_several_timers_wins() -> None:
    late, early = after("1h"), after(5)
    assert select(late.case_receive(), early.case_receive(), timeout="10s").channel is early


def test_one_channel_can_be_in_several_cases() -> None:
    channel = Channel(1)
    values = [select(channel.case_receive(), channel.case_send("x")).value for _ in range(4)]
    assert values == ["x"] * 4
    assert len(channel) == 0


def test_selects_in_several_threads_lose_and_double_nothing() -> None:
    numbers, letters = Channel(4), Channel(4)
    taken: list[list[object]] = [[], [], []]

    def take(mine: list[object]) -> None:
        cases: list[Case] = [numbers.case_receive(), letters.case_receive()]
        while cases:
            chosen = select(*cases, timeout="20s")
            if chosen.ok:
                mine.append(chosen.value)
            else:
                cases = [case for case in cases if case.channel is not chosen.channel]

    def feed(channel: Channel, kind: str) -> None:
        for number in range(500):
            select(channel.case_send((kind, number)), timeout="20s")
        channel.close()

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    threads += [threading.Thread(target=feed, args=each) for each in ((numbers, "n"), (letters, "l"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    everything = [value for mine in taken for value in mine]
    assert sorted(everything) == sorted((kind, number) for kind in "nl" for number in range(500))  # type: ignore[type-var]


def test_the_async_face_selects_alike() -> None:
    async def main() -> None:
        empty, full = Channel(1), ready("x")
        assert (await select_async(empty.case_receive(), full.case_receive())).value == "x"
        assert (await select_async(empty.case_receive(), default=True)).default
        with pytest.raises(WaitTimeoutError, match="5 ms passed"):
            await select_async(empty.case_receive(), timeout=5)
        with pytest.raises(InvalidError):
            await select_async()
        waiting = asyncio.create_task(select_async(empty.case_receive(), after("10s").case_receive()))
        await asyncio.sleep(0)
        await asyncio.to_thread(empty.send, "y")
        assert (await waiting).value == "y"

    asyncio.run(main())


def test_a_cancelled_select_takes_nothing_and_leaves_nothing() -> None:
    async def main() -> None:
        channel = Channel(1)
        task = asyncio.create_task(select_async(channel.case_receive()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(channel._waiting) == []
        channel.send("x")
        assert channel.receive() == ("x", True)

    asyncio.run(main())
