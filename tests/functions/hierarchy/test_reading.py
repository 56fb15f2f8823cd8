"""What a reader of summaries gets: at once, and never an outdated one called fresh."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, LiteralString

import httpx
import psycopg
import pytest

from tests.functions.hierarchy.support import (
    becomes_fresh,
    summary,
)
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


PAYLOAD = {
    "activity_count",
    "total_hours",
    "participant_count",
    "distinct_contacts",
    "active_peer_mentors",
    "chapters_reporting",
    "categories",
    "approved_expenses_nok",
}


def test_a_summary_is_what_the_database_computes_for_the_same_user(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin = sign_in(stack, forest.admin).headers
    for unit in ("leaf", "leaf", "cousin"):
        forest.add_activity(unit)
    data = summary(http, admin, forest.units["region"])
    assert set(data) == {"unit_id", "year", "payload", "computed_at", "stale", "refreshing"}
    assert (data["unit_id"], data["year"]) == (str(forest.units["region"]), 2026)
    assert set(data["payload"]) == PAYLOAD
    computed = httpx.post(
        f"{stack.rest_url}/rpc/get_hierarchy_stats",
        json={"p_unit_id": str(forest.units["region"]), "p_year": 2026},
        headers=admin,
        trust_env=False,
    )
    assert data["payload"] == computed.json()
    assert (data["payload"]["activity_count"], data["payload"]["total_hours"]) == (3, 4.5)
    assert summary(http, admin, forest.units["other"])["payload"]["activity_count"] == 0


def test_without_a_year_it_is_the_current_one(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    admin = sign_in(stack, forest.admin).headers
    assert summary(http, admin, forest.units["leaf"], None)["year"] == datetime.now(UTC).year


def test_a_stale_summary_is_served_at_once_and_fresh_a_moment_later(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    before = summary(http, admin, national)
    assert (before["stale"], before["refreshing"]) == (False, False)
    forest.add_activity("leaf")
    stale = summary(http, admin, national)
    assert stale == before | {"stale": True, "refreshing": True}
    becomes_fresh(http, admin, national)
    after = summary(http, admin, national)
    assert after["payload"]["activity_count"] == before["payload"]["activity_count"] + 1
    assert after["computed_at"] > before["computed_at"]


def test_no_read_after_a_commit_calls_an_outdated_summary_fresh(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    for count in range(1, 21):
        forest.add_activity(("leaf", "cousin", "other")[count % 3], f"2026-05-{count:02} 12:00Z")
        data = summary(http, admin, national)
        assert data["stale"] or data["payload"]["activity_count"] == count


def test_many_readers_of_a_stale_summary_are_all_answered(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    summary(http, admin, national)
    forest.add_activity("leaf")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: summary(http, admin, national), range(20)))
    assert all(answer["stale"] or answer["payload"]["activity_count"] == 1 for answer in answers)
    becomes_fresh(http, admin, national)


def test_reads_are_written_down_in_batches(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    admin, leaf = sign_in(stack, forest.admin).headers, forest.units["leaf"]
    made = 0

    def recorded() -> float:
        query = "select reads from public.hierarchy_node_access where unit_id = %s"
        row = forest.db.execute(query, [leaf]).fetchone()
        return row[0] if row else 0.0

    def read_and_look() -> float:
        nonlocal made
        summary(http, admin, leaf)
        made += 1
        return recorded()

    eventually(lambda: read_and_look() > 5)
    assert recorded() <= made


UNREADABLE = [
    "payload = '{}'",
    'payload = payload || \'{"approved_expenses_nok": "NaN"}\'',
    "payload = '[]', computed_at_mark = 9223372036854775807",
]


@pytest.mark.parametrize("broken", UNREADABLE)
def test_a_summary_that_cannot_be_read_is_computed_anew(
    stack: Stack, http: httpx.Client, forest: Forest, broken: LiteralString
) -> None:
    admin = sign_in(stack, forest.admin).headers
    forest.add_activity("leaf")
    forest.settle()
    unit = forest.units["region"]
    before = summary(http, admin, unit)
    query = f"update public.hierarchy_stats_cache set {broken} where unit_id = %s"
    assert forest.db.execute(query, [unit]).rowcount == 1
    after = summary(http, admin, unit)
    assert (after["payload"], after["stale"]) == (before["payload"], False)
    assert summary(http, admin, unit) == after


def test_what_was_written_past_the_triggers_is_found_shown_and_healed(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin = sign_in(stack, forest.admin).headers
    forest.add_activity("leaf")
    forest.settle()
    unit = forest.units["region"]
    assert summary(http, admin, unit)["payload"]["activity_count"] == 1
    leaf = [forest.units["leaf"]]
    assert forest.db.execute("select stats.heal(%s)", [leaf]).fetchone() == (0,)
    with psycopg.connect(stack.instance.database_url("supabase_admin")) as past_triggers:
        past_triggers.execute("set local session_replication_role = replica")
        past_triggers.execute(
            "insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by,"
            " activity_type_id, occurred_at, activity_date, duration_minutes)"
            " values (%s, %s, %s, %s, %s, %s, '2026-05-18', 90)",
            [forest.organization, *leaf, forest.mentor, forest.mentor, forest.activity_type, "2026-05-18Z"],
        )
    before = http.get("health").json()["data"]
    data = summary(http, admin, unit)
    assert (data["payload"]["activity_count"], data["stale"]) == (1, False)  # nobody knows yet

    assert forest.db.execute("select stats.heal(%s)", [leaf]).fetchone() == (1,)
    after = http.get("health").json()["data"]
    assert after["differences"] > before["differences"]
    assert after["last_difference_at"] is not None
    becomes_fresh(http, admin, unit)
    assert summary(http, admin, unit)["payload"]["activity_count"] == 2
    assert forest.db.execute("select stats.heal(%s)", [leaf]).fetchone() == (0,)
