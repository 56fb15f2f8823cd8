from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _shared.database.snapshots import MetricSnapshot
from _shared.result import Err, ErrorCode, Ok
from metric_snapshots import Deleted, delete_snapshot, get_snapshot, metric_snapshots, put_snapshot
from tests.support.credentials import bearer, make_token, make_user
from tests.support.examples import NHF, PERIOD, figures, make_profile, report_json, snapshot_json
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

USER = make_user()
SAVED = MetricSnapshot.model_validate(snapshot_json())
DISABLED = Err(ErrorCode.FEATURE_DISABLED, cause="PT423")
FORBIDDEN = Err(ErrorCode.FORBIDDEN, cause="42501")
AWAY = Err(ErrorCode.UPSTREAM_UNAVAILABLE)


async def test_a_hit_is_one_lookup_and_no_aggregation() -> None:
    database = FakeDatabase(snapshot=snapshot_json())
    assert await get_snapshot(USER, PERIOD, database) == Ok(SAVED)
    assert database.calls == ["get_metric_snapshot"]


async def test_a_miss_is_null_and_no_failure() -> None:
    database = FakeDatabase()
    assert await get_snapshot(USER, PERIOD, database) == Ok(None)
    assert database.calls == ["get_metric_snapshot"]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        pytest.param({"is_enabled": False}, DISABLED, id="switched-off"),
        pytest.param({"profiles": {}}, FORBIDDEN, id="no-member"),
    ],
)
async def test_no_row_for_who_may_see_none_is_no_miss(state: dict[str, Any], refusal: Err) -> None:
    database = FakeDatabase(snapshot=snapshot_json(), **state)
    assert await get_snapshot(USER, PERIOD, database) == refusal


async def test_one_that_cannot_be_read_is_computed_anew() -> None:
    database = FakeDatabase(snapshot=snapshot_json(snapshot_json={}))
    assert await get_snapshot(USER, PERIOD, database) == Ok(SAVED)
    lookup = "get_metric_snapshot"
    assert database.calls == [lookup, lookup, "renew_metric_snapshot", lookup]
    renewed = ("renew_metric_snapshot", NHF, PERIOD.period_start, PERIOD.period_end)
    assert database.asked[-2] == renewed
    assert await get_snapshot(USER, PERIOD, database) == Ok(SAVED)
    assert database.calls[4:] == [lookup]


@pytest.mark.parametrize("row", ["nonsense", {}, {"organization_id": 5}], ids=str)
async def test_one_of_which_nothing_can_be_read_is_an_error_of_ours(row: object) -> None:
    database = FakeDatabase(get_metric_snapshot=row)
    answer = await get_snapshot(USER, PERIOD, database)
    assert answer == Err(ErrorCode.INTERNAL, cause="unexpected StoredReport")
    assert "renew_metric_snapshot" not in database.calls


async def test_a_saving_hands_nothing_in_but_the_period() -> None:
    database = FakeDatabase()
    assert await put_snapshot(USER, PERIOD, database) == Ok(SAVED)
    assert database.asked == [("save_metric_snapshot", USER, PERIOD.period_start, PERIOD.period_end)]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        pytest.param({"is_enabled": False}, DISABLED, id="switched-off"),
        pytest.param({"profiles": {USER.id: make_profile(role="peer_mentor")}}, FORBIDDEN, id="peer-mentor"),
    ],
)
async def test_what_may_not_be_saved_stays_as_it_was(state: dict[str, Any], refusal: Err) -> None:
    before = snapshot_json(mapping_version=7)
    database = FakeDatabase(snapshot=before, **state)
    assert await put_snapshot(USER, PERIOD, database) == refusal
    assert database.snapshot == before


async def test_a_snapshot_is_deleted_once() -> None:
    database = FakeDatabase(snapshot=snapshot_json())
    assert await delete_snapshot(USER, PERIOD, database) == Ok(Deleted(deleted=True))
    assert database.calls == ["delete_metric_snapshot"]
    assert await delete_snapshot(USER, PERIOD, database) == Err(ErrorCode.NOT_FOUND)


async def test_one_that_is_there_and_stays_is_forbidden() -> None:
    mentor = {USER.id: make_profile(role="peer_mentor")}
    database = FakeDatabase(snapshot=snapshot_json(), profiles=mentor)
    assert await delete_snapshot(USER, PERIOD, database) == Err(ErrorCode.FORBIDDEN)
    assert database.snapshot is not None


async def test_one_that_came_back_at_that_moment_is_a_conflict_for_who_may_delete() -> None:
    coordinator = {USER.id: make_profile(role="coordinator")}
    database = FakeDatabase(snapshot=snapshot_json(), deletable=False, profiles=coordinator)
    assert await delete_snapshot(USER, PERIOD, database) == Err(ErrorCode.CONFLICT)


async def test_with_the_statistics_switched_off_nothing_is_there_to_delete() -> None:
    database = FakeDatabase(snapshot=snapshot_json(), is_enabled=False)
    assert await delete_snapshot(USER, PERIOD, database) == DISABLED
    assert database.snapshot is not None


@pytest.mark.parametrize("use_case", [get_snapshot, put_snapshot, delete_snapshot])
@pytest.mark.parametrize(
    "failing",
    [
        "get_metric_snapshot",
        "save_metric_snapshot",
        "delete_metric_snapshot",
    ],
)
async def test_each_failure_of_the_database_is_passed_on(use_case: object, failing: str) -> None:
    database = FakeDatabase(failures={failing: AWAY})
    answer = await use_case(USER, PERIOD, database)  # type: ignore[operator]
    assert answer == AWAY if failing in database.calls else answer != AWAY


async def test_numbers_reach_the_app_as_numbers_with_every_digit(
    database: FakeDatabase, client_of: Callable[..., httpx.AsyncClient]
) -> None:
    totals = figures(9007199254740993, "90071992547409931.25")
    database.snapshot = snapshot_json(snapshot_json=report_json(totals=totals))
    query = {"period_start": "2026-01-01", "period_end": "2027-01-01"}
    answer = await client_of(metric_snapshots).get("/", params=query, headers=bearer(make_token()))
    assert answer.status_code == 200
    assert '"activity_count":9007199254740993,"total_hours":90071992547409931.25' in answer.text


@pytest.mark.parametrize(("method", "expected"), [("GET", None), ("DELETE", {"deleted": True})])
async def test_each_method_does_its_own(
    client_of: Callable[..., httpx.AsyncClient], method: str, expected: object
) -> None:
    query = {"period_start": "2026-01-01", "period_end": "2027-01-01"}
    client = client_of(metric_snapshots)
    if method == "DELETE":
        put = await client.request("PUT", "/", params=query, headers=bearer(make_token()))
        assert put.json()["data"]["id"] == snapshot_json()["id"]
    answer = await client.request(method, "/", params=query, headers=bearer(make_token()))
    assert (answer.status_code, answer.json()) == (200, {"data": expected})
