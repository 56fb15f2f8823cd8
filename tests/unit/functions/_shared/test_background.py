"""Work that is under way is not begun again. What is done behind an answer is in `http/test_endpoint.py`."""

from __future__ import annotations

import asyncio

import pytest

from _shared.background import SingleFlight


class Work:
    """Work that lasts until `gate` opens; knows what was begun."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[str] = []

    async def run(self, flights: SingleFlight[str], key: str) -> str | None:
        async def work() -> str:
            self.begun.append(key)
            await self.gate.wait()
            return f"{key} done"

        return await flights.run(key, work)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_asks_for_what_is_under_way_gets_nothing_at_once() -> None:
    work, flights = Work(), SingleFlight[str]()
    first = asyncio.create_task(work.run(flights, "a"))
    await settle()
    assert await work.run(flights, "a") is None
    work.gate.set()
    assert await first == "a done"
    assert await work.run(flights, "a") == "a done"
    assert work.begun == ["a", "a"]


async def test_keys_are_worked_on_beside_each_other_but_not_more_than_the_limit() -> None:
    work, flights = Work(), SingleFlight[str](limit=2)
    running = [asyncio.create_task(work.run(flights, key)) for key in ("a", "b", "c", "d")]
    await settle()
    assert work.begun == ["a", "b"]
    assert flights.accepts("a")
    assert not flights.accepts("d")
    work.gate.set()
    assert await asyncio.gather(*running) == ["a done", "b done", None, None]
    assert flights.accepts("d")


async def test_without_a_limit_there_is_room_for_any_number() -> None:
    work, flights = Work(), SingleFlight[str]()
    running = [asyncio.create_task(work.run(flights, str(n))) for n in range(100)]
    await settle()
    assert len(work.begun) == 100
    work.gate.set()
    await asyncio.gather(*running)


async def test_work_that_breaks_or_is_cancelled_gives_its_place_back() -> None:
    work, flights = Work(), SingleFlight[str](limit=1)

    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await flights.run("a", broken)
    running = asyncio.create_task(work.run(flights, "a"))
    await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    work.gate.set()
    assert await work.run(flights, "b") == "b done"
