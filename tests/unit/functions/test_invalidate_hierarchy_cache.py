from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from _shared.callers import Caller, Service, Webhook
from _shared.database.hierarchy import WarmUpReport
from _shared.http.request import Call
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok
from _shared.warm_up import MAX_SECONDS
from invalidate_hierarchy_cache import (
    DRAIN_SECONDS,
    FOLLOW_SECONDS,
    PAUSE_SECONDS,
    Background,
    Drained,
    Follower,
    InvalidationReport,
    Pace,
    drain,
    invalidate_hierarchy,
)
from tests.support.examples import HLF, NHF, make_batch
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from _shared.database.hierarchy import DrainReport

AWAY = Err(ErrorCode.UPSTREAM_UNAVAILABLE, cause="40P01")
DRAINED_ONCE = ["acknowledge_wake_ups", "take_unit_changes"]


def make_background() -> Background:
    """One whose time passes only by waiting."""
    now = 1000.0

    async def pause(seconds: float) -> None:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    return Background(pace=Pace(clock=lambda: now, pause=pause))


def make_call(database: FakeDatabase, caller: Caller | None = None) -> Call[Input]:
    return Call("POST", caller or Service(), Input(), database)


async def run_after(call: Call[Input]) -> list[object]:
    return list(await asyncio.gather(*(work() for work in call.after)))


async def test_wake_ups_are_acknowledged_once_before_anything_is_taken() -> None:
    database = FakeDatabase(batches=[make_batch(more=True), make_batch()])
    await invalidate_hierarchy(make_call(database), make_background())
    assert database.calls[:3] == [*DRAINED_ONCE, "take_unit_changes"]
    assert database.calls.count("acknowledge_wake_ups") == 1


async def test_with_nothing_in_the_log_nothing_is_warmed() -> None:
    database = FakeDatabase()
    call = make_call(database)
    answer = await invalidate_hierarchy(call, make_background())
    assert answer == Ok(InvalidationReport(units=0, invalidated=0, warmed=0))
    assert database.calls == DRAINED_ONCE
    assert call.after == []


async def test_each_touched_organisation_is_warmed_once_in_a_bounded_time() -> None:
    database = FakeDatabase(
        batches=[make_batch(organization_ids=[HLF, NHF], more=True), make_batch()],
        warm_hierarchy_cache=WarmUpReport(warmed=3, skipped=1),
    )
    answer = await invalidate_hierarchy(make_call(database), make_background())
    assert answer == Ok(InvalidationReport(units=2, invalidated=6, warmed=6))
    warm_ups = [asked for asked in database.asked if asked[0] == "warm_hierarchy_cache"]
    assert warm_ups == [("warm_hierarchy_cache", one, MAX_SECONDS) for one in (NHF, HLF)]


async def test_a_webhook_is_answered_before_the_warm_up() -> None:
    database = FakeDatabase(batches=[make_batch()])
    call = make_call(database, Webhook("msg_1"))
    answer = await invalidate_hierarchy(call, make_background())
    assert answer == Ok(InvalidationReport(units=1, invalidated=3, warmed=0))
    assert database.calls == DRAINED_ONCE
    assert await run_after(call) == [Ok(WarmUpReport(warmed=2, skipped=1))]
    assert database.calls == [*DRAINED_ONCE, "warm_hierarchy_cache"]


@pytest.mark.parametrize("caller", [Webhook("msg_1"), Service()], ids=["webhook", "service"])
async def test_what_is_more_than_the_answer_can_wait_for_is_drained_and_warmed_behind_it(
    caller: Caller,
) -> None:
    soon, late = make_batch(more=True), make_batch(organization_ids=[HLF], more=True)
    background = make_background()
    probe = FakeDatabase(batches=[soon] * 1000)
    await invalidate_hierarchy(make_call(probe), background)
    taken = probe.calls.count("take_unit_changes")  # before an answer

    database = FakeDatabase(batches=[soon] * taken + [late] * 3)
    call = make_call(database, caller)
    answer = await invalidate_hierarchy(call, background)
    assert isinstance(answer, Ok)
    assert answer.value.units == taken == database.calls.count("take_unit_changes")
    assert all(isinstance(done, Ok) for done in await run_after(call))
    assert database.calls.count("take_unit_changes") == taken + 4  # the last one found nothing
    warmed = [asked[1] for asked in database.asked if asked[0] == "warm_hierarchy_cache"]
    assert sorted(warmed) == [NHF, HLF]
    assert "request_invalidation_again" not in database.calls


@pytest.mark.parametrize("method", [*DRAINED_ONCE, "warm_hierarchy_cache"])
async def test_what_the_database_fails_in_is_passed_on(method: str) -> None:
    database = FakeDatabase(batches=[make_batch()], failures={method: AWAY})
    assert await invalidate_hierarchy(make_call(database), make_background()) == AWAY
    assert database.calls[-1] == method


async def test_a_drain_that_failed_leaves_nothing_to_do_behind_the_answer() -> None:
    database = FakeDatabase(failures={"take_unit_changes": AWAY})
    call = make_call(database, Webhook("msg_1"))
    assert await invalidate_hierarchy(call, make_background()) == AWAY
    assert call.after == []


@pytest.mark.parametrize("method", ["request_invalidation_again", "warm_hierarchy_cache"])
async def test_a_failure_behind_the_answer_is_told_to_the_log(method: str) -> None:
    database = FakeDatabase(batches=[make_batch(more=True)] * 10_000, failures={method: AWAY})
    call = make_call(database, Webhook("msg_1"))
    assert isinstance(await invalidate_hierarchy(call, make_background()), Ok)
    assert AWAY in await run_after(call)


# --- draining -------------------------------------------------------------------------------------------

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
