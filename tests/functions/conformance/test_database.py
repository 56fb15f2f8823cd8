"""What callers of the database rely on, the same on the fake one and on the real one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from _shared.database import Database
from _shared.database.reports import BufdirReport
from _shared.remarks import sentence
from _shared.result import Err, ErrorCode, Ok, Result
from tests.support.examples import PERIOD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.functions.conformance.conftest import World

YEAR = PERIOD.period_start.year


def value(result: Result[Any]) -> Any:
    assert isinstance(result, Ok), result
    return result.value


def code(result: Result[Any]) -> ErrorCode | None:
    return result.code if isinstance(result, Err) else None


def test_every_method_has_a_case() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    methods = [name for name, _ in inspect.getmembers(Database, inspect.isfunction) if name[0] != "_"]
    assert [name for name in methods if f".{name}(" not in source] == []
    assert len(methods) > 15


# --- who may ---------------------------------------------------------------------------------------------


async def test_a_role_is_that_of_an_active_member(world: World) -> None:
    database = world.database
    assert await database.get_role(world.head) == Ok("org_admin")
    assert await database.get_role(world.mentor) == Ok("peer_mentor")
    assert await database.get_role(world.stranger) == Ok(None)
    world.switch("off")
    assert await database.get_role(world.head) == Ok("org_admin")


async def test_a_webhook_is_new_once(world: World) -> None:
    webhook_id = f"msg_{uuid4().hex}"
    assert await world.database.claim_webhook(webhook_id) == Ok(value=True)
    assert await world.database.claim_webhook(webhook_id) == Ok(value=False)
    assert await world.database.claim_webhook(f"{webhook_id}2") == Ok(value=True)


QUESTIONS: dict[str, Callable[[World, Any], Awaitable[Result[Any]]]] = {
    "summary": lambda w, user: w.database.read_hierarchy_stats(user, w.unit, YEAR),
    "lookup": lambda w, user: w.database.get_metric_snapshot(user, PERIOD),
    "saving": lambda w, user: w.database.save_metric_snapshot(user, PERIOD),
    "status": lambda w, user: w.database.get_snapshot_status(user, PERIOD),
    "report": lambda w, user: w.database.generate_bufdir_report(user, w.organization, PERIOD, 0),
    "versions": lambda w, user: w.database.get_report_versions(user, PERIOD),
    "remarks": lambda w, user: w.database.get_report_remarks(user, PERIOD),
    "alignment": lambda w, user: w.database.get_bufdir_alignment(user, YEAR),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_strangers_are_refused_and_nobody_is_answered_when_it_is_switched_off(
    world: World, question: str
) -> None:
    ask = QUESTIONS[question]
    assert code(await ask(world, world.head)) is None
    assert await ask(world, world.stranger) == Err(ErrorCode.FORBIDDEN, cause="42501")
    world.switch("off")
    assert await ask(world, world.head) == Err(ErrorCode.FEATURE_DISABLED, cause="PT423")
    assert await ask(world, world.stranger) == Err(ErrorCode.FORBIDDEN, cause="42501")
    world.switch("on")
    assert code(await ask(world, world.head)) is None


@pytest.mark.parametrize("question", ["summary", "saving", "report", "versions", "remarks", "alignment"])
async def test_a_peer_mentor_does_not_follow_up_units(world: World, question: str) -> None:
    assert code(await QUESTIONS[question](world, world.mentor)) is ErrorCode.FORBIDDEN


# --- statistics ------------------------------------------------------------------------------------------


async def test_a_refresh_reports_what_it_did(world: World) -> None:
    report = value(await world.database.refresh_stats_views())
    assert report.outcome in {"refreshed", "debounced", "already_running", "nothing_pending"}
    assert min(report.applied_changes, report.duration_ms) >= 0


async def test_a_refresh_is_for_those_who_run_things_to_ask_for(world: World) -> None:
    database = world.database
    assert await database.take_refresh_turn(world.head) == Ok(None)
    world.switch("off")
    assert await database.take_refresh_turn(world.head) == Ok(None)
    for user in (world.mentor, world.stranger):
        assert await database.take_refresh_turn(user) == Err(ErrorCode.FORBIDDEN, cause="42501")


async def test_health_is_ages_and_a_backlog(world: World) -> None:
    health = value(await world.database.get_health())
    assert health.pending_changes >= 0
    assert health.differences >= 0
    assert (health.oldest_pending_seconds is None) is (health.pending_changes == 0)


async def test_metrics_are_health_and_more(world: World) -> None:
    found = value(await world.database.get_metrics())
    assert found.pending_changes >= 0
    assert found.pending_unit_changes >= 0
    assert found.organizations > 0
    assert 0 < found.connections < found.max_connections
    assert {"fersk-nightly-audit", "fersk-sweep"} <= {each.name for each in found.schedules}
    assert set(found.recent_wake_ups) == {"delivered", "refused", "failed", "pending"}


# --- hierarchy -------------------------------------------------------------------------------------------


async def test_a_summary_is_of_the_unit_and_the_year(world: World) -> None:
    for year in (YEAR, YEAR - 1):
        entry = value(await world.database.read_hierarchy_stats(world.head, world.unit, year))
        assert (entry.unit_id, entry.year) == (world.unit, year)
        assert entry.payload.activity_count >= 0


async def test_a_unit_of_nobody_is_refused_and_a_year_of_another_century_too(world: World) -> None:
    database = world.database
    assert code(await database.read_hierarchy_stats(world.head, uuid4(), YEAR)) is ErrorCode.FORBIDDEN
    for year in (1999, 2100):
        wrong = Err(ErrorCode.BAD_REQUEST, cause="22023")
        assert await database.read_hierarchy_stats(world.head, world.unit, year) == wrong
        assert await database.get_bufdir_alignment(world.head, year) == wrong


async def test_summaries_are_computed_before_somebody_asks(world: World) -> None:
    database = world.database
    assert await database.refresh_hierarchy_entry(world.unit, YEAR) == Ok(value=True)
    assert value(await database.precompute_hierarchy(world.organization, YEAR)) > 0
    for organization in (world.organization, None):
        warmed = value(await database.warm_hierarchy_cache(organization, 0.5))
        assert min(warmed.warmed, warmed.skipped) >= 0


async def test_who_is_switched_off_is_not_warmed_up(world: World) -> None:
    assert world.organization in value(await world.database.list_warmed_organizations())
    world.switch("off")
    assert world.organization not in value(await world.database.list_warmed_organizations())


async def test_reads_are_noted_by_unit(world: World) -> None:
    assert await world.database.record_node_reads({world.unit: 3}) == Ok(1)
    assert await world.database.record_node_reads({}) == Ok(0)


async def test_the_log_of_units_is_drained_and_another_wake_up_can_be_had(world: World) -> None:
    database = world.database
    assert value(await database.acknowledge_wake_ups()) >= 0
    drained = value(await database.take_unit_changes())
    assert min(drained.units, drained.invalidated) >= 0
    assert (drained.units == 0) is (drained.organization_ids == ())
    assert value(await database.request_invalidation_again()) > 0


# --- reports and snapshots -------------------------------------------------------------------------------


async def test_a_snapshot_is_saved_found_renewed_and_deleted(world: World) -> None:
    database, head = world.database, world.head
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(None)
    assert await database.get_stored_report(head, PERIOD) == Ok(None)
    assert value(await database.get_snapshot_status(head, PERIOD)).verdict == "missing"
    assert await database.renew_metric_snapshot(world.organization, PERIOD) == Ok(value=False)
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(None), "what is not there is not renewed"

    saved = value(await database.save_metric_snapshot(head, PERIOD))
    assert (saved.organization_id, saved.period_start, saved.period_end) == (
        world.organization,
        PERIOD.period_start,
        PERIOD.period_end,
    )
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(saved)
    stored = value(await database.get_stored_report(head, PERIOD))
    assert BufdirReport.model_validate(stored.snapshot_json) == saved.snapshot_json
    status = value(await database.get_snapshot_status(head, PERIOD))
    assert (status.verdict, status.reasons, status.export_allowed) == ("fresh", [], True)
    assert await database.renew_metric_snapshot(world.organization, PERIOD) == Ok(value=True)
    renewed = value(await database.get_metric_snapshot(head, PERIOD))
    assert (renewed.id, renewed.snapshot_json) == (saved.id, saved.snapshot_json)

    assert await database.delete_metric_snapshot(head, PERIOD) == Ok(value=True)
    assert await database.delete_metric_snapshot(head, PERIOD) == Ok(value=False)
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(None)


async def test_a_snapshot_is_of_its_period_alone(world: World) -> None:
    database, head = world.database, world.head
    other = PERIOD.model_copy(update={"period_end": PERIOD.period_start.replace(month=7)})
    await database.save_metric_snapshot(head, other)
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(None)
    assert value(await database.get_metric_snapshot(head, other)).period_end == other.period_end
    assert await database.delete_metric_snapshot(head, PERIOD) == Ok(value=False)


async def test_who_may_see_and_delete_a_snapshot(world: World) -> None:
    database, head = world.database, world.head
    saved = value(await database.save_metric_snapshot(head, PERIOD))
    assert value(await database.get_metric_snapshot(world.mentor, PERIOD)).id == saved.id
    assert await database.delete_metric_snapshot(world.mentor, PERIOD) == Ok(value=False)
    assert code(await database.get_metric_snapshot(world.stranger, PERIOD)) is ErrorCode.FORBIDDEN
    assert await database.delete_metric_snapshot(world.stranger, PERIOD) == Ok(value=False)
    world.switch("off")
    assert code(await database.get_metric_snapshot(head, PERIOD)) is ErrorCode.FEATURE_DISABLED
    world.switch("on")
    assert await database.get_metric_snapshot(head, PERIOD) == Ok(saved)


async def test_a_report_is_what_the_snapshot_says_with_the_same_mapping(world: World) -> None:
    database, head = world.database, world.head
    saved = value(await database.save_metric_snapshot(head, PERIOD))
    version = saved.mapping_version
    report = value(await database.generate_bufdir_report(head, world.organization, PERIOD, version))
    assert BufdirReport.model_validate(report) == saved.snapshot_json
    unknown = await database.generate_bufdir_report(head, world.organization, PERIOD, 999)
    assert unknown == Err(ErrorCode.BAD_REQUEST, cause="22023")
    other = await database.generate_bufdir_report(head, uuid4(), PERIOD, version)
    assert other == Err(ErrorCode.FORBIDDEN, cause="42501")


async def test_dashboard_and_report_are_about_the_same(world: World) -> None:
    figures = value(await world.database.get_bufdir_alignment(world.head, YEAR))
    assert figures.report.organization_id == world.organization
    assert figures.dashboard.activity_time_series is not None
    assert figures.dashboard.activity_time_series.activity_count == figures.report.totals.activity_count
    assert figures.dashboard.hierarchy is not None
    assert figures.dashboard.hierarchy.distinct_contacts == figures.report.totals.distinct_participants


async def test_a_version_is_prepared_from_what_is_saved_and_signed_by_others(world: World) -> None:
    database, head = world.database, world.head
    assert await database.prepare_report(head, PERIOD) == Err(ErrorCode.NOT_FOUND, cause="PT404")
    saved = value(await database.save_metric_snapshot(head, PERIOD))
    assert code(await database.prepare_report(world.mentor, PERIOD)) is ErrorCode.FORBIDDEN
    first, second = [value(await database.prepare_report(head, PERIOD)) for _ in range(2)]
    assert (first.version, second.version) == (1, 2)
    assert second.report == saved.snapshot_json
    listed = value(await database.get_report_versions(head, PERIOD))
    assert [version.id for version in listed] == [second.id, first.id]
    assert code(await database.approve_report(head, second.id)) is ErrorCode.FORBIDDEN
    for refused in (
        await database.send_report(head, second.id),
        await database.export_report_version(head, second.id, "pdf"),
    ):
        assert isinstance(refused, Err)
        assert (refused.code, refused.cause) == (ErrorCode.CONFLICT, "not_approved")
    explained = value(await database.explain_report_difference(head, second.id))
    assert (explained.version, explained.against, explained.activities) == (second.id, None, [])
    for unknown in (
        await database.explain_report_difference(head, uuid4()),
        await database.approve_report(head, uuid4()),
        await database.send_report(head, uuid4()),
        await database.export_report_version(head, uuid4(), "csv"),
    ):
        assert unknown == Err(ErrorCode.NOT_FOUND, cause="PT404")


async def test_remarks_are_of_kinds_that_have_a_sentence(world: World) -> None:
    for remark in value(await world.database.get_report_remarks(world.head, PERIOD)):
        assert sentence(remark).nb
