"""Transactions that overlap in an order chosen to break simpler designs; each statement's order is fixed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest

from tests.resilience import operations
from tests.resilience.comparison import SNAPSHOTS, differences
from tests.resilience.own_cluster import own_cluster
from tests.resilience.scene import Draft, Scene, load_scene
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

REFRESH_SERIES = "refresh materialized view concurrently stats.mv_activity_time_series"
DRAFT = Draft(0, 0, 0, 0, "2026-05-17 12:00Z", 60, 2, "registered")


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with own_cluster("interleaved") as cluster:
        yield cluster


@pytest.fixture
def sessions(own: OwnCluster) -> Iterator[tuple[Connection, Connection, Connection]]:
    """A writer, somebody who refreshes, and an observer; all begin with an empty log."""
    with ExitStack() as stack:
        writer, refresher, observer = (stack.enter_context(own.connect()) for _ in range(3))
        observer.execute("select stats.rebuild()")
        yield writer, refresher, observer
        for connection in (writer, refresher):
            connection.execute("rollback")
        observer.execute("update stats.settings set refresh_mode = 'async', debounce = '10 seconds'")
        observer.execute("delete from public.activities where id < %s", [UUID(int=1000)])
        assert differences(observer) == []


@pytest.fixture
def scene(own: OwnCluster) -> Scene:
    with own.connect() as connection:
        return load_scene(connection)


def write(connection: Connection, scene: Scene, number: int) -> None:
    operations.insert(connection, [scene.activity(UUID(int=number), DRAFT)])


def test_what_commits_while_a_refresh_waits_is_neither_lost_nor_doubled(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """It comes after the snapshots that the refresh works with, and before it prunes the log."""
    writer, refresher, observer = sessions
    writer.execute("begin")
    writer.execute("refresh materialized view concurrently stats.mv_yearly_stats")
    refresh_all = "select stats.refresh(p_force := true)"
    with blocked(refresh_all, session=refresher, by=writer, observer=observer) as refresh:
        write(observer, scene, 1)
        writer.execute("rollback")
    refresh.result()
    assert observer.execute("select count(*) from stats.pending_changes").fetchone() == (1,)
    assert differences(observer) == []


def test_pruning_all_that_is_seen_loses_it(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """A simpler design, as a control of what is above: the comparison finds the one lost activity."""
    writer, refresher, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    refresher.execute("begin")
    for view in SNAPSHOTS:
        refresher.execute(f"refresh materialized view concurrently stats.{view}")
    writer.execute("commit")
    refresher.execute("delete from stats.activity_changes")
    found = differences(refresher)
    assert {view for view, _, _ in found} == {
        "live_peer_mentor_stats",
        "live_chapter_stats",
        "live_time_series",
        "live_yearly_rows",
    }
    refresher.execute("rollback")
    assert differences(observer) == []


def test_a_refresh_that_waited_for_a_newer_one_is_refused(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """It keeps the snapshot it began with, which lacks what the other has contained and pruned."""
    writer, refresher, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    writer.execute("select stats.refresh(p_force := true)")
    with blocked(REFRESH_SERIES, session=refresher, by=writer, observer=observer) as refresh:
        writer.execute("commit")
    with pytest.raises(psycopg.errors.SerializationFailure, match="would go back in time"):
        refresh.result()
    assert differences(observer) == []
    refresher.execute(REFRESH_SERIES)  # the retry that the error asks for
    assert differences(observer) == []


def test_a_refresh_at_repeatable_read_older_than_the_last_one_is_refused(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    writer, refresher, observer = sessions
    refresher.execute("begin isolation level repeatable read")
    assert differences(refresher) == []
    write(writer, scene, 1)
    writer.execute(REFRESH_SERIES)
    with pytest.raises(psycopg.errors.SerializationFailure):
        refresher.execute(REFRESH_SERIES)
    refresher.execute("rollback")
    refresher.execute("begin isolation level repeatable read")
    refresher.execute(REFRESH_SERIES)
    refresher.execute("commit")
    assert differences(observer) == []


def test_what_a_transaction_writes_after_its_own_refresh_counts_once(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """Later transactions have committed meanwhile, so the snapshot alone would call all of it contained."""
    writer, refresher, observer = sessions
    writer.execute("begin")
    write(writer, scene, 1)
    write(refresher, scene, 2)
    writer.execute(REFRESH_SERIES)
    write(writer, scene, 3)
    assert differences(writer) == []
    operations.delete(writer, [UUID(int=1)])
    assert differences(writer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_a_reader_with_an_older_snapshot_keeps_its_numbers(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    writer, refresher, observer = sessions
    write(writer, scene, 1)
    observer.execute("begin isolation level repeatable read")
    before = observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall()
    write(writer, scene, 2)
    refresher.execute("select public.take_unit_changes()")  # or the log would be kept for the hierarchy
    refresher.execute("select stats.refresh(p_force := true)")
    assert refresher.execute("select count(*) from stats.activity_changes").fetchone() == (0,)
    assert observer.execute("select * from stats.live_time_series order by 1, 2, 3").fetchall() == before
    assert differences(observer) == []
    observer.execute("commit")


def test_a_plain_refresh_is_exact_for_everybody_but_older_snapshots(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """PostgreSQL's own limit: a plain REFRESH shows its rows to snapshots that are older than they are."""
    writer, refresher, observer = sessions
    observer.execute("begin isolation level repeatable read")
    assert observer.execute("select count(*) from public.organizations").fetchone() == (4,)
    write(writer, scene, 1)
    refresher.execute("refresh materialized view stats.mv_activity_time_series")
    assert differences(refresher) == []
    assert {view for view, _, _ in differences(observer)} == {"live_time_series"}
    observer.execute("commit")


def test_a_statement_is_not_refreshed_in_its_middle(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    """One statement, three triggers: a refresh in the first would find rows that are not logged yet."""
    writer, refresher, observer = sessions
    write(writer, scene, 1)
    write(writer, scene, 2)
    refresher.execute("update stats.settings set refresh_mode = 'inline', debounce = '0'")
    refresher.execute("update stats.stats_refresh_log set last_requested_at = null, last_started_at = null")
    writer.execute("begin")
    writer.execute("set constraints all immediate")
    new = [scene.activity(UUID(int=3), DRAFT)]
    operations.replace(writer, [UUID(int=1)], [UUID(int=2)], new)
    assert differences(writer) == []
    writer.execute("commit")
    assert differences(observer) == []


def test_a_rebuild_waits_for_writers_and_repairs_what_was_damaged(
    sessions: tuple[Connection, Connection, Connection], scene: Scene
) -> None:
    writer, refresher, observer = sessions
    write(writer, scene, 1)
    refresher.execute("delete from stats.activity_changes")
    refresher.execute("update stats.snapshot_positions set own_change_id = null")
    assert differences(observer) != []
    writer.execute("begin")
    write(writer, scene, 2)
    with blocked("select stats.rebuild()", session=refresher, by=writer, observer=observer) as rebuild:
        writer.execute("commit")
    rebuild.result()
    assert differences(observer) == []
