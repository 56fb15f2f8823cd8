from __future__ import annotations

import asyncio
from inspect import unwrap
from typing import TYPE_CHECKING, Any

import pytest

from _shared.callers import Service, Webhook
from _shared.http.request import Call
from _shared.result import Err, ErrorCode, Ok, Result
from refresh_stats_views import WEBHOOK_PATIENCE_SECONDS, RefreshRequest, refresh_stats_views
from tests.support.credentials import make_user
from tests.support.examples import make_profile, make_report
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from _shared.callers import Caller
    from _shared.database.statistics import RefreshReport


refresh_statistics = unwrap(refresh_stats_views)


def asked_by(caller: Caller, database: FakeDatabase) -> Call[RefreshRequest]:
    return Call("POST", caller, RefreshRequest(), database)


@pytest.mark.parametrize("caller", [Webhook("msg_1"), Service()], ids=["webhook", "service"])
@pytest.mark.parametrize("outcome", ["refreshed", "debounced", "already_running", "nothing_pending"])
async def test_the_databases_report_is_the_answer(caller: Caller, outcome: str) -> None:
    report = make_report(outcome=outcome)
    database = FakeDatabase(refresh_stats_views=report)
    assert await refresh_statistics(asked_by(caller, database)) == Ok(report)
    assert database.calls == ["refresh_stats_views"]


class SlowDatabase(FakeDatabase):
    """Refreshes only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_finish = asyncio.Event()

    async def refresh_stats_views(self) -> Result[RefreshReport]:
        await self.may_finish.wait()
        return await super().refresh_stats_views()


async def test_a_webhook_does_not_wait_for_a_long_refresh_which_goes_on_behind_its_answer() -> None:
    database = SlowDatabase()
    call = asked_by(Webhook("msg_1"), database)
    answer = await refresh_statistics(call)
    assert answer == Ok(
        make_report(outcome="already_running", refreshed_at=None, applied_changes=0, duration_ms=0)
    )
    database.may_finish.set()
    assert [await work() for work in call.after] == [Ok(make_report())]
    assert database.calls == ["refresh_stats_views"]


async def test_everybody_else_waits_for_it() -> None:
    database = SlowDatabase()
    answer = asyncio.ensure_future(refresh_statistics(asked_by(Service(), database)))
    await asyncio.wait({answer}, timeout=2 * WEBHOOK_PATIENCE_SECONDS)
    assert not answer.done()
    database.may_finish.set()
    assert await answer == Ok(make_report())


@pytest.mark.parametrize("role", ["coordinator", "org_admin"])
async def test_those_who_run_things_may_pull_to_refresh(role: str) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(role=role)})
    assert await refresh_statistics(asked_by(user, database)) == Ok(make_report())
    assert database.calls == ["take_refresh_turn", "refresh_stats_views"]


@pytest.mark.parametrize(
    "profile",
    [{"role": "peer_mentor"}, {"is_active": False}, None],
    ids=["peer-mentor", "inactive", "no-profile"],
)
async def test_others_may_not_and_nothing_is_refreshed(profile: dict[str, Any] | None) -> None:
    user = make_user()
    database = FakeDatabase(profiles={user.id: make_profile(**profile)} if profile else {})
    assert await refresh_statistics(asked_by(user, database)) == Err(ErrorCode.FORBIDDEN, cause="42501")
    assert database.calls == ["take_refresh_turn"]


async def test_who_asks_too_often_is_told_when_to_come_again_and_nothing_is_refreshed() -> None:
    limited = Err(ErrorCode.RATE_LIMITED, cause="rate_limited", retry_after_seconds=10)
    database = FakeDatabase(failures={"take_refresh_turn": limited})
    assert await refresh_statistics(asked_by(make_user(), database)) == limited
    assert database.calls == ["take_refresh_turn"]


async def test_a_refresh_that_failed_in_the_database_is_no_success() -> None:
    database = FakeDatabase(refresh_stats_views=make_report(outcome="failed", refreshed_at=None))
    answer = await refresh_statistics(asked_by(Service(), database))
    assert answer == Err(ErrorCode.INTERNAL, cause="refresh failed")


async def test_a_database_that_is_away_is_passed_on() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await refresh_statistics(asked_by(Service(), FakeDatabase(failure=away))) == away
