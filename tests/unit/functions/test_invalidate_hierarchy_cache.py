from __future__ import annotations

import asyncio

import pytest

from _shared.call import Call, Input
from _shared.callers import Caller, Service, Webhook
from _shared.result import Err, ErrorCode, Ok
from _shared.rows import WarmUpReport
from _shared.warm_up import MAX_SECONDS
from invalidate_hierarchy_cache.core import Background, invalidate_hierarchy
from invalidate_hierarchy_cache.drain import Pace
from invalidate_hierarchy_cache.models import InvalidationReport
from tests.unit.functions.fakes import FakeDatabase
from tests.unit.functions.hierarchy_fakes import HLF, NHF, make_batch

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
        warmed=WarmUpReport(warmed=3, skipped=1),
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
    assert await run_after(call) == [Ok(database.warmed)]
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
