from __future__ import annotations

from inspect import unwrap
from typing import Any

from _shared.callers import Anonymous
from _shared.http.request import Call
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok
from health import health
from tests.support.examples import NOW, make_health
from tests.support.fake_database import FakeDatabase


async def check_health(database: FakeDatabase) -> Any:
    return await unwrap(health)(Call("GET", Anonymous(), Input(), database))


async def test_a_reachable_database_makes_ready() -> None:
    state = make_health(pending_changes=7, oldest_pending_seconds=12, differences=2)
    result = await check_health(FakeDatabase(get_health=state))
    assert isinstance(result, Ok)
    assert result.value.model_dump() == {
        "status": "ready",
        "database": "reachable",
        "last_refreshed_at": NOW,
        "last_sweep_at": NOW,
        "pending_changes": 7,
        "oldest_pending_seconds": 12,
        "differences": 2,
        "last_difference_at": None,
        "last_delivered_at": NOW,
        "last_undelivered_at": None,
        "reasons": (),
    }


async def test_a_reason_makes_degraded_and_is_told() -> None:
    reason = {"code": "sweep_stopped", "since": NOW, "remedy": "Look at the schedules."}
    result = await check_health(FakeDatabase(get_health=make_health(reasons=[reason])))
    assert isinstance(result, Ok)
    assert (result.value.status, result.value.model_dump()["reasons"]) == ("degraded", (reason,))


async def test_a_database_that_is_away_is_an_error() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await check_health(FakeDatabase(failure=away)) == away
