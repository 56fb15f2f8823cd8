"""What is saved stays one row for each period, clean, and found without counting anything."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.integration.bufdir.support import DAYS, ROLES, Person, data, forget, organization, refusal

if TYPE_CHECKING:
    from local.stack import Stack

KEY = "organization_id,period_start,period_end"


@pytest.mark.parametrize(
    "lie",
    [
        {"computed_at": "2099-01-01T00:00:00Z"},
        {"snapshot_json": "Ola Nordmann 01010112345"},
        {"snapshot_json": ["Ola Nordmann"]},
        {"snapshot_json": {"contact_name": "Ola Nordmann"}},
        {"snapshot_json": {"totals": {"contact_id": "4bab0653-9842-4aa9-9c60-4dbccf22a428"}}},
        {"snapshot_json": {"organization_id": "Ola Nordmann"}},
        {"snapshot_json": {"regions": [{"region_name": "Ola, 01010112345"}]}},
        {"snapshot_json": {"categories": ["Ola Nordmann"]}},
        {"snapshot_json": {"totals": {"activity_count": "Ola Nordmann"}}},
    ],
    ids=str,
)
def test_the_database_itself_refuses_personal_data_and_false_times(
    kari: Person, saved: dict[str, Any], lie: dict[str, Any]
) -> None:
    path = f"bufdir_metric_snapshots?id=eq.{saved['id']}"
    assert refusal(kari.rest("PATCH", path, lie)) == (400, "23514")
    assert kari.rest("PATCH", path, {"snapshot_json": saved["snapshot_json"]}).status_code == 204


def test_nobody_writes_another_organisations_snapshot(
    stack: Stack, kari: Person, saved: dict[str, Any]
) -> None:
    columns = (
        "period_start",
        "period_end",
        "computed_at",
        "record_count_at_generation",
        "source_fingerprint",
    )
    row = {name: saved[name] for name in (*columns, "mapping_version", "snapshot_json")}
    foreign = row | {"organization_id": organization(stack, "hlf")}
    assert refusal(kari.rest("POST", "bufdir_metric_snapshots", foreign)) == (403, "42501")
    own = row | {"organization_id": saved["organization_id"]}
    upsert = kari.rest(
        "POST", f"bufdir_metric_snapshots?on_conflict={KEY}", own, prefer="resolution=merge-duplicates"
    )
    assert upsert.status_code in {200, 201}


def test_fifty_savings_at_once_leave_one_row(stack: Stack, kari: Person) -> None:
    forget(stack, DAYS)
    people = [Person(stack, kari.http, email) for email in ROLES.values() if email and "nhf" in email]
    assert all(person.headers for person in people)

    def put(number: int) -> int:
        return people[number % len(people)].call("PUT", "metric-snapshots", **DAYS.query).status_code

    try:
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(put, range(50)))
        assert set(statuses) == {200}
        rows = kari.rest("GET", f"bufdir_metric_snapshots?{DAYS.filters}").json()
        assert len(rows) == 1
        assert refusal(kari.rpc("export_bufdir_snapshot", **DAYS.parameters)) == (200, None)
    finally:
        forget(stack, DAYS)


def test_a_hit_is_answered_while_nobody_can_read_an_activity(
    stack: Stack, kari: Person, saved: dict[str, Any]
) -> None:
    """The lookup never sums: with the activities locked it is as fast as ever, and a computation waits."""
    with psycopg.connect(stack.db_url) as connection:
        connection.execute("lock table public.activities in access exclusive mode")
        started = time.monotonic()
        assert data(kari.call("GET", "metric-snapshots", **DAYS.query)) == saved
        assert time.monotonic() - started < 2
        assert refusal(kari.call("PUT", "metric-snapshots", **DAYS.query)) == (504, "upstream_timeout")
        connection.rollback()
    data(kari.call("PUT", "metric-snapshots", **DAYS.query))


def test_the_lookup_uses_the_index_of_the_key(stack: Stack, saved: dict[str, Any]) -> None:
    with psycopg.connect(stack.db_url) as connection:
        connection.execute("set local enable_seqscan = off")
        plan = connection.execute(
            "explain select * from public.bufdir_metric_snapshots"
            " where organization_id = %s and period_start = %s and period_end = %s",
            (saved["organization_id"], DAYS.start, DAYS.end),
        ).fetchall()
        connection.rollback()
    assert "bufdir_metric_snapshots_period" in str(plan)


def test_a_renewal_says_when_it_was_written(kari: Person, saved: dict[str, Any]) -> None:
    renewed = data(kari.call("PUT", "metric-snapshots", **DAYS.query))
    assert renewed["id"] == saved["id"]
    for moment in ("computed_at", "snapshot_generated_at"):
        assert renewed[moment] > saved[moment]
    assert renewed["computed_at"] <= renewed["snapshot_generated_at"]
