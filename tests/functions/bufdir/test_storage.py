"""What is saved stays one row for each period, clean, and found without counting anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from _shared import exact_json
from tests.functions.bufdir.support import DAYS, ROLES, Person, data, forget, refusal
from tests.support.waiting import eventually

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
    stack: Stack, saved: dict[str, Any], lie: dict[str, Any]
) -> None:
    """Whoever writes: the check is the table's own."""
    [(column, value)] = lie.items()
    given = exact_json.dumps(value).decode() if column == "snapshot_json" else value
    query = f"update public.bufdir_metric_snapshots set {column} = %s where id = %s"
    with psycopg.connect(stack.db_url) as owner:
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(query.encode(), [given, saved["id"]])
        owner.rollback()
        good = exact_json.dumps(saved["snapshot_json"]).decode()
        true = "update public.bufdir_metric_snapshots set snapshot_json = %s where id = %s"
        assert owner.execute(true, [good, saved["id"]]).rowcount == 1


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("PATCH", {"snapshot_json": {}}),
    ("PATCH", {"source_fingerprint": "0" * 32}),
    ("PATCH", {"period_start": "2020-01-01"}),
    ("PATCH", {"computed_at": "2020-01-01T00:00:00Z"}),
    ("POST", {"snapshot_json": {}}),
    ("POST", {}),
]


@pytest.mark.parametrize(("method", "change"), WRITES, ids=str)
@pytest.mark.parametrize("who", ["peer mentor", "coordinator", "org admin", "other organisation"])
def test_nobody_writes_a_snapshot_by_hand(
    people: dict[str, Person], saved: dict[str, Any], *, who: str, method: str, change: dict[str, Any]
) -> None:
    path = f"bufdir_metric_snapshots?id=eq.{saved['id']}"
    row: dict[str, Any] = change
    if method == "POST":
        path, row = f"bufdir_metric_snapshots?on_conflict={KEY}", saved | change
    prefer = "resolution=merge-duplicates" if method == "POST" else "return=minimal"
    refused = people[who].rest(method, path, row, prefer=prefer)
    assert refusal(refused) == (403, "42501")
    assert refused.json()["message"] == "permission denied for table bufdir_metric_snapshots"
    assert data(people["peer mentor"].call("GET", "metric-snapshots", **DAYS.query)) == saved
    assert data(people["coordinator"].call("GET", "snapshot-status", **DAYS.query))["verdict"] == "fresh"


@pytest.mark.parametrize("broken", [{}, {"totals": {"activity_count": 1.5}}], ids=str)
@pytest.mark.parametrize("who", ["peer mentor", "org admin"])
def test_a_snapshot_that_cannot_be_read_is_computed_anew(
    stack: Stack, people: dict[str, Person], saved: dict[str, Any], who: str, *, broken: dict[str, Any]
) -> None:
    with psycopg.connect(stack.db_url) as owner:
        owner.execute(
            "update public.bufdir_metric_snapshots set snapshot_json = %s, source_fingerprint = md5('')"
            " where id = %s",
            [exact_json.dumps(broken).decode(), saved["id"]],
        )
    again = data(people[who].call("GET", "metric-snapshots", **DAYS.query))
    times = {"computed_at", "snapshot_generated_at"}
    assert {name: again[name] for name in again.keys() - times} == {
        name: saved[name] for name in saved.keys() - times
    }
    assert data(people[who].call("GET", "metric-snapshots", **DAYS.query)) == again
    assert refusal(people["coordinator"].rpc("export_bufdir_snapshot", **DAYS.parameters)) == (200, None)


def test_fifty_savings_at_once_leave_one_row(stack: Stack, kari: Person) -> None:
    forget(stack, DAYS)
    people = [Person(stack, kari.http, ROLES[role]) for role in ("coordinator", "org admin")]
    assert all(person.headers for person in people)

    def put(number: int) -> int | None:
        """Whoever has waited a second in vain is told to come again, and does."""
        status = people[number % len(people)].call("PUT", "metric-snapshots", **DAYS.query).status_code
        return None if status == 429 else status

    try:
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda number: eventually(lambda: put(number)), range(50)))
        assert set(statuses) == {200}
        rows = kari.rest("GET", f"bufdir_metric_snapshots?{DAYS.filters}").json()
        assert len(rows) == 1
        assert refusal(kari.rpc("export_bufdir_snapshot", **DAYS.parameters)) == (200, None)
    finally:
        forget(stack, DAYS)


def test_a_hit_is_answered_while_nobody_can_read_an_activity(
    stack: Stack, kari: Person, saved: dict[str, Any]
) -> None:
    """The lookup never sums: with the activities locked it is answered, and a computation waits in vain."""
    with psycopg.connect(stack.db_url) as connection:
        connection.execute("lock table public.activities in access exclusive mode")
        assert data(kari.call("GET", "metric-snapshots", **DAYS.query)) == saved
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
