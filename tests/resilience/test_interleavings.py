"""Transactions that overlap in an order chosen to break simpler designs; each statement's order is fixed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import pytest
from psycopg import ClientCursor

from tests.resilience import operations
from tests.resilience.comparison import SNAPSHOTS, differences
from tests.resilience.hierarchy_sessions import act_as
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, Scene, load_scene
from tests.resilience.sessions import begin
from tests.resilience.waiting import wait_until_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

    Sessions = tuple[Connection, Connection, Connection]

DRAFT = Draft(0, 0, 0, 0, "2026-05-17 12:00Z", 60, 2, "registered")


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("interleaved") as cluster:
        yield cluster


@pytest.fixture
def sessions(own: OwnCluster) -> Iterator[tuple[Connection, Connection, Connection]]:
    """A writer, somebody who folds, and an observer; all begin with an empty log."""
    with ExitStack() as stack:
        writer, folder, observer = (stack.enter_context(own.connect()) for _ in range(3))
        observer.execute("select stats.rebuild(), stats.fold()")
        observer.execute("select stats.fold()")
        yield writer, folder, observer
        for connection in (writer, folder):
            connection.execute("rollback")
        observer.execute("update stats.settings set refresh_mode = 'async', debounce = '10 seconds'")
        observer.execute("delete from public.activities where id < %s", [UUID(int=1000)])
        assert differences(observer) == []
        assert observer.execute("select * from stats.audit()").fetchall() == []


@pytest.fixture
def scene(own: OwnCluster) -> Scene:
    with own.connect() as connection:
        return load_scene(connection)


def write(connection: Connection, scene: Scene, number: int) -> None:
    operations.insert(connection, [scene.activity(UUID(int=number), DRAFT)])


def fold(connection: Connection) -> str:
    row = connection.execute("select stats.fold() ->> 'outcome'").fetchone()
    assert row is not None
    return str(row[0])


def pending(observer: Connection) -> int:
    row = observer.execute("select count(*) from stats.activity_changes").fetchone()
    assert row is not None
    return int(row[0])


def test_a_transaction_open_across_a_fold_is_folded_by_the_next(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    write(observer, scene, 2)
    assert fold(folder) == "folded"
    assert differences(writer) == []
    writer.execute("commit")
    assert pending(observer) == 1
    assert differences(observer) == []
    fold(folder)
    assert pending(observer) == 0
    assert differences(observer) == []


def test_control_two_statements_instead_of_one_lose_what_commits_between_them(
    sessions: Sessions, scene: Scene
) -> None:
    """A simpler design: add up the log, then empty it. The comparison finds the one lost activity."""
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    folder.execute("begin")
    added = folder.execute("select count(*) from stats.activity_changes").fetchone()
    assert added == (0,)
    writer.execute("commit")
    folder.execute("delete from stats.activity_changes")
    assert {view for view, _, _ in differences(folder)} == {
        "live_peer_mentor_stats",
        "live_chapter_stats",
        "live_time_series",
        "live_monthly_rows",
        "live_yearly_rows",
    }
    folder.execute("rollback")
    assert differences(observer) == []


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_a_second_fold_neither_waits_nor_counts_twice(
    sessions: Sessions, scene: Scene, isolation: str
) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    begin(observer, isolation)
    assert pending(observer) == 1  # the snapshot is taken
    folder.execute("begin")
    assert fold(folder) == "folded"
    observer.execute("set local lock_timeout = '1s'")
    assert fold(observer) == "already_running"
    assert differences(observer) == []
    folder.execute("commit")
    assert differences(observer) == []
    # above READ COMMITTED it still sees what has been folded; its own fold would take it once more
    assert fold(observer) == ("folded" if isolation == "read committed" else "already_running")
    assert differences(observer) == []
    observer.execute("commit")
    assert differences(observer) == []


def test_a_fold_that_fails_leaves_everything_to_the_next(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    fold(folder)
    folder.execute("rollback")
    assert pending(observer) == 1
    assert differences(observer) == []
    assert fold(observer) == "folded"
    assert differences(observer) == []


def test_what_a_transaction_writes_after_its_own_fold_counts_once(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    write(folder, scene, 2)
    fold(writer)
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
    begin(observer, "repeatable read")
    before = observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall()
    write(writer, scene, 2)
    fold(folder)
    folder.execute("select stats.refresh(p_force := true)")
    folder.execute("select stats.rebuild()")
    assert observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall() == before
    assert differences(observer) == []
    observer.execute("commit")


@pytest.mark.parametrize("how", ["", "concurrently"])
def test_nothing_live_reads_through_what_is_being_refreshed(
    sessions: Sessions, scene: Scene, how: LiteralString
) -> None:
    writer, folder, observer = sessions
    begin(observer, "repeatable read")
    assert differences(observer) == []
    write(writer, scene, 1)
    folder.execute("begin")
    for view in SNAPSHOTS:
        folder.execute(f"refresh materialized view {how} stats.{view}")
    for connection in (writer, observer):
        connection.execute("set lock_timeout = '20ms'")
        assert differences(connection) == []
        connection.execute("set lock_timeout = 0")
    folder.execute("commit")
    assert differences(observer) == []
    observer.execute("commit")


def test_a_statement_may_be_folded_in_its_middle(sessions: Sessions, scene: Scene) -> None:
    """One statement, three triggers, and constraints that are immediate, where there are no functions."""
    writer, folder, observer = sessions
    write(writer, scene, 1)
    write(writer, scene, 2)
    folder.execute("update stats.settings set refresh_mode = 'inline', debounce = '0'")
    writer.execute("begin")
    writer.execute("set constraints all immediate")
    operations.replace(writer, [UUID(int=1)], [UUID(int=2)], [scene.activity(UUID(int=3), DRAFT)])
    assert differences(writer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_a_rebuild_repairs_what_was_damaged_and_waits_for_no_writer(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("delete from stats.activity_changes")
    assert differences(observer) != []
    writer.execute("begin")
    write(writer, scene, 2)
    folder.execute("begin")
    folder.execute("set local lock_timeout = '20ms'")
    folder.execute("select stats.rebuild()")
    write(observer, scene, 3)  # nor does a writer wait for the rebuild
    assert differences(folder) == []
    folder.execute("commit")
    assert differences(observer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_a_reader_sees_a_rebuild_as_a_whole_or_not_at_all(sessions: Sessions, scene: Scene) -> None:
    writer, folder, observer = sessions
    write(writer, scene, 1)
    folder.execute("begin")
    folder.execute("select stats.rebuild()")
    assert differences(observer) == []
    observer.execute("set lock_timeout = '1s'")
    assert fold(observer) == "already_running"
    write(observer, scene, 2)
    folder.execute("commit")
    assert differences(observer) == []
    fold(observer)
    assert differences(observer) == []


REWRITE = "alter table public.activities add column rewritten uuid default gen_random_uuid()"
READS: dict[str, LiteralString] = {
    "summary": "select payload from stats.computed_hierarchy_entry(%(root)s, 2026)",
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
    observer.execute("update public.activities set contact_id = id where id = %s", [UUID(int=1)])
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
    assert after == before
    assert differences(observer) == []
    assert wrong_entries(observer) == []
