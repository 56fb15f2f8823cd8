"""The two changes that docs/howto shows step by step, each beside a writer: nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import pytest

from local.requirements import ROOT
from tests.resilience.own_cluster import own_cluster
from tests.resilience.waiting import blocked
from tests.support import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import OwnCluster

HOWTO = ROOT / "docs" / "howto"
LOCK: LiteralString = "lock table public.activities"
WRITE: LiteralString = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
                                   occurred_at, duration_minutes, is_proxy_registered, status)
    select organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
           occurred_at, 31, true, 'draft'
    from public.activities where is_proxy_registered and is_counted and occurred_at >= '2026-01-02Z'
      and activity_type_id in (select t.id from public.activity_types t
                               join public.organizations o on o.id = t.organization_id
                               where o.slug = 'nhf' and t.code = 'home_visit') limit 1
"""
REGISTER: LiteralString = WRITE.replace("'draft'", "'registered'")
HOME_VISIT = REGISTER
AUDIT: LiteralString = "select distinct relation_name from stats.audit() order by 1"


@pytest.fixture
def own() -> Iterator[OwnCluster]:
    with own_cluster("changes") as cluster, cluster.connect() as connection:
        connection.execute("select cron.unschedule(jobid) from cron.job")
        yield cluster


def block(page: str, place: int = 0) -> str:
    """A block of SQL of a page, counted from 0."""
    return [b.code for b in documents.blocks(HOWTO / page) if b.language == "sql"][place]


@pytest.mark.parametrize(
    ("place", "write", "reasons"),
    [
        pytest.param(0, HOME_VISIT, [("too_short", 2)], id="a rule of a type"),
        pytest.param(1, WRITE, [(None, 2)], id="the code"),
    ],
)
def test_the_counting_rule_reaches_the_rows_of_an_open_writer_and_of_one_that_waits(
    own: OwnCluster, place: int, write: LiteralString, reasons: list[tuple[str | None, int]]
) -> None:
    with own.connect() as owner, own.connect() as before, own.connect() as after, own.connect() as observer:
        before.execute("begin")
        before.execute(write)
        owner.execute("begin")
        with blocked(
            block("change-the-counting-rule.md", place), session=owner, by=before, observer=observer
        ) as applied:
            before.execute("commit")
        applied.result()
        with blocked(write, session=after, by=owner, observer=observer) as written:
            owner.execute("commit")
        written.result()
        written_now = observer.execute(
            "select not_counted_because, count(*) from public.activities"
            " where duration_minutes = 31 group by 1"
        )
        assert written_now.fetchall() == reasons
        assert observer.execute(AUDIT).fetchall() == []


@pytest.mark.parametrize(
    ("locked", "lost"), [(True, []), (False, ["daily", "monthly", "peer_mentor", "yearly"])]
)
def test_a_measure_reaches_the_rows_of_a_writer_that_waits(
    own: OwnCluster, *, locked: bool, lost: list[str]
) -> None:
    """Without the lock on the activities, a trigger that waits for the log goes on as it was."""
    code = block("add-a-metric.md")
    assert LOCK in code
    migration = code if locked else "\n".join(line for line in code.splitlines() if LOCK not in line)
    with own.connect() as owner, own.connect() as writer, own.connect() as observer:
        owner.execute("begin")
        owner.execute(migration.encode())
        with blocked(REGISTER, session=writer, by=owner, observer=observer) as written:
            owner.execute("commit")
        written.result()
        assert [name for (name,) in observer.execute(AUDIT)] == [f"{name}_totals" for name in lost]
        observer.execute("select stats.heal()")
        assert observer.execute(AUDIT).fetchall() == []
