from __future__ import annotations

from _shared.result import Err, ErrorCode, Ok
from health.core import check_health
from tests.unit.functions.fakes import NOW, FakeDatabase, make_health


async def test_a_reachable_database_makes_ready() -> None:
    database = FakeDatabase(health=make_health(pending_changes=7, oldest_pending_seconds=12, differences=2))
    result = await check_health(database)
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
    }


async def test_a_database_that_is_away_is_an_error() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await check_health(FakeDatabase(failure=away)) == away
