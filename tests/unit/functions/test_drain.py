from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from _shared.result import Err, ErrorCode, Ok
from invalidate_hierarchy_cache.drain import (
    DRAIN_SECONDS,
    FOLLOW_SECONDS,
    PAUSE_SECONDS,
    Drained,
    Follower,
    Pace,
    drain,
)
from tests.unit.functions.fakes import FakeDatabase
from tests.unit.functions.hierarchy_fakes import HLF, NHF, make_batch

if TYPE_CHECKING:
    from _shared.rows import DrainReport

AWAY = Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="40P01")
ENDLESS = [make_batch(more=True)] * 10_000


class Time:
    """A clock that moves only while somebody waits; others have their turn meanwhile."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pace = Pace(clock=lambda: self.now, pause=self.pause)

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def test_batches_are_added_up_until_there_is_no_more() -> None:
    time = Time()
    database = FakeDatabase(
        batches=[
            make_batch(units=5, invalidated=9, organization_ids=[NHF, HLF], more=True),
            make_batch(units=0, invalidated=0, organization_ids=[], more=True),
            make_batch(units=2, invalidated=3, more=False),
        ]
    )
    assert await drain(database, time.pace) == Ok(Drained(7, 12, {NHF, HLF}, more=False))
    assert time.now - 1000 == pytest.approx(2 * PAUSE_SECONDS)


async def test_before_the_answer_it_is_soon_enough() -> None:
    time, database = Time(), FakeDatabase(batches=list(ENDLESS))
    drained = await drain(database, time.pace)
    assert isinstance(drained, Ok)
    assert drained.value.more
    assert time.now - 1000 == pytest.approx(DRAIN_SECONDS, abs=PAUSE_SECONDS)
    assert drained.value.units == database.calls.count("take_unit_changes")


async def test_one_batch_is_taken_however_long_it_takes() -> None:
    time = Time()

    class Slow(FakeDatabase):
        async def take_unit_changes(self) -> Ok[DrainReport]:
            time.now += 10 * DRAIN_SECONDS
            return Ok(make_batch(more=True))

    assert await drain(Slow(), time.pace) == Ok(Drained(1, 3, {NHF}, more=True))


async def test_the_follower_goes_on_until_there_is_no_more() -> None:
    time = Time()
    database = FakeDatabase(batches=[make_batch(more=True), make_batch(organization_ids=[HLF])])
    assert await Follower().run(database, time.pace) == Ok(Drained(2, 6, {NHF, HLF}, more=False))
    assert database.calls == ["take_unit_changes"] * 2


async def test_a_follower_that_nobody_asks_again_ends_and_has_another_call_sent() -> None:
    time, database = Time(), FakeDatabase(batches=list(ENDLESS))
    assert isinstance(await Follower().run(database, time.pace), Ok)
    assert time.now - 1000 == pytest.approx(FOLLOW_SECONDS, abs=PAUSE_SECONDS)
    assert database.calls.count("request_invalidation_again") == 1
    assert database.calls[-1] == "request_invalidation_again"


async def test_many_callers_are_followed_by_one() -> None:
    time, database = Time(), FakeDatabase(batches=[make_batch(more=True), make_batch()])
    follower = Follower()
    first, *others = await asyncio.gather(*(follower.run(database, time.pace) for _ in range(10)))
    assert first == Ok(Drained(2, 6, {NHF}, more=False))
    assert others == [Ok(Drained(more=False))] * 9
    assert database.calls == ["take_unit_changes"] * 2


async def test_who_asks_during_the_last_batch_gets_one_more() -> None:
    """A batch that was seen empty before they asked says nothing about the writer they are about."""
    time, follower = Time(), Follower()
    begun, gate = asyncio.Event(), asyncio.Event()

    class Gated(FakeDatabase):
        async def take_unit_changes(self) -> Ok[DrainReport]:
            self.calls.append("take_unit_changes")
            begun.set()
            await gate.wait()
            return Ok(make_batch(units=1, more=False))

    database = Gated()
    running = asyncio.create_task(follower.run(database, time.pace))
    await begun.wait()
    assert await follower.run(database, time.pace) == Ok(Drained(more=False))
    gate.set()
    assert await running == Ok(Drained(2, 6, {NHF}, more=False))
    assert database.calls == ["take_unit_changes"] * 2


async def test_as_long_as_somebody_asks_the_follower_goes_on() -> None:
    time, follower = Time(), Follower()
    database = FakeDatabase(batches=list(ENDLESS))
    running = asyncio.create_task(follower.run(database, time.pace))
    while time.now < 1000 + 5 * FOLLOW_SECONDS:
        await asyncio.sleep(0)
        await follower.run(database, time.pace)
    assert not running.done()
    assert "request_invalidation_again" not in database.calls
    await running
    assert time.now - 1000 == pytest.approx(6 * FOLLOW_SECONDS, abs=3 * PAUSE_SECONDS)
    assert database.calls.count("request_invalidation_again") == 1


@pytest.mark.parametrize("method", ["take_unit_changes", "request_invalidation_again"])
async def test_a_follower_that_fails_says_so_and_can_run_again(method: str) -> None:
    time, follower = Time(), Follower()
    database = FakeDatabase(batches=list(ENDLESS), failures={method: AWAY})
    assert await follower.run(database, time.pace) == AWAY
    assert await follower.run(FakeDatabase(batches=[make_batch()]), time.pace) == Ok(
        Drained(1, 3, {NHF}, more=False)
    )
