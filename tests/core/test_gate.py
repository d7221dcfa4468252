"""What coroutines wait for until it is so."""

from __future__ import annotations

import asyncio

from ipyws.core.gate import Gate


def test_nobody_waits_where_it_is_set() -> None:
    async def scenario() -> bool:
        gate = Gate(True)
        await asyncio.wait_for(gate.wait(), 5)
        return gate.is_set()

    assert asyncio.run(scenario())


def test_all_who_wait_go_on_once_it_is_set_and_those_who_come_after_it_is_cleared_wait_for_the_next() -> None:
    async def scenario() -> list[str]:
        gate, gone = Gate(False), list[str]()

        async def go(name: str) -> None:
            await gate.wait()
            gone.append(name)

        async with asyncio.TaskGroup() as group:
            early = [group.create_task(go("early")), group.create_task(go("early"))]
            await asyncio.sleep(0)
            assert gone == []
            gate.set()
            gate.clear()  # before they had their turn: they go on all the same, as with `asyncio.Event`
            late = group.create_task(go("late"))
            await asyncio.wait(early)
            assert gone == ["early", "early"]
            assert not gate.is_set()
            gate.set()
            await late
        return gone

    assert asyncio.run(scenario()) == ["early", "early", "late"]
