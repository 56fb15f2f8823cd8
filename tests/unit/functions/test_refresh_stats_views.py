from __future__ import annotations

from typing import Any

import pytest

from _shared.callers import Caller, Service, Webhook
from _shared.result import Err, ErrorCode, Ok
from refresh_stats_views.core import refresh_statistics
from tests.unit.functions.fakes import FakeDatabase, make_profile, make_report, make_user


@pytest.mark.parametrize("caller", [Webhook("msg_1"), Service()], ids=["webhook", "service"])
@pytest.mark.parametrize("outcome", ["refreshed", "debounced", "already_running", "nothing_pending"])
async def test_the_databases_report_is_the_answer(caller: Caller, outcome: str) -> None:
    report = make_report(outcome=outcome)
    database = FakeDatabase(report=report)
    assert await refresh_statistics(caller, database) == Ok(report)
    assert database.calls == ["refresh_stats_views"]


@pytest.mark.parametrize("role", ["coordinator", "org_admin"])
async def test_those_who_run_things_may_pull_to_refresh(role: str) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(role=role)})
    assert await refresh_statistics(user, database) == Ok(database.report)
    assert database.calls == ["get_profile", "refresh_stats_views"]


@pytest.mark.parametrize(
    "profile",
    [{"role": "peer_mentor"}, {"is_active": False}, None],
    ids=["peer-mentor", "inactive", "no-profile"],
)
async def test_others_may_not_and_nothing_is_refreshed(profile: dict[str, Any] | None) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(**profile)} if profile else {})
    assert await refresh_statistics(user, database) == Err(ErrorCode.FORBIDDEN)
    assert database.calls == ["get_profile"]


async def test_a_refresh_that_failed_in_the_database_is_no_success() -> None:
    database = FakeDatabase(report=make_report(outcome="failed", refreshed_at=None))
    assert await refresh_statistics(Service(), database) == Err(ErrorCode.INTERNAL, cause="refresh failed")


async def test_a_database_that_is_away_is_passed_on() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await refresh_statistics(Service(), FakeDatabase(failure=away)) == away
