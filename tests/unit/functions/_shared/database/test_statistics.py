from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import SECRET_KEY
from tests.support.examples import make_health, make_report

if TYPE_CHECKING:
    import respx

    from _shared.database import Database


REST = "http://supabase.test/rest/v1"


async def test_refreshing_is_an_rpc_with_the_secret_key(database: Database, rest: respx.Router) -> None:
    report = make_report()
    route = rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=report.model_dump(mode="json"))
    assert await database.refresh_stats_views() == Ok(report)
    request = route.calls.last.request
    assert request.headers["apikey"] == SECRET_KEY
    assert request.headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert json.loads(request.content) == {}


async def test_durations_are_whole_milliseconds(database: Database, rest: respx.Router) -> None:
    answer = make_report().model_dump(mode="json") | {"duration_ms": 41.6, "refreshed_at": None, "extra": 1}
    rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=answer)
    assert await database.refresh_stats_views() == Ok(make_report(duration_ms=42, refreshed_at=None))


async def test_health_leaves_the_last_error_in_the_database(database: Database, rest: respx.Router) -> None:
    health = make_health(pending_changes=7, oldest_pending_seconds=3)
    answer = health.model_dump(mode="json") | {"last_error": "23505: duplicate key (kari)"}
    rest.post(f"{REST}/rpc/get_health").respond(json=answer)
    assert await database.get_health() == Ok(health)


@pytest.mark.parametrize("answer", [{}, None, [], {"outcome": "exploded"}], ids=str)
async def test_an_unexpected_answer_is_internal(database: Database, rest: respx.Router, answer: Any) -> None:
    rest.post(f"{REST}/rpc/refresh_stats_views").respond(json=answer)
    assert await database.refresh_stats_views() == Err(ErrorCode.INTERNAL, cause="unexpected RefreshReport")
