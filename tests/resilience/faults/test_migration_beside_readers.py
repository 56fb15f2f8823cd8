"""A migration that rewrites the table: whoever waited for it must not read with a snapshot from before.

PostgreSQL shows the new table empty to such a snapshot. So whatever reads the activities takes its lock in a
statement of its own first, and nothing else depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from tests.resilience.comparison import differences, public_differences
from tests.resilience.faults.stage import WAIT_FOR_NOBODY, YEAR, Stage, value
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

REWRITE = "alter table public.activities add column rewritten uuid default gen_random_uuid()"
PERIOD: LiteralString = "date '2026-01-01', date '2027-01-01'"
ORGANIZATION: LiteralString = "(select id from public.organizations where slug = 'nhf')"
NATIONAL: LiteralString = (
    f"(select id from public.organization_units where parent_id is null and organization_id = {ORGANIZATION})"
)

# What an org admin reads that comes from the activities themselves.
READ_THROUGH_THE_API: dict[str, LiteralString] = {
    "report": f"select public.generate_bufdir_report({ORGANIZATION}, {PERIOD})",
    "snapshot": f"select public.compute_metric_snapshot({PERIOD}) - 'computed_at'",
    "snapshot status": f"select public.get_snapshot_status({PERIOD})",
    "alignment": f"select public.get_bufdir_alignment({YEAR})",
    "summary": f"select public.get_hierarchy_stats({NATIONAL}, {YEAR})",
    "summary, cached": f"select public.read_hierarchy_stats({NATIONAL}, {YEAR}) - 'computed_at'",
    "last activities": "select jsonb_agg(s order by s::text) from public.peer_mentor_stats s",
    "coordinators' months": "select jsonb_agg(s order by s::text) from public.coordinator_monthly_stats s",
    "a coordinator's months": "select jsonb_agg(s) from public.profiles p, public.get_monthly_series("
    "p.id, '2025-12-01', '2026-12-01') s where p.display_name like 'Kari%' and p.role = 'coordinator'",
}
# What runs by itself and reads the activities.
UPKEEP: dict[str, LiteralString] = {
    "audit": "select jsonb_agg(a) from stats.audit() a",
    "heal": "select stats.heal()",
    "rebuild": "select stats.rebuild()",
    "entry": f"select public.refresh_hierarchy_entry({NATIONAL}, {YEAR})",
    "precomputation": f"select public.precompute_hierarchy({ORGANIZATION}, {YEAR})",
    "warm-up": "select public.warm_hierarchy_cache() -> 'skipped'",
}
# What reads totals and logs alone, and so waits for no migration of the activities.
WAITS_FOR_NO_MIGRATION: list[LiteralString] = [
    "select stats.fold()",
    "select public.take_unit_changes()",
    "select stats.refresh(p_force := true)",
    "select public.refresh_stats_views()",
    "select stats.sweep()",
    "select public.get_health()",
    "select * from stats.live_chapter_stats",
    "select * from stats.live_time_series",
]


@pytest.fixture
def migration(stage: Stage) -> Iterator[Connection]:
    """Give the session of a migration, before which something has changed and outdated what is cached."""
    stage.write(stage.one, 1)
    stage.observer.execute(f"select public.precompute_hierarchy({ORGANIZATION}, {YEAR})")
    stage.observer.execute(
        f"insert into public.hierarchy_node_access values ({NATIONAL}, 1, now()) on conflict do nothing"
    )
    stage.write(stage.one, 2)
    yield stage.one
    stage.one.execute("rollback")
    stage.observer.execute("alter table public.activities drop column if exists rewritten")


def begin(session: Connection) -> None:
    session.execute("begin")
    session.execute(REWRITE)


@pytest.mark.parametrize("name", READ_THROUGH_THE_API)
def test_a_read_that_waited_for_a_rewrite_is_right(stage: Stage, migration: Connection, name: str) -> None:
    query = READ_THROUGH_THE_API[name]
    stage.observer.execute("delete from public.hierarchy_stats_cache where true")
    stage.as_admin(stage.two)
    before = value(stage.two, query)
    assert before, f"{name} says nothing, so it could not be wrong"
    stage.observer.execute("delete from public.hierarchy_stats_cache where true")
    begin(migration)
    with blocked(query, session=stage.two, by=migration, observer=stage.observer) as reading:
        migration.execute("commit")
    answer = reading.result()
    assert isinstance(answer, psycopg.Cursor)
    assert answer.fetchone() == (before,)
    assert wrong_entries(stage.observer) == []


@pytest.mark.parametrize("name", UPKEEP)
def test_upkeep_that_waited_for_a_rewrite_leaves_nothing_wrong(
    stage: Stage, migration: Connection, name: str
) -> None:
    begin(migration)
    with blocked(UPKEEP[name], session=stage.two, by=migration, observer=stage.observer) as upkeep:
        migration.execute("commit")
    upkeep.result()
    assert differences(stage.observer) == []
    with stage.observer.transaction():
        assert public_differences(stage.observer, stage.scene.organization, stage.scene.admin) == []
    assert wrong_entries(stage.observer) == []
    assert stage.observer.execute("select * from stats.differences").fetchall() == []
    assert stage.observer.execute("select * from stats.errors").fetchall() == []


def test_a_computation_without_a_lock_of_its_own_says_zero(stage: Stage, migration: Connection) -> None:
    """A control: this is the danger, and the sequence of steps above meets it."""
    query: LiteralString = (
        f"select stats.bufdir_report({ORGANIZATION}, {PERIOD}, 1) #>> '{{totals,activity_count}}'"
    )
    assert int(value(stage.two, query)) > 0
    begin(migration)
    with blocked(query, session=stage.two, by=migration, observer=stage.observer) as reading:
        migration.execute("commit")
    answer = reading.result()
    assert isinstance(answer, psycopg.Cursor)
    assert answer.fetchone() == ("0",)


def test_the_upkeep_goes_on_while_a_migration_runs(stage: Stage, migration: Connection) -> None:
    stage.two.execute("set statement_timeout = '5s'")  # the sweep's sample gives up by itself, after a second
    begin(migration)
    before = stage.two.execute("select sum(activity_count) from stats.live_chapter_stats").fetchone()
    for query in WAITS_FOR_NO_MIGRATION:
        stage.two.execute(query)
    assert value(stage.two, "select count(*) from stats.unit_changes") == 0
    assert stage.two.execute("select sum(activity_count) from stats.live_chapter_stats").fetchone() == before
    assert stage.two.execute("select message from stats.errors").fetchall() == []
    migration.execute("commit")
    assert differences(stage.observer) == []
    assert wrong_entries(stage.observer) == []
    stage.two.execute("reset statement_timeout")


def test_what_waits_for_the_activities_is_seen_as_such(stage: Stage, migration: Connection) -> None:
    """The allowed twin the other way round: a writer does wait for the migration, and its change counts."""
    begin(migration)
    stage.two.execute(WAIT_FOR_NOBODY)
    with pytest.raises(psycopg.errors.LockNotAvailable, match="canceling statement due to lock timeout"):
        stage.write(stage.two, 3)
    migration.execute("commit")
    stage.write(stage.two, 3)
    assert differences(stage.observer) == []
    stage.two.execute("reset lock_timeout")
