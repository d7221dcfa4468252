from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from ipyws import Channel, Received, after
from ipyws.errors import ClosedError, InvalidError, WaitTimeoutError

SOON = "20ms"


def in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def until_waiting(channel: Channel, count: int = 1) -> None:
    """Return once ``count`` operations wait for the channel."""
    end = time.monotonic() + 10
    while len(channel._waiting) < count:
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0)


def test_values_come_out_in_the_order_they_went_in() -> None:
    channel = Channel(3)
    for value in ("a", None, 0):
        channel.send(value)
    assert [channel.receive() for _ in range(3)] == [("a", True), (None, True), (0, True)]


def test_a_receive_unpacks_and_has_names() -> None:
    channel = Channel(1)
    channel.send("x")
    value, ok = received = channel.receive()
    assert (value, ok) == (received.value, received.ok) == ("x", True)
    assert isinstance(received, Received)


def test_a_closed_channel_is_drained_before_it_says_so() -> None:
    channel = Channel(3)
    channel.send(1)
    channel.send(2)
    channel.close()
    assert channel.closed
    assert [channel.receive() for _ in range(4)] == [(1, True), (2, True), (None, False), (None, False)]


def test_closing_is_idempotent() -> None:
    channel = Channel(1)
    channel.close()
    channel.close()
    assert channel.receive() == (None, False)


def test_sending_on_a_closed_channel_raises() -> None:
    channel = Channel(1)
    channel.close()
    with pytest.raises(ClosedError, match="channel is closed"):
        channel.send(1)


def test_closing_wakes_everyone_who_waits() -> None:
    empty, full = Channel(1), Channel(1)
    full.send("there")
    outcomes: list[object] = []

    def receive() -> None:
        outcomes.append(empty.receive("10s"))

    def send() -> None:
        with pytest.raises(ClosedError) as caught:
            full.send("late", "10s")
        outcomes.append(caught.value.kind)

    threads = [in_thread(receive), in_thread(receive), in_thread(send)]
    until_waiting(empty, 2)
    until_waiting(full)
    empty.close()
    full.close()
    for thread in threads:
        thread.join(60)
    assert Counter(outcomes) == {(None, False): 2, "UNAVAILABLE": 1}
    assert full.receive() == ("there", True)


@pytest.mark.parametrize("capacity", [1, 2, 100])
def test_it_takes_exactly_its_capacity(capacity: int) -> None:
    channel = Channel(capacity)
    for value in range(capacity):
        channel.send(value)
    assert len(channel) == capacity
    with pytest.raises(WaitTimeoutError, match="5 ms passed"):
        channel.send("one more", 5)
    channel.receive()
    channel.send("one more", 5)
    assert len(channel) == capacity


@pytest.mark.parametrize("capacity", [1, 32, 10_000])
def test_capacities_that_are_allowed(capacity: int) -> None:
    assert Channel(capacity).capacity == capacity


@pytest.mark.parametrize(
    "capacity", [0, -1, 10_001, True, 1.5, "32", None, pytest.param(10**5000, id="huge")]
)
def test_capacities_that_are_refused(capacity: object) -> None:
    with pytest.raises(InvalidError, match="channel_capacity is") as caught:
        Channel(capacity)  # type: ignore[arg-type]
    assert "1 to 10000" in caught.value.hint


@pytest.mark.parametrize(
    ("timeout", "said"), [(5, "5 ms"), ("5ms", "5ms"), (timedelta(milliseconds=5), "5ms"), (0.5, "0.5 ms")]
)
def test_a_receive_that_takes_too_long_repeats_its_timeout(timeout: object, said: str) -> None:
    with pytest.raises(WaitTimeoutError, match=f"{said} passed"):
        Channel(1).receive(timeout)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [0, -5, "5", "soon", True])
def test_a_timeout_must_be_a_duration(timeout: object) -> None:
    channel = Channel(1)
    channel.send("kept")
    with pytest.raises(InvalidError):
        channel.receive(timeout)  # type: ignore[arg-type]
    assert len(channel) == 1


def test_a_timeout_that_passes_leaves_nothing_behind() -> None:
    channel = Channel(1)
    with pytest.raises(WaitTimeoutError):
        channel.receive(1)
    assert list(channel._waiting) == []


def test_iterating_ends_when_closed_and_drained() -> None:
    channel = Channel(5)
    for value in range(3):
        channel.send(value)
    channel.close()
    assert list(channel) == [0, 1, 2]


def test_iterating_waits_for_what_comes() -> None:
    channel = Channel(1)
    seen: list[int] = []
    reader = in_thread(lambda: seen.extend(channel))
    for value in range(100):
        channel.send(value, "10s")
    channel.close()
    reader.join(60)
    assert seen == list(range(100))


def test_an_empty_channel_is_still_true() -> None:
    assert Channel(1)


def test_repr_tells_state_and_fill() -> None:
    channel = Channel(2)
    channel.send("x")
    assert repr(channel) == "<Channel open, 1 of 2 waiting>"
    channel.close()
    assert repr(channel) == "<Channel closed, 1 of 2 waiting>"


@pytest.mark.parametrize("capacity", [1, 32])
def test_nothing_is_lost_or_doubled_between_threads(capacity: int) -> None:
    channel = Channel(capacity)
    received: list[list[tuple[int, int]]] = [[] for _ in range(4)]

    def send(sender: int) -> None:
        for number in range(1000):
            channel.send((sender, number), "20s")

    senders = [in_thread(lambda sender=sender: send(sender)) for sender in range(4)]  # type: ignore[misc]
    receivers = [in_thread(lambda mine=mine: mine.extend(channel)) for mine in received]  # type: ignore[misc]
    for thread in senders:
        thread.join(60)
    channel.close()
    for thread in receivers:
        thread.join(60)
    assert Counter(value for mine in received for value in mine) == Counter(
        (sender, number) for sender in range(4) for number in range(1000)
    )
    for mine in received:
        for sender in range(4):
            order = [number for who, number in mine if who == sender]
            assert order == sorted(order)


def test_threads_and_tasks_share_a_channel() -> None:
    channel = Channel(4)
    by_task: list[int] = []
    by_thread: list[int] = []

    async def receive() -> None:
        by_task.extend([value async for value in channel])

    def send() -> None:
        for value in range(500):
            channel.send(value, "20s")

    async def main() -> None:
        receiver = asyncio.create_task(receive())
        sender = asyncio.create_task(asyncio.to_thread(send))
        for value in range(500, 1000):
            await channel.send_async(value, "20s")
        await sender
        channel.close()
        await receiver

    reader = in_thread(lambda: by_thread.extend(channel))
    asyncio.run(main())
    reader.join(60)
    assert sorted(by_task + by_thread) == list(range(1000))


def test_the_async_face_times_out_and_closes_like_the_other() -> None:
    async def main() -> None:
        channel = Channel(1)
        with pytest.raises(WaitTimeoutError, match="5 ms passed"):
            await channel.receive_async(5)
        await channel.send_async("x")
        with pytest.raises(WaitTimeoutError, match="5 ms passed"):
            await channel.send_async("y", 5)
        channel.close()
        with pytest.raises(ClosedError):
            await channel.send_async("y")
        assert await channel.receive_async() == ("x", True)
        assert await channel.receive_async() == (None, False)

    asyncio.run(main())


def test_cancelling_a_receive_loses_nothing() -> None:
    async def main() -> None:
        channel = Channel(1)
        taken = []
        for number in range(200):
            task = asyncio.create_task(channel.receive_async())
            await asyncio.sleep(0)
            # The value is there when the cancellation arrives: it must go to the task, or stay.
            channel.send(number)
            task.cancel()
            try:
                taken.append((await task).value)
            except asyncio.CancelledError:
                taken.append(channel.receive().value)
        assert taken == list(range(200))
        assert list(channel._waiting) == []

    asyncio.run(main())


def test_a_cancelled_receiver_leaves_the_value_to_another() -> None:
    async def main() -> None:
        channel = Channel(1)
        first = asyncio.create_task(channel.receive_async())
        second = asyncio.create_task(channel.receive_async("10s"))
        await asyncio.sleep(0)
        first.cancel()
        channel.send("x")
        assert await second == ("x", True)
        assert first.cancelled()

    asyncio.run(main())


def test_after_delivers_the_time_once_and_closes() -> None:
    channel = after(SOON)
    value, ok = channel.receive("10s")
    assert ok
    assert abs(value - time.time()) < 5
    assert channel.receive() == (None, False)
    assert channel.closed
    assert list(after("1ms")) == [pytest.approx(time.time(), abs=5)]


@pytest.mark.parametrize("delay", [1, 7.5, 20])
def test_after_is_never_early(delay: float) -> None:
    for _ in range(5):
        start = time.monotonic()
        after(delay).receive()
        assert time.monotonic() - start >= delay / 1000


def test_after_is_never_early_in_a_coroutine() -> None:
    async def main() -> float:
        start = time.monotonic()
        await after(20).receive_async()
        return time.monotonic() - start

    assert asyncio.run(main()) >= 0.02


def test_after_waits_no_longer_than_the_timeout() -> None:
    with pytest.raises(WaitTimeoutError, match="5 ms passed"):
        after("1h").receive(5)


def test_a_timer_that_is_stopped_never_delivers() -> None:
    timer = after("1h")
    reader: list[object] = []
    thread = in_thread(lambda: reader.append(timer.receive("10s")))
    until_waiting(timer)
    timer.stop()
    thread.join(60)
    assert reader == [(None, False)]
    assert after(1).stop().receive() == (None, False)


def test_nobody_can_send_to_a_timer() -> None:
    with pytest.raises(InvalidError, match="only be received from"):
        after("1h").send("x")


@pytest.mark.parametrize("delay", [0, -1, "0", "5", "", None, True])
def test_a_delay_is_a_positive_duration(delay: object) -> None:
    with pytest.raises(InvalidError, match="delay"):
        after(delay)  # type: ignore[arg-type]


def test_channels_start_no_threads() -> None:
    before = threading.active_count()
    channels = [Channel(1), after("1h")]
    assert not any(channel.closed for channel in channels)
    assert threading.active_count() == before
