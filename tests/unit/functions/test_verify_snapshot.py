from __future__ import annotations

from decimal import Decimal
from inspect import unwrap
from typing import Any

import pytest

from _shared.http.request import Call
from _shared.result import Err, ErrorCode, Ok
from tests.support.credentials import make_user
from tests.support.examples import NHF, PERIOD, make_profile, report_json, snapshot_json
from tests.support.fake_database import FakeDatabase
from verify_snapshot import verify_snapshot

USER = make_user()
COORDINATOR = {USER.id: make_profile(role="coordinator")}


async def verify(found: FakeDatabase) -> Any:
    return await unwrap(verify_snapshot)(Call("GET", USER, PERIOD, found))


def database(**overrides: Any) -> FakeDatabase:
    given: dict[str, Any] = {"profiles": COORDINATOR, "snapshot": snapshot_json()} | overrides
    return FakeDatabase(**given)


@pytest.mark.parametrize("role", ["coordinator", "org_admin"])
async def test_a_snapshot_that_agrees_with_the_activities_matches(role: str) -> None:
    found = database(profiles={USER.id: make_profile(role=role)})
    answer = await verify(found)
    assert isinstance(answer, Ok)
    assert (answer.value.matches, answer.value.discrepancies, answer.value.mapping_version) == (True, [], 1)
    assert found.calls == ["get_role", "get_metric_snapshot", "generate_bufdir_report"]


async def test_each_field_that_differs_is_listed_with_both_values() -> None:
    falsified = report_json()
    falsified["totals"] = falsified["totals"] | {"activity_count": Decimal("3.0"), "total_hours": Decimal(5)}
    del falsified["regions"][1]
    answer = await verify(database(snapshot=snapshot_json(snapshot_json=falsified)))
    assert isinstance(answer, Ok)
    assert answer.value.matches is False
    assert [d.model_dump() for d in answer.value.discrepancies] == [
        {"field_name": "/regions/null", "expected_value": report_json()["regions"][1], "actual_value": None},
        {"field_name": "/totals/activity_count", "expected_value": 3, "actual_value": Decimal("3.0")},
        {"field_name": "/totals/total_hours", "expected_value": Decimal("4.25"), "actual_value": Decimal(5)},
    ]


async def test_both_sides_are_computed_with_the_snapshots_own_mapping() -> None:
    found = database(snapshot=snapshot_json(mapping_version=7), mapping_versions=[7])
    await verify(found)
    assert found.asked[-1][:3] == ("generate_bufdir_report", USER, NHF)
    assert found.asked[-1][3] == 7


async def test_without_a_snapshot_there_is_nothing_to_verify() -> None:
    assert await verify(database(snapshot=None)) == Err(ErrorCode.NOT_FOUND)


async def test_switched_off_is_not_absent() -> None:
    disabled = Err(ErrorCode.FEATURE_DISABLED, cause="PT423")
    assert await verify(database(is_enabled=False)) == disabled


async def test_a_mapping_that_is_gone_is_a_conflict() -> None:
    answer = await verify(database(snapshot=snapshot_json(mapping_version=7), mapping_versions=[1]))
    message = "The mapping this snapshot was computed with is gone."
    assert answer == Err(ErrorCode.CONFLICT, message, "22023")


@pytest.mark.parametrize(
    "profile", [{"role": "peer_mentor"}, {"is_active": False}], ids=["peer-mentor", "inactive"]
)
async def test_others_may_not_and_nothing_is_read(profile: dict[str, Any]) -> None:
    found = database(profiles={USER.id: make_profile(**profile)})
    assert await verify(found) == Err(ErrorCode.FORBIDDEN)
    assert found.calls == ["get_role"]


@pytest.mark.parametrize("failing", ["get_role", "get_metric_snapshot", "generate_bufdir_report"])
async def test_each_failure_of_the_database_is_passed_on(failing: str) -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await verify(database(failures={failing: away})) == away
