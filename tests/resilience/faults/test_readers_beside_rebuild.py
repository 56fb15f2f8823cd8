"""Live reads wait for nothing that is replaced under them, and see neither half of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from tests.resilience.comparison import COUNTS, DAY, differences, public_differences
from tests.resilience.faults.stage import WAIT_FOR_NOBODY, YEAR, Stage, value
from tests.resilience.hierarchy_truth import fresh_entries, wrong_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

SERIES: LiteralString = (
    "select * from jsonb_to_recordset(public.get_activity_series(%s, %s, %s)) "
    "as s (bucket_date date, activity_count bigint, total_hours numeric)"
)
TRUE_SERIES: LiteralString = f"""
    select b::date, count(a.id), round(coalesce(sum(a.duration_minutes), 0) / 60.0, 2)
    from generate_series(date_trunc(%(bucket)s, %(from)s::timestamp), %(to)s::timestamp - interval '1 day',
                         ('1 ' || %(bucket)s)::interval) b
    left join (select a.*, {DAY} as day from public.activities a where {COUNTS}) a
        on a.organization_id = %(organization)s and date_trunc(%(bucket)s, a.day::timestamp) = b
        and a.day >= %(from)s and a.day < %(to)s
    group by 1 order by 1
"""
REPLACEMENTS: dict[str, LiteralString] = {
    "plain refresh": "refresh materialized view stats.mv_activity_time_series; "
    "refresh materialized view stats.mv_chapter_stats; refresh materialized view stats.mv_peer_mentor_stats",
    "rebuild": "select stats.rebuild()",
    "rebuild of one chapter": "select stats.rebuild(array(select id from public.organization_units "
    "where name = 'Grorud'))",
    "fold": "select stats.fold()",
    "refresh": "select stats.refresh(p_force := true)",
}


@pytest.fixture
def replacing(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Give a session that has replaced what it replaces, and not committed; some changes are in the log."""
    for number in range(1, 6):
        stage.write(stage.one, number, chapter=number % 4)
    stage.two.execute(WAIT_FOR_NOBODY)
    stage.one.execute("begin")
    stage.one.execute(REPLACEMENTS[request.param])
    yield stage.one
    stage.two.execute("reset lock_timeout; reset statement_timeout")


def wrong_series(stage: Stage, reader: Connection) -> list[str]:
    """Compare each kind of series with the truth in one snapshot, as an org admin sees it."""
    wrong = []
    for bucket, start, end in (
        ("month", "2025-11-14", "2027-01-01"),
        ("day", "2026-05-01", "2026-06-01"),
        ("year", "2025-01-01", "2027-01-01"),
    ):
        parameters = {"bucket": bucket, "from": start, "to": end, "organization": stage.scene.organization}
        with reader.transaction():
            reader.execute("set transaction isolation level repeatable read")
            true = reader.execute(TRUE_SERIES, parameters).fetchall()
            stage.as_admin(reader)
            said = reader.execute(SERIES, [start, end, bucket]).fetchall()
            reader.execute("reset role")
        assert sum(row[1] for row in true) > 0
        if said != true:
            wrong.append(f"{bucket}: {said} for {true}")
    return wrong


def assert_exact(stage: Stage, reader: Connection) -> None:
    """Read everything that is live, without waiting for anybody."""
    assert differences(reader) == []
    assert wrong_series(stage, reader) == []
    with reader.transaction():
        assert public_differences(reader, stage.scene.organization, stage.scene.admin) == []
    assert wrong_entries(reader) == []


@pytest.mark.parametrize("replacing", REPLACEMENTS, indirect=True)
def test_live_reads_beside_a_replacement_are_exact(stage: Stage, replacing: Connection) -> None:
    stage.write(stage.two, 6)  # after the snapshot of what is being replaced
    assert_exact(stage, stage.two)
    replacing.execute("commit")
    assert_exact(stage, stage.two)
    stage.two.execute("select stats.fold()")
    assert_exact(stage, stage.two)


@pytest.mark.parametrize("replacing", REPLACEMENTS, indirect=True)
def test_a_summary_computed_beside_a_replacement_is_right_or_called_outdated(
    stage: Stage, replacing: Connection
) -> None:
    # organisations in turn, and the first of them twice: before the commit and after it
    precompute: LiteralString = f"select public.precompute_hierarchy(id, {YEAR}) from public.organizations"
    stage.two.execute(precompute)
    assert wrong_entries(stage.two) == []
    replacing.execute("commit")
    assert wrong_entries(stage.two) == []
    stage.two.execute("select stats.fold()")
    assert wrong_entries(stage.two) == []
    stage.two.execute(precompute)
    assert wrong_entries(stage.two) == []
    assert len(fresh_entries(stage.two)) == value(stage.two, "select count(*) from public.organization_units")


def test_a_writer_that_began_before_a_rebuild_counts_once(stage: Stage) -> None:
    stage.one.execute("begin")
    stage.write(stage.one, 1)
    stage.two.execute(WAIT_FOR_NOBODY)
    stage.two.execute("select stats.rebuild()")
    assert_exact(stage, stage.two)
    stage.one.execute("commit")
    assert_exact(stage, stage.two)


def test_a_replaced_view_that_is_read_directly_does_wait(stage: Stage) -> None:
    """A control: the plain refresh is in the way of whoever reads what it replaces."""
    stage.one.execute("begin")
    stage.one.execute(REPLACEMENTS["plain refresh"])
    stage.two.execute(WAIT_FOR_NOBODY)
    with pytest.raises(psycopg.errors.LockNotAvailable, match="canceling statement due to lock timeout"):
        stage.two.execute("select count(*) from stats.mv_activity_time_series")
    stage.one.execute("commit")
    assert value(stage.two, "select count(*) from stats.mv_activity_time_series") > 0


def test_totals_replaced_in_two_transactions_would_be_seen_half_done(stage: Stage) -> None:
    """A control of the comparison: it sees the moment between taking out and putting in."""
    stage.one.execute("begin")
    stage.one.execute("delete from stats.daily_totals where bucket_date >= '2026-05-01'")
    found = {view for view, _, _ in differences(stage.one)}
    assert found == {"live_time_series"}
    assert wrong_series(stage, stage.two) == []
    stage.one.execute("rollback")
