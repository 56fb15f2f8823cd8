"""Computations of summaries that overlap changes and drains, in an order chosen to break simpler designs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString

import pytest
from psycopg import Cursor
from psycopg.types.json import Jsonb

from tests.resilience.hierarchy_cast import YEAR
from tests.resilience.hierarchy_sessions import drain
from tests.resilience.hierarchy_truth import wrong_entries
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tests.resilience.hierarchy_cast import Cast
    from tests.resilience.own_cluster import Connection


def begin_before_a_change(cast: Cast) -> str:
    """Compute in the reader's transaction, then change and drain; returns what is yet to be stored."""
    cast.reader.execute("begin")
    row = cast.reader.execute(
        "select stats.computed_hierarchy_entry(%s, %s)::text", [cast.here, YEAR]
    ).fetchone()
    assert row is not None
    cast.write(1)
    drain(cast.drainer)
    return str(row[0])


def store(cast: Cast, entry: str) -> int:
    """Store it, in that transaction; returns how many entries were."""
    row = cast.reader.execute(
        "select stats.store_hierarchy_entries(array[%s::public.hierarchy_stats_cache])", [entry]
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_change_outdates_its_unit_and_all_above_at_the_commit_and_nothing_else(cast: Cast) -> None:
    cast.writer.execute("begin")
    cast.write(1)
    assert not cast.is_outdated(cast.chapter)
    cast.writer.execute("commit")
    assert cast.is_outdated(cast.chapter)
    assert cast.is_outdated(cast.here)
    assert not cast.is_outdated(cast.there)
    assert drain(cast.drainer) == 1
    assert cast.is_outdated(cast.here)
    assert not cast.is_outdated(cast.there)
    cast.reader.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    assert cast.is_outdated(cast.here) is False


def test_a_fold_without_marks_leaves_wrong_entries(cast: Cast) -> None:
    """The simpler design, as a control of everything here: the comparison finds what is called fresh."""
    cast.write(1)
    assert wrong_entries(cast.reader) == []
    cast.drainer.execute("begin")
    cast.drainer.execute("create temporary table marks_before on commit drop as table stats.marks")
    cast.drainer.execute("select stats.fold()")
    assert wrong_entries(cast.drainer) == []
    cast.drainer.execute("delete from stats.marks")
    cast.drainer.execute("insert into stats.marks table marks_before")
    wrong = wrong_entries(cast.drainer)
    assert {entry.unit_id for entry in wrong} >= {cast.chapter, cast.here}
    assert {entry.said["activity_count"] - entry.true["activity_count"] for entry in wrong} == {-1}
    cast.drainer.execute("rollback")


@pytest.mark.parametrize("cached", [True, False], ids=["cached-before", "missing-before"])
def test_a_computation_that_began_before_the_change_cannot_undo_the_mark(cast: Cast, *, cached: bool) -> None:
    if not cached:
        cast.reader.execute("delete from public.hierarchy_stats_cache")
    entry = begin_before_a_change(cast)
    store(cast, entry)
    cast.reader.execute("commit")
    assert cast.is_outdated(cast.here) is True
    cast.reader.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    assert cast.is_outdated(cast.here) is False


def test_an_older_computation_does_not_replace_a_newer_one(cast: Cast) -> None:
    entry = begin_before_a_change(cast)
    cast.drainer.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    assert store(cast, entry) == 0
    cast.reader.execute("commit")
    assert cast.is_outdated(cast.here) is False


def test_a_missing_entry_computed_while_a_drain_runs_waits_for_nothing_and_is_outdated(cast: Cast) -> None:
    cast.reader.execute("delete from public.hierarchy_stats_cache")
    cast.write(1)
    cast.drainer.execute("begin")
    cast.drainer.execute("select public.take_unit_changes()")
    compute: LiteralString = "select stats.compute_hierarchy_entry(%s, %s)"
    cast.reader.execute("set lock_timeout = '20ms'")
    cast.reader.execute(compute, [cast.here, YEAR])
    assert cast.is_outdated(cast.here) is True
    cast.drainer.execute("commit")
    assert cast.is_outdated(cast.here) is True  # it has the change, but cannot know that
    cast.reader.execute(compute, [cast.here, YEAR])
    assert cast.is_outdated(cast.here) is False


def test_a_fold_waits_for_no_computation_that_is_about_to_be_committed(cast: Cast) -> None:
    cast.write(1)
    cast.reader.execute("begin")
    cast.reader.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    cast.drainer.execute("set lock_timeout = '20ms'")
    assert drain(cast.drainer) == 1
    cast.reader.execute("commit")
    assert cast.is_outdated(cast.here) is True


def test_a_transaction_that_computes_and_then_writes_does_not_believe_its_own_entry(cast: Cast) -> None:
    cast.writer.execute("begin")
    cast.write(1)
    cast.writer.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    cast.write(2)
    assert wrong_entries(cast.writer) == []
    cast.writer.execute("select stats.fold()")
    assert wrong_entries(cast.writer) == []
    cast.writer.execute("commit")
    assert cast.is_outdated(cast.here) is True


def test_a_reader_with_an_older_snapshot_is_told_what_was_true_then(cast: Cast) -> None:
    cast.reader.execute("begin isolation level repeatable read")
    assert cast.is_outdated(cast.here) is False
    cast.write(1)
    drain(cast.drainer)
    cast.drainer.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    assert cast.is_outdated(cast.here) is False
    assert wrong_entries(cast.reader) == []
    cast.reader.execute("commit")


@contextmanager
def summary_that_waits(connection: Connection, unit_id: UUID) -> Iterator[None]:
    """Let the computation of one unit's summary wait for advisory lock 1, and then do its real work."""
    name = "stats.hierarchy_summary("
    row = connection.execute(
        "select pg_get_functiondef('stats.hierarchy_summary(uuid, integer)'::regprocedure)"
    ).fetchone()
    assert row is not None
    real = row[0]
    connection.execute(real.replace(name, "stats.real_hierarchy_summary(", 1))
    connection.execute(f"""
        create or replace function {name}p_unit_id uuid, p_year integer) returns jsonb
            language plpgsql stable as $$
        begin
            if p_unit_id = '{unit_id}' then
                perform pg_advisory_xact_lock(1);
            end if;
            return stats.real_hierarchy_summary(p_unit_id, p_year);
        end $$""")
    try:
        yield
    finally:
        connection.execute(real)
        connection.execute("drop function stats.real_hierarchy_summary(uuid, integer)")


def test_a_warm_up_keeps_no_drain_waiting_while_it_computes(cast: Cast) -> None:
    """It has computed one entry and waits in the middle of the next: the first is not locked meanwhile."""
    reads = {str(cast.here): 9, str(cast.there): 5}
    cast.reader.execute("select public.record_node_reads(%s)", [Jsonb(reads)])
    cast.write(1)
    cast.write(2, chapter=2)
    warm_up = "select public.warm_hierarchy_cache()"
    with summary_that_waits(cast.writer, cast.there):
        cast.drainer.execute("select pg_advisory_lock(1)")
        cast.drainer.execute("set lock_timeout = '2s'")
        with blocked(warm_up, session=cast.reader, by=cast.drainer, observer=cast.writer) as warming:
            assert drain(cast.drainer) == 2
            cast.drainer.execute("select pg_advisory_unlock(1)")
        warmed = warming.result()
        assert isinstance(warmed, Cursor)
        assert warmed.fetchone() == ({"warmed": 2, "skipped": 0},)
    assert cast.is_outdated(cast.here) is True  # marked while it was computed
    assert cast.is_outdated(cast.there) is True
