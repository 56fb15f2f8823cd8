"""Transactions that overlap in an order chosen to break simpler designs; each statement's order is fixed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, LiteralString, cast
from uuid import UUID

import pytest
from psycopg import ClientCursor

from tests.resilience import operations
from tests.resilience.comparison import MATERIALIZED_VIEWS, differences
from tests.resilience.hierarchy_sessions import act_as
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, Scene, load_scene
from tests.resilience.waiting import blocked, wait_until_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Cursor

    from tests.resilience.own_cluster import Connection, OwnCluster

    Sessions = tuple[Connection, Connection, Connection]

FOLD = "select stats.fold() ->> 'outcome'"
DRAFT = Draft(0, 0, 0, 0, "2026-05-17 12:00Z", 60, 3, "registered")


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("interleaved") as cluster:
        yield cluster


@pytest.fixture
def sessions(own: OwnCluster) -> Iterator[tuple[Connection, Connection, Connection]]:
    """A writer, somebody who folds, and an observer; all begin with an empty log."""
    with ExitStack() as stack:
        writer, folder, observer = (stack.enter_context(own.connect()) for _ in range(3))
        observer.execute("select stats.rebuild()")
        observer.execute(FOLD)
        observer.execute("delete from stats.unrefreshed_changes")
        yield writer, folder, observer
        for connection in (writer, folder, observer):
            connection.execute("rollback")
        observer.execute("update stats.settings set refresh_mode = 'async', debounce = '10 seconds'")
        observer.execute("delete from public.activities where id < %s", [UUID(int=1000)])
        assert differences(observer) == []


@pytest.fixture
def scene(own: OwnCluster) -> Scene:
    with own.connect() as connection:
        return load_scene(connection)


def draft_of(number: int) -> Draft:
    """Three peer mentors a day, as those who write of the same one and day wait for each other."""
    day = 17 - (number - 1) // 3
    return replace(DRAFT, mentor=number % 3, occurred_at=f"2026-05-{day} 12:00Z")


def write(connection: Connection, scene: Scene, number: int) -> None:
    operations.insert(connection, [scene.activity(UUID(int=number), draft_of(number))])


def outcome(connection: Connection, statement: LiteralString = FOLD) -> str:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def log_rows(connection: Connection) -> int:
    row = connection.execute("select count(*) from stats.activity_changes").fetchone()
    assert row is not None
    return int(row[0])


# ---------------------------------------------------------------- write/fold


def test_what_commits_while_a_fold_waits_is_neither_lost_nor_doubled(
    sessions: Sessions, scene: Scene
) -> None:
    """It comes after the fold's snapshot, and stays in the log for the next one."""
    writer, folder, observer = sessions
    write(writer, scene, 1)
    assert outcome(folder) == "folded"
    write(writer, scene, 2)
    writer.execute("begin")
    writer.execute("select from stats.daily_totals where chapter_id = %s for update", [scene.chapters[0]])
    with blocked(FOLD, session=folder, by=writer, observer=observer) as fold:
        write(observer, scene, 3)
        assert differences(observer) == []
        writer.execute("rollback")
    fold.result()
    assert log_rows(observer) == 1
    assert differences(observer) == []


def test_a_transaction_open_across_a_fold_is_folded_by_the_next(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    write(observer, scene, 2)
    assert outcome(folder) == "folded"
    assert differences(writer) == []
    writer.execute("commit")
    assert log_rows(observer) == 1
    assert differences(observer) == []
    outcome(folder)
    assert log_rows(observer) == 0
    assert differences(observer) == []


def test_a_writer_and_a_reader_wait_for_no_fold(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    assert outcome(folder) == "folded"
    for connection in (writer, observer):
        connection.execute("set lock_timeout = '20ms'")
    write(writer, scene, 2)
    operations.edit(writer, [UUID(int=1)], "duration_minutes", scene.activity(UUID(int=1), DRAFT))
    operations.delete(writer, [UUID(int=1)])
    assert differences(observer) == []
    assert differences(folder) == []
    folder.execute("commit")
    assert differences(observer) == []


def test_a_fold_that_is_rolled_back_has_moved_nothing(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    assert outcome(folder) == "folded"
    assert log_rows(folder) == 0
    folder.execute("rollback")
    assert log_rows(observer) == 1
    assert differences(observer) == []


def test_what_a_transaction_writes_after_its_own_fold_counts_once(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    write(folder, scene, 2)
    assert outcome(writer) == "folded"
    write(writer, scene, 3)
    assert differences(writer) == []
    operations.delete(writer, [UUID(int=1)])
    assert differences(writer) == []
    assert differences(observer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_a_reader_with_an_older_snapshot_keeps_its_numbers(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    observer.execute("begin isolation level repeatable read")
    before = observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall()
    write(writer, scene, 2)
    assert outcome(folder) == "folded"
    folder.execute("select stats.refresh(p_force := true)")
    assert log_rows(folder) == 0
    assert observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall() == before
    assert differences(observer) == []
    observer.execute("commit")


def test_a_statement_is_not_folded_in_its_middle(sessions: Sessions, scene: Scene) -> None:
    """One statement, three triggers: a fold in the first would find rows that are not logged yet."""
    writer, folder, observer = sessions
    write(writer, scene, 1)
    write(writer, scene, 2)
    folder.execute("update stats.settings set refresh_mode = 'inline', debounce = '0'")
    folder.execute("update stats.stats_refresh_log set last_requested_at = null, last_started_at = null")
    writer.execute("begin")
    writer.execute("set constraints all immediate")
    new = [scene.activity(UUID(int=3), DRAFT)]
    operations.replace(writer, [UUID(int=1)], [UUID(int=2)], new)
    assert differences(writer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_serializable_writers_of_unrelated_rows_all_commit(
    own: OwnCluster, sessions: Sessions, scene: Scene
) -> None:
    """The log and its triggers add nothing that two of them would depend on, also beside a fold."""
    _, folder, observer = sessions
    with ExitStack() as stack:
        writers = [stack.enter_context(own.connect()) for _ in range(6)]
        for turn in range(3):
            for number, writer in enumerate(writers):
                writer.execute("begin isolation level serializable")
                draft = replace(draft_of(number + 1), chapter=number % 4, kind=number % 2)
                operations.insert(writer, [scene.activity(UUID(int=10 * turn + number + 1), draft)])
            assert outcome(folder) == "folded"
            for writer in writers:
                writer.execute("commit")
            assert differences(observer) == []


# ---------------------------------------------------------------- fold/fold


def test_the_second_of_two_folds_returns_at_once(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    assert outcome(folder) == "folded"
    write(writer, scene, 2)
    observer.execute("set lock_timeout = '20ms'")
    assert outcome(observer) == "already_running"
    assert differences(observer) == []
    folder.execute("commit")
    assert outcome(observer) == "folded"
    assert log_rows(observer) == 0
    assert differences(observer) == []


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_fold_with_a_snapshot_older_than_the_last_one_leaves_all_as_it_is(
    sessions: Sessions, scene: Scene, isolation: LiteralString
) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute(f"begin isolation level {isolation}")
    assert differences(folder) == []
    assert outcome(observer) == "folded"
    assert outcome(folder) == "already_running"
    assert differences(folder) == []
    folder.execute("commit")
    assert differences(observer) == []
    write(writer, scene, 2)
    folder.execute(f"begin isolation level {isolation}")  # the same, not too late
    assert outcome(folder) == "folded"
    folder.execute("commit")
    assert log_rows(observer) == 0
    assert differences(observer) == []


# ---------------------------------------------------------------- refreshes of mv_*


def test_what_commits_while_a_refresh_waits_stays_pending(sessions: Sessions, scene: Scene) -> None:
    """mv_* show what was folded when the refresh began, all three the same."""
    writer, folder, observer = sessions
    write(writer, scene, 1)
    writer.execute("begin")
    writer.execute("refresh materialized view concurrently stats.mv_peer_mentor_stats")
    refresh_all = "select stats.refresh(p_force := true)"
    with blocked(refresh_all, session=folder, by=writer, observer=observer) as refresh:
        write(observer, scene, 2)
        assert differences(observer) == []
        writer.execute("rollback")
    refresh.result()
    pending = "select sum(change_count)::integer from stats.pending_changes"
    assert observer.execute(pending).fetchone() == (1,)
    live = observer.execute("select sum(activity_count) from stats.live_chapter_stats").fetchone()
    assert live is not None
    for view in MATERIALIZED_VIEWS:
        shown = observer.execute(f"select sum(activity_count) + 1 from stats.{view}".encode()).fetchone()
        assert shown == live
    assert differences(observer) == []


def test_a_second_refresh_returns_at_once_also_with_an_older_snapshot(
    sessions: Sessions, scene: Scene
) -> None:
    """Or figures that hold still would go back in time."""
    writer, folder, observer = sessions
    refresh: LiteralString = "select stats.refresh(p_force := true) ->> 'outcome'"
    folder.execute("begin isolation level repeatable read")
    assert differences(folder) == []
    write(writer, scene, 1)
    writer.execute("begin")
    assert outcome(writer, refresh) == "refreshed"
    observer.execute("set lock_timeout = '20ms'")
    assert outcome(observer, refresh) == "already_running"
    writer.execute("commit")
    assert outcome(folder, refresh) == "already_running"
    folder.execute("commit")
    assert outcome(folder, refresh) == "refreshed"
    assert differences(observer) == []


def test_a_refresh_beside_a_fold_waits_for_its_moment_and_shows_what_it_folded(
    sessions: Sessions, scene: Scene
) -> None:
    """Nobody else would refresh before the next sweep."""
    writer, folder, observer = sessions
    observer.execute("update stats.settings set debounce = '0' where only_row")
    observer.execute("update stats.stats_refresh_log set last_started_at = null where only_row")
    write(writer, scene, 1)
    folder.execute("begin")
    assert outcome(folder) == "folded"
    refresh: LiteralString = "select stats.refresh(p_force := false) ->> 'outcome'"
    with blocked(refresh, session=writer, by=folder, observer=observer) as waiting:
        folder.execute("commit")
    assert cast("Cursor[tuple[str]]", waiting.result()).fetchone() == ("refreshed",)
    live = observer.execute("select sum(activity_count) from stats.live_chapter_stats").fetchone()
    assert observer.execute("select sum(activity_count) from stats.mv_chapter_stats").fetchone() == live


def test_an_inline_refresh_beside_a_fold_returns_at_once(sessions: Sessions, scene: Scene) -> None:
    """It is a writer's, in their commit."""
    writer, folder, observer = sessions
    observer.execute("update stats.settings set debounce = '0', refresh_mode = 'inline' where only_row")
    observer.execute("update stats.stats_refresh_log set last_started_at = null where only_row")
    folder.execute("begin")
    assert outcome(folder) == "folded"
    writer.execute("set lock_timeout = '20ms'")
    write(writer, scene, 1)
    assert outcome(writer, "select stats.refresh(p_force := false) ->> 'outcome'") == "already_running"
    folder.execute("commit")
    assert outcome(writer, "select stats.refresh(p_force := false) ->> 'outcome'") == "refreshed"


def test_no_live_read_waits_for_or_reads_through_a_plain_refresh(sessions: Sessions, scene: Scene) -> None:
    """PostgreSQL shows the rows of a plain REFRESH to snapshots that are older than they are."""
    writer, folder, observer = sessions
    observer.execute("begin isolation level repeatable read")
    assert observer.execute("select count(*) from public.organizations").fetchone() == (4,)
    write(writer, scene, 1)
    folder.execute("begin")
    for view in MATERIALIZED_VIEWS:
        folder.execute(f"refresh materialized view stats.{view}".encode())
    for connection in (writer, observer):
        connection.execute("set lock_timeout = '20ms'")
        assert differences(connection) == []
    folder.execute("commit")
    for connection in (writer, folder, observer):
        assert differences(connection) == []
    observer.execute("commit")


# ---------------------------------------------------------------- rebuild/write, rebuild/fold, restore/write


def test_a_rebuild_waits_for_no_writer_and_repairs_what_was_damaged(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    write(writer, scene, 2)
    folder.execute("delete from stats.activity_changes")
    assert differences(observer) != []
    writer.execute("begin")
    write(writer, scene, 3)
    operations.delete(writer, [UUID(int=1)])
    folder.execute("set lock_timeout = '20ms'")
    folder.execute("begin")
    folder.execute("select stats.rebuild(array[%s])", [scene.chapters[0]])
    assert differences(folder) == []
    write(observer, scene, 4)  # nor does a writer wait for the rebuild
    folder.execute("commit")
    assert differences(observer) == []
    writer.execute("commit")
    assert differences(observer) == []
    assert outcome(folder) == "folded"
    assert differences(observer) == []


def test_a_rebuild_waits_for_a_fold_and_counts_nothing_twice(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    writer.execute("begin")
    assert outcome(writer) == "folded"
    with blocked("select stats.rebuild()", session=folder, by=writer, observer=observer) as rebuild:
        write(observer, scene, 2)
        writer.execute("commit")
    rebuild.result()
    assert differences(observer) == []


def test_a_fold_beside_a_rebuild_returns_at_once(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    folder.execute("select stats.rebuild()")
    write(writer, scene, 2)
    assert outcome(observer) == "already_running"
    assert differences(observer) == []  # it is seen as a whole or not at all
    folder.execute("commit")
    assert differences(observer) == []
    assert outcome(observer) == "folded"
    assert differences(observer) == []


@pytest.mark.parametrize("named", [True, False], ids=["named-chapters", "all-chapters"])
def test_what_was_restored_without_triggers_is_found_and_healed_beside_a_writer(
    own: OwnCluster, sessions: Sessions, scene: Scene, *, named: bool
) -> None:
    """As pg_restore does with data alone: rows come, the log does not know of them."""
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    assert audited(folder) == set()
    with own.connect(admin=True) as restorer:
        restorer.execute("set session_replication_role = replica")
        rows = [scene.activity(UUID(int=number), draft_of(number)) for number in (2, 3)]
        operations.copy(restorer, rows, activity_date="2026-05-17")
    everywhere = {"daily_minutes", "daily_totals", "monthly_totals", "peer_mentor_totals", "yearly_totals"}
    assert audited(folder) == {(name, scene.chapters[0]) for name in everywhere}
    chapters = [scene.chapters[0], scene.chapters[1]] if named else None
    assert folder.execute("select stats.heal(%s)", [chapters]).fetchone() == (1,)
    assert audited(folder) == set()
    assert differences(observer) == []
    writer.execute("commit")
    assert differences(observer) == []


def audited(connection: Connection) -> set[tuple[str, UUID]]:
    return set(connection.execute("select relation_name, chapter_id from stats.audit()").fetchall())


# ---------------------------------------------------------------- rule/write


def test_a_changed_counting_rule_waits_for_who_writes_by_the_old_one(
    sessions: Sessions, scene: Scene
) -> None:
    """And the change back does not deadlock; the audit finds what a change without it leaves."""
    writer, folder, observer = sessions
    rule = (
        "create or replace function stats.counts_in_statistics(p_status public.activity_status,"
        " p_duration_minutes integer, p_participant_count integer, p_counts boolean,"
        " p_min_duration_minutes integer, p_min_participants integer)"
        " returns text language sql stable parallel safe set search_path = '' return null"
    )
    row = observer.execute("select pg_get_functiondef('stats.counts_in_statistics'::regproc)").fetchone()
    assert row is not None
    real = row[0]
    draft = Draft(0, 0, 0, 0, DRAFT.occurred_at, 60, 2, "draft")
    apply: LiteralString = "select stats.apply_counting_rules()"
    counted = "select is_counted from public.activities where id = %s"
    writer.execute("begin")
    operations.insert(writer, [scene.activity(UUID(int=1), draft)])
    folder.execute("begin")
    folder.execute(rule.encode())
    with blocked(apply, session=folder, by=writer, observer=observer) as applying:
        writer.execute("commit")
    applying.result()
    folder.execute("commit")
    assert observer.execute(counted, [UUID(int=1)]).fetchone() == (True,)
    assert audited(observer) == set()
    writer.execute("begin")
    operations.insert(writer, [scene.activity(UUID(int=2), draft)])
    folder.execute("begin")
    folder.execute(real)
    with blocked(apply, session=folder, by=writer, observer=observer) as applying:
        writer.execute("commit")
    applying.result()
    folder.execute("commit")
    assert audited(observer) == set()
    assert differences(observer) == []
    observer.execute(rule.encode())
    assert ("activities", scene.chapters[0]) in audited(observer)
    observer.execute(real)
    assert audited(observer) == set()


# ---------------------------------------------------------------- migration/read


REWRITE = "alter table public.activities add column rewritten uuid default gen_random_uuid()"
READS: dict[str, LiteralString] = {
    "summary": "select stats.computed_hierarchy_entry(%(root)s, 2026)::text",
    "precomputed": "select public.precompute_hierarchy(%(organization)s, 2026)",
    "report": (
        "select public.generate_bufdir_report(%(organization)s, '2026-01-01', '2027-01-01') -> 'totals'"
    ),
    "status": "select public.get_snapshot_status('2026-01-01', '2027-01-01') -> 'record_count_now'",
    "alignment": "select public.get_bufdir_alignment(2026)",
    "series": "select * from public.get_activity_series('2026-01-01', '2026-12-31', 'year')",
    "months": "select * from public.get_monthly_series(%(coordinator)s, '2026-01-01', '2026-12-31')",
    "coordinators": "select count(*) from public.coordinator_monthly_stats",
    "last days": "select count(last_activity_date) from public.peer_mentor_stats",
    "audit": "select count(*) from stats.audit()",
    "rebuild": "select stats.rebuild()",
    "refresh": "select stats.refresh(p_force := true) ->> 'outcome'",
}


@pytest.mark.parametrize("name", READS)
def test_nothing_reads_the_activities_of_before_a_migration_that_rewrites_them(
    sessions: Sessions, scene: Scene, name: str
) -> None:
    """To a snapshot that is older than the rewritten table, it is empty. So the lock comes first."""
    writer, folder, observer = sessions
    places = {
        "root": scene.regions[0],
        "organization": scene.organization,
        "coordinator": scene.coordinators[0],
    }
    write(observer, scene, 1)
    query = ClientCursor(folder).mogrify(READS[name], places)

    def read() -> list[tuple[object, ...]]:
        if name in {"audit", "rebuild", "refresh", "summary", "precomputed"}:
            return folder.execute(query.encode()).fetchall()
        with folder.transaction():
            act_as(folder, scene.organization, scene.admin)
            return folder.execute(query.encode()).fetchall()

    before = read()
    writer.execute("begin")
    writer.execute(REWRITE)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            if name not in {"series", "refresh"}:  # they read none
                wait_until_blocked(observer, folder, by=writer)
        finally:
            writer.execute("commit")
        after = reading.result()
    observer.execute("alter table public.activities drop column rewritten")
    if name != "summary":  # which says when it was computed
        assert after == before
    else:
        assert figures_of(str(after)) == figures_of(str(before))
    assert differences(observer) == []
    assert wrong_entries(observer) == []


def figures_of(entry: str) -> str:
    return entry[entry.index("{") : entry.index("}")]
